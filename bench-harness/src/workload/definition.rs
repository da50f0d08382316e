//! A workload: the question it answers, the cells it sweeps, and how long each is measured.
//!
//! Workloads are TOML files; nothing in the code knows one by name. This file is what they say, already checked; reading
//! them, with line numbers in the errors, is `parse.rs`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One workload file, checked.
#[derive(Clone, Debug, PartialEq)]
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
    /// How writes differ from each other.
    pub variation: Variation,
    /// What a commit costs; `None`: outcomes are final when `apply` returns.
    pub commit: Option<Cost>,
    /// Time every `n`th update of a client; 1 times each. Larger where a clock read would be the workload.
    pub timed_every: u32,
    /// How long load runs before it is measured, at least.
    pub warm_up: Duration,
    /// How long it is measured.
    pub window: Duration,
    /// All combinations of callers, clients, write cost and load, in the order of the file.
    pub cells: Vec<Cell>,
}

/// How each client produces its updates.
///
/// Steady and in bursts it is a closed loop: a client waits for its answers before it goes on. Arrivals are an open loop: they
/// come when they come, whatever became of those before them.
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
    /// Each update has a time at which it is to start, drawn before the load begins.
    Arrivals {
        /// How those times are spread.
        kind: Spacing,
        /// After its planned start an update is of use for this long; it must have started by then.
        deadline: Option<Duration>,
    },
}

/// How the planned starts of one client are spread over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spacing {
    /// At random, as the requests of many independent users: exponential gaps.
    Poisson,
    /// At equal distances, each client from an offset of its own.
    Constant,
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
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Unique within the workload: `threads-16`, `threads-16-10us` where the write cost is swept too, `threads-16-load50` of
    /// an open loop.
    pub id: String,
    /// What the clients are.
    pub callers: Callers,
    /// How many of them.
    pub clients: usize,
    /// What one write costs.
    pub write: Cost,
    /// Offered load of an open loop, as a share of the slowest strategy's capacity; above 1 it is an overload.
    pub load: Option<f64>,
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

/// How the writes of a workload differ from each other. Which update gets which cost follows from the seed of the data, so that
/// it is the same for all strategies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variation {
    /// Coefficient of variation of costs that are spread around the requested one; `None`: all cost the same.
    pub cv: Option<f64>,
    /// A few writes that take far longer than the others.
    pub stall: Option<Stall>,
}

/// A few writes that take far longer than the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// One update in so many.
    pub one_in: u32,
    /// What it costs instead.
    pub takes: Duration,
}
