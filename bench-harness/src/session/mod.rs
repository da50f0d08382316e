//! The record of a session on disk, and which of its rounds may be used.
//!
//! A session is a folder: `trials.jsonl` gets a line for each trial as soon as it ends, so that nothing measured is lost
//! with the process; `session.json` is the whole session in one file, written anew after each round. A report is made
//! from `session.json` alone.

mod calibration;
mod fold;
pub mod read;
mod scatter;
pub mod store;

use std::collections::BTreeMap;

use crate::record::{PlannedCell, Session, Trial};

pub use calibration::calibration;
pub use read::read;

impl Session {
    /// Trials of a round: each label on each cell once.
    pub fn trials_per_round(&self) -> usize {
        self.cells().count() * self.plan.strategies.len()
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

    /// The same session without the trials of rounds that are not complete: numbers are compared within a round only, so
    /// that half a round says nothing.
    #[must_use]
    pub fn of_complete_rounds(&self) -> Self {
        let rounds = self.complete_rounds();
        let mut session = self.clone();
        session.trials.retain(|trial| rounds.contains(&trial.round));
        session
    }

    /// All planned cells, with the names of their workloads.
    pub fn cells(&self) -> impl Iterator<Item = (&str, &PlannedCell)> {
        self.plan
            .workloads
            .iter()
            .flat_map(|workload| workload.cells.iter().map(|cell| (&*workload.name, cell)))
    }
}

impl Trial {
    /// Where it belongs, in words.
    pub fn place(&self) -> String {
        format!("{}/{}, {}, round {}", self.workload, self.cell, self.strategy, self.round)
    }
}
