//! Trials that are over in a moment.

#![allow(dead_code, reason = "each file of tests has a copy and uses a part of it")]

use std::time::Duration;

use bench_harness::record::{PlannedCell, Trial, TrialResult};
use bench_harness::trial::spec::TrialSpec;
use bench_harness::workload::definition::{Callers, Cost, CostKind, Pattern, Spacing, Variation};

/// A steady load of `clients` that write for nothing.
pub(crate) fn steady(callers: Callers, clients: usize) -> TrialSpec {
    let write = spin(Duration::ZERO);
    TrialSpec {
        round: 2,
        position: 5,
        workload: "test".to_owned(),
        cell: PlannedCell { id: format!("{callers}-{clients}"), callers, clients, write, load: None },
        label: "broken".to_owned(),
        strategy: "broken".to_owned(),
        seed: 0xdead_beef,
        pattern: Pattern::Steady,
        rate: None,
        variation: Variation::default(),
        capacity: 16,
        max_batch: 100,
        commit: None,
        timed_every: 1,
        warm_up: Duration::from_millis(10),
        window: Duration::from_millis(60),
    }
}

/// The same, with outcomes that wait for a commit.
pub(crate) fn grouped(callers: Callers, clients: usize) -> TrialSpec {
    let commit = Cost { requested: Duration::from_micros(200), kind: CostKind::Sleep };
    TrialSpec { commit: Some(commit), ..steady(callers, clients) }
}

/// The same, idle but for a burst of a few updates per client now and then.
pub(crate) fn bursts(callers: Callers, clients: usize) -> TrialSpec {
    let pattern = Pattern::Bursts { every: Duration::from_millis(5), updates: 10 };
    TrialSpec { pattern, ..steady(callers, clients) }
}

/// The same as an open loop: updates of 100 us that come at random, `rate` per second.
pub(crate) fn open(callers: Callers, clients: usize, rate: f64) -> TrialSpec {
    let pattern = Pattern::Arrivals { kind: Spacing::Poisson, deadline: None };
    let mut spec = TrialSpec { pattern, rate: Some(rate), ..steady(callers, clients) };
    spec.cell.write = spin(Duration::from_micros(100));
    spec.window = Duration::from_millis(200);
    spec
}

/// The same, with updates that are of use for `deadline` after they were to start.
pub(crate) fn hasty(spec: TrialSpec, deadline: Duration) -> TrialSpec {
    let pattern = Pattern::Arrivals { kind: Spacing::Poisson, deadline: Some(deadline) };
    TrialSpec { pattern, ..spec }
}

/// A cost that keeps the core busy.
pub(crate) fn spin(requested: Duration) -> Cost {
    Cost { requested, kind: CostKind::Spin }
}

/// The check that a trial failed, or `none`.
pub(crate) fn failed_check(trial: &Trial) -> &str {
    match &trial.result {
        TrialResult::Failed(failure) => &failure.check,
        TrialResult::Measured(_) => "none",
    }
}

/// Runs a trial, in a longer window each time that a busy machine left it no time to answer a single update.
pub(crate) fn given_time(spec: &TrialSpec, run: impl Fn(&TrialSpec) -> Trial) -> Trial {
    let mut spec = spec.clone();
    // LIMIT: 60 ms doubled six times is about 4 s; loaded virtual machines have stood still for over half a second.
    for _ in 0..6 {
        let trial = run(&spec);
        match &trial.result {
            TrialResult::Failed(failure) if failure.reason.starts_with("no update was answered") => {
                spec.window *= 2;
            }
            _ => return trial,
        }
    }
    run(&spec)
}
