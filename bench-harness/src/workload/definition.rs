//! A workload: the question it answers, the cells it sweeps, and how long each is measured.
//!
//! Workloads are TOML files; nothing in the code knows one by name. This file is what they say, already checked; reading
//! them, with line numbers in the errors, is `parse.rs`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One workload file, checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// The file's name without `.toml`.
    pub name: String,
    /// One line for lists and headings.
    pub title: String,
    /// What a reader learns from it, in prose.
    pub question: String,
    /// sha256 of the file's bytes, in hex.
    pub hash: String,
    /// How clients behave.
    pub pattern: Pattern,
    /// Updates that may be queued and not yet claimed.
    pub capacity: usize,
    /// Updates that share one commit at most.
    pub max_batch: usize,
    /// What a commit costs; `None`: outcomes are final when `apply` returns.
    pub commit: Option<Cost>,
    /// Time every `n`th update of a client; 1 times each. Larger where a clock read would be the workload.
    pub timed_every: u32,
    /// How long load runs before it is measured, at least.
    pub warm_up: Duration,
    /// How long it is measured.
    pub window: Duration,
    /// All combinations of callers, clients and write cost, in the order of the file.
    pub cells: Vec<Cell>,
}

/// How each client produces its updates. Always a closed loop: one update in flight per client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pattern {
    /// The next update follows the last answer at once.
    Steady,
    /// Everyone is idle, then each client submits `updates` as fast as it can, all together, once per `every`.
    Bursts {
        /// Time between the starts of two bursts.
        every: Duration,
        /// Updates of each client per burst.
        updates: u32,
    },
}

/// How the clients of a workload send, without the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Load {
    /// A closed loop: each client sends its next update when the last one is answered.
    Steady,
    /// A closed loop, in bursts that begin for all clients together.
    Bursts,
    /// An open loop: arrivals at random times, whatever the answers do.
    Poisson,
    /// An open loop: arrivals at equal distances.
    Constant,
}

/// One point of a workload's sweep: what a strategy is measured on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Unique within the workload: `threads-16`, or `threads-16-10us` where the write cost is swept too.
    pub id: String,
    /// What the clients are.
    pub callers: Callers,
    /// How many of them.
    pub clients: usize,
    /// What one write costs.
    pub write: Cost,
    /// Whether `cargo bench` measures it.
    pub core: bool,
}

/// What the clients of a cell are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Callers {
    /// Threads that block.
    Threads,
    /// Tasks on a tokio runtime.
    Tasks,
}

impl fmt::Display for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Threads => "threads",
            Self::Tasks => "tasks",
        })
    }
}

/// A simulated cost and how it is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The requested time; what it really took is measured.
    pub requested: Duration,
    /// How it is spent.
    pub kind: CostKind,
}

/// How a simulated cost is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CostKind {
    /// The core is kept busy, as by computing.
    Spin,
    /// The core is free meanwhile, as while waiting for a disk.
    Sleep,
}
