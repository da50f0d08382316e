//! The speed and memory that this project promises, each figure measured in one run beside what it is compared with.
//!
//! `cargo bench --bench figures` measures all; `cargo bench --bench figures -- 1 4` the first and the fourth. Ends with
//! status 1 if a goal is missed.

use std::env;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use bench_harness::record::{PlannedCell, TrialResult};
use bench_harness::strategies::{self, Visitor};
use bench_harness::trial::evidence::resident_memory;
use bench_harness::trial::{run, spec::TrialSpec};
use bench_harness::workload::definition::{Callers, Cost, CostKind, Pattern, Variation};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use update_queue::{Options, StateMachine, Strategy, UpdateQueue};

/// One figure: what it is called on the command line, and how it is measured; `Err` says what went wrong.
type Figure = (&'static str, fn() -> Result<bool, String>);

const FIGURES: [Figure; 5] =
    [("1", hand_written), ("2", utilisation), ("3", group_commit), ("4", overhead), ("5", memory)];

fn main() -> ExitCode {
    // `cargo bench` adds `--bench`.
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [MEMORY, what, strategy] = args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return measure_memory(what, strategy);
    }
    if let Some(unknown) = args.iter().find(|arg| !FIGURES.iter().any(|(name, _)| name == arg)) {
        eprintln!("there is no figure `{unknown}`; name any of 1 2 3 4 5, or none for all");
        return ExitCode::from(2);
    }
    let mut all_met = true;
    for (name, measure) in FIGURES {
        if !args.is_empty() && !args.iter().any(|arg| arg == name) {
            continue;
        }
        all_met &= measure().unwrap_or_else(|error| {
            println!("  not measured: {error}");
            false
        });
    }
    if all_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

// ---- what all figures share ------------------------------------------------------------------------------------------

/// A goal for a number.
#[derive(Clone, Copy)]
enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// Prints one line of a figure: the median over rounds, the range, the goal, and whether it is met.
fn show(name: &str, mut rounds: Vec<f64>, unit: &str, goal: Goal) -> bool {
    rounds.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (rounds.first(), rounds.last()) else { return false };
    let median = (rounds[(rounds.len() - 1) / 2] + rounds[rounds.len() / 2]) / 2.0;
    let (met, goal) = match goal {
        Goal::AtLeast(limit) => (median >= limit, format!("at least {limit}")),
        Goal::AtMost(limit) => (median <= limit, format!("at most {limit}")),
    };
    let verdict = if met { "met" } else { "MISSED" };
    println!(
        "  {name:<24} {median:>9.3}{unit}  ({least:.3} to {most:.3} in {} rounds)  goal {goal}{unit}: {verdict}",
        rounds.len()
    );
    met
}

/// A machine that does next to nothing.
#[derive(Default)]
struct Sum(u64);

impl StateMachine for Sum {
    type Update = u64;
    type Output = u64;

    fn apply(&mut self, update: u64) -> u64 {
        self.0 = self.0.wrapping_add(update);
        self.0
    }
}

/// The names of the strategies that have a queue: locks have a capacity of 0.
fn queues() -> Vec<&'static str> {
    struct Queues(Vec<&'static str>);
    impl Visitor for Queues {
        fn visit<S: Strategy>(&mut self, _: &'static str) {
            let (queue, _writer) = S::start(Sum::default(), Options::default());
            if queue.capacity() > 0 {
                self.0.push(S::NAME);
            }
        }
    }
    let mut queues = Queues(Vec::new());
    strategies::for_each(&mut queues);
    queues.0
}

// ---- 1: 256 async callers --------------------------------------------------------------------------------------------

const CALLERS: usize = 256;
const CAPACITY: usize = 1_024;
const ROUNDS: usize = 31;

/// Round trips per second of 256 async callers, beside a queue written by hand for this one case.
fn hand_written() -> Result<bool, String> {
    println!(
        "1. {CALLERS} async callers, no write cost, capacity {CAPACITY}: throughput as a share of a hand-written queue's"
    );
    /// Of each strategy, its rate as a share of those of the hand-written queue right before and right after it, so that
    /// a machine that gets slower in between does so for both.
    struct Shares {
        before: f64,
        shares: Vec<(&'static str, Vec<f64>)>,
    }
    impl Visitor for Shares {
        fn visit<S: Strategy>(&mut self, _: &'static str) {
            let (queue, _writer) = S::start(Sum::default(), Options::default().capacity(CAPACITY));
            if queue.capacity() == 0 {
                return;
            }
            let caller = |meter: Meter| {
                let queue = queue.clone();
                async move {
                    while meter.goes_on() && queue.call(1).await.is_ok() {
                        meter.count();
                    }
                }
            };
            let rate = rate(caller);
            let after = hand_written_rate();
            let share = rate / (self.before * after).sqrt();
            self.before = after;
            match self.shares.iter_mut().find(|(name, _)| *name == S::NAME) {
                Some((_, shares)) => shares.push(share),
                None => self.shares.push((S::NAME, vec![share])),
            }
        }
    }
    let mut shares = Shares { before: hand_written_rate(), shares: Vec::new() };
    for _ in 0..ROUNDS {
        strategies::for_each(&mut shares);
    }
    Ok(shares
        .shares
        .into_iter()
        .fold(true, |met, (name, shares)| show(name, shares, "x", Goal::AtLeast(0.9)) & met))
}

/// The comparison: a bounded channel to a writer thread, and a one-shot channel for each reply.
fn hand_written_rate() -> f64 {
    let (updates, mut queue) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(CAPACITY);
    let writer = thread::spawn(move || {
        let mut state = Sum::default();
        while let Some((update, reply)) = queue.blocking_recv() {
            // The caller may be gone.
            let _ = reply.send(state.apply(update));
        }
    });
    let rate = rate(|meter| {
        let updates = updates.clone();
        async move {
            while meter.goes_on() {
                let (reply, answer) = oneshot::channel();
                if updates.send((1, reply)).await.is_err() || answer.await.is_err() {
                    return;
                }
                meter.count();
            }
        }
    });
    drop(updates);
    drop(writer.join());
    rate
}

/// What callers look at and count in.
#[derive(Clone, Default)]
struct Meter {
    done: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

// ORDERING: Relaxed throughout; a count and a flag, with nothing behind them.
impl Meter {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What all callers together count per second.
fn rate<F: Future<Output = ()> + Send + 'static>(caller: impl Fn(Meter) -> F) -> f64 {
    // LIMIT: short, because many short turns forgive a machine that is busy now and then more than few long ones.
    const WARM_UP: Duration = Duration::from_millis(40);
    const WINDOW: Duration = Duration::from_millis(160);
    let (runtime, meter) = (runtime(), Meter::default());
    let callers: Vec<_> = (0..CALLERS).map(|_| runtime.spawn(caller(meter.clone()))).collect();
    thread::sleep(WARM_UP);
    let (start, before) = (Instant::now(), meter.done());
    thread::sleep(WINDOW);
    let rate = (meter.done() - before) as f64 / start.elapsed().as_secs_f64();
    meter.stop();
    runtime.block_on(async {
        for caller in callers {
            drop(caller.await);
        }
    });
    rate
}

fn runtime() -> Runtime {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread().worker_threads(workers).build().expect("the system gives a few threads")
}

// ---- 2 and 3: trials -------------------------------------------------------------------------------------------------

/// A trial as the workloads of the same kind have it, with a shorter window.
fn spec(
    strategy: &str,
    callers: Callers,
    clients: usize,
    write: Duration,
    commit: Option<Duration>,
) -> TrialSpec {
    let sleep = |requested| Cost { requested, kind: CostKind::Sleep };
    TrialSpec {
        round: 0,
        position: 0,
        workload: "figures".to_owned(),
        cell: PlannedCell {
            id: format!("{callers}-{clients}"),
            callers,
            clients,
            write: sleep(write),
            load: None,
        },
        label: strategy.to_owned(),
        strategy: strategy.to_owned(),
        seed: 1,
        pattern: Pattern::Steady,
        rate: None,
        variation: Variation::default(),
        capacity: CAPACITY,
        max_batch: 1_000,
        commit: commit.map(sleep),
        timed_every: 1,
        warm_up: Duration::from_millis(100),
        window: Duration::from_millis(500),
    }
}

/// Updates per second, and the share of the window in which the writer was at work.
fn trial(spec: &TrialSpec) -> Result<(f64, f64), String> {
    match run(spec).result {
        TrialResult::Measured(m) => {
            let window = m.window_ns as f64;
            Ok((m.done as f64 * 1e9 / window, m.cost.busy_ns.unwrap_or(0) as f64 / window))
        }
        TrialResult::Failed(failure) => {
            Err(format!("{} in {} failed {}: {}", spec.strategy, spec.cell.id, failure.check, failure.reason))
        }
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);

/// How much of the time the writer of slow writes is at work.
fn utilisation() -> Result<bool, String> {
    println!("2. writes of 1 ms, 4 clients and more: share of the time in which the writer is at work");
    let mut met = true;
    for callers in [Callers::Threads, Callers::Tasks] {
        for clients in [4, 16, 64] {
            let mut shares: Vec<(&str, Vec<f64>)> =
                queues().into_iter().map(|name| (name, Vec::new())).collect();
            for _ in 0..3 {
                for (name, shares) in &mut shares {
                    shares.push(trial(&spec(name, callers, clients, MILLISECOND, None))?.1);
                }
            }
            for (name, shares) in shares {
                met &= show(&format!("{name}, {clients} {callers}"), shares, "", Goal::AtLeast(0.97));
            }
        }
    }
    Ok(met)
}

/// What sharing commits buys over one commit per update under a lock.
fn group_commit() -> Result<bool, String> {
    println!("3. commits of 1 ms, 64 clients: throughput as a multiple of {}'s", strategies::CONTROL);
    let mut met = true;
    for callers in [Callers::Threads, Callers::Tasks] {
        let of = |name| spec(name, callers, 64, Duration::ZERO, Some(MILLISECOND));
        let mut ratios: Vec<(&str, Vec<f64>)> = queues().into_iter().map(|name| (name, Vec::new())).collect();
        for _ in 0..5 {
            let control = trial(&of(strategies::CONTROL))?.0;
            for (name, ratios) in &mut ratios {
                ratios.push(trial(&of(name))?.0 / control);
            }
        }
        for (name, ratios) in ratios {
            met &= show(&format!("{name}, {callers}"), ratios, "x", Goal::AtLeast(20.0));
        }
    }
    Ok(met)
}

// ---- 4: what the engine costs ----------------------------------------------------------------------------------------

/// What a caller pays per update for the engine under a lock, beyond the lock and the write.
fn overhead() -> Result<bool, String> {
    const UPDATES: u64 = 1_000_000;
    /// The lock that the bare critical section uses too.
    const SAME_LOCK: &str = "parking-lot";
    println!(
        "4. one uncontended caller, call_blocking on {SAME_LOCK}: cost beyond a bare critical section with the same lock"
    );
    struct Cost(Option<f64>);
    impl Visitor for Cost {
        fn visit<S: Strategy>(&mut self, _: &'static str) {
            if S::NAME == SAME_LOCK {
                let (queue, _writer) = S::start(Sum::default(), Options::default());
                self.0 = Some(nanos_each(UPDATES, || queue.call_blocking(black_box(1)).is_ok()));
            }
        }
    }
    let bare = parking_lot::Mutex::new(Sum::default());
    let mut costs = Vec::new();
    for _ in 0..ROUNDS {
        let bare = nanos_each(UPDATES, || bare.lock().apply(black_box(1)) > 0);
        let mut engine = Cost(None);
        strategies::for_each(&mut engine);
        costs.push(engine.0.ok_or_else(|| format!("no strategy is called {SAME_LOCK}"))? - bare);
    }
    Ok(show("engine", costs, " ns per update", Goal::AtMost(100.0)))
}

fn nanos_each(updates: u64, mut call: impl FnMut() -> bool) -> f64 {
    let start = Instant::now();
    for _ in 0..updates {
        black_box(call());
    }
    start.elapsed().as_nanos() as f64 / updates as f64
}

// ---- 5: memory -------------------------------------------------------------------------------------------------------

const MEMORY: &str = "memory-of";
const QUEUED: &str = "queued";
const FLAT: &str = "flat";

/// Memory per queued update, and whether it grows as updates pass. Each in a process of its own, because an allocator
/// keeps for the next strategy what the one before gave back.
fn memory() -> Result<bool, String> {
    println!("5. resident memory");
    let mut met = true;
    for name in queues() {
        let bytes = (0..3).map(|_| in_own_process(QUEUED, name)).collect::<Result<_, _>>()?;
        met &= show(
            &format!("{name}, queued"),
            bytes,
            " bytes per update beyond itself and its output",
            Goal::AtMost(160.0),
        );
    }
    for name in strategies::names() {
        let growth = vec![in_own_process(FLAT, name)?];
        met &= show(&format!("{name}, passing"), growth, " bytes of growth per update", Goal::AtMost(0.1));
    }
    Ok(met)
}

fn in_own_process(what: &str, strategy: &str) -> Result<f64, String> {
    let this =
        env::current_exe().map_err(|error| format!("this program does not know its own path: {error}"))?;
    let output = Command::new(this).args([MEMORY, what, strategy]).output();
    let output =
        output.map_err(|error| format!("the process that measures memory did not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .map_err(|_| format!("the process that measures memory gave no number but `{}`", text.trim()))
}

fn measure_memory(what: &str, strategy: &str) -> ExitCode {
    struct Memory<'a> {
        what: &'a str,
        strategy: &'a str,
        bytes: Option<f64>,
    }
    impl Visitor for Memory<'_> {
        fn visit<S: Strategy>(&mut self, _: &'static str) {
            if S::NAME == self.strategy {
                self.bytes = if self.what == QUEUED { bytes_queued::<S>() } else { bytes_of_growth::<S>() };
            }
        }
    }
    let mut memory = Memory { what, strategy, bytes: None };
    strategies::for_each(&mut memory);
    match memory.bytes {
        Some(bytes) => {
            println!("{bytes}");
            ExitCode::SUCCESS
        }
        None => {
            println!("no such strategy, or a platform that cannot tell");
            ExitCode::FAILURE
        }
    }
}

/// A machine that waits with its first update until it is let go.
struct Held {
    begun: Sender<()>,
    go: Receiver<()>,
}

impl StateMachine for Held {
    type Update = u64;
    type Output = u64;

    fn apply(&mut self, update: u64) -> u64 {
        // Nobody listens after the first update; afterwards the other end of `go` is gone.
        let _ = self.begun.send(());
        let _ = self.go.recv();
        update
    }
}

/// Bytes of resident memory per queued update, beyond the update and its output.
fn bytes_queued<S: Strategy>() -> Option<f64> {
    const UPDATES: usize = 1_000_000;
    let (begun, first) = channel();
    let (let_go, go) = channel::<()>();
    let before = resident_memory()?;
    let (queue, writer) = S::start(Held { begun, go }, Options::default().capacity(UPDATES));
    queue.submit_blocking(0).ok()?.detach();
    first.recv().ok()?;
    for update in 0..UPDATES as u64 {
        queue.try_submit(update).ok()?.detach();
    }
    let held = resident_memory()?.saturating_sub(before);
    drop(let_go);
    writer.shutdown().ok()?;
    Some(held as f64 / UPDATES as f64 - 2.0 * size_of::<u64>() as f64)
}

/// Bytes by which resident memory grows per update, after a warm-up.
fn bytes_of_growth<S: Strategy>() -> Option<f64> {
    const WARM_UP: u64 = 500_000;
    const UPDATES: u64 = 10_000_000;
    let (queue, _writer) = S::start(Sum::default(), Options::default().capacity(CAPACITY));
    let pass = |updates| {
        for update in 0..updates {
            queue.submit_blocking(update).ok()?.detach();
        }
        queue.call_blocking(0).ok()
    };
    pass(WARM_UP)?;
    let before = resident_memory()?;
    pass(UPDATES)?;
    Some(resident_memory()?.saturating_sub(before) as f64 / UPDATES as f64)
}
