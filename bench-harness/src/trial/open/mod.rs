//! An open loop: updates start when they were planned to, whatever became of those before them.
//!
//! Real callers do not wait for each other. A load that sends its next update only when the last one is answered stops
//! sending while the writer stands still, and then reports one slow update where a thousand callers would have waited. So all
//! starts are planned before the load begins ([`arrivals`]), latency counts from the planned start, no start is skipped, and
//! what is open when the load is over is counted at its age ([`cohort`]).
//!
//! **Threads** ([`threads`]): a client is one thread with a plan of its own. It waits for the answer to its oldest update
//! until its next start, so it is woken by whichever comes first, and never holds an update back for an answer. What submit
//! does to its caller it does to this thread: a lock applies the update in there, a full queue makes it wait, and the next
//! update is then late. That counts: it is part of the latency, and it is what happens to a thread that calls. No thread
//! only generates load, and none polls; the core is held for some microseconds before each start ([`EARLY_NS`]).
//!
//! **Tasks** ([`tasks`]): a runtime's timers are a millisecond coarse, so one thread keeps all plans and tells each client, a
//! task, when its next update is to start. A task per update would have no order among the updates of a client, and the
//! check of that order (V3) nothing to look at.
//!
//! **Lag** is planned start to submit really called, for whatever reason. **Late** is the part that the generator is to blame
//! for: a thread was free and yet not on time, or the planning thread was not. Only that part makes a measurement doubtful;
//! the rest is the strategy's doing.
//!
//! Without a deadline a submit may wait for room. With one, an update that is not of use any more must not start: a queue
//! is asked by `try_submit`, so that a full one refuses at once, and a refused update is given up. A lock has no queue to be
//! full, and its `try_submit` would refuse whenever anybody writes, which nobody who calls a lock would accept; its caller
//! waits for its turn, and the update expires if that comes too late.

pub mod arrivals;
pub mod caller;
pub mod cohort;
pub mod horizon;
pub mod limit;
pub mod tasks;
pub mod threads;

pub use arrivals::Plan;
pub use caller::Caller;
pub use horizon::{GRACE, Horizon};

#[cfg(doc)]
use super::clock::EARLY_NS;
use super::spec::TrialSpec;
use crate::record::Failure;
use crate::workload::definition::Pattern;

/// Whether the load of a trial is an open loop.
pub fn is_open(spec: &TrialSpec) -> bool {
    matches!(spec.pattern, Pattern::Arrivals { .. })
}

/// Whether an open loop can be planned.
///
/// # Errors
/// It has no rate, or one for which no memory would do.
pub fn check(spec: &TrialSpec) -> Result<(), Failure> {
    // LIMIT: 10 million planned updates, 240 MB; a trial of ten seconds has a fifth of that at 200,000 updates a second.
    const MOST: f64 = 1e7;
    let failure = |reason: String| Err(Failure { check: "process".to_owned(), reason });
    let cell = &spec.cell.id;
    if !is_open(spec) {
        return Ok(());
    }
    match spec.rate {
        Some(rate) if rate.is_finite() && rate > 0.0 => {
            let updates = rate * Horizon::of(spec).over as f64 / 1e9;
            if updates > MOST {
                let mend = "ask for a lower load, a shorter window or a dearer write";
                return failure(format!(
                    "cell `{cell}` would plan {updates:.0} updates, at most {MOST:.0} are possible; {mend}"
                ));
            }
            Ok(())
        }
        Some(rate) => {
            failure(format!("cell `{cell}` has a rate of {rate} updates per second; it must be above 0"))
        }
        None => failure(format!(
            "cell `{cell}` is an open loop and its rate is not known, because no strategy's capacity could be measured \
             before the first round; try one strategy with `trial --rate`"
        )),
    }
}
