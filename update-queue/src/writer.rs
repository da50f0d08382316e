//! The owner of the writer: who ends a queue, and gets the machine back.

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::contain::contain;
use crate::error::ShutdownError;
use crate::front::Front;
use crate::machine::StateMachine;
use crate::sync::{Condvar, Mutex, lock};

/// How long [`Writer::shutdown_by`] waits after its deadline for the one update that is running.
// LIMIT: 100 ms: longer than a slow fsync, short enough that a deadline still means something.
pub const SHUTDOWN_GRACE: Duration = Duration::from_millis(100);

/// The one owner of a running queue.
///
/// Dropping it closes the queue without waiting: what was accepted is still applied, and the machine is dropped after
/// that. To get the machine back, [`shutdown`](Self::shutdown).
///
/// A process that forks has no writer in the child; a process built with `panic = "abort"` ends with the first panic in
/// a machine.
pub struct Writer<M: StateMachine> {
    control: Box<dyn Control<M>>,
}

/// What a strategy does for its writer's owner.
pub(crate) trait Control<M>: Send + Sync {
    fn front(&self) -> &Front;
    /// Refuses further updates and makes the writer notice.
    fn close(&self);
    /// As `close`, and what is not claimed yet is answered `Closed`.
    fn abort(&self);
    /// Waits until the writer has ended, at most until `deadline`.
    fn join(&self, deadline: Option<Instant>) -> Option<Ended<M>>;
    /// Nobody will ask for the machine: it is dropped once the writer has ended.
    fn forget(&self);
}

/// What a writer leaves behind.
pub(crate) struct Ended<M> {
    pub(crate) machine: Option<M>,
    pub(crate) poisoned: Option<Arc<str>>,
}

impl<M: StateMachine> Writer<M> {
    pub(crate) fn new(control: impl Control<M> + 'static) -> Self {
        Self { control: Box::new(control) }
    }

    /// Closes the queue, waits until everything accepted is applied and committed, and hands the machine back.
    ///
    /// Blocks this thread. Every ticket is resolved when it returns; the writer's thread, if it has one, is done with the
    /// queue by then, and ends in its own time.
    ///
    /// # Errors
    /// - [`Poisoned`](ShutdownError::Poisoned): a panic or a failed commit left the machine in doubt; it is inside.
    /// - [`Reentrant`](ShutdownError::Reentrant): called from inside the machine.
    pub fn shutdown(self) -> Result<M, ShutdownError<M>> {
        self.control.close();
        self.join(None)
    }

    /// As [`shutdown`](Self::shutdown), but at `deadline` nothing further is claimed: what is still queued is answered
    /// [`Closed`](crate::UpdateError::Closed), certainly not applied.
    ///
    /// # Errors
    /// As `shutdown`, and [`TimedOut`](ShutdownError::TimedOut) if the update that was running at the deadline has not
    /// ended [`SHUTDOWN_GRACE`] later. The writer comes back, to be waited for again.
    pub fn shutdown_by(self, deadline: Instant) -> Result<M, ShutdownError<M>> {
        self.control.close();
        if self.control.front().is_reentrant() {
            return Err(ShutdownError::Reentrant(self));
        }
        if let Some(ended) = self.control.join(Some(deadline)) {
            return ended.into_result();
        }
        self.control.abort();
        self.join(Some(Instant::now() + SHUTDOWN_GRACE))
    }

    /// Stops claiming. The running batch still commits; everything queued is answered
    /// [`Closed`](crate::UpdateError::Closed), certainly not applied. Returns at once; `shutdown` then waits for the end.
    pub fn abort(&self) {
        self.control.abort();
    }

    fn join(self, deadline: Option<Instant>) -> Result<M, ShutdownError<M>> {
        if self.control.front().is_reentrant() {
            return Err(ShutdownError::Reentrant(self));
        }
        match self.control.join(deadline) {
            Some(ended) => ended.into_result(),
            None => Err(ShutdownError::TimedOut(self)),
        }
    }
}

/// For strategies that put their own machine around the owner's; so far only those that are wrong on purpose do.
#[cfg(feature = "conformance")]
impl<M: StateMachine> Writer<M> {
    /// The same writer, for the owner of the machine that `unwrap` takes out of this one's.
    pub fn unwrapping<N: StateMachine>(self, unwrap: impl Fn(M) -> N + Send + Sync + 'static) -> Writer<N> {
        Writer::new(Unwrapping { writer: self, unwrap })
    }
}

#[cfg(feature = "conformance")]
struct Unwrapping<M: StateMachine, F> {
    writer: Writer<M>,
    unwrap: F,
}

#[cfg(feature = "conformance")]
impl<M: StateMachine, N, F: Fn(M) -> N + Send + Sync> Control<N> for Unwrapping<M, F> {
    fn front(&self) -> &Front {
        self.writer.control.front()
    }

    fn close(&self) {
        self.writer.control.close();
    }

    fn abort(&self) {
        self.writer.control.abort();
    }

    fn join(&self, deadline: Option<Instant>) -> Option<Ended<N>> {
        let Ended { machine, poisoned } = self.writer.control.join(deadline)?;
        Some(Ended { machine: machine.map(&self.unwrap), poisoned })
    }

    /// Dropping the writer inside does it.
    fn forget(&self) {}
}

impl<M: StateMachine> Drop for Writer<M> {
    fn drop(&mut self) {
        self.control.close();
        self.control.forget();
    }
}

impl<M: StateMachine> fmt::Debug for Writer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("closed", &self.control.front().gate.is_closed())
            .finish_non_exhaustive()
    }
}

impl<M: StateMachine> Ended<M> {
    fn into_result(self) -> Result<M, ShutdownError<M>> {
        match (self.machine, self.poisoned) {
            (Some(machine), None) => Ok(machine),
            (machine, cause) => {
                let cause = cause.unwrap_or_else(|| "the machine was lost with its writer".into());
                Err(ShutdownError::Poisoned { machine, cause })
            }
        }
    }
}

/// Where a writer leaves its machine and its owner waits for it.
pub(crate) struct Exit<M> {
    left: Mutex<Left<M>>,
    changed: Condvar,
}

enum Left<M> {
    Nothing,
    Ended(Ended<M>),
    /// The owner is gone. Kept here the machine would live as long as a handle, and for ever if it holds one itself.
    Forgotten,
}

impl<M> Default for Exit<M> {
    fn default() -> Self {
        Self { left: Mutex::new(Left::Nothing), changed: Condvar::new() }
    }
}

impl<M> Exit<M> {
    pub(crate) fn leave(&self, ended: Ended<M>) {
        let mut left = lock(&self.left);
        if matches!(*left, Left::Forgotten) {
            drop(left);
            contain(|| drop(ended));
            return;
        }
        *left = Left::Ended(ended);
        drop(left);
        self.changed.notify_all();
    }

    pub(crate) fn forget(&self) {
        let left = std::mem::replace(&mut *lock(&self.left), Left::Forgotten);
        drop(left);
    }

    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Option<Ended<M>> {
        let mut left = lock(&self.left);
        loop {
            if let Left::Ended(ended) = std::mem::replace(&mut *left, Left::Nothing) {
                return Some(ended);
            }
            left = match deadline {
                None => self.changed.wait(left).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let time =
                        deadline.checked_duration_since(Instant::now()).filter(|time| !time.is_zero())?;
                    self.changed.wait_timeout(left, time).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
