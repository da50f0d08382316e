//! All public errors, and what each says about the update.
//!
//! One question decides what a caller may do after an error: *may the update have been applied?* A [`SubmitError`] always
//! says no and hands the update back. An [`UpdateError`] answers with [`effect`](UpdateError::effect).

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::StateMachine;
use crate::writer::Writer;

/// Whether a failed update may have changed the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Certainly not applied, now or later. Submitting it again is safe.
    NotApplied,
    /// It may have been applied, fully or not; only the state itself can tell.
    Unknown,
}

/// Why a queue did not accept an update. Certainly not applied; the update is inside.
#[non_exhaustive]
pub enum SubmitError<U> {
    /// There is no room right now, or none came free before `start_by`. Try again later.
    Full {
        /// The update, handed back.
        update: U,
        /// How many updates the queue holds; 0 for a strategy that has no queue.
        capacity: usize,
    },
    /// The queue's overload policy expects the update to wait too long. Try again later.
    Overloaded {
        /// The update, handed back.
        update: U,
        /// How long the update would probably have waited.
        estimated_wait: Duration,
    },
    /// The queue takes no more updates. Final.
    Closed {
        /// The update, handed back.
        update: U,
    },
    /// An earlier panic or failed commit left the machine in doubt. Final.
    Poisoned {
        /// The update, handed back.
        update: U,
        /// What happened.
        cause: Arc<str>,
    },
    /// The call would wait for the very update that makes it: it came from inside `apply`, `commit` or `rollback`.
    Reentrant {
        /// The update, handed back.
        update: U,
    },
}

impl<U> SubmitError<U> {
    /// The update that was refused.
    pub fn into_update(self) -> U {
        match self {
            Self::Full { update, .. }
            | Self::Overloaded { update, .. }
            | Self::Closed { update }
            | Self::Poisoned { update, .. }
            | Self::Reentrant { update } => update,
        }
    }

    /// Always [`Effect::NotApplied`].
    pub fn effect(&self) -> Effect {
        Effect::NotApplied
    }

    /// Whether the same submit can never succeed on this queue again.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Closed { .. } | Self::Poisoned { .. } => true,
            Self::Full { .. } | Self::Overloaded { .. } | Self::Reentrant { .. } => false,
        }
    }
}

// By hand: no bound on `U`, and an update is never printed (it may be large, or secret).
impl<U> fmt::Debug for SubmitError<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { capacity, .. } => {
                f.debug_struct("Full").field("capacity", capacity).finish_non_exhaustive()
            }
            Self::Overloaded { estimated_wait, .. } => {
                f.debug_struct("Overloaded").field("estimated_wait", estimated_wait).finish_non_exhaustive()
            }
            Self::Closed { .. } => f.debug_struct("Closed").finish_non_exhaustive(),
            Self::Poisoned { cause, .. } => {
                f.debug_struct("Poisoned").field("cause", cause).finish_non_exhaustive()
            }
            Self::Reentrant { .. } => f.debug_struct("Reentrant").finish_non_exhaustive(),
        }
    }
}

impl<U> fmt::Display for SubmitError<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { capacity: 0, .. } => {
                f.write_str("the lock is held and there is no queue to wait in")
            }
            Self::Full { capacity, .. } => write!(f, "queue is full (capacity {capacity})"),
            Self::Overloaded { estimated_wait, .. } => {
                write!(f, "queue is overloaded (estimated wait {estimated_wait:?})")
            }
            Self::Closed { .. } => f.write_str("queue is closed"),
            Self::Poisoned { cause, .. } => write!(f, "queue is poisoned: {cause}"),
            Self::Reentrant { .. } => f.write_str("a blocking submit from inside the queue's own machine"),
        }
    }
}

impl<U> Error for SubmitError<U> {}

/// Why an accepted update has no output.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum UpdateError {
    /// `start_by` had passed when the writer reached the update. Not applied.
    Expired,
    /// The overload policy dropped the update when the writer reached it. Not applied.
    Shed,
    /// The queue was aborted, poisoned, or lost its writer before the update was claimed. Not applied.
    Closed,
    /// The update's batch was undone. Not applied; the queue lives on.
    RolledBack(
        /// The failed commit, or the panic, that undid the batch.
        Arc<dyn Error + Send + Sync>,
    ),
    /// `apply` panicked on this update. The effect is unknown and the queue is poisoned.
    Panicked(
        /// The panic's message.
        Arc<str>,
    ),
    /// The commit of the update's batch failed. The effect is unknown and the queue is poisoned.
    CommitFailed(
        /// The commit's error, shared by the whole batch.
        Arc<dyn Error + Send + Sync>,
    ),
    /// The writer died after it had claimed the update. The effect is unknown.
    WriterLost,
}

