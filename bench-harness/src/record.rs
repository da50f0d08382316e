//! What a trial and a session say about themselves: the schema, and nothing else.
//!
//! Durations are whole nanoseconds, maps are sorted, and a float that is not finite is a write error. Reading and writing
//! files is `session.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::stats::{Quantile, Samples};
use crate::workload::definition::{Callers, Cost, Load};

/// The schema of [`Trial`], one line of `trials.jsonl`.
pub const TRIAL_SCHEMA: &str = "bench-harness.trial/1";
/// The schema of [`Session`], the file `session.json`.
pub const SESSION_SCHEMA: &str = "bench-harness.session/1";

/// The strategy label of the bare loop that writes without a queue: what is possible at all.
pub const LIMIT: &str = "limit";

/// One trial: one process, one strategy, one cell, one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// [`TRIAL_SCHEMA`]; empty within a session, whose schema says it for all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub schema: String,
    /// Which round of the session, from 0.
    pub round: u32,
    /// Place in the round's order, from 0.
    pub position: u32,
    /// Workload name.
    pub workload: String,
    /// Cell id within the workload.
    pub cell: String,
    /// The label it ran under: a strategy's name, [`LIMIT`], or a twin's label, which only [`Plan::twins`] resolves.
    pub strategy: String,
    /// The seed of the updates, hex with `0x`; the same for all strategies of a round and cell.
    pub seed: String,
    /// How it ended.
    #[serde(flatten)]
    pub result: TrialResult,
}

/// A trial either has a verified measurement or names what failed; never both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrialResult {
    /// All checks held.
    Measured(Box<Measurement>),
    /// A check failed, or the trial did not end.
    Failed(Failure),
}

/// Why a trial has no numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The check that failed, `V1` to `V9`, or `process` when the child died or printed no record.
    pub check: String,
    /// What was seen, in one sentence.
    pub reason: String,
}

/// The numbers of one trial, all within its window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// Time the load ran before the window.
    pub warm_up_ns: u64,
    /// Length of the window.
    pub window_ns: u64,
    /// Updates whose answer reached its caller in the window.
    pub done: u64,
    /// Submits that were refused in the window and tried again (`Full`).
    pub refused: u64,
    /// `done`, per client.
    pub clients: Vec<u64>,
    /// The longest time in which one client got no answer, window edges included.
    pub longest_gap_ns: u64,
    /// What the writes really cost.
    pub cost: AchievedCost,
    /// HDR histograms (V2, deflated, base64) of nanoseconds: `latency`, submit called (of a burst and of an open loop: when
    /// it was planned) to answer received; `held`, submit called to submit returned; of an open loop also
    /// `service`, submit really called to answer received, `lag`, planned to really called, and `late`, the part of the lag
    /// in which nothing held the client up, so that the generator is to blame. Empty within a session, which has them merged
    /// over rounds ([`Session::histograms`]).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hdr: BTreeMap<String, String>,
    /// Percentiles of each of those histograms.
    pub percentiles: BTreeMap<String, Percentiles>,
    /// Mean nanoseconds (exact sums, not from the histogram) of `latency` and of its five parts `submit`, `queued`, `apply`,
    /// `commit`, `reply`, which sum to it, update by update; and of `held`. In an open loop of the answered updates; `lag` is the sixth part
    /// then, and `service` the sum without it.
    pub mean_ns: BTreeMap<String, f64>,
    /// Values that a histogram could not hold and counted at its highest value.
    pub clamped: u64,
    /// What became of the planned updates of an open loop.
    pub open: Option<Arrivals>,
    /// What the process used in the window; absent where the platform cannot tell.
    pub evidence: Option<Evidence>,
}

/// Percentiles of one trial's samples, nanoseconds; absent where too few samples stand behind one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Percentiles {
    /// How many samples.
    pub samples: u64,
    /// The median.
    pub p50: Option<u64>,
    /// One in ten is longer.
    pub p90: Option<u64>,
    /// One in a hundred is longer.
    pub p99: Option<u64>,
    /// One in a thousand is longer.
    pub p999: Option<u64>,
}

impl From<&Samples> for Percentiles {
    fn from(samples: &Samples) -> Self {
        let percentile = |quantile| samples.percentile(quantile).ok().map(|ns| ns as u64);
        Percentiles {
            samples: samples.count(),
            p50: percentile(Quantile::P50),
            p90: percentile(Quantile::P90),
            p99: percentile(Quantile::P99),
            p999: percentile(Quantile::P999),
        }
    }
}

