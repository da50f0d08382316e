//! A small made-up session for the tests of reading and writing.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::record::*;
use crate::workload::definition::{Callers, Cost, CostKind, Load};

pub(super) fn measurement() -> Measurement {
    Measurement {
        warm_up_ns: 1,
        window_ns: 1_000,
        done: 3,
        refused: 0,
        clients: vec![3],
        longest_gap_ns: 9,
        cost: AchievedCost {
            requested_ns: 0,
            mean_ns: 1.5,
            cv: 0.1,
            p50_ns: 1,
            p99_ns: 2,
            commits: 0,
            busy_ns: None,
        },
        hdr: BTreeMap::new(),
        percentiles: BTreeMap::new(),
        mean_ns: BTreeMap::from([("latency".to_owned(), 12.25)]),
        clamped: 0,
        open: None,
        evidence: None,
    }
}

pub(super) fn trial(round: u32, strategy: &str) -> Trial {
    Trial {
        schema: TRIAL_SCHEMA.to_owned(),
        round,
        position: 0,
        workload: "w".to_owned(),
        cell: "threads-1".to_owned(),
        strategy: strategy.to_owned(),
        seed: "0xffffffffffffffff".to_owned(),
        result: TrialResult::Measured(Box::new(measurement())),
    }
}

/// Two rounds planned, one and a half done.
pub(super) fn session() -> Session {
    let write = Cost { requested: Duration::ZERO, kind: CostKind::Spin };
    let cell =
        PlannedCell { id: "threads-1".to_owned(), callers: Callers::Threads, clients: 1, write, load: None };
    let workload = PlannedWorkload {
        name: "w".to_owned(),
        title: "t".to_owned(),
        question: "q".to_owned(),
        hash: "h".to_owned(),
        commit: None,
        load: Load::Steady,
        deadline_ns: None,
        capacity: 1,
        warm_up_ns: 1,
        window_ns: 1,
        cells: vec![cell],
    };
    let failed =
        TrialResult::Failed(Failure { check: "V1".to_owned(), reason: "a reply went astray".to_owned() });
    Session {
        schema: SESSION_SCHEMA.to_owned(),
        id: "id".to_owned(),
        complete: false,
        incomplete_reason: Some("interrupted".to_owned()),
        plan: Plan {
            command: vec!["run".to_owned()],
            master_seed: "0x1".to_owned(),
            rounds: 2,
            control: "a".to_owned(),
            strategies: vec!["a".to_owned(), LIMIT.to_owned()],
            twins: BTreeMap::new(),
            slowed: BTreeMap::new(),
            family: 0,
            workloads: vec![workload],
        },
        environment: crate::environment::read("b".to_owned(), None),
        calibration: None,
        timing_ns: Some(120.0),
        resumed: Vec::new(),
        pilots: Vec::new(),
        rounds: Vec::new(),
        histograms: Vec::new(),
        trials: vec![trial(0, "a"), Trial { position: 1, result: failed, ..trial(0, LIMIT) }, trial(1, "a")],
    }
}

pub(super) fn round(round: u32) -> Round {
    Round {
        round,
        wall_ns: 1_000,
        steal_ns: None,
        busy_ns: None,
        cpu_pressure_us: None,
        io_pressure_us: None,
        memory_pressure_us: None,
        probe_ns: 1_000,
        invalid: None,
    }
}

pub(super) fn row(strategy: &str, samples: &str) -> Histograms {
    Histograms {
        workload: "w".to_owned(),
        cell: "threads-1".to_owned(),
        strategy: strategy.to_owned(),
        hdr: BTreeMap::from([("latency".to_owned(), samples.to_owned())]),
    }
}
