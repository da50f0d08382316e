//! Ratios of two values of the same round.
//!
//! A comparison is made on logarithms, where half and double are equally far from equal. Its sign says *worse*: the
//! logarithm of a cost (time per update, latency) over the reference's cost, so above zero is worse than the reference.

use super::absent::{Absent, Known};
use super::location::{Interval, Location, locate};

/// A ratio over rounds, with its interval where there are enough rounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// How many rounds.
    pub n: usize,
    /// The estimate; always above 0.
    pub estimate: f64,
    /// Its interval, or why there is none.
    pub interval: Known<Interval>,
}

impl Ratio {
    /// How many times as good, from the logarithm of a cost over the reference's cost.
    pub fn advantage(excess: &Location) -> Self {
        exponentiate(excess, -1.0)
    }

    /// Whether the interval shows the ratio to be above `bound`.
    pub fn surely_above(&self, bound: f64) -> bool {
        self.interval.as_ref().is_ok_and(|interval| interval.low > bound)
    }

    /// Whether the interval shows the ratio to be below `bound`.
    pub fn surely_below(&self, bound: f64) -> bool {
        self.interval.as_ref().is_ok_and(|interval| interval.high < bound)
    }
}

/// Compares costs (lower is better), one `(value, reference)` per round: how many times the reference's cost.
///
/// # Errors
/// Absent when there is no round, or a value that is zero, negative or not finite.
pub fn compare_costs(rounds: &[(f64, f64)], per_side: f64) -> Known<Ratio> {
    Ok(exponentiate(&locate(&excess(rounds)?, per_side)?, 1.0))
}

/// Compares speeds (higher is better), one `(value, reference)` per round: how many times the reference's speed.
///
/// # Errors
/// As [`compare_costs`].
pub fn compare_speeds(rounds: &[(f64, f64)], per_side: f64) -> Known<Ratio> {
    // The cost of an update is one over the speed, so value and reference change places.
    let costs: Vec<_> = rounds.iter().map(|(value, reference)| (*reference, *value)).collect();
    Ok(exponentiate(&locate(&excess(&costs)?, per_side)?, -1.0))
}

/// `ln value - ln reference` of each round.
pub(super) fn excess(rounds: &[(f64, f64)]) -> Known<Vec<f64>> {
    let logarithm = |round: usize, value: f64| {
        if value.is_finite() && value > 0.0 {
            Ok(value.ln())
        } else {
            Err(Absent::because(format!(
                "round {} of {} has {value}, which has no ratio",
                round + 1,
                rounds.len()
            )))
        }
    };
    rounds
        .iter()
        .enumerate()
        .map(|(round, (a, b))| Ok(logarithm(round, *a)? - logarithm(round, *b)?))
        .collect()
}

/// `sign` -1 turns costs back into speeds, which swaps the interval's ends.
fn exponentiate(logs: &Location, sign: f64) -> Ratio {
    let exp = |x: f64| (sign * x).exp();
    let interval = logs.interval.clone().map(|logs| {
        let (a, b) = (exp(logs.low), exp(logs.high));
        Interval { low: a.min(b), high: a.max(b) }
    });
    Ratio { n: logs.n, estimate: exp(logs.centre), interval }
}

#[cfg(test)]
mod tests {
    use super::super::PER_SIDE;
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a / b - 1.0).abs() < 1e-12
    }

    #[test]
    fn twice_the_speed_is_half_the_cost() {
        let rounds: Vec<_> = (1..=8).map(|r| (2.0 * f64::from(r), f64::from(r))).collect();
        let speed = compare_speeds(&rounds, PER_SIDE).unwrap();
        assert!(close(speed.estimate, 2.0));
        let costs: Vec<_> = rounds.iter().map(|(a, b)| (1.0 / a, 1.0 / b)).collect();
        assert!(close(compare_costs(&costs, PER_SIDE).unwrap().estimate, 0.5));
    }

    #[test]
    fn only_values_of_one_round_are_divided() {
        // The machine halves its speed after four rounds; the ratio does not notice.
        let rounds: Vec<_> =
            [8.0, 8.0, 8.0, 8.0, 4.0, 4.0, 4.0, 4.0].map(|speed| (1.5 * speed, speed)).to_vec();
        let ratio = compare_speeds(&rounds, PER_SIDE).unwrap();
        assert!(close(ratio.estimate, 1.5) && close(ratio.interval.unwrap().high, 1.5));
    }

    #[test]
    fn swapping_the_sides_inverts_everything() {
        let rounds = [(1.0, 3.0), (2.0, 5.0), (1.5, 3.9), (1.1, 3.2), (1.7, 4.1), (2.1, 5.5), (0.9, 3.3)];
        let swapped = rounds.map(|(a, b)| (b, a));
        let (there, back) =
            (compare_speeds(&rounds, PER_SIDE).unwrap(), compare_speeds(&swapped, PER_SIDE).unwrap());
        assert!(close(there.estimate * back.estimate, 1.0));
        let (there, back) = (there.interval.unwrap(), back.interval.unwrap());
        assert!(close(there.low * back.high, 1.0) && close(there.high * back.low, 1.0));
    }

    #[test]
    fn units_do_not_matter() {
        let rounds = [(1.0, 3.0), (2.0, 5.0), (1.5, 3.9), (1.1, 3.2), (1.7, 4.1), (2.1, 5.5)];
        let scaled = rounds.map(|(a, b)| (a * 1e6, b * 1e6));
        let (a, b) = (compare_costs(&rounds, PER_SIDE).unwrap(), compare_costs(&scaled, PER_SIDE).unwrap());
        assert!(close(a.estimate, b.estimate));
    }

    #[test]
    fn values_without_a_logarithm_are_absent_with_a_reason() {
        for wild in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            for round in [(wild, 1.0), (1.0, wild)] {
                let reason = compare_speeds(&[(1.0, 1.0), round], PER_SIDE).unwrap_err();
                assert!(reason.reason().starts_with("round 2 of 2 has "), "{wild}: {reason}");
            }
        }
    }

    #[test]
    fn surely_needs_an_interval() {
        let few = compare_speeds(&[(2.0, 1.0); 3], PER_SIDE).unwrap();
        assert!(!few.surely_above(1.0) && !few.surely_below(9.0));
        let enough = compare_speeds(&[(2.0, 1.0); 6], PER_SIDE).unwrap();
        assert!(enough.surely_above(1.9) && enough.surely_below(2.1) && !enough.surely_above(2.1));
    }
}
