//! What the machine does while a round runs, and the rule by which a round must not be used.
//!
//! The rule is fixed beforehand and sees the machine only, no label and no number of a trial: a round is never left out
//! because of what it says.

use std::time::Duration;

use crate::counters::{Counters, Passed};
use crate::probe;
use crate::record::Round;

// LIMIT: a tenth of the time in which the machine worked. Where a hypervisor takes more, trials of one round had different
// machines.
const MOST_STOLEN: f64 = 0.1;
// LIMIT: 0.5 s between the two clocks: the machine was suspended, moved, or its clock was set.
const MOST_CLOCK_JUMP: Duration = Duration::from_millis(500);

/// A round that goes on.
#[derive(Debug)]
pub struct Watched {
    probe: Duration,
    before: Counters,
}

impl Watched {
    /// Runs the probe, and starts to watch.
    pub fn begin() -> Self {
        Self { probe: probe::run(), before: Counters::now() }
    }

    /// What has happened since.
    pub fn end(self, round: u32) -> Round {
        evidence(round, self.probe, &Counters::now().since(&self.before))
    }
}

fn evidence(round: u32, probe: Duration, passed: &Passed) -> Round {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    Round {
        round,
        wall_ns: nanos(passed.time),
        steal_ns: passed.steal_ns,
        busy_ns: passed.busy_ns,
        cpu_pressure_us: passed.cpu_pressure_us,
        io_pressure_us: passed.io_pressure_us,
        memory_pressure_us: passed.memory_pressure_us,
        probe_ns: nanos(probe),
        invalid: objection(passed),
    }
}

/// Why a round must not be used; `None` if nothing is against it. Where the system does not tell, nothing is.
fn objection(passed: &Passed) -> Option<String> {
    if passed.clock_jump > MOST_CLOCK_JUMP {
        let jump = passed.clock_jump.as_secs_f64();
        return Some(format!(
            "the clock jumped by {jump:.1} s: the machine stood still, or its clock was set"
        ));
    }
    let (steal, busy) = (passed.steal_ns? as f64, passed.busy_ns? as f64);
    (steal > MOST_STOLEN * busy).then(|| {
        format!(
            "the hypervisor took {:.0} % of the time in which the machine worked",
            100.0 * steal / busy.max(1.0)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(steal_ms: u64, busy_ms: u64, clock_jump: Duration) -> Passed {
        let nanos = |ms: u64| Some(ms * 1_000_000);
        Passed { steal_ns: nanos(steal_ms), busy_ns: nanos(busy_ms), clock_jump, ..Passed::default() }
    }

    #[test]
    fn a_round_is_invalid_by_steal_or_by_a_clock_that_jumped_and_by_nothing_else() {
        let (still, jumped) = (Duration::from_millis(500), Duration::from_millis(501));
        assert_eq!(objection(&passed(100, 1_000, still)), None, "at the limit");
        let stolen = objection(&passed(250, 1_000, still)).unwrap();
        assert!(stolen.contains("took 25 %"), "{stolen}");
        let clock = objection(&passed(0, 1_000, jumped)).unwrap();
        assert!(clock.contains("0.5 s"), "{clock}");
        let pressed = Passed { cpu_pressure_us: Some(u64::MAX), ..passed(0, 1, Duration::ZERO) };
        assert_eq!(objection(&pressed), None, "our own clients wait, too");
    }

    #[test]
    fn where_the_system_does_not_tell_a_round_is_taken() {
        let untold = Passed { steal_ns: None, ..passed(0, 1, Duration::ZERO) };
        assert_eq!(objection(&untold), None);
        assert_eq!(objection(&Passed::default()), None);
    }

    #[test]
    fn evidence_is_of_the_round_and_has_the_probe() {
        let round = evidence(7, Duration::from_millis(30), &passed(300, 1_000, Duration::ZERO));
        assert_eq!((round.round, round.probe_ns, round.steal_ns), (7, 30_000_000, Some(300_000_000)));
        assert!(round.invalid.is_some());
    }
}
