//! What the harness itself costs: how much longer an update takes because all its parts are timed.
//!
//! Measured with the bare loop, which does nothing besides: every update timed against none timed, in pairs.

use std::time::Duration;

use crate::record::{LIMIT, PlannedCell, Trial, TrialResult};
use crate::stats::location::median;
use crate::trial::spec::TrialSpec;
use crate::workload::definition::{Callers, Cost, CostKind, Pattern, Variation};

// LIMIT: 5 pairs of 100 ms: a second before a session that takes minutes, and a median that one standstill does not move.
const PAIRS: usize = 5;
const WINDOW: Duration = Duration::from_millis(60);
const WARM_UP: Duration = Duration::from_millis(40);

/// Nanoseconds that timing all parts of an update costs; `None` if that could not be measured. `run` runs a trial.
///
/// # Errors
/// Those of `run`.
pub fn timing<E>(mut run: impl FnMut(&TrialSpec) -> Result<Trial, E>) -> Result<Option<f64>, E> {
    let mut costs = Vec::with_capacity(PAIRS);
    for _ in 0..PAIRS {
        let (timed, bare) = (per_update(&run(&spec(1))?), per_update(&run(&spec(u32::MAX))?));
        costs.extend(timed.zip(bare).map(|(timed, bare)| timed - bare));
    }
    Ok(median(&costs).ok())
}

fn per_update(trial: &Trial) -> Option<f64> {
    match &trial.result {
        TrialResult::Measured(measured) => Some(measured.window_ns as f64 / measured.done as f64),
        TrialResult::Failed(_) => None,
    }
}

fn spec(timed_every: u32) -> TrialSpec {
    // LIMIT: 16 clients, as most cells have.
    let clients = 16;
    let write = Cost { requested: Duration::ZERO, kind: CostKind::Spin };
    TrialSpec {
        round: 0,
        position: 0,
        workload: "timing".to_owned(),
        cell: PlannedCell {
            id: format!("threads-{clients}"),
            callers: Callers::Threads,
            clients,
            write,
            load: None,
        },
        label: LIMIT.to_owned(),
        strategy: LIMIT.to_owned(),
        seed: 1,
        pattern: Pattern::Steady,
        rate: None,
        capacity: 1,
        max_batch: 1,
        variation: Variation::default(),
        slowed: 0.0,
        commit: None,
        timed_every,
        warm_up: WARM_UP,
        window: WINDOW,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial;

    #[test]
    fn the_bare_loop_tells_what_timing_costs() {
        let measured = timing(|spec| Ok::<_, ()>(trial::run(spec))).unwrap();
        assert!(measured.is_some_and(f64::is_finite), "{measured:?}");
    }

    #[test]
    fn a_loop_that_cannot_be_measured_has_no_cost() {
        let failing = |spec: &TrialSpec| {
            Ok::<_, ()>(trial::run(&TrialSpec { strategy: "none".to_owned(), ..spec.clone() }))
        };
        assert_eq!(timing(failing), Ok(None));
        assert_eq!(timing(|_| Err::<Trial, _>("stop")), Err("stop"));
    }
}