impl UpdateError {
    /// Whether the update may have been applied all the same.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Expired | Self::Shed | Self::Closed | Self::RolledBack(_) => Effect::NotApplied,
            Self::Panicked(_) | Self::CommitFailed(_) | Self::WriterLost => Effect::Unknown,
        }
    }
}

impl fmt::Display for UpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("the update's start deadline passed while it was queued"),
            Self::Shed => f.write_str("the update was shed because the queue is overloaded"),
            Self::Closed => f.write_str("the queue was closed before the update started"),
            Self::RolledBack(_) => f.write_str("the update's batch was rolled back"),
            Self::Panicked(message) => write!(f, "the update panicked: {message}"),
            Self::CommitFailed(_) => f.write_str("the commit of the update's batch failed"),
            Self::WriterLost => f.write_str("the writer died while the update was running"),
        }
    }
}

impl Error for UpdateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::RolledBack(cause) | Self::CommitFailed(cause) => Some(cause.as_ref()),
            Self::Expired | Self::Shed | Self::Closed | Self::Panicked(_) | Self::WriterLost => None,
        }
    }
}

/// Why [`call`](crate::UpdateQueue::call) has no output: the update was refused, or it failed after it was accepted.
#[non_exhaustive]
pub enum CallError<U> {
    /// Not accepted. The update is inside.
    Refused(SubmitError<U>),
    /// Accepted, and failed.
    Failed(UpdateError),
}

impl<U> CallError<U> {
    /// Whether the update may have been applied all the same.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Refused(refused) => refused.effect(),
            Self::Failed(failed) => failed.effect(),
        }
    }
}

impl<U> fmt::Debug for CallError<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => f.debug_tuple("Refused").field(refused).finish(),
            Self::Failed(failed) => f.debug_tuple("Failed").field(failed).finish(),
        }
    }
}

impl<U> fmt::Display for CallError<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(_) => f.write_str("the update was refused"),
            Self::Failed(_) => f.write_str("the update failed"),
        }
    }
}

impl<U: 'static> Error for CallError<U> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(refused) => Some(refused),
            Self::Failed(failed) => Some(failed),
        }
    }
}

impl<U> From<SubmitError<U>> for CallError<U> {
    fn from(refused: SubmitError<U>) -> Self {
        Self::Refused(refused)
    }
}

impl<U> From<UpdateError> for CallError<U> {
    fn from(failed: UpdateError) -> Self {
        Self::Failed(failed)
    }
}

/// Why a shutdown did not end with a machine that can be trusted.
#[non_exhaustive]
pub enum ShutdownError<M: StateMachine> {
    /// The queue was poisoned.
    Poisoned {
        /// The machine as the failure left it; `None` if it was lost with the writer.
        machine: Option<M>,
        /// What happened.
        cause: Arc<str>,
    },
    /// The update that was running did not end in time. Nothing else will start; wait again with the writer inside.
    TimedOut(Writer<M>),
    /// The call came from inside the machine, so it would wait for itself. The queue is closed.
    Reentrant(Writer<M>),
}

impl<M: StateMachine> fmt::Debug for ShutdownError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poisoned { cause, .. } => {
                f.debug_struct("Poisoned").field("cause", cause).finish_non_exhaustive()
            }
            Self::TimedOut(_) => f.debug_tuple("TimedOut").finish_non_exhaustive(),
            Self::Reentrant(_) => f.debug_tuple("Reentrant").finish_non_exhaustive(),
        }
    }
}

impl<M: StateMachine> fmt::Display for ShutdownError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poisoned { cause, .. } => write!(f, "queue is poisoned: {cause}"),
            Self::TimedOut(_) => f.write_str("the running update did not end before the deadline"),
            Self::Reentrant(_) => f.write_str("a shutdown from inside the queue's own machine"),
        }
    }
}

impl<M: StateMachine> Error for ShutdownError<M> {}
