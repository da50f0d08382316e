//! The watchdog: a check runs on a thread of its own, and one that stops making progress is reported, not waited for.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Broken, Verdict};

/// Milliseconds; see [`patience`].
// LIMIT: 10 s: a thousand times longer than any step of a check takes, also on a busy machine.
static PATIENCE_MS: AtomicU64 = AtomicU64::new(10_000);

/// How long a check may make no progress before it counts as hanging: 10 s, unless set.
pub fn patience() -> Duration {
    // ORDERING: a lone number, set before the checks begin.
    Duration::from_millis(PATIENCE_MS.load(Ordering::Relaxed))
}

/// Sets [`patience`] for this process, for tests of strategies that are known to hang.
pub fn set_patience(patience: Duration) {
    PATIENCE_MS.store(patience.as_millis() as u64, Ordering::Relaxed);
}

/// Where a check is: each call is progress, and the last one is what a hang is reported with.
#[derive(Clone, Debug)]
pub struct At(Arc<Mutex<Step>>);

#[derive(Clone, Copy, Debug)]
struct Step {
    doing: &'static str,
    round: usize,
    since: Instant,
}

impl At {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Step { doing: "starting", round: 0, since: Instant::now() })))
    }

    /// The check goes on to `doing`.
    pub fn now(&self, doing: &'static str) {
        self.round(doing, 0);
    }

    /// The check is in a round of `doing`.
    pub fn round(&self, doing: &'static str, round: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Step { doing, round, since: Instant::now() };
    }

    fn last(&self) -> Step {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a check's body under the watchdog. An error, a panic and a hang all break the promise.
pub fn watched(
    item: u8,
    promise: &'static str,
    body: impl FnOnce(&At) -> Result<(), String> + Send + 'static,
) -> Verdict {
    let at = At::new();
    let (done, ended) = mpsc::channel();
    let inside = at.clone();
    let spawned = thread::Builder::new().name(format!("item-{item:02}")).spawn(move || {
        let ending = catch_unwind(AssertUnwindSafe(|| body(&inside)))
            .unwrap_or_else(|payload| Err(format!("the check panicked: {}", text_of(payload.as_ref()))));
        let _ = done.send(ending);
    });
    let ending = match spawned {
        Ok(_watched) => wait(&ended, &at),
        Err(error) => Err(format!("the check's thread did not start: {error}")),
    };
    ending.map_err(|seen| Broken { item, promise, seen })
}

fn wait(ended: &mpsc::Receiver<Result<(), String>>, at: &At) -> Result<(), String> {
    loop {
        let step = at.last();
        let left = (step.since + patience()).saturating_duration_since(Instant::now());
        if left.is_zero() {
            let Step { doing, round, .. } = step;
            return Err(format!("hung for {:?} while: {doing} (round {round})", patience()));
        }
        match ended.recv_timeout(left) {
            Ok(ending) => return ending,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("the check's thread vanished".to_owned()),
        }
    }
}

/// What a panic said.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&'static str>().copied()).unwrap_or("no message")
}
