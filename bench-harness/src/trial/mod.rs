//! One trial: one process, one strategy, one cell: warm up, measure, verify.
//!
//! The machine that is measured is a checker ([`checker`]); the clients keep just enough of their answers ([`client`])
//! that both sides can be held against each other when the load is over ([`verify`]). A trial either has numbers that
//! passed every check, or the name of the check that failed.
//!
//! Timed updates go the way that shows how long the caller was held: submit, then wait for the ticket. All others are one
//! call, for which a strategy may have a shorter way: a lock needs no ticket. A workload that times every update
//! therefore measures the two steps only. So does an open loop ([`open`]), which times all of them.

pub mod board;
pub mod capacity;
pub mod checker;
pub mod chunks;
pub mod client;
pub mod clock;
pub mod evidence;
pub mod limit;
pub mod load;
pub mod measure;
pub mod open;
pub mod sample;
pub mod schedule;
pub mod spec;
pub mod tasks;
pub mod threads;
pub mod verify;
pub mod write;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use update_queue::{Options, ShutdownError, Strategy, UpdateQueue};

use crate::record::{Failure, LIMIT, Measurement, TRIAL_SCHEMA, Trial, TrialResult};
use crate::strategies;
use board::{Board, Phase};
use checker::{Checker, Each, Grouped, Measured};
use clock::nanos;
use evidence::Usage;
use load::Load;
use measure::{Window, measurement};
use open::{Horizon, Plan};
use schedule::Bursts;
use spec::TrialSpec;

/// How long clients may take to stop, and the writer to end, before that counts as a hang.
// LIMIT: 10 s: with the largest cell a client waits for hundreds of writes, which is well below a second.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The warm-up goes on until this many updates are through, within [`warm_up_most`].
// LIMIT: 1000 updates, so that caches, branch predictors and allocator pools have seen the path.
pub const WARM_UP_UPDATES: u64 = 1_000;

/// The longest warm-up of a trial that asks for `warm_up` at least.
// LIMIT: twice that: writes so slow that 1000 of them take longer are decided by what they wait for, not by caches.
pub fn warm_up_most(warm_up: Duration) -> Duration {
    warm_up.saturating_mul(2)
}

/// Measures in this process what `spec` asks for.
///
/// Never fails as a call: whatever goes wrong is the trial's result.
pub fn run(spec: &TrialSpec) -> Trial {
    if spec.strategy == LIMIT {
        return match spec.commit {
            Some(_) => record(spec, of_limit::<Grouped>(spec)),
            None => record(spec, of_limit::<Each>(spec)),
        };
    }
    match strategies::all().iter().find(|entry| entry.name == spec.strategy) {
        Some(entry) => (entry.run)(spec),
        None => {
            let known = strategies::names().join(", ");
            let reason = format!("no strategy is called `{}`; known are {known} and {LIMIT}", spec.strategy);
            record(spec, Err(failure("process", reason)))
        }
    }
}

/// Measures the strategy `S`, whatever name the spec has.
pub fn run_with<S: Strategy>(spec: &TrialSpec) -> Trial {
    match spec.commit {
        Some(_) => run_machine::<S, Grouped>(spec, PATIENCE),
        None => run_machine::<S, Each>(spec, PATIENCE),
    }
}

/// As [`run_with`], with a machine and a patience of the caller's choice: so that tests can show a strategy or a machine
/// that misbehaves to the checks.
pub fn run_machine<S: Strategy, M: Measured>(spec: &TrialSpec, patience: Duration) -> Trial {
    record(spec, of_strategy::<S, M>(spec, patience))
}

fn record(spec: &TrialSpec, result: Result<Measurement, Failure>) -> Trial {
    Trial {
        schema: TRIAL_SCHEMA.to_owned(),
        round: spec.round,
        position: spec.position,
        workload: spec.workload.clone(),
        cell: spec.cell.id.clone(),
        strategy: spec.label.clone(),
        seed: format!("{:#x}", spec.seed),
        result: match result {
            Ok(measurement) => TrialResult::Measured(Box::new(measurement)),
            Err(failure) => TrialResult::Failed(failure),
        },
    }
}

