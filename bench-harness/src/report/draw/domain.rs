//! The range of an axis, and where its ticks are.
//!
//! plotters never ends on an infinite range, asserts on NaN and draws equal ends off the canvas; so no range reaches it.
//! A [`Domain`] is made from data that may hold anything and is always finite, ordered and not empty.

use crate::stats::{Absent, Known};

/// A finite range with `low < high`, linear or logarithmic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Domain {
    low: f64,
    high: f64,
    /// Logarithmic: `low` and `high` are powers of ten.
    log: bool,
}

/// Room beyond the outermost values, as a share of the range.
const PAD: f64 = 0.04;
// LIMIT: beyond this a difference of two values could overflow.
const LARGEST: f64 = 1e100;

impl Domain {
    /// From zero to a little above the largest value.
    ///
    /// # Errors
    /// Absent when no value is finite and not negative.
    pub(crate) fn from_zero(values: impl IntoIterator<Item = f64>) -> Known<Self> {
        let largest = values.into_iter().filter(|v| (0.0..LARGEST).contains(v)).reduce(f64::max);
        let largest = largest.ok_or_else(|| Absent::because("there is no finite value to draw"))?;
        Ok(Self { low: 0.0, high: if largest > 0.0 { largest * (1.0 + PAD) } else { 1.0 }, log: false })
    }

    /// Linear, with half a step beyond the ends, for values that count something.
    ///
    /// # Errors
    /// Absent when no value is finite.
    pub(crate) fn linear(values: impl IntoIterator<Item = f64>) -> Known<Self> {
        let usable = values.into_iter().filter(|v| v.is_finite() && v.abs() < LARGEST);
        let ends = usable.fold(None, |ends: Option<(f64, f64)>, x| {
            Some(ends.map_or((x, x), |(low, high)| (low.min(x), high.max(x))))
        });
        let (low, high) = ends.ok_or_else(|| Absent::because("there is no finite value to draw"))?;
        Ok(Self { low: low - 0.5, high: high + 0.5, log: false })
    }

    /// Logarithmic, around the positive values.
    ///
    /// # Errors
    /// Absent when no value is finite and above zero.
    pub(crate) fn log(values: impl IntoIterator<Item = f64>) -> Known<Self> {
        let logs = values.into_iter().filter(|v| (1.0 / LARGEST..LARGEST).contains(v)).map(f64::log10);
        let ends = logs.fold(None, |ends: Option<(f64, f64)>, x| {
            Some(ends.map_or((x, x), |(low, high)| (low.min(x), high.max(x))))
        });
        let (low, high) = ends.ok_or_else(|| Absent::because("there is no positive value to draw"))?;
        // LIMIT: at least a tenth of a decade, so that noise of a percent does not fill the chart.
        let missing = (0.1 - (high - low)).max(0.0) / 2.0;
        let pad = PAD * (high - low) + missing;
        Ok(Self { low: low - pad, high: high + pad, log: true })
    }

    /// Where `value` lies, 0 at the low end and 1 at the high end, held inside; `None` where it cannot be drawn.
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
        let value = if self.log {
            if value <= 0.0 {
                return None;
            }
            value.log10()
        } else {
            value
        };
        value.is_finite().then(|| ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0))
    }

    /// Whether `value` lies inside.
    pub(crate) fn holds(&self, value: f64) -> bool {
        let value = if self.log { value.log10() } else { value };
        (self.low..=self.high).contains(&value)
    }

    /// `n` values that are evenly spaced on the axis, its ends included.
    pub(crate) fn samples(&self, n: usize) -> Vec<f64> {
        let step = (self.high - self.low) / (n.max(2) - 1) as f64;
        let at = |i: usize| self.low + step * i as f64;
        (0..n).map(at).map(|x| if self.log { 10_f64.powf(x) } else { x }).collect()
    }

    /// Round values inside, at most about `wanted`, ascending.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<f64> {
        let wanted = wanted.max(2);
        if !self.log {
            return round_steps(self.low, self.high, wanted);
        }
        let decades = self.high - self.low;
        if decades < 0.5 {
            return round_steps(10_f64.powf(self.low), 10_f64.powf(self.high), wanted);
        }
        let per_decade: &[f64] = if decades * 3.0 <= wanted as f64 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        // A chart of two decades or fewer with only powers of ten would have one or two ticks.
        let per_decade = if per_decade.len() == 1 && decades < 2.0 { &[1.0, 3.0] } else { per_decade };
        let stride = ((decades / wanted as f64).ceil() as i32).max(1);
        let first = (self.low.floor() as i32).div_euclid(stride) * stride;
        (0..)
            .map(|i| first + i * stride)
            .take_while(|power| f64::from(*power) <= self.high)
            .flat_map(|power| per_decade.iter().map(move |digit| digit * 10_f64.powi(power)))
            .filter(|tick| (self.low..=self.high).contains(&tick.log10()))
            .collect()
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn round_steps(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let rough = (high - low) / wanted as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * power).find(|step| *step >= rough);
    let Some(step) = step.filter(|step| *step > 0.0) else { return Vec::new() };
    let (first, last) = ((low / step).ceil(), (high / step + 1e-9).floor());
    // LIMIT: twice what was asked for, whatever rounding does.
    (0..2 * wanted).map(|i| first + i as f64).take_while(|n| *n <= last).map(|n| n * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_cannot_be_drawn_are_left_out_or_refused() {
        let wild = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0];
        assert!(
            Domain::from_zero(wild).is_err() && Domain::log(wild).is_err() && Domain::log([0.0]).is_err()
        );
        assert!(
            Domain::from_zero([]).is_err() && Domain::log([]).is_err() && Domain::linear([f64::NAN]).is_err()
        );
        let domain = Domain::log([f64::NAN, 1.0, f64::INFINITY, 100.0]).unwrap();
        assert!(domain.place(1.0).unwrap() < 0.1 && domain.place(100.0).unwrap() > 0.9);
    }

    #[test]
    fn equal_values_still_have_a_range() {
        let log = Domain::log([5.0, 5.0]).unwrap();
        assert!((log.place(5.0).unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(Domain::from_zero([0.0, 0.0]).unwrap().place(0.0), Some(0.0));
    }

    #[test]
    fn ticks_are_round_inside_and_few() {
        let round =
            |ticks: Vec<f64>| ticks.iter().map(|tick| format!("{tick:.6}")).collect::<Vec<_>>().join(" ");
        let log = |low, high, n| round(Domain::log([low, high]).unwrap().ticks(n));
        assert_eq!(log(2.0, 8.0, 5), "2.000000 5.000000");
        assert_eq!(log(0.98, 1.05, 6), "0.950000 1.000000 1.050000 1.100000");
        assert_eq!(log(1.0, 1e4, 6), "1.000000 10.000000 100.000000 1000.000000 10000.000000");
        assert_eq!(
            round(Domain::from_zero([930.0]).unwrap().ticks(5)),
            "0.000000 200.000000 400.000000 600.000000 800.000000"
        );
        for (low, high) in [(1e-12, 1e12), (0.3, 0.31), (1.0, 1e6), (5.0, 5.0), (1e-9, 1e-3)] {
            for wanted in 2..9 {
                let ticks = Domain::log([low, high]).unwrap().ticks(wanted);
                assert!(ticks.len() <= 2 * wanted && ticks.is_sorted(), "{low} {high} {wanted}: {ticks:?}");
            }
        }
    }
}
