//! Everything a trial needs to know, as its parent hands it over.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::PlannedCell;
use crate::workload::definition::{Cost, Pattern, Variation};

/// Everything a trial needs to know; crosses the process boundary as one line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialSpec {
    /// Which round of the session, from 0.
    pub round: u32,
    /// Place in the round's order, from 0.
    pub position: u32,
    /// Workload name, for the record.
    pub workload: String,
    /// The cell to measure.
    pub cell: PlannedCell,
    /// What the record calls it: the strategy, or a twin's label.
    pub label: String,
    /// The strategy to run, or [`LIMIT`](crate::record::LIMIT).
    pub strategy: String,
    /// Seed of the updates.
    pub seed: u64,
    /// How clients behave.
    pub pattern: Pattern,
    /// Updates per second of all clients together, in an open loop.
    pub rate: Option<f64>,
    /// The queue's capacity.
    pub capacity: usize,
    /// Updates that share one commit at most.
    pub max_batch: usize,
    /// How writes differ from each other.
    pub variation: Variation,
    /// What a commit costs, with group commit.
    pub commit: Option<Cost>,
    /// Time every `n`th update of a client.
    pub timed_every: u32,
    /// How long load runs before the window, at least.
    pub warm_up: Duration,
    /// How long it is measured.
    pub window: Duration,
}
