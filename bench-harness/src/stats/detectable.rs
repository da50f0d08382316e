//! How small a difference a session can see.
//!
//! A model, as any statement about rounds that were not measured: rounds that scatter normally. Simulated sessions of the
//! planned size tell how far off a strategy has to be for its interval to clear zero in four sessions of five; the answer
//! scales with the scatter of a round.

use rayon::prelude::*;

use super::absent::Known;
use super::location::locate;
use super::verdict::Family;
use crate::random::{Generator, mix};

/// How often a difference of the detectable size is seen.
pub const POWER: f64 = 0.8;

// LIMIT: 2 000 sessions: the factor is right to about 3 %.
const SESSIONS: usize = 2_000;

/// What sessions of so many rounds can see; simulated once, because the answers only scale with the scatter.
#[derive(Clone, Debug)]
pub struct Sight {
    rounds: usize,
    /// How many standard deviations of a round the centre must be from zero for the interval to clear zero in [`POWER`] of
    /// the sessions; absent when there are too few rounds for any interval of this family.
    factor: Known<f64>,
}

impl Sight {
    /// For sessions of `rounds` rounds whose comparisons are a `family`.
    pub fn new(rounds: usize, family: Family) -> Self {
        Self { rounds, factor: factor(rounds, family) }
    }

    /// The smallest difference, as a share, that is called faster or slower in [`POWER`] of the sessions.
    ///
    /// `scatter`: the standard deviation of a round's logarithm. `floor`: the smallest difference that counts, as a share.
    ///
    /// # Errors
    /// Absent when there are too few rounds for any interval of this family.
    pub fn detectable(&self, scatter: f64, floor: f64) -> Known<f64> {
        Ok((floor.ln_1p() + self.factor.clone()? * scatter).exp_m1())
    }

    /// About how many rounds would see a difference of `effect`, a share; `None` if it is not larger than the floor.
    ///
    /// # Errors
    /// As [`detectable`](Self::detectable).
    pub fn rounds_to_see(&self, effect: f64, scatter: f64, floor: f64) -> Known<Option<usize>> {
        let beyond = effect.ln_1p() - floor.ln_1p();
        // The width of an interval falls with the root of the rounds.
        let needed = self.rounds as f64 * (self.factor.clone()? * scatter / beyond).powi(2);
        Ok((beyond > 0.0 && needed.is_finite()).then_some(needed.ceil() as usize))
    }
}

/// [`Sight::detectable`] for one question.
///
/// # Errors
/// As there.
pub fn detectable(rounds: usize, family: Family, scatter: f64, floor: f64) -> Known<f64> {
    Sight::new(rounds, family).detectable(scatter, floor)
}

/// [`Sight::rounds_to_see`] for one question.
///
/// # Errors
/// As there.
pub fn rounds_to_see(
    effect: f64,
    rounds: usize,
    family: Family,
    scatter: f64,
    floor: f64,
) -> Known<Option<usize>> {
    Sight::new(rounds, family).rounds_to_see(effect, scatter, floor)
}

/// See [`Sight::factor`].
fn factor(rounds: usize, family: Family) -> Known<f64> {
    let low_end = |session: usize| {
        let mut random = Generator(mix(session as u64));
        let logs: Vec<f64> = (0..rounds).map(|_| random.normal()).collect();
        Ok(locate(&logs, family.difference_side())?.interval?.low)
    };
    // Whether there is an interval does not depend on the values; one session tells.
    low_end(0)?;
    let mut ends = (0..SESSIONS).into_par_iter().map(low_end).collect::<Known<Vec<f64>>>()?;
    ends.sort_by(f64::total_cmp);
    // With the centre at `f` instead of 0 every end moves by `f`: four of five are then above zero.
    Ok(-ends[((1.0 - POWER) * SESSIONS as f64) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_equals_the_published_model() {
        // (rounds, comparisons, factor): Monte Carlo with 1 500 sessions, so right to a few per cent.
        let table =
            [(12, 1, 0.94), (12, 12, 1.42), (20, 1, 0.66), (20, 6, 0.86), (20, 40, 1.07), (30, 24, 0.80)];
        for (rounds, rows, published) in table {
            let factor = factor(rounds, Family::of(rows)).unwrap();
            assert!((factor / published - 1.0).abs() < 0.08, "{rounds} rounds, {rows} rows: {factor}");
        }
    }

    #[test]
    fn more_rounds_and_fewer_comparisons_see_less() {
        let see = |rounds, rows| detectable(rounds, Family::of(rows), 0.02, 0.03).unwrap();
        assert!(see(30, 6) < see(20, 6) && see(20, 6) < see(12, 6));
        assert!(see(20, 1) < see(20, 6) && see(20, 6) < see(20, 40));
        assert!(see(20, 6) > 0.03, "never below the floor");
    }

    #[test]
    fn too_few_rounds_see_nothing_and_say_why() {
        let absent = detectable(8, Family::of(24), 0.02, 0.03).unwrap_err();
        assert!(absent.reason().starts_with("8 rounds: "), "{absent}");
    }

    #[test]
    fn as_many_rounds_as_needed_make_the_effect_detectable() {
        let family = Family::of(6);
        let needed = rounds_to_see(0.05, 20, family, 0.03, 0.03).unwrap().unwrap();
        let seen = detectable(needed, family, 0.03, 0.03).unwrap();
        assert!((seen / 0.05 - 1.0).abs() < 0.1, "{needed} rounds see {seen}");
        assert_eq!(rounds_to_see(0.02, 20, family, 0.03, 0.03), Ok(None), "below the floor");
    }
}
