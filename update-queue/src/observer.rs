//! Who is told what happens to every update.

use std::sync::Arc;
use std::time::Duration;

use crate::contain::contain;
use crate::error::{SubmitError, UpdateError};
use crate::sync::{AtomicBool, Ordering};

/// Hooks for metrics. All do nothing unless overridden.
///
/// They are called on the hot path, by submitting callers and by the writer, so they must be quick and must not wait: one
/// that waits for its own queue on the writer's thread waits for ever. The queue keeps its observer alive, so an observer
/// that holds a handle of its queue keeps the queue open.
/// After a drain the books balance: everything offered was submitted or refused, everything submitted was completed or
/// skipped. An observer that panics is switched off; the queue goes on without it.
pub trait Observer: Send + Sync + 'static {
    /// An update was accepted; `depth` updates were queued right after, this one included unless it was already claimed.
    fn on_submit(&self, depth: usize) {
        let _ = depth;
    }

    /// A submit was refused.
    fn on_refuse(&self, reason: Refused) {
        let _ = reason;
    }

    /// The writer passed over an accepted update without applying it.
    fn on_skip(&self, reason: Skipped) {
        let _ = reason;
    }

    /// An update is about to be applied, `waited` after it was submitted.
    fn on_start(&self, waited: Duration) {
        let _ = waited;
    }

    /// `apply` returned or panicked.
    fn on_apply(&self, took: Duration) {
        let _ = took;
    }

    /// A commit of `updates` updates ended after `took`; `held` is how long the first of them had waited for it.
    fn on_commit(&self, updates: usize, held: Duration, took: Duration, ok: bool) {
        let _ = (updates, held, took, ok);
    }

    /// A claimed update was answered, `since_submit` after it was submitted; `error` is `None` if it has an output.
    fn on_complete(&self, since_submit: Duration, error: Option<&UpdateError>, role: Role) {
        let _ = (since_submit, error, role);
    }

    /// The queue was poisoned.
    fn on_poison(&self, cause: &str) {
        let _ = cause;
    }
}

/// Why a submit was refused; see [`SubmitError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refused {
    /// No room.
    Full,
    /// It would probably wait too long.
    Overloaded,
    /// The queue takes no more updates.
    Closed,
    /// The machine is in doubt.
    Poisoned,
    /// The call came from inside the machine.
    Reentrant,
}

impl<U> From<&SubmitError<U>> for Refused {
    fn from(error: &SubmitError<U>) -> Self {
        match error {
            SubmitError::Full { .. } => Self::Full,
            SubmitError::Overloaded { .. } => Self::Overloaded,
            SubmitError::Closed { .. } => Self::Closed,
            SubmitError::Poisoned { .. } => Self::Poisoned,
            SubmitError::Reentrant { .. } => Self::Reentrant,
        }
    }
}

/// Why an accepted update was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Skipped {
    /// Its caller gave up before the claim.
    Cancelled,
    /// `start_by` had passed.
    Expired,
    /// The overload policy dropped it.
    Shed,
    /// The queue was aborted or poisoned, or its writer died.
    Closed,
}

/// Whose thread applied an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// A thread that does nothing else.
    Writer,
    /// The caller itself.
    Caller,
}

/// The observer, if there is one, and whether it still behaves.
#[derive(Default)]
pub(crate) struct Watch {
    observer: Option<Arc<dyn Observer>>,
    broken: AtomicBool,
}

impl Watch {
    pub(crate) fn new(observer: Option<Arc<dyn Observer>>) -> Self {
        Self { observer, broken: AtomicBool::new(false) }
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.observer.is_some()
    }

    #[inline]
    pub(crate) fn tell(&self, event: impl FnOnce(&dyn Observer)) {
        let Some(observer) = &self.observer else { return };
        // ORDERING: Relaxed: a late event to a broken observer is only one more caught panic.
        if !self.broken.load(Ordering::Relaxed) && contain(|| event(observer.as_ref())).is_none() {
            self.broken.store(true, Ordering::Relaxed);
        }
    }
}