/// What became of the updates of an open loop that were planned to start within the window.
///
/// `offered` is the sum of `answered`, `given_up` and `censored`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// Planned starts in the window.
    pub offered: u64,
    /// Applied, and answered before the load ended.
    pub answered: u64,
    /// Of those, answered no later than their deadline; all of them without a deadline.
    pub in_time: u64,
    /// Certainly not applied: refused, shed or expired.
    pub given_up: u64,
    /// Neither when the load ended, some time after the window: counted in `latency` with the age they had.
    pub censored: u64,
    /// Mean number of updates in the first third of the window whose planned start has come and which have not ended: queued,
    /// running, held in submit, or not even sent.
    pub depth_at_first: f64,
    /// The same in the last third.
    pub depth_at_last: f64,
    /// CPU time of the threads that only generate load; absent where the platform cannot tell.
    pub generator_ns: Option<u64>,
}

/// What the simulated writes and commits really cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AchievedCost {
    /// The cost of a write that the workload asked for.
    pub requested_ns: u64,
    /// Mean of an `apply`.
    pub mean_ns: f64,
    /// Standard deviation over mean of an `apply`; 0 where the mean is 0.
    pub cv: f64,
    /// Median `apply`.
    pub p50_ns: u64,
    /// 99th percentile of `apply`.
    pub p99_ns: u64,
    /// Commits in the window; 0 without group commit.
    pub commits: u64,
    /// Time in `apply` and `commit`, clipped to the window; absent where only some updates were timed.
    pub busy_ns: Option<u64>,
}

/// What the process used in the window; the harness's own clients are part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// CPU time in user mode, all threads.
    pub user_ns: u64,
    /// CPU time in the kernel, all threads.
    pub sys_ns: u64,
    /// Times a thread gave up its core, all threads.
    pub voluntary_switches: u64,
    /// Times a thread was taken off its core, all threads.
    pub involuntary_switches: u64,
    /// Page faults served without a disk.
    pub minor_faults: u64,
    /// Page faults that read a disk.
    pub major_faults: u64,
    /// The most memory the process held, less what the harness itself keeps to verify the run.
    pub peak_memory_bytes: u64,
}

/// A session: a plan, the environment, and every trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// [`SESSION_SCHEMA`].
    pub schema: String,
    /// `<UTC time>-<commit>`, the name of the session's folder.
    pub id: String,
    /// Whether every planned trial is in.
    pub complete: bool,
    /// Why it is not complete, for example `interrupted`.
    pub incomplete_reason: Option<String>,
    /// What was going to be run.
    pub plan: Plan,
    /// Where it ran.
    pub environment: Environment,
    /// How often the harness is wrong on this machine, if that was known when the session began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Nanoseconds by which an update takes longer because all its parts are timed; absent if that could not be measured.
    pub timing_ns: Option<f64>,
    /// When it was taken up again after an interruption, RFC 3339, UTC; the interrupted round was run anew.
    pub resumed: Vec<String>,
    /// The capacities that open-loop rates were taken from, in plan order; measured before the first round.
    pub pilots: Vec<Pilot>,
    /// What the machine did in each round, in the order in which they ran.
    pub rounds: Vec<Round>,
    /// Every finished trial, in the order in which they ran. In the file, rows of columns.
    #[serde(with = "crate::session::rows")]
    pub trials: Vec<Trial>,
    /// The samples of each row, all valid rounds together.
    pub histograms: Vec<Histograms>,
}

/// How many updates a second a strategy can take on a cell of an open loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pilot {
    /// Workload name.
    pub workload: String,
    /// What the clients are.
    pub callers: Callers,
    /// Strategy name.
    pub strategy: String,
    /// Updates per second of a closed loop with so many clients that the writer is never idle.
    pub capacity: f64,
}

/// What the machine did in a round, all of it and not only the trials: evidence that the round may be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Which round of the session, from 0.
    pub round: u32,
    /// How long it took.
    pub wall_ns: u64,
    /// CPU time that the hypervisor gave to others, all CPUs; absent where the platform cannot tell.
    pub steal_ns: Option<u64>,
    /// CPU time in which the machine worked, all CPUs.
    pub busy_ns: Option<u64>,
    /// Time in which something waited for a CPU (pressure stall information), microseconds.
    pub cpu_pressure_us: Option<u64>,
    /// The same for storage.
    pub io_pressure_us: Option<u64>,
    /// The same for memory.
    pub memory_pressure_us: Option<u64>,
    /// What the fixed piece of work took that is timed at the beginning of each round.
    pub probe_ns: u64,
    /// Why the round must not be used, by a rule that knows no strategy; a new one was run in its place.
    pub invalid: Option<String>,
}

/// The samples of one row of a session: one label on one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Histograms {
    /// Workload name.
    pub workload: String,
    /// Cell id within the workload.
    pub cell: String,
    /// The label, as in [`Trial::strategy`].
    pub strategy: String,
    /// As [`Measurement::hdr`], merged over the valid rounds.
    pub hdr: BTreeMap<String, String>,
}

