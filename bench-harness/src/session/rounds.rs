//! Which rounds of a session there are, which of them count, and which one is next.

use std::collections::BTreeMap;

use crate::record::Session;

/// Rounds that may be run in place of invalid ones.
// LIMIT: a quarter of the planned ones: a machine that spoils more is not fit to measure on.
pub fn spare_rounds(planned: u32) -> u32 {
    planned / 4
}

impl Session {
    /// Trials of a round: each label on each cell once.
    pub fn trials_per_round(&self) -> usize {
        self.cells().count().saturating_mul(self.plan.strategies.len())
    }

    /// The rounds in which every planned trial is in, failed ones included; in order.
    pub fn complete_rounds(&self) -> Vec<u32> {
        let mut trials = BTreeMap::new();
        for trial in &self.trials {
            *trials.entry(trial.round).or_insert(0_usize) += 1;
        }
        let whole = self.trials_per_round();
        trials.into_iter().filter(|(_, n)| *n == whole).map(|(round, _)| round).collect()
    }

    /// The complete rounds that no rule has made invalid; in order.
    pub fn rounds_that_count(&self) -> Vec<u32> {
        let is_invalid =
            |round: &u32| self.rounds.iter().any(|known| known.round == *round && known.invalid.is_some());
        self.complete_rounds().into_iter().filter(|round| !is_invalid(round)).collect()
    }

    /// The number of the round that is to be run next: the planned ones first, then one in place of each invalid one, as
    /// many as the plan allows. `None` when no more are to be run.
    pub fn next_round(&self) -> Option<u32> {
        let planned = self.plan.rounds;
        let ended = u32::try_from(self.rounds.len()).unwrap_or(u32::MAX);
        let most = planned.saturating_add(spare_rounds(planned));
        let is_wanted = ended < planned || (self.rounds_lost() > ended - planned && ended < most);
        is_wanted.then_some(ended)
    }

    /// Rounds that have ended and are invalid.
    pub fn rounds_lost(&self) -> u32 {
        let lost = self.rounds.iter().filter(|round| round.invalid.is_some()).count();
        u32::try_from(lost).unwrap_or(u32::MAX)
    }

    /// The same session without the trials of rounds that are not complete: numbers are compared within a round only, so
    /// that half a round says nothing.
    #[must_use]
    pub fn of_complete_rounds(&self) -> Self {
        let rounds = self.complete_rounds();
        let mut session = self.clone();
        session.trials.retain(|trial| rounds.contains(&trial.round));
        session
    }
}
