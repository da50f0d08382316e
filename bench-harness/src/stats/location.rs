//! One centre for a value that each round measured once, and an interval around it.
//!
//! The centre is Hodges and Lehmann's: the median of all pairwise (Walsh) averages. It tolerates 29 % bad rounds. The
//! interval counts in from both ends of the sorted averages as far as the exact signed-rank distribution allows; it is
//! exact where rounds scatter symmetrically around the centre, which needs no bell curve.

use super::absent::{Absent, Known};
use super::signed_rank;

/// A centre over rounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Location {
    /// How many rounds.
    pub n: usize,
    /// The Hodges-Lehmann estimate.
    pub centre: f64,
    /// Where the true centre is, as surely as was asked for; absent with too few rounds.
    pub interval: Known<Interval>,
}

/// A closed interval, `low <= high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies inside.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// The centre of `values`, one per round, and the interval that errs with at most `per_side` on each side.
///
/// # Errors
/// Absent when there is no value, or one that is not finite.
pub fn locate(values: &[f64], per_side: f64) -> Known<Location> {
    if values.is_empty() {
        return Err(Absent::because("no round has it"));
    }
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        return Err(Absent::because(format!(
            "the value of round {} of {} is not finite",
            at + 1,
            values.len()
        )));
    }
    let walsh = walsh_averages(values);
    let interval = signed_rank::depth(values.len(), per_side)
        .map(|k| Interval { low: walsh[k - 1], high: walsh[walsh.len() - k] })
        .ok_or_else(|| too_few(values.len(), per_side));
    Ok(Location { n: values.len(), centre: median_of_sorted(&walsh), interval })
}

/// The median of `values`; absent when there is none or one is not finite.
pub fn median(values: &[f64]) -> Known<f64> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return Err(Absent::because("no finite value in every round"));
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Ok(median_of_sorted(&sorted))
}

fn too_few(n: usize, per_side: f64) -> Absent {
    let (fewest, level) = (signed_rank::fewest(per_side), 100.0 * (1.0 - 2.0 * per_side));
    // So many digits that it does not round to 100 %.
    let digits = (-(2.0 * per_side).log10()).ceil().clamp(2.0, 12.0) as usize - 2;
    let rounds = if n == 1 { "round" } else { "rounds" };
    Absent::because(format!("{n} {rounds}: a {level:.digits$} % interval needs at least {fewest}"))
}

/// All `(x_i + x_j) / 2` with `i <= j`, sorted. Halves before it adds: a sum of two huge values stays finite.
fn walsh_averages(values: &[f64]) -> Vec<f64> {
    let mut walsh: Vec<f64> =
        (0..values.len()).flat_map(|i| values[i..].iter().map(move |x| values[i] / 2.0 + x / 2.0)).collect();
    walsh.sort_by(f64::total_cmp);
    walsh
}

fn median_of_sorted(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { sorted[middle - 1] / 2.0 + sorted[middle] / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::super::PER_SIDE;
    use super::*;

    #[test]
    fn centre_is_the_median_of_pairwise_averages() {
        // Averages of 1, 2, 10: 1, 1.5, 2, 5.5, 6, 10.
        assert_eq!(locate(&[10.0, 1.0, 2.0], PER_SIDE).unwrap().centre, 3.75);
        assert_eq!(locate(&[4.0], PER_SIDE).unwrap().centre, 4.0);
    }

    #[test]
    fn bounds_count_in_from_the_ends() {
        // n = 6 has k = 1: the extreme averages are the extreme values.
        let six = locate(&[3.0, 1.0, 6.0, 2.0, 5.0, 4.0], PER_SIDE).unwrap();
        assert_eq!(six.interval, Ok(Interval { low: 1.0, high: 6.0 }));
        // n = 8 has k = 4: 1, 1.5, 2, 2, then from the top 8, 7.5, 7, 7.
        let values: Vec<f64> = (1..=8).map(f64::from).collect();
        assert_eq!(locate(&values, PER_SIDE).unwrap().interval, Ok(Interval { low: 2.0, high: 7.0 }));
    }

    #[test]
    fn too_few_rounds_have_a_centre_and_no_interval() {
        let five = locate(&[1.0, 2.0, 3.0, 4.0, 5.0], PER_SIDE).unwrap();
        assert_eq!(five.centre, 3.0);
        assert_eq!(five.interval.unwrap_err().reason(), "5 rounds: a 95 % interval needs at least 6");
        let one = locate(&[1.0], PER_SIDE).unwrap();
        assert_eq!(one.interval.unwrap_err().reason(), "1 round: a 95 % interval needs at least 6");
    }

    #[test]
    fn equal_rounds_give_a_point() {
        let same = locate(&[2.5; 8], PER_SIDE).unwrap();
        assert_eq!((same.centre, same.interval), (2.5, Ok(Interval { low: 2.5, high: 2.5 })));
    }

    #[test]
    fn two_wild_rounds_of_ten_hardly_move_the_centre() {
        let mut values = vec![10.0, 10.1, 9.9, 10.2, 9.8, 10.0, 10.1, 9.9, 10.0, 10.0];
        let tame = locate(&values, PER_SIDE).unwrap().centre;
        values[0] = 1e6;
        values[1] = 1e6;
        assert!((locate(&values, PER_SIDE).unwrap().centre - tame).abs() < 0.2);
    }

    #[test]
    fn values_that_are_not_finite_are_refused_with_their_round() {
        for wild in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let reason = locate(&[1.0, wild, 2.0], PER_SIDE).unwrap_err();
            assert_eq!(reason.reason(), "the value of round 2 of 3 is not finite");
        }
        assert_eq!(locate(&[], PER_SIDE).unwrap_err().reason(), "no round has it");
    }

    #[test]
    fn huge_values_do_not_overflow() {
        assert_eq!(locate(&[f64::MAX; 6], PER_SIDE).unwrap().centre, f64::MAX);
    }
}
