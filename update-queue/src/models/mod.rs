//! Models: the reply cell, the parking, the gate and whole queues, taken apart in small scenarios.
//!
//! Every scenario runs in three ways, chosen by `cfg`:
//! - `--cfg loom`: every interleaving and every stale read that the memory model allows, up to a number of preemptions;
//! - `--cfg shuttle`: many random schedules, for scenarios that are too large to exhaust;
//! - neither: a number of times on real threads, which is the form that miri and ThreadSanitizer take.
//!
//! A scenario waits for nothing by time and asserts what holds in every order. A hang is a failure: loom and shuttle call
//! it a deadlock.

mod cell;
mod foreign;
mod gate;
mod locks;
mod owner;
mod parking;
mod queue;
mod stub;
#[cfg(not(loom))]
mod schedules;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Runs a scenario in every interleaving.
#[cfg(loom)]
fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    explore_bounded(None, scenario);
}

/// Runs a scenario in every interleaving with at most `preemptions` switches away from a thread that could go on.
#[cfg(loom)]
fn explore_up_to(preemptions: usize, scenario: impl Fn() + Send + Sync + 'static) {
    explore_bounded(Some(preemptions), scenario);
}

/// `LOOM_MAX_PREEMPTIONS` overrides the bound.
#[cfg(loom)]
fn explore_bounded(preemptions: Option<usize>, scenario: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    // LIMIT: steps of one execution; the default of 1000 is for scenarios without a whole queue in them.
    builder.max_branches = builder.max_branches.max(10_000);
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&executions);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        scenario();
    });
    println!("{} executions", executions.load(Ordering::Relaxed));
}

/// Runs a scenario under random schedules. A failure prints the seed or the schedule that repeats it.
#[cfg(shuttle)]
fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    // LIMIT: the small scenarios have a few thousand schedules that differ.
    explore_many(10_000, scenario);
}

/// Half of the schedules switch at random, half are made of few switches at chosen places (PCT), which finds what needs
/// one thread to sleep for long.
#[cfg(shuttle)]
fn explore_many(schedules: usize, scenario: impl Fn() + Send + Sync + 'static) {
    let scenario = Arc::new(scenario);
    let again = Arc::clone(&scenario);
    shuttle::check_random(move || scenario(), schedules / 2);
    // LIMIT: depth 3: two switches forced, which is what a race between three parties needs.
    shuttle::check_pct(move || again(), schedules / 2, 3);
}

/// Runs a scenario again and again on real threads.
#[cfg(not(any(loom, shuttle)))]
fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    // LIMIT: rounds per scenario: some tens of milliseconds each; miri is a thousand times slower. `MODEL_ROUNDS` sets
    // another number, such as 100000 for a run under ThreadSanitizer.
    let rounds = std::env::var("MODEL_ROUNDS")
        .map_or(if cfg!(miri) { 4 } else { 500 }, |rounds| rounds.parse().expect("MODEL_ROUNDS is a number"));
    for _ in 0..rounds {
        scenario();
    }
}

#[cfg(not(any(loom, shuttle)))]
fn explore_many(_schedules: usize, scenario: impl Fn() + Send + Sync + 'static) {
    explore(scenario);
}

#[cfg(not(loom))]
fn explore_up_to(_preemptions: usize, scenario: impl Fn() + Send + Sync + 'static) {
    explore(scenario);
}

/// Runs a scenario of one thread once. A lock taken twice is a deadlock to loom and shuttle; std hangs.
fn once(scenario: impl Fn() + Send + Sync + 'static) {
    #[cfg(loom)]
    loom::model(scenario);
    #[cfg(shuttle)]
    shuttle::check_random(scenario, 1);
    #[cfg(not(any(loom, shuttle)))]
    scenario();
}

/// Counts the values it made that are not dropped yet.
#[derive(Clone, Debug, Default)]
struct Alive(Arc<AtomicUsize>);

/// A value that is missed if it leaks.
#[derive(Debug)]
struct Tracked {
    id: u32,
    alive: Alive,
}

impl Alive {
    fn make(&self, id: u32) -> Tracked {
        // ORDERING: Relaxed here and below: read after the threads are joined.
        self.0.fetch_add(1, Ordering::Relaxed);
        Tracked { id, alive: self.clone() }
    }

    #[track_caller]
    fn assert_none(&self) {
        assert_eq!(self.0.load(Ordering::Relaxed), 0, "values leaked");
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.alive.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A waker that counts.
#[derive(Clone, Debug, Default)]
struct Wakes(Arc<WakeCount>);

#[derive(Debug, Default)]
struct WakeCount(AtomicUsize);

impl Wake for WakeCount {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Wakes {
    fn count(&self) -> usize {
        self.0.0.load(Ordering::Relaxed)
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    /// Polls `future` once with this waker.
    fn poll<F: Future + Unpin>(&self, future: &mut F) -> Poll<F::Output> {
        pin!(future).poll(&mut Context::from_waker(&self.waker()))
    }

    #[track_caller]
    fn assert_released(&self) {
        assert_eq!(Arc::strong_count(&self.0), 1, "a waker was kept");
    }
}
