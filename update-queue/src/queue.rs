//! The handle that every client holds.

use std::future::Future;

use crate::error::{CallError, SubmitError};
use crate::machine::StateMachine;
use crate::request::Request;
use crate::ticket::{Applied, Ticket};

/// The updates of a queue's machine.
pub type UpdateOf<Q> = <<Q as UpdateQueue>::Machine as StateMachine>::Update;

/// The outputs of a queue's machine.
pub type OutputOf<Q> = <<Q as UpdateQueue>::Machine as StateMachine>::Output;

/// A queue of updates in front of one state machine, with one writer behind it.
///
/// Handles are cheap to clone and all equal. Blocking and async callers may share one. Updates of one caller are applied
/// in the order in which it submitted them, and all updates in one total order, whose numbers every
/// [`Applied`] carries. When the last handle is dropped, everything accepted is still applied.
///
/// # For implementers
/// A strategy over a channel gets this trait from [`ChannelQueue`](crate::ChannelQueue).
pub trait UpdateQueue: Clone + Send + Sync + 'static {
    /// The state machine behind the queue.
    type Machine: StateMachine;

    /// Hands an update to the writer if there is room right now.
    ///
    /// Never waits, neither for room nor for another caller. `Ok` means accepted, not applied: the [`Ticket`] carries the
    /// outcome. Dropping it abandons an update that has not started; [`Ticket::detach`] lets it go on. A strategy
    /// without a thread of its own may apply the update on this thread before returning.
    ///
    /// # Errors
    /// Each hands the update back, certainly not applied.
    /// - [`Full`](SubmitError::Full): [`capacity`](Self::capacity) updates are queued and unclaimed, or, without a queue,
    ///   another caller's update is being applied. Try again later.
    /// - [`Overloaded`](SubmitError::Overloaded): it would probably wait too long. Try again later.
    /// - [`Closed`](SubmitError::Closed): the queue takes no more updates. Final.
    /// - [`Poisoned`](SubmitError::Poisoned): an earlier panic or failed commit left the machine in doubt. Final.
    ///
    /// # Cancel safety
    /// Not async: the caller always ends up with the ticket or with the update.
    ///
    /// # Panics
    /// Only if the conversion into [`Request`] panics; nothing is queued then.
    ///
    /// # Units and limits
    /// Capacity counts updates, not bytes. `start_by` is monotonic time, compared once, at the claim.
    fn try_submit(
        &self,
        request: impl Into<Request<UpdateOf<Self>>>,
    ) -> Result<Ticket<OutputOf<Self>>, SubmitError<UpdateOf<Self>>>;

    /// Hands an update to the writer, waiting for room if there is none.
    ///
    /// Over a channel it waits for room at most, never for the outcome, which the [`Ticket`] carries. Under a lock it waits
    /// for its turn and applies the update itself, on the thread that polls: the ticket has the outcome from the start.
    ///
    /// # Errors
    /// As [`try_submit`](Self::try_submit), and:
    /// - [`Full`](SubmitError::Full) only if `start_by` passed before room came free;
    /// - [`Reentrant`](SubmitError::Reentrant): polled from inside the queue's own machine.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the update will not start after that. An update dropped while it is already being
    /// applied is applied.
    ///
    /// # Panics
    /// As [`try_submit`](Self::try_submit).
    fn submit(
        &self,
        request: impl Into<Request<UpdateOf<Self>>>,
    ) -> impl Future<Output = Result<Ticket<OutputOf<Self>>, SubmitError<UpdateOf<Self>>>> + Send;

    /// Hands an update to the writer, holding this thread while there is no room.
    ///
    /// Over a channel it waits for room at most. Under a lock it waits for its turn and applies the update on this thread.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    ///
    /// # Panics
    /// As [`try_submit`](Self::try_submit). Never because of a runtime, though it holds a runtime's thread.
    fn submit_blocking(
        &self,
        request: impl Into<Request<UpdateOf<Self>>>,
    ) -> Result<Ticket<OutputOf<Self>>, SubmitError<UpdateOf<Self>>>;

    /// Refuses all further updates. Those already accepted are applied.
    ///
    /// Returns at once. Callers that wait for room get [`Closed`](SubmitError::Closed). Closing twice changes nothing.
    fn close(&self);

    /// How many updates are queued and not yet claimed by the writer.
    fn depth(&self) -> usize;

    /// The depth at which the queue is full. 0 for a strategy without a queue.
    fn capacity(&self) -> usize;

    /// Submits an update and waits for its outcome.
    ///
    /// # Errors
    /// The update was refused, or it failed; [`CallError::effect`] says whether it may have been applied.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, an update that has not started will not start; one that has started is applied.
    fn call(
        &self,
        request: impl Into<Request<UpdateOf<Self>>>,
    ) -> impl Future<Output = Result<Applied<OutputOf<Self>>, CallError<UpdateOf<Self>>>> + Send {
        let request = request.into();
        async move { Ok(self.submit(request).await?.await?) }
    }

    /// Submits an update and holds this thread until its outcome is there.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    fn call_blocking(
        &self,
        request: impl Into<Request<UpdateOf<Self>>>,
    ) -> Result<Applied<OutputOf<Self>>, CallError<UpdateOf<Self>>> {
        Ok(self.submit_blocking(request)?.wait()?)
    }
}
