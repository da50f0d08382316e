//! The record of a session on disk, and which of its rounds may be used.
//!
//! A session is a folder. `trials.jsonl` gets a line for each trial as soon as it ends, so that nothing measured is lost
//! with the process; `session.json` has the plan and the rounds that have ended while the session runs, and all of it in
//! one file at the end. A report of a session that has ended is made from `session.json` alone.

pub mod calibration;
mod check;
mod columns;
pub mod fitness;
mod fold;
pub mod journal;
pub mod lock;
#[cfg(test)]
mod made_up;
pub mod read;
mod rounds;
pub mod rows;
mod scatter;
pub mod store;

use crate::record::{PlannedCell, Session, Trial};

pub use fitness::Fitness;
pub use read::read;
pub use rounds::spare_rounds;

impl Session {
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