/// What a session was going to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The command line, program name first, without paths.
    pub command: Vec<String>,
    /// The seed of order and data, hex with `0x`.
    pub master_seed: String,
    /// Number of rounds.
    pub rounds: u32,
    /// The strategy that all others are divided by.
    pub control: String,
    /// The labels that every cell is measured under, in list order: strategies, twins and [`LIMIT`].
    pub strategies: Vec<String>,
    /// Which strategy a twin's label stands for: the same one again under another name, to see what the harness makes of
    /// no difference.
    pub twins: BTreeMap<String, String>,
    /// Labels under which the control ran with writes that were made slower on purpose, by this share, to see whether the
    /// harness finds out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slowed: BTreeMap<String, f64>,
    /// How many comparisons are judged together.
    pub family: u32,
    /// Workloads with the cells that were chosen.
    pub workloads: Vec<PlannedWorkload>,
}

impl Plan {
    /// The strategy that a label stands for.
    pub fn strategy_of<'a>(&'a self, label: &'a str) -> &'a str {
        match self.twins.get(label) {
            Some(strategy) => strategy,
            None if self.slowed.contains_key(label) => &self.control,
            None => label,
        }
    }
}

/// A workload as it was planned; enough to render a report without the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedWorkload {
    /// File name without `.toml`.
    pub name: String,
    /// One line.
    pub title: String,
    /// What a reader learns from it.
    pub question: String,
    /// sha256 of the file.
    pub hash: String,
    /// What a commit costs, with group commit.
    pub commit: Option<Cost>,
    /// How clients send.
    pub load: Load,
    /// After its planned start an update of an open loop is of use for this long.
    pub deadline_ns: Option<u64>,
    /// The queue's capacity.
    pub capacity: usize,
    /// Warm-up of one trial, at least.
    pub warm_up_ns: u64,
    /// Window of one trial.
    pub window_ns: u64,
    /// The chosen cells, in file order.
    pub cells: Vec<PlannedCell>,
}

/// A cell as it was planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCell {
    /// Unique within the workload.
    pub id: String,
    /// What the clients are.
    pub callers: Callers,
    /// How many.
    pub clients: usize,
    /// Requested cost of a write.
    pub write: Cost,
    /// Offered load of an open loop, as a share of the slowest strategy's capacity.
    pub load: Option<f64>,
}

/// How often the harness was wrong about strategies of which the truth is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The sessions that it comes from, by id.
    pub sessions: Vec<String>,
    /// Rounds of each.
    pub rounds: u32,
    /// The strategies that were the control, and were compared with themselves.
    pub controls: Vec<String>,
    /// Comparisons of identical strategies.
    pub identical: u64,
    /// Of those, called faster or slower.
    pub false_alarms: u64,
    /// Of those, an estimate below 1: half of them, if nothing favours a label.
    pub identical_above: u64,
    /// The size, as a share, that nineteen of twenty estimates of identical strategies stay below.
    pub identical_p95: f64,
    /// The median over sessions of how much the rounds' fixed piece of work varied: standard deviation over mean.
    pub probe_variation: f64,
    /// Slowdowns that were planted, each on each cell.
    pub planted: Vec<Planted>,
}

/// A slowdown that was planted on a cell in several sessions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planted {
    /// Workload name.
    pub workload: String,
    /// Cell id within the workload.
    pub cell: String,
    /// By how much each write was made longer, as a share.
    pub share: f64,
    /// In how many sessions.
    pub sessions: u64,
    /// In how many of them it was called slower.
    pub seen: u64,
    /// In how many of them it was called faster.
    pub mistaken: u64,
    /// The median over sessions of the measured cost over the control's, less 1.
    pub realised: f64,
}

/// Where a session ran. No host name, user name or absolute path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Start, RFC 3339, UTC.
    pub started: String,
    /// Commit of the sources, if known, with `-dirty` appended if they were changed.
    pub commit: Option<String>,
    /// `rustc --version` of the build.
    pub rustc: String,
    /// sha256 of the harness binary.
    pub binary: String,
    /// Version of the harness.
    pub version: String,
    /// Operating system and architecture.
    pub os: String,
    /// Kernel release.
    pub kernel: Option<String>,
    /// CPU model.
    pub cpu: Option<String>,
    /// CPUs that this process may use.
    pub cpus: usize,
    /// CPU quota of the control group, in CPUs, if there is one.
    pub cpu_quota: Option<f64>,
    /// Physical memory, bytes.
    pub memory_bytes: Option<u64>,
    /// The hypervisor, if one is visible.
    pub hypervisor: Option<String>,
    /// A random name of the time since the machine was started.
    pub boot_id: Option<String>,
    /// The policy that sets the clock rate of the CPUs.
    pub governor: Option<String>,
    /// Whether two CPUs may share a core.
    pub smt: Option<bool>,
    /// What the kernel tells the time by.
    pub clock_source: Option<String>,
    /// Which piece of work the rounds' probe times.
    pub probe: Option<String>,
}
