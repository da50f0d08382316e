//! How often something happens, from how often it was seen: the exact interval of Clopper and Pearson.

use super::location::Interval;

/// Where the true share lies, with at most `error` of being wrong in all (half of it on each side), when `hits` of `trials`
/// were seen. Of no trials it is everything from 0 to 1.
///
/// For no hit at all the interval is one-sided, so that its upper end is `1 - error^(1 / trials)`; for hits only likewise.
pub fn proportion(hits: u64, trials: u64, error: f64) -> Interval {
    let hits = hits.min(trials);
    if trials == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let side = if hits == 0 || hits == trials { error } else { error / 2.0 };
    let low = if hits == 0 { 0.0 } else { root(|p| 1.0 - at_most(hits - 1, trials, p) - side) };
    let high = if hits == trials { 1.0 } else { root(|p| side - at_most(hits, trials, p)) };
    Interval { low, high }
}

/// The chance of at most `hits` of `trials` when each hits with `p`.
fn at_most(hits: u64, trials: u64, p: f64) -> f64 {
    if p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return f64::from(u8::from(hits >= trials));
    }
    let odds = (p / (1.0 - p)).ln();
    // Logarithms, because (1 - p)^trials may be less than the smallest float.
    let mut term = trials as f64 * (1.0 - p).ln();
    let mut sum = term.exp();
    for k in 1..=hits {
        term += ((trials - k + 1) as f64 / k as f64).ln() + odds;
        sum += term.exp();
    }
    sum.min(1.0)
}

/// Where an increasing function of a share changes its sign.
fn root(increasing: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // LIMIT: 60 halvings: all the digits that a float has.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if increasing(middle) < 0.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(hits: u64, trials: u64) -> (f64, f64) {
        let Interval { low, high } = proportion(hits, trials, 0.05);
        let round = |share: f64| (share * 1e4).round() / 100.0;
        (round(low), round(high))
    }

    #[test]
    fn no_hit_has_the_bound_of_the_published_table() {
        // (trials, upper end in percent): 1 - 0.05^(1 / trials).
        for (trials, high) in [(20, 13.91), (50, 5.82), (60, 4.87), (100, 2.95), (200, 1.49), (300, 0.99)] {
            assert_eq!(percent(0, trials), (0.0, high));
            assert_eq!(percent(trials, trials), (100.0 - high, 100.0));
        }
    }

    #[test]
    fn some_hits_have_the_published_intervals() {
        // Two-sided, in percent.
        for (hits, trials, low, high) in [(18, 20, 68.3, 98.77), (27, 30, 73.47, 97.89), (1, 10, 0.25, 44.5)]
        {
            let (l, h) = percent(hits, trials);
            assert!((l - low).abs() < 0.02 && (h - high).abs() < 0.02, "{hits} of {trials}: {l} {h}");
        }
    }

    #[test]
    fn the_interval_covers_the_truth_as_often_as_it_says() {
        // Exact: the chance of each count, summed over the counts whose interval covers.
        for truth in [0.02, 0.1, 0.5, 0.93] {
            let trials = 40;
            let chance =
                |k: u64| at_most(k, trials, truth) - if k == 0 { 0.0 } else { at_most(k - 1, trials, truth) };
            let covered: f64 =
                (0..=trials).filter(|k| proportion(*k, trials, 0.05).contains(truth)).map(chance).sum();
            assert!(covered >= 0.95, "{truth}: {covered}");
        }
    }

    #[test]
    fn nothing_tried_says_nothing() {
        assert_eq!(proportion(0, 0, 0.05), Interval { low: 0.0, high: 1.0 });
        assert_eq!(proportion(7, 3, 0.05), proportion(3, 3, 0.05));
    }
}
