//! The updates of one client that were planned to start within the window, and what became of each.

use super::horizon::Horizon;
use crate::trial::chunks::Chunks;
use crate::trial::sample::Sample;

/// One answered update of an open loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// From submit really called to the answer, in parts.
    pub sample: Sample,
    /// From the planned start to submit really called.
    pub lag: u64,
    /// The part of the lag that the generator of the load is to blame for.
    pub late: u64,
}

impl Answered {
    /// Planned start to answer; the lag and the five parts sum to it.
    pub fn latency(&self) -> u64 {
        self.lag + self.sample.latency()
    }
}

/// The updates of one client that were planned to start within the window: each is in exactly one of the three fates.
#[derive(Debug, Default)]
pub struct Cohort {
    /// All planned starts.
    pub planned: u64,
    /// Planned starts in the window.
    pub offered: u64,
    /// Applied, and answered before the load was over.
    pub answered: Chunks<Answered>,
    /// Of those, answered no later than their deadline.
    pub in_time: u64,
    /// Certainly not applied: refused or expired.
    pub given_up: u64,
    /// The ages that the others had when the load was over.
    pub censored: Chunks<u64>,
    /// Time that updates of this client, the warm-up's included, spent between planned start and end within the first third
    /// of the window.
    pub open_in_first: u64,
    /// The same within the last third.
    pub open_in_last: u64,
}

/// How a planned update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// With an answer.
    Answered(Answered),
    /// Certainly not applied, at this time.
    GivenUp(u64),
    /// Not at all while the load went on.
    Open,
}

impl Cohort {
    /// A cohort of which the planned starts are known and nothing has ended.
    pub fn of(plan: &[u64], horizon: &Horizon) -> Self {
        let offered = plan.iter().filter(|intended| horizon.in_window(**intended)).count() as u64;
        Self { planned: plan.len() as u64, offered, ..Self::default() }
    }

    /// The update that was planned for `intended` has ended. What ends after the load counts as not ended.
    pub fn ended(&mut self, intended: u64, fate: Fate, deadline: Option<u64>, horizon: &Horizon) {
        let fate = match fate {
            Fate::Answered(answered) if answered.sample.resumed >= horizon.over => Fate::Open,
            Fate::GivenUp(at) if at >= horizon.over => Fate::Open,
            fate => fate,
        };
        let at = match fate {
            Fate::Answered(answered) => answered.sample.resumed,
            Fate::GivenUp(at) => at,
            Fate::Open => horizon.over,
        };
        let (first, last) = horizon.thirds();
        self.open_in_first += overlap((intended, at), first);
        self.open_in_last += overlap((intended, at), last);
        if !horizon.in_window(intended) {
            return;
        }
        match fate {
            Fate::Answered(answered) => {
                self.in_time +=
                    u64::from(deadline.is_none_or(|deadline| at <= intended.saturating_add(deadline)));
                self.answered.push(answered);
            }
            Fate::GivenUp(_) => self.given_up += 1,
            Fate::Open => self.censored.push(horizon.over - intended),
        }
    }
}

/// How much of `from..to` lies in another span.
fn overlap((from, to): (u64, u64), (start, end): (u64, u64)) -> u64 {
    to.min(end).saturating_sub(from.max(start))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trial::sample::Times;

    const HORIZON: Horizon = Horizon { start: 300, end: 600, over: 800 };

    fn answered(intended: u64, lag: u64, service: u64) -> Fate {
        let (asked, resumed) = (intended + lag, intended + lag + service);
        let claimed = asked + service / 3;
        let times = Times { asked, accepted: asked, claimed, applied: claimed, committed: claimed, resumed };
        Fate::Answered(Answered { sample: Sample::from(times), lag, late: 0 })
    }

    #[test]
    fn an_answer_after_the_load_is_counted_at_the_age_it_had() {
        let mut cohort = Cohort::of(&[400, 500], &HORIZON);
        cohort.ended(400, answered(400, 0, 399), None, &HORIZON);
        cohort.ended(500, answered(500, 0, 300), None, &HORIZON);
        assert_eq!((cohort.answered.len(), cohort.censored.iter().copied().collect()), (1, vec![300]));
    }

    #[test]
    fn only_answers_by_the_deadline_are_in_time() {
        let mut cohort = Cohort::of(&[400, 401], &HORIZON);
        cohort.ended(400, answered(400, 5, 15), Some(20), &HORIZON);
        cohort.ended(401, answered(401, 6, 15), Some(20), &HORIZON);
        assert_eq!((cohort.answered.len(), cohort.in_time), (2, 1));
    }

    #[test]
    fn what_began_before_the_window_is_open_in_it_and_no_member() {
        let mut cohort = Cohort::of(&[100], &HORIZON);
        cohort.ended(100, answered(100, 0, 460), None, &HORIZON);
        assert_eq!((cohort.offered, cohort.answered.len()), (0, 0));
        assert_eq!((cohort.open_in_first, cohort.open_in_last), (100, 60));
    }

    proptest! {
        #[test]
        fn every_planned_update_has_exactly_one_fate(
            ends in proptest::collection::vec((0..800_u64, 0..3_u8, 0..300_u64, 0..600_u64), 0..60), deadline in proptest::option::of(0..200_u64),
        ) {
            let plan: Vec<_> = ends.iter().map(|end| end.0).collect();
            let mut cohort = Cohort::of(&plan, &HORIZON);
            for (intended, kind, lag, rest) in ends {
                let fate = match kind {
                    0 => answered(intended, lag, rest),
                    1 => Fate::GivenUp(intended + lag),
                    _ => Fate::Open,
                };
                cohort.ended(intended, fate, deadline, &HORIZON);
            }
            let answered = cohort.answered.len() as u64;
            prop_assert_eq!(cohort.offered, answered + cohort.given_up + cohort.censored.len() as u64);
            prop_assert!(cohort.in_time <= answered);
        }

        #[test]
        fn lag_and_the_five_parts_sum_to_the_latency(intended in 0..1_u64 << 50, lag in 0..1_u64 << 40, service in 0..1_u64 << 40) {
            let Fate::Answered(answered) = answered(intended, lag, service) else { unreachable!("it is answered") };
            let Sample { submit, queued, apply, commit, reply, .. } = answered.sample;
            prop_assert_eq!(answered.latency(), lag + submit + queued + apply + commit + reply);
            prop_assert_eq!(answered.latency(), answered.sample.resumed - intended);
        }
    }
}
