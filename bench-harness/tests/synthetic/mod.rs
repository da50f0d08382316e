//! A made-up session with plausible numbers: the same seed gives the same session.

mod open;

use std::collections::BTreeMap;
use std::time::Duration;

use bench_harness::random::{Generator, mix};
use bench_harness::record::{
    AchievedCost, Environment, Evidence, LIMIT, Measurement, Percentiles, Plan, PlannedCell, PlannedWorkload,
    Round, SESSION_SCHEMA, Session, TRIAL_SCHEMA, Trial, TrialResult,
};
use bench_harness::stats::Samples;
use bench_harness::workload::definition::{Callers, Cost, CostKind, Load};
use hdrhistogram::Histogram;

/// What to make.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// Drives all noise.
    pub(crate) seed: u64,
    /// Complete rounds.
    pub(crate) rounds: u32,
    /// Strategies; the first is the control. The limit is added.
    pub(crate) strategies: Vec<String>,
    /// Name, whether commits are shared, and its cells. `bursts` is one; `open-loop` is one, each cell at several loads.
    pub(crate) workloads: Vec<(String, bool, Cells)>,
    /// Whether the control runs a second time, as `aa`.
    pub(crate) has_twin: bool,
    /// Rounds that do not count; the machine was taken away in them.
    pub(crate) invalid: Vec<u32>,
}

/// The label of the control's twin.
pub(crate) const TWIN: &str = "aa";

/// Callers, clients, microseconds of a write.
type Cells = Vec<(Callers, usize, u64)>;

impl Recipe {
    /// A small session: three cells.
    pub(crate) fn small() -> Self {
        Self {
            seed: 1,
            rounds: 12,
            has_twin: true,
            invalid: Vec::new(),
            strategies: names(&["std-mutex", "parking-lot", "tokio", "crossbeam"]),
            workloads: vec![
                (
                    "slow-writes".to_owned(),
                    false,
                    vec![(Callers::Threads, 4, 1_000), (Callers::Threads, 16, 1_000)],
                ),
                ("cheap-writes".to_owned(), false, vec![(Callers::Threads, 4, 0)]),
            ],
        }
    }

    /// What `cargo bench` measures: nine cells, and an open loop at four loads.
    pub(crate) fn core() -> Self {
        let (threads, tasks) = (Callers::Threads, Callers::Tasks);
        Self {
            workloads: vec![
                ("slow-writes".to_owned(), false, vec![(threads, 16, 1_000), (tasks, 16, 1_000)]),
                ("write-cost".to_owned(), false, vec![(threads, 16, 1), (threads, 16, 100)]),
                ("group-commit".to_owned(), true, vec![(threads, 64, 0)]),
                ("bursts".to_owned(), false, vec![(threads, 64, 100)]),
                ("cheap-writes".to_owned(), false, vec![(threads, 16, 0), (tasks, 64, 0), (tasks, 16, 0)]),
                ("open-loop".to_owned(), false, vec![(tasks, 16, 100)]),
            ],
            ..Self::full()
        }
    }