fn of_strategy<S: Strategy, M: Measured>(
    spec: &TrialSpec,
    patience: Duration,
) -> Result<Measurement, Failure> {
    can_run(spec)?;
    capacity::check::<S>(patience)?;
    let plan = Arc::new(Plan::of(spec));
    let board = Arc::new(board(spec));
    let options = Options::default().capacity(spec.capacity).max_batch(spec.max_batch);
    let (queue, writer) = S::start(M::new(Checker::new(spec, Arc::clone(&board))), options);
    let load = Load::start(&queue, spec, &board, &plan)?;
    let mut window = watch(spec, &board);
    let deadline = Instant::now() + patience;
    let journals = load.finish(deadline)?;
    window.generator_ns = board.generator_ns();
    let depth = queue.depth();
    let checker = writer.shutdown_by(deadline).map_err(not_shut_down)?.into_checker();
    verify::verify(&journals, &checker, spec.seed)?;
    if depth != 0 {
        return Err(failure("V8", format!("with every update answered the depth was reported as {depth}")));
    }
    measurement(spec, &window, &journals, &checker)
}

fn of_limit<M: Measured>(spec: &TrialSpec) -> Result<Measurement, Failure> {
    can_run(spec)?;
    let plan = Arc::new(Plan::of(spec));
    let board = Arc::new(board(spec));
    let (load, machine) = limit::start::<M>(spec, &board, &plan)?;
    let window = watch(spec, &board);
    let journals = load.finish(Instant::now() + PATIENCE)?;
    let checker = machine.recv().map_err(|_| failure("V9", "the bare loop lost its machine".to_owned()))?;
    verify::verify(&journals, &checker, spec.seed)?;
    measurement(spec, &window, &journals, &checker)
}

/// A board whose clock starts now. The window of an open loop is known from the start.
fn board(spec: &TrialSpec) -> Board {
    let board = Board::new();
    if open::is_open(spec) {
        let Horizon { start, end, .. } = Horizon::of(spec);
        board.plan_window(start, end);
    }
    board
}

/// Watches the window of an open loop, which was fixed beforehand, and waits until the load is over.
fn watch_open(spec: &TrialSpec, board: &Board) -> Window {
    let Horizon { start, end, over } = Horizon::of(spec);
    let clock = board.clock();
    clock.sleep_until(start);
    let before = Usage::now();
    board.enter(Phase::Window);
    clock.sleep_until(end);
    board.enter(Phase::Tail);
    let finished = board.finished();
    let usage = before.zip(Usage::now());
    clock.sleep_until(over);
    board.stop();
    Window { warm_up_ns: start, start, end, known_after: 0, usage, finished, generator_ns: None }
}

/// Lets the load warm up, measures the window, and tells the clients to stop.
fn watch(spec: &TrialSpec, board: &Board) -> Window {
    if open::is_open(spec) {
        return watch_open(spec, board);
    }
    warm_up(spec, board);
    if let Some(bursts) = Bursts::of(spec) {
        let clock = board.clock();
        clock.sleep_until(bursts.idle_from(clock.now()));
    }
    let before = Usage::now();
    let start = board.begin_window();
    stay_open(spec, board, start);
    let (end, known_after) = board.end_window();
    let finished = board.finished();
    let usage = before.zip(Usage::now());
    board.stop();
    Window { warm_up_ns: start, start, end, known_after, usage, finished, generator_ns: None }
}

/// Holds the window open for its time, and for as many times more as the machine under test finished nothing in.
///
/// A virtual machine may stand still for longer than a short window. The standstill then counts, with the true length of
/// the window, instead of looking like a strategy that answers nobody.
fn stay_open(spec: &TrialSpec, board: &Board, start: u64) {
    // LIMIT: 1 s longer: standstills of 0.6 s have been seen on a busy machine with two cores.
    const LONGER: u64 = 1_000_000_000;
    let window = nanos(spec.window).max(1);
    let before = board.finished();
    let mut end = start + window;
    board.clock().sleep_until(end);
    while board.finished() == before && end < start + window + LONGER {
        end += window;
        board.clock().sleep_until(end);
    }
}

fn warm_up(spec: &TrialSpec, board: &Board) {
    // LIMIT: 5 ms: the warm-up ends at most that late, and looking costs the load next to nothing.
    const LOOK_EVERY: Duration = Duration::from_millis(5);
    let clock = board.clock();
    let (least, most) = (nanos(spec.warm_up), nanos(warm_up_most(spec.warm_up)));
    clock.sleep_until(least);
    while board.finished() < WARM_UP_UPDATES && clock.now() < most {
        thread::sleep(LOOK_EVERY);
    }
}

fn can_run(spec: &TrialSpec) -> Result<(), Failure> {
    match spec.cell.clients {
        0 => Err(failure("process", format!("cell `{}` has no clients; give it at least one", spec.cell.id))),
        _ => open::check(spec),
    }
}

fn not_shut_down<M: Measured>(error: ShutdownError<M>) -> Failure {
    failure("V9", format!("with every update answered the writer did not end: {error}"))
}

fn failure(check: &str, reason: String) -> Failure {
    Failure { check: check.to_owned(), reason }
}
