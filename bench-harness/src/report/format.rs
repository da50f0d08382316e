//! Numbers as readers see them: three significant digits and always a unit.
//!
//! The one place that turns a float into text, so that every view shows the same digits. No locale.

use std::time::Duration;

use crate::stats::{Absent, Interval, Known, Ratio};

/// What stands where a number is absent.
pub(crate) const NONE: &str = "–";

/// Three significant digits, thousands separated: `0.0123`, `1.50`, `12,300`. Not finite: `–`.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    // LIMIT: below 1e-4 and from 1e15 on, plain digits would be longer than anyone reads.
    if value != 0.0 && (value.abs() < 1e-4 || value.abs() >= 1e15) {
        return format!("{value:.2e}");
    }
    let scientific = format!("{value:.2e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or(("0", "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 {
        return "0".to_owned();
    }
    let rounded: f64 = digits.parse::<f64>().unwrap_or(0.0) * 10_f64.powi(exponent);
    let decimals = usize::try_from(2 - exponent).unwrap_or(0);
    separate_thousands(&format!("{rounded:.decimals$}"))
}

/// A whole number, thousands separated.
pub(crate) fn count(value: u64) -> String {
    separate_thousands(&value.to_string())
}

fn separate_thousands(plain: &str) -> String {
    let (sign, unsigned) = plain.strip_prefix('-').map_or(("", plain), |rest| ("-", rest));
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(w, f)| (w, Some(f)));
    let mut text = sign.to_owned();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// Updates per second.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{}/s", number(per_second))
}

/// Nanoseconds in the unit that reads best: `850 ns`, `1.23 µs`, `4.50 ms`, `2.00 s`.
pub(crate) fn duration(ns: f64) -> String {
    if ns == 0.0 {
        return "0 ns".to_owned();
    }
    let (scale, unit) = duration_unit(ns);
    format!("{} {unit}", number(ns / scale))
}

/// The unit in which `ns` reads best, and its nanoseconds.
pub(crate) fn duration_unit(ns: f64) -> (f64, &'static str) {
    // 999.5 of a unit would print as 1,000 of it.
    match ns.abs() {
        x if x < 999.5 => (1.0, "ns"),
        x if x < 999.5e3 => (1e3, "µs"),
        x if x < 999.5e6 => (1e6, "ms"),
        _ => (1e9, "s"),
    }
}

/// A round value on an axis, without zeros that say nothing: `0.5`, `20`, `1,000`.
pub(crate) fn tick(value: f64) -> String {
    let text = number(value);
    if !text.contains('.') || text.contains('e') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A round duration on an axis: `500 ns`, `2 ms`, `0`.
pub(crate) fn tick_duration(ns: f64) -> String {
    if ns == 0.0 {
        return "0".to_owned();
    }
    let (scale, unit) = duration_unit(ns);
    format!("{} {unit}", tick(ns / scale))
}

/// A ratio: `1.42×`.
pub(crate) fn times(ratio: f64) -> String {
    format!("{}×", number(ratio))
}

/// A share in percent, two or three digits: `7.4 %`, `42 %`, `98.4 %`.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        x if !x.is_finite() => NONE.to_owned(),
        x if x < 0.05 => "0 %".to_owned(),
        x if x < 9.95 || (90.0..99.95).contains(&x) => format!("{percent:.1} %"),
        _ => format!("{percent:.0} %"),
    }
}

/// A share that somebody chose, in percent: `25 %`, `110 %`.
pub(crate) fn whole_percent(share: f64) -> String {
    format!("{} %", tick(100.0 * share))
}

/// Bytes: `640 B`, `1.50 KiB`, `12.3 MiB`.
pub(crate) fn bytes(value: u64) -> String {
    let value = value as f64;
    match value {
        x if x < 1024.0 => format!("{x} B"),
        x if x < 1024.0 * 1024.0 => format!("{} KiB", number(x / 1024.0)),
        x if x < 1024.0 * 1024.0 * 1024.0 => format!("{} MiB", number(x / (1024.0 * 1024.0))),
        x => format!("{} GiB", number(x / (1024.0 * 1024.0 * 1024.0))),
    }
}

