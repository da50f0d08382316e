//! What a comparison says in the end: faster, slower, equivalent, or that it cannot tell.
//!
//! All comparisons of a session are one family, whose size is fixed before anything is measured. Each of its intervals is
//! so much wider than one alone (Bonferroni) that *all* of a session's verdicts together are wrong in at most one session
//! of twenty, however the comparisons depend on each other. A difference has to be larger than a floor besides, because a
//! small one of this build on this machine need not be one of the strategy.

use super::absent::Known;
use super::location::{Interval, Location, locate, median};
use super::ratio::excess;

/// How often a session may be wrong at all: in one of its verdicts or in several.
pub const FAMILY_ERROR: f64 = 0.05;

/// The comparisons that are judged together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    rows: usize,
}

impl Family {
    /// A family of `rows` comparisons; at least one.
    pub fn of(rows: usize) -> Self {
        Self { rows: rows.max(1) }
    }

    /// How many comparisons it has.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// What an interval that shows a difference may err on each side.
    pub fn difference_side(self) -> f64 {
        FAMILY_ERROR / (2.0 * self.rows as f64)
    }

    /// What an interval that shows equivalence may err on each side: a strategy is either worse or better, so only one
    /// side can be the wrong one.
    pub fn equivalence_side(self) -> f64 {
        FAMILY_ERROR / self.rows as f64
    }
}

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Better than the reference by more than the floor.
    Faster,
    /// Worse than the reference by more than the floor.
    Slower,
    /// No further from the reference than the floor.
    Equivalent,
    /// Anything else.
    Inconclusive,
}

impl Verdict {
    /// The one word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Equivalent => "equivalent",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// A verdict with what it rests on. Logarithms of costs over the reference's costs: above zero is worse.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Rounds, estimate and the interval that decides about a difference.
    pub excess: Location,
    /// The narrower interval that decides about equivalence.
    pub equivalence: Known<Interval>,
    /// How much one round scatters around the estimate: 1.4826 times the median absolute deviation, which is the standard
    /// deviation where the rounds scatter normally.
    pub scatter: f64,
    /// The smallest difference that counts, as a logarithm.
    pub floor: f64,
}

impl Judgement {
    /// Whether there is a difference, though it may be smaller than the floor.
    pub fn differs(&self) -> bool {
        self.excess.interval.as_ref().is_ok_and(|interval| !interval.contains(0.0))
    }
}

/// Judges costs (lower is better), one `(value, reference)` per round. `floor` is a share: 0.03 for 3 %.
///
/// # Errors
/// Absent when there is no round, or a value that is zero, negative or not finite.
pub fn judge(rounds: &[(f64, f64)], family: Family, floor: f64) -> Known<Judgement> {
    let logs = excess(rounds)?;
    let excess = locate(&logs, family.difference_side())?;
    let equivalence = locate(&logs, family.equivalence_side())?.interval;
    let floor = floor.ln_1p();
    let verdict = match (&excess.interval, &equivalence) {
        (Ok(Interval { high, .. }), _) if *high < -floor => Verdict::Faster,
        (Ok(Interval { low, .. }), _) if *low > floor => Verdict::Slower,
        (_, Ok(Interval { low, high })) if -floor < *low && *high < floor => Verdict::Equivalent,
        _ => Verdict::Inconclusive,
    };
    Ok(Judgement { verdict, scatter: scatter(&logs)?, excess, equivalence, floor })
}

