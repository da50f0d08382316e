//! What an open loop did to the strategy and to itself: did the strategy keep up, and did the generator?

/// An open loop in which a strategy did not keep up with what was offered, and why that is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Saturation {
    /// Fewer updates per second were answered than were offered.
    Behind {
        /// Answered in the window, as a share of what was offered.
        achieved: f64,
    },
    /// What was open grew over the window.
    Growing {
        /// Mean number of open updates in the first third of the window.
        first: f64,
        /// The same in the last third.
        last: f64,
    },
}

/// What an open loop offered, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offered {
    /// Updates that were planned to start in the window.
    pub offered: u64,
    /// Updates that were answered in the window, whenever they were planned.
    pub done: u64,
    /// Mean number of open updates in the first third of the window.
    pub first: f64,
    /// The same in the last third.
    pub last: f64,
    /// The queue's capacity.
    pub capacity: usize,
}

// LIMIT: 99 %: at the edges of a window of some thousand updates as many are cut off as are added, up to a few.
const ACHIEVED: f64 = 0.99;
// LIMIT: a tenth of the queue: one that grows by less in a window is not about to be full.
const GROWTH: f64 = 0.1;
// LIMIT: the generator may be the cause of a tenth of what a high percentile shows; with more, it is what was measured.
const GENERATORS_PART: f64 = 0.1;

impl Offered {
    /// Whether the strategy was saturated. A comparison with others at this load means nothing then: how long updates wait
    /// depends on how long the trial went on.
    pub fn saturation(&self) -> Option<Saturation> {
        let achieved = self.done as f64 / self.offered as f64;
        if self.offered > 0 && achieved < ACHIEVED {
            return Some(Saturation::Behind { achieved });
        }
        let (first, last) = (self.first, self.last);
        (last > first + GROWTH * self.capacity as f64).then_some(Saturation::Growing { first, last })
    }
}

/// Whether what a high percentile of the latency shows is the generator's doing: `late` is the same percentile of how late it
/// was where nothing held it up. There is no verdict then.
pub fn is_generator_limited(late_ns: u64, latency_ns: u64) -> bool {
    late_ns as f64 > GENERATORS_PART * latency_ns as f64
}

/// The knee: the first of the loads, ascending, at which a strategy was saturated in more than half of its rounds.
///
/// `rounds` has for each load whether each of its rounds was saturated. `None`: it kept up with all of them.
pub fn knee(loads: &[f64], rounds: &[Vec<bool>]) -> Option<f64> {
    let is_saturated =
        |rounds: &[bool]| 2 * rounds.iter().filter(|saturated| **saturated).count() > rounds.len();
    loads.iter().zip(rounds).find(|(_, rounds)| is_saturated(rounds)).map(|(load, _)| *load)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEADY: Offered = Offered { offered: 1_000, done: 1_000, first: 4.0, last: 5.0, capacity: 100 };

    #[test]
    fn a_strategy_that_answers_what_is_offered_is_not_saturated() {
        assert_eq!(STEADY.saturation(), None);
        assert_eq!(Offered { done: 990, ..STEADY }.saturation(), None, "99 % is enough");
        assert_eq!(Offered { last: 14.0, ..STEADY }.saturation(), None, "a tenth of the queue is not growth");
        assert_eq!(Offered { offered: 0, done: 0, ..STEADY }.saturation(), None, "nothing was offered");
    }

    #[test]
    fn one_that_answers_less_or_has_more_and_more_open_is() {
        let behind = Offered { done: 989, ..STEADY }.saturation();
        assert_eq!(behind, Some(Saturation::Behind { achieved: 0.989 }));
        let growing = Offered { last: 14.1, ..STEADY }.saturation();
        assert_eq!(growing, Some(Saturation::Growing { first: 4.0, last: 14.1 }));
    }

    #[test]
    fn a_generator_may_cause_a_tenth_of_a_percentile() {
        assert!(!is_generator_limited(100, 1_000));
        assert!(is_generator_limited(101, 1_000));
        assert!(!is_generator_limited(0, 0));
    }

    #[test]
    fn the_knee_is_the_first_load_at_which_most_rounds_were_saturated() {
        let loads = [0.5, 0.9, 1.0];
        let rounds = |counts: [usize; 3]| counts.map(|n| (0..5).map(|i| i < n).collect());
        assert_eq!(knee(&loads, &rounds([0, 2, 5])), Some(1.0));
        assert_eq!(knee(&loads, &rounds([1, 3, 0])), Some(0.9));
        assert_eq!(knee(&loads, &rounds([0, 1, 2])), None);
        assert_eq!(knee(&loads, &[]), None);
    }
}