/// `[1.36, 1.48]`, or nothing where there is no interval.
pub(crate) fn interval(interval: &Known<Interval>, show: impl Fn(f64) -> String) -> String {
    interval.as_ref().map_or_else(|_| String::new(), |i| format!(" [{}, {}]", show(i.low), show(i.high)))
}

/// `1.42× [1.36, 1.48]`; something over itself is just `1×`.
pub(crate) fn ratio(ratio: &Ratio) -> String {
    if ratio.interval == Ok(Interval { low: 1.0, high: 1.0 }) {
        return "1×".to_owned();
    }
    format!("{}{}", times(ratio.estimate), interval(&ratio.interval, number))
}

/// A known number, or the dash; the reason is shown elsewhere.
pub(crate) fn known<T>(value: &Known<T>, show: impl Fn(&T) -> String) -> String {
    value.as_ref().map_or_else(|_: &Absent| NONE.to_owned(), show)
}

/// A requested duration, exactly: `1 ms`, `10 µs`, `1.5 ms`, `0`.
pub(crate) fn requested(duration: Duration) -> String {
    let ns = duration.as_nanos();
    if ns == 0 {
        return "0".to_owned();
    }
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns")];
    let (scale, unit) = *units.iter().find(|(scale, _)| ns >= *scale).unwrap_or(&(1, "ns"));
    let (whole, rest) = (ns / scale, ns % scale);
    if rest == 0 {
        return format!("{whole} {unit}");
    }
    let fraction = format!("{:0width$}", rest, width = scale.ilog10() as usize);
    format!("{whole}.{} {unit}", fraction.trim_end_matches('0'))
}

/// A write's cost as a reader meets it: `no write cost`, `1 ms write`.
pub(crate) fn write_time(cost: Duration) -> String {
    if cost.is_zero() { "no write cost".to_owned() } else { format!("{} write", requested(cost)) }
}

/// `1 round`, `8 rounds`.
pub(crate) fn plural(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// `a, b and c`.
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits() {
        let table = [
            (0.0, "0"),
            (1.0, "1.00"),
            (9.996, "10.0"),
            (0.99951, "1.00"),
            (0.012_34, "0.0123"),
            (99.95, "100"),
            (999.6, "1,000"),
            (1_234.0, "1,230"),
            (12_345_678.0, "12,300,000"),
            (-1_500.0, "-1,500"),
            (2e-5, "2.00e-5"),
            (4e17, "4.00e17"),
            (f64::NAN, "–"),
            (f64::NEG_INFINITY, "–"),
        ];
        for (value, expected) in table {
            assert_eq!(number(value), expected, "{value}");
        }
    }

    #[test]
    fn durations_carry_into_the_next_unit() {
        let table = [
            (0.0, "0 ns"),
            (0.4, "0.400 ns"),
            (999.0, "999 ns"),
            (999.9, "1.00 µs"),
            (1_000.0, "1.00 µs"),
            (1.5e6, "1.50 ms"),
            (999.9e6, "1.00 s"),
            (90e9, "90.0 s"),
        ];
        for (ns, expected) in table {
            assert_eq!(duration(ns), expected, "{ns}");
        }
    }

    #[test]
    fn requested_durations_are_exact() {
        let table =
            [(0, "0"), (1, "1 ns"), (1_000, "1 µs"), (1_500_000, "1.5 ms"), (1_000_050, "1.00005 ms")];
        for (ns, expected) in table {
            assert_eq!(requested(Duration::from_nanos(ns)), expected, "{ns}");
        }
    }

    #[test]
    fn percents_never_round_a_loss_to_everything() {
        let table = [
            (0.0, "0 %"),
            (0.074, "7.4 %"),
            (0.5, "50 %"),
            (0.984, "98.4 %"),
            (0.9923, "99.2 %"),
            (1.0, "100 %"),
        ];
        for (share, expected) in table {
            assert_eq!(percent(share), expected, "{share}");
        }
    }

    #[test]
    fn memory_and_lists_read_naturally() {
        assert_eq!(bytes(640), "640 B");
        assert_eq!(bytes(12 * 1024 * 1024 + 512 * 1024), "12.5 MiB");
        let names = |names: &[&str]| list(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!((names(&["a"]), names(&["a", "b", "c"])), ("a".to_owned(), "a, b and c".to_owned()));
    }
}
