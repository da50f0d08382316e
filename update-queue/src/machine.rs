//! The state that has one owner.
//!
//! A [`StateMachine`] is whatever the updates change: a map, a file, a database connection. Exactly one thread at a time
//! calls it, so it needs no lock of its own and does not have to be `Sync`. Two kinds exist: machines whose `apply` is
//! final at once, and group-committing machines, whose outcomes are released only after one `commit` for the whole batch.

use std::error::Error;

/// Any error that can cross threads: what a failed [`commit`](StateMachine::commit) reports.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// State that is changed one update at a time, in one total order.
///
/// Nothing in here may wait for the queue it is behind: a blocking submit from inside `apply`, `commit` or `rollback` is
/// refused with [`Reentrant`](crate::SubmitError::Reentrant). To let one update cause another, hand the follow-up to
/// another thread or use `try_submit`; to call a slow external service, do it outside and submit its result as one more
/// update.
pub trait StateMachine: Send + 'static {
    /// One requested change. It is moved a few times on its way: box what is larger than a kilobyte or so.
    type Update: Send + 'static;

    /// What the caller gets back. Domain failures live in here, for example `Result<Version, Conflict>`.
    type Output: Send + 'static;

    /// Whether outcomes wait for [`commit`](Self::commit).
    ///
    /// `false`: an outcome is released as soon as `apply` returned, and `commit` and `rollback` are never called.
    /// `true`: updates are applied in batches, each batch is committed once, and its outcomes are released after that.
    const GROUP_COMMIT: bool = false;

    /// Applies one update and returns its output.
    ///
    /// # Panics
    /// A panic is caught. With group commit the batch is rolled back if [`rollback`](Self::rollback) can; otherwise the
    /// queue is poisoned, because nobody knows what state the machine is in.
    fn apply(&mut self, update: Self::Update) -> Self::Output;

    /// Makes everything applied since the last commit permanent.
    ///
    /// Called once per batch, never with nothing applied, and never again after it failed.
    ///
    /// # Errors
    /// After an error the batch is rolled back (its updates are then certainly not applied), or the queue is poisoned
    /// (their effect is unknown).
    ///
    /// # Panics
    /// A panic counts as an error after which no rollback is tried.
    fn commit(&mut self) -> Result<(), BoxError> {
        Ok(())
    }

    /// Undoes everything applied since the last commit, if the machine can.
    ///
    /// Say [`Restored`](Rollback::Restored) only if nothing of the batch can surface again, not even after a restart: an
    /// uncommitted transaction that was dropped qualifies, a failed `fsync` does not.
    fn rollback(&mut self) -> Rollback {
        Rollback::Unsupported
    }
}

/// What [`StateMachine::rollback`] achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollback {
    /// The state is what it was at the last commit.
    Restored,
    /// Nothing was undone; the state is in doubt.
    Unsupported,
}