/// 1.4826 times the median absolute deviation from the median.
fn scatter(values: &[f64]) -> Known<f64> {
    let centre = median(values)?;
    let distances: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    Ok(1.4826 * median(&distances)?)
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;
    use crate::random::{Generator, mix};

    /// Rounds of a strategy that is `effect` worse than its reference, both with `scatter`.
    fn rounds(random: &mut Generator, n: usize, effect: f64, scatter: f64) -> Vec<(f64, f64)> {
        (0..n).map(|_| ((effect.ln_1p() + scatter * random.normal()).exp(), 1.0)).collect()
    }

    fn verdict(values: &[f64], family: Family) -> Verdict {
        let rounds: Vec<_> = values.iter().map(|value| (*value, 1.0)).collect();
        judge(&rounds, family, 0.03).unwrap().verdict
    }

    #[test]
    fn each_rule_has_its_verdict() {
        let spread = |centre: f64, width: f64| -> Vec<f64> {
            (0..12).map(|i| centre * (1.0 + width * (f64::from(i) / 11.0 - 0.5))).collect()
        };
        let alone = Family::of(1);
        assert_eq!(verdict(&spread(0.8, 0.02), alone), Verdict::Faster);
        assert_eq!(verdict(&spread(1.2, 0.02), alone), Verdict::Slower);
        assert_eq!(verdict(&spread(1.0, 0.02), alone), Verdict::Equivalent);
        assert_eq!(verdict(&spread(1.0, 0.4), alone), Verdict::Inconclusive);
        // Surely worse, and surely by less than the floor of 3 %.
        let slightly = spread(1.015, 0.005);
        assert_eq!(verdict(&slightly, alone), Verdict::Equivalent);
        assert!(
            judge(&slightly.iter().map(|x| (*x, 1.0)).collect::<Vec<_>>(), alone, 0.03).unwrap().differs()
        );
        // Around the floor.
        assert_eq!(verdict(&spread(1.03, 0.04), alone), Verdict::Inconclusive);
        // Too few rounds for a family of this size.
        assert_eq!(verdict(&[1.2; 12], Family::of(1_000)), Verdict::Inconclusive);
        assert_eq!(verdict(&[1.2; 12], Family::of(60)), Verdict::Slower);
    }

    #[test]
    fn changing_places_with_the_reference_changes_faster_and_slower() {
        let mut random = Generator(3);
        let there = rounds(&mut random, 20, 0.1, 0.02);
        let back: Vec<_> = there.iter().map(|(a, b)| (*b, *a)).collect();
        let family = Family::of(6);
        let (there, back) = (judge(&there, family, 0.03).unwrap(), judge(&back, family, 0.03).unwrap());
        assert_eq!((there.verdict, back.verdict), (Verdict::Slower, Verdict::Faster));
        assert!((there.excess.centre + back.excess.centre).abs() < 1e-12);
        assert!((there.scatter - back.scatter).abs() < 1e-12);
    }

    #[test]
    fn the_sides_of_an_interval_are_those_of_the_published_table() {
        use super::super::signed_rank::depth;
        // (rounds, comparisons, depth for a difference, depth for equivalence)
        let table = [
            (8, 1, Some(4), Some(6)),
            (8, 6, Some(1), Some(2)),
            (8, 8, None, Some(1)),
            (12, 4, Some(9), Some(11)),
            (12, 60, Some(1), Some(3)),
            (20, 24, Some(27), Some(31)),
            (30, 40, Some(82), Some(90)),
        ];
        for (n, rows, difference, equivalence) in table {
            let family = Family::of(rows);
            assert_eq!(depth(n, family.difference_side()), difference, "{n} rounds, {rows} rows");
            assert_eq!(depth(n, family.equivalence_side()), equivalence, "{n} rounds, {rows} rows");
        }
    }

    const SESSIONS: u64 = 1_000;

    fn seed() -> u64 {
        let seed = std::env::var("TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_123);
        println!("repeat with TEST_SEED={seed} cargo test -p bench-harness verdict");
        seed
    }

    /// The share of simulated sessions of `rows` comparisons, each `effect` worse than its reference, of which `is` holds.
    /// The comparisons share their control, as in a real session.
    fn share(
        rows: usize,
        effect: f64,
        noise: fn(&mut Generator) -> f64,
        is: impl Fn(&[Verdict]) -> bool + Sync,
    ) -> f64 {
        const ROUNDS: usize = 20;
        let seed = seed();
        let sessions = (0..SESSIONS).into_par_iter().filter(|session| {
            let mut random = Generator(mix(seed ^ mix(*session)));
            let control: Vec<f64> = (0..ROUNDS).map(|_| (0.02 * noise(&mut random)).exp()).collect();
            let verdicts: Vec<_> = (0..rows)
                .map(|_| {
                    let own = control
                        .iter()
                        .map(|control| ((1.0 + effect) * (0.02 * noise(&mut random)).exp(), *control));
                    judge(&own.collect::<Vec<_>>(), Family::of(rows), 0.03).unwrap().verdict
                })
                .collect();
            is(&verdicts)
        });
        sessions.count() as f64 / SESSIONS as f64
    }

    fn wild(random: &mut Generator) -> f64 {
        random.normal() * if random.uniform() < 0.1 { 5.0 } else { 1.0 }
    }

    fn two_modes(random: &mut Generator) -> f64 {
        0.2 * random.normal() + if random.uniform() < 0.5 { 1.0 } else { -1.0 }
    }

    fn skewed(random: &mut Generator) -> f64 {
        -random.uniform().ln() - 1.0
    }

    #[test]
    fn of_identical_strategies_at_most_one_session_in_twenty_calls_one_faster_or_slower() {
        for noise in [Generator::normal, wild, two_modes, skewed] {
            let wrong = share(24, 0.0, noise, |verdicts| {
                verdicts.iter().any(|verdict| matches!(verdict, Verdict::Faster | Verdict::Slower))
            });
            assert!(wrong <= 0.05, "{wrong} of the sessions");
        }
    }

    #[test]
    fn of_strategies_at_the_floor_at_most_one_session_in_twenty_calls_one_different_or_equivalent() {
        // The floor itself: "slower" and "equivalent" are both wrong there, each in at most one session of twenty.
        for is in [Verdict::Slower, Verdict::Equivalent] {
            let wrong = share(24, 0.03, Generator::normal, |verdicts| verdicts.contains(&is));
            // Five standard errors of the simulation.
            assert!(wrong <= 0.05 + 5.0 * (0.05_f64 * 0.95 / SESSIONS as f64).sqrt(), "{is:?}: {wrong}");
        }
    }

    #[test]
    fn a_large_difference_is_nearly_always_seen() {
        let seen = share(6, 0.2, Generator::normal, |v| v.iter().all(|v| *v == Verdict::Slower));
        assert!(seen > 0.99, "{seen}");
    }
}