    /// Everything that a full run measures: about forty cells.
    pub(crate) fn full() -> Self {
        let sweep = |callers: Callers, clients: &[usize], writes: &[u64]| -> Cells {
            clients.iter().flat_map(|n| writes.iter().map(move |write| (callers, *n, *write))).collect()
        };
        let both = |clients: &[usize], writes: &[u64]| {
            [sweep(Callers::Threads, clients, writes), sweep(Callers::Tasks, clients, writes)].concat()
        };
        Self {
            seed: 7,
            rounds: 12,
            has_twin: true,
            invalid: Vec::new(),
            strategies: names(&["std-mutex", "parking-lot", "tokio-mutex", "tokio", "crossbeam", "flume"]),
            workloads: vec![
                ("slow-writes".to_owned(), false, both(&[1, 4, 16, 64], &[1_000])),
                ("write-cost".to_owned(), false, both(&[16], &[0, 1, 10, 100, 1_000])),
                ("group-commit".to_owned(), true, both(&[1, 4, 16, 64, 256], &[0])),
                ("bursts".to_owned(), false, both(&[16, 64], &[10])),
                ("cheap-writes".to_owned(), false, both(&[1, 4, 16, 64], &[0])),
            ],
        }
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Makes the session, as it is kept.
pub(crate) fn session(recipe: &Recipe) -> Session {
    unfolded(recipe).folded().expect("its histograms are good")
}

/// Makes the session as it is measured: each trial with its own histograms.
pub(crate) fn unfolded(recipe: &Recipe) -> Session {
    let workloads: Vec<PlannedWorkload> = recipe.workloads.iter().map(planned).collect();
    let twin = recipe.has_twin.then(|| TWIN.to_owned());
    let strategies: Vec<String> =
        recipe.strategies.iter().cloned().chain(twin.clone()).chain([LIMIT.to_owned()]).collect();
    let control = recipe.strategies.first().cloned().unwrap_or_else(|| "none".to_owned());
    let family =
        workloads.iter().map(|w| w.cells.len()).sum::<usize>() * recipe.strategies.len().saturating_sub(1);
    let mut trials = Vec::new();
    for round in 0..recipe.rounds {
        for (w, workload) in workloads.iter().enumerate() {
            for (c, cell) in workload.cells.iter().enumerate() {
                for (position, strategy) in strategies.iter().enumerate() {
                    let place = [u64::from(round), c as u64, position as u64, w as u64];
                    let mut random = Random::at(recipe.seed, &place);
                    let kind = if strategy == TWIN { 0 } else { position };
                    let mood =
                        1.0 + 0.02 * Random::at(recipe.seed, &[u64::from(round), c as u64]).symmetric();
                    let measurement = measurement(workload, cell, kind, strategy == LIMIT, mood, &mut random);
                    trials.push(Trial {
                        schema: TRIAL_SCHEMA.to_owned(),
                        round,
                        position: position as u32,
                        workload: workload.name.clone(),
                        cell: cell.id.clone(),
                        strategy: strategy.clone(),
                        seed: "0x1f".to_owned(),
                        result: TrialResult::Measured(Box::new(measurement)),
                    });
                }
            }
        }
    }
    Session {
        schema: SESSION_SCHEMA.to_owned(),
        id: "20260102T030405Z-0123456789".to_owned(),
        complete: true,
        incomplete_reason: None,
        plan: Plan {
            command: names(&["bench-harness", "run", "--budget", "5m"]),
            master_seed: format!("{:#x}", recipe.seed),
            rounds: recipe.rounds,
            slowed: BTreeMap::new(),
            twins: twin.map(|twin| (twin, control.clone())).into_iter().collect(),
            control,
            strategies,
            family: u32::try_from(family).expect("few rows"),
            workloads,
        },
        environment: environment(),
        calibration: None,
        timing_ns: Some(120.0),
        resumed: Vec::new(),
        pilots: Vec::new(),
        rounds: (0..recipe.rounds).map(|round| evidence(recipe, round)).collect(),
        trials,
        histograms: Vec::new(),
    }
}

/// What the machine did in a round; in an invalid one it belonged to others for a while.
fn evidence(recipe: &Recipe, round: u32) -> Round {
    let mut random = Random::at(recipe.seed, &[u64::from(round), 77]);
    let is_invalid = recipe.invalid.contains(&round);
    let busy = 40_000_000_000_u64;
    let steal = if is_invalid { busy / 5 } else { (busy as f64 * 0.004 * random.uniform()) as u64 };
    Round {
        round,
        wall_ns: 30_000_000_000,
        steal_ns: Some(steal),
        busy_ns: Some(busy),
        cpu_pressure_us: Some((3e6 * (1.0 + random.uniform())) as u64),
        io_pressure_us: Some(10_000),
        memory_pressure_us: Some(0),
        probe_ns: (300e6 * (1.0 + 0.01 * random.symmetric())) as u64,
        invalid: is_invalid.then(|| "steal is 20 % of the busy time".to_owned()),
    }
}

/// Shares of the capacity at which an open loop is measured.
const LOADS: [f64; 4] = [0.25, 0.5, 0.75, 0.9];

fn planned((name, commit, cells): &(String, bool, Cells)) -> PlannedWorkload {
    let is_open = name == "open-loop";
    let loads = if is_open { LOADS.map(Some).to_vec() } else { vec![None] };
    let with_loads = cells.iter().flat_map(|cell| loads.iter().map(move |load| (cell, *load)));
    let cells = with_loads.map(|((callers, clients, micros), load)| PlannedCell {
        id: match load {
            None => format!("{callers}-{clients}-{micros}us"),
            Some(load) => format!("{callers}-{clients}-{micros}us-{:.0}", 100.0 * load),
        },
        callers: *callers,
        clients: *clients,
        load,
        write: Cost {
            requested: Duration::from_micros(*micros),
            kind: if *micros >= 100 { CostKind::Sleep } else { CostKind::Spin },
        },
    });
    PlannedWorkload {
        name: name.clone(),
        title: format!("Title of {name}"),
        question:
            "With writes of this kind, what does a queue in front of the writer buy, and what does it cost?"
                .to_owned(),
        hash: "0".repeat(64),
        commit: commit.then_some(Cost { requested: Duration::from_millis(1), kind: CostKind::Sleep }),
        load: match name.as_str() {
            "bursts" => Load::Bursts,
            "open-loop" => Load::Poisson,
            _ => Load::Steady,
        },
        deadline_ns: is_open.then_some(50_000_000),
        capacity: 1024,
        warm_up_ns: 300_000_000,
        window_ns: 1_000_000_000,
        cells: cells.collect(),
    }
}

fn environment() -> Environment {
    Environment {
        started: "2026-01-02T03:04:05Z".to_owned(),
        commit: Some("0123456789abcdef0123456789abcdef01234567-dirty".to_owned()),
        rustc: "rustc 1.95.0".to_owned(),
        binary: "ab".repeat(32),
        version: "0.1.0".to_owned(),
        os: "linux x86_64".to_owned(),
        kernel: Some("6.1.0".to_owned()),
        cpu: Some("Example CPU @ 3.00GHz".to_owned()),
        cpus: 2,
        cpu_quota: None,
        memory_bytes: Some(8 << 30),
        hypervisor: Some("kvm".to_owned()),
        boot_id: None,
        governor: None,
        smt: None,
        clock_source: None,
        probe: None,
    }
}

/// The first half of the strategies are locks; the rest are queues with a dearer hand-off and cheap waiting.
fn measurement(
    workload: &PlannedWorkload,
    cell: &PlannedCell,
    position: usize,
    limit: bool,
    mood: f64,
    random: &mut Random,
) -> Measurement {
    let lock = position < 3;
    let clients = if limit { 1 } else { cell.clients };
    let write = cell.write.requested.as_nanos() as f64;
    let write =
        if write >= 100_000.0 { write + 62_000.0 } else { write + 35.0 } * (1.0 + 0.01 * random.symmetric());
    let crowd = (clients as f64).ln_1p();
    let hand_off = match (limit, lock) {
        (true, _) => 5.0,
        (_, true) => 90.0 + 60.0 * crowd * (1.0 + position as f64 / 4.0),
        (_, false) => 900.0 / crowd.max(0.7) + 40.0 * position as f64,
    };
    let shared = if lock || limit { 1.0 } else { clients as f64 };
    let commit = if workload.commit.is_some() { 1_062_000.0 } else { 0.0 };
    let wild = if random.uniform() < 0.05 { 0.9 } else { 1.0 };
    let per_update = (write + hand_off + commit / shared) / mood / wild * (1.0 + 0.008 * random.symmetric());
    let done = (workload.window_ns as f64 / per_update) as u64;
    let latency = per_update * clients as f64;
    let batch = shared.min(done.max(1) as f64);
    let parts = parts(latency, write, commit, lock || limit);
    let shares = shares(done, clients, lock, random);
    let of = |mean: f64, spread: f64| samples(mean, spread, done.min(60_000));
    let samples = BTreeMap::from([
        ("latency".to_owned(), of(latency, if lock { 0.9 } else { 0.25 })),
        ("held".to_owned(), of(parts["submit"].max(20.0), if lock { 1.0 } else { 0.3 })),
    ]);
    let percentiles =
        samples.iter().map(|(part, samples)| (part.clone(), Percentiles::from(samples))).collect();
    let closed = Measurement {
        warm_up_ns: 310_000_000,
        window_ns: workload.window_ns,
        done: shares.iter().sum(),
        refused: if workload.load == Load::Bursts && !lock { done / 50 } else { 0 },
        longest_gap_ns: (latency * if lock { 9.0 } else { 2.5 }) as u64,
        clients: shares,
        cost: AchievedCost {
            requested_ns: cell.write.requested.as_nanos() as u64,
            mean_ns: write,
            cv: 0.04,
            p50_ns: write as u64,
            p99_ns: (write * 1.2) as u64,
            commits: if workload.commit.is_some() { (done as f64 / batch) as u64 } else { 0 },
            busy_ns: (cell.write.requested > Duration::ZERO || commit > 0.0).then_some(
                (((write + commit / shared) / per_update).min(0.999) * workload.window_ns as f64) as u64,
            ),
        },
        hdr: samples.iter().map(|(part, samples)| (part.clone(), samples.encode())).collect(),
        percentiles,
        mean_ns: parts,
        clamped: 0,
        open: None,
        evidence: Some(Evidence {
            user_ns: (done as f64 * (hand_off * 1.4 + write.min(30_000.0))) as u64,
            sys_ns: (done as f64 * hand_off * 0.6) as u64,
            voluntary_switches: done * if lock { 2 } else { 1 },
            involuntary_switches: done / 40,
            minor_faults: 100,
            major_faults: 0,
            peak_memory_bytes: 3_000_000 + 40_000 * clients as u64,
        }),
    };
    match cell.load {
        Some(load) => open::at(cell, load, closed, lock, random),
        None => closed,
    }
}

fn parts(latency: f64, write: f64, commit: f64, lock: bool) -> BTreeMap<String, f64> {
    let work = write + commit;
    let wait = (latency - work).max(0.0);
    let split = if lock { [0.97, 0.0, 0.03] } else { [0.02, 0.9, 0.08] };
    let values = [wait * split[0], wait * split[1], write, commit, wait * split[2]];
    let names = ["submit", "queued", "apply", "commit", "reply"];
    let mut parts: BTreeMap<String, f64> = names.iter().map(ToString::to_string).zip(values).collect();
    parts.insert("latency".to_owned(), values.iter().sum());
    parts
}

fn shares(done: u64, clients: usize, lock: bool, random: &mut Random) -> Vec<u64> {
    let spread = if lock { 0.35 } else { 0.01 };
    let weights: Vec<f64> = (0..clients).map(|_| 1.0 + spread * random.symmetric()).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| (done as f64 * weight / total).max(1.0) as u64).collect()
}

/// A skewed distribution around `mean` with `count` samples. Two digits only: a tenth of the work of the three that trials record.
fn samples(mean: f64, spread: f64, count: u64) -> Samples {
    let mut histogram = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 2).expect("valid bounds");
    let steps = 120;
    for step in 0..steps {
        let odds = (count.max(2) as f64).powf((f64::from(step) + 0.5) / f64::from(steps));
        let here =
            count as f64 / odds - count as f64 / (odds * (count.max(2) as f64).powf(1.0 / f64::from(steps)));
        let value = mean * (0.75 + spread * odds.ln() * 0.35);
        histogram.saturating_record_n(value.max(1.0) as u64, here.max(0.0).round() as u64);
    }
    Samples::from(histogram)
}

/// Random numbers of their own for each place.
#[derive(Debug)]
struct Random(Generator);

impl Random {
    fn at(seed: u64, place: &[u64]) -> Self {
        Self(Generator(place.iter().fold(seed, |seed, part| mix(seed ^ mix(*part)))))
    }

    fn uniform(&mut self) -> f64 {
        self.0.uniform()
    }

    /// Between -1 and 1, more often near 0.
    fn symmetric(&mut self) -> f64 {
        self.uniform() + self.uniform() - 1.0
    }
}
