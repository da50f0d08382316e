//! One update's promise: the cell that the caller and the writer share.
//!
//! One allocation per update, with two ends: the [`Envelope`] travels through the strategy's transport, the [`Ticket`]
//! stays with the caller. The update itself waits *in the cell*, so whoever takes it out under the cell's lock has
//! decided its fate: the writer by claiming it, the caller by cancelling, a refused submit by withdrawing. Exactly one of
//! them wins, and a transport that delivers an envelope late only delivers one whose claim fails.
//!
//! | who | operation | from -> to |
//! |---|---|---|
//! | writer | claim | Queued -> Running; fails otherwise |
//! | writer | complete | Running -> Done; a value that nobody waits for is dropped |
//! | writer | refuse | Queued -> Done |
//! | either | envelope dropped | Queued -> Returned, which a ticket reads as `Closed` |
//! | writer | completion dropped | Running -> Done(`WriterLost`) |
//! | caller | cancel, drop | Queued -> Abandoned; Running stays; Returned, Done -> Gone |
//! | caller | withdraw (a submit that was refused) | Queued, Returned -> Gone |
//! | caller | poll, wait | stores its waker; Returned, Done -> Gone |
//!
//! Foreign code (a waker's `clone`, `wake` and `drop`, the destructors of updates and outputs) never runs under the
//! lock: it may panic, or re-enter the queue.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::contain::contain;
use crate::error::UpdateError;
use crate::park;
use crate::reentry::{self, QueueId};
use crate::sync::{Mutex, lock};

/// An update's output and its place in the total order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied<O> {
    /// The update's place in the one total order of all applied updates; the first is 1, without gaps.
    pub seq: u64,
    /// What [`apply`](crate::StateMachine::apply) returned.
    pub output: O,
}

/// How an accepted update ended.
pub type Outcome<O> = Result<Applied<O>, UpdateError>;

enum State<U, O> {
    Queued {
        update: U,
        waker: Option<Waker>,
    },
    Running {
        waker: Option<Waker>,
    },
    /// The envelope was dropped unclaimed. The update waits for a submit that still wants to hand it back.
    Returned {
        update: U,
    },
    Done(Outcome<O>),
    /// The caller gave up before the claim; the writer has yet to pass.
    Abandoned,
    Gone,
}

impl<U, O> State<U, O> {
    /// What a ticket makes of a state that it took out of its cell.
    fn into_outcome(self) -> Outcome<O> {
        match self {
            Self::Done(outcome) => outcome,
            Self::Returned { update } => {
                contain(|| drop(update));
                Err(UpdateError::Closed)
            }
            _ => unreachable!("a ticket looks at its cell until it is resolved, and not after that"),
        }
    }
}

struct Cell<U, O> {
    state: Mutex<State<U, O>>,
    queue: QueueId,
    start_by: Option<Instant>,
    submitted: Option<Instant>,
}

/// What the ticket needs of the cell; hides the update's type from it.
trait Shared<O>: Send + Sync {
    /// Takes the outcome, or leaves a clone of `waker` to be woken: `fresh`, if the caller expects to need one.
    fn poll(&self, waker: &Waker, fresh: Option<Waker>) -> Poll<Outcome<O>>;
    /// Gives up: whether the update was withdrawn, is running, or is done.
    fn give_up(&self) -> GaveUp<O>;
    /// Stops waiting; the update goes on.
    fn forget_waker(&self);
    fn queue(&self) -> QueueId;
}

enum GaveUp<O> {
    Abandoned,
    Running,
    Done(Outcome<O>),
}

impl<U: Send, O: Send> Cell<U, O> {
    /// The writer takes the update out to run it, if it is still here.
    fn claim(&self) -> Option<U> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Gone) {
            State::Queued { update, waker } => {
                *state = State::Running { waker };
                Some(update)
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// The submit takes the update back, if it is still here.
    fn withdraw(&self) -> Option<U> {
        let mut state = lock(&self.state);
        let (update, waker) = match std::mem::replace(&mut *state, State::Gone) {
            State::Queued { update, waker } => (update, waker),
            State::Returned { update } => (update, None),
            other => {
                *state = other;
                return None;
            }
        };
        drop(state);
        drop(waker);
        Some(update)
    }

    /// Stores the outcome and wakes the caller. `true` if the cell had none yet.
    fn complete(&self, outcome: Outcome<O>) -> bool {
        let mut state = lock(&self.state);
        let old = match &*state {
            State::Queued { .. } | State::Running { .. } => {
                std::mem::replace(&mut *state, State::Done(outcome))
            }
            State::Returned { .. } | State::Done(_) | State::Abandoned | State::Gone => {
                drop(state);
                drop(outcome);
                return false;
            }
        };
        drop(state);
        match old {
            State::Queued { update, waker } => {
                wake(waker);
                drop(update);
            }
            State::Running { waker } => wake(waker),
            State::Returned { .. } | State::Done(_) | State::Abandoned | State::Gone => {}
        }
        true
    }

    /// The envelope is gone without a claim: nobody will ever run this update.
    fn give_back(&self) {
        let mut state = lock(&self.state);
        let waker = match std::mem::replace(&mut *state, State::Gone) {
            State::Queued { update, waker } => {
                *state = State::Returned { update };
                waker
            }
            other => {
                *state = other;
                None
            }
        };
        drop(state);
        wake(waker);
    }
}

/// Contained: whatever else is dropped after it may panic too, and two panics at once end the process.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        contain(|| waker.wake());
    }
}

impl<U: Send, O: Send> Shared<O> for Cell<U, O> {
    fn poll(&self, waker: &Waker, mut fresh: Option<Waker>) -> Poll<Outcome<O>> {
        loop {
            let mut state = lock(&self.state);
            let slot = match &mut *state {
                State::Queued { waker, .. } | State::Running { waker } => waker,
                resolved => {
                    let resolved = std::mem::replace(resolved, State::Gone);
                    drop(state);
                    return Poll::Ready(resolved.into_outcome());
                }
            };
            if slot.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
                return Poll::Pending;
            }
            if let Some(fresh) = fresh.take() {
                let replaced = slot.replace(fresh);
                drop(state);
                drop(replaced);
                return Poll::Pending;
            }
            drop(state);
            fresh = Some(waker.clone());
        }
    }

    fn give_up(&self) -> GaveUp<O> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Gone) {
            State::Queued { update, waker } => {
                *state = State::Abandoned;
                drop(state);
                contain(|| drop(waker));
                contain(|| drop(update));
                GaveUp::Abandoned
            }
            State::Running { waker } => {
                *state = State::Running { waker };
                GaveUp::Running
            }
            resolved => {
                drop(state);
                GaveUp::Done(resolved.into_outcome())
            }
        }
    }

    fn forget_waker(&self) {
        let mut state = lock(&self.state);
        let waker = match &mut *state {
            State::Queued { waker, .. } | State::Running { waker } => waker.take(),
            State::Returned { .. } | State::Done(_) | State::Abandoned | State::Gone => None,
        };
        drop(state);
        drop(waker);
    }

    fn queue(&self) -> QueueId {
        self.queue
    }
}

/// The submitting caller's end until the update is accepted.
///
/// Dropped, as when the future of a pending submit is dropped, it withdraws the update: it will not start after that.
pub(crate) struct Pending<U: Send, O: Send>(Option<Arc<Cell<U, O>>>);

impl<U: Send + 'static, O: Send + 'static> Pending<U, O> {
    /// Takes the update back unless it has been claimed or answered.
    pub(crate) fn withdraw(&self) -> Option<U> {
        self.0.as_ref()?.withdraw()
    }

    /// The update was accepted.
    pub(crate) fn into_ticket(self) -> Ticket<O> {
        self.accepted(Polls::Never)
    }

    /// As [`into_ticket`](Self::into_ticket), for a caller who goes on to poll the ticket in the poll in which it made the
    /// pair, with the waker that it gave to [`pair`].
    pub(crate) fn into_followed(self) -> Ticket<O> {
        self.accepted(Polls::Followed)
    }

    fn accepted(mut self, polls: Polls) -> Ticket<O> {
        let cell = self.0.take().expect("a pending submit has its cell until it becomes a ticket");
        Ticket { inner: Inner::Shared(cell, polls) }
    }
}

impl<U: Send, O: Send> Drop for Pending<U, O> {
    fn drop(&mut self) {
        if let Some(cell) = self.0.take() {
            drop(cell.withdraw());
        }
    }
}

/// The writer's end of an update: what a strategy's transport carries, one pointer in size.
///
/// Dropping an envelope answers its caller with [`UpdateError::Closed`]: certainly not applied.
pub struct Envelope<U: Send, O: Send>(Option<Arc<Cell<U, O>>>);

/// Why an envelope could not be claimed.
pub(crate) enum Skipped {
    /// The caller gave up an accepted update.
    Abandoned,
    /// The update never counted as accepted, or was answered already.
    Gone,
}

impl<U: Send, O: Send> Envelope<U, O> {
    /// Takes the update for running, unless its caller was first.
    pub(crate) fn claim(mut self) -> Result<(U, Completion<U, O>), Skipped> {
        let cell = self.0.take().expect("an envelope is claimed once");
        match cell.claim() {
            Some(update) => Ok((update, Completion(Some(cell)))),
            None => match &*lock(&cell.state) {
                State::Abandoned => Err(Skipped::Abandoned),
                _ => Err(Skipped::Gone),
            },
        }
    }

    /// Answers without applying. `Ok` if this decided the update's fate.
    pub(crate) fn refuse(mut self, error: UpdateError) -> Result<(), Skipped> {
        let cell = self.0.take().expect("an envelope is answered once");
        if cell.complete(Err(error)) {
            return Ok(());
        }
        match &*lock(&cell.state) {
            State::Abandoned => Err(Skipped::Abandoned),
            _ => Err(Skipped::Gone),
        }
    }

    pub(crate) fn start_by(&self) -> Option<Instant> {
        self.0.as_ref().and_then(|cell| cell.start_by)
    }

    pub(crate) fn submitted(&self) -> Option<Instant> {
        self.0.as_ref().and_then(|cell| cell.submitted)
    }
}

impl<U: Send, O: Send> Drop for Envelope<U, O> {
    fn drop(&mut self) {
        if let Some(cell) = self.0.take() {
            // Contained: a channel that drops its items must get to the next one, whatever a waker or an update does.
            contain(|| cell.give_back());
            contain(|| drop(cell));
        }
    }
}

impl<U: Send, O: Send> fmt::Debug for Envelope<U, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").finish_non_exhaustive()
    }
}

/// The writer's end of a claimed update. Dropped unanswered it says [`UpdateError::WriterLost`].
pub(crate) struct Completion<U: Send, O: Send>(Option<Arc<Cell<U, O>>>);

impl<U: Send, O: Send> Completion<U, O> {
    pub(crate) fn complete(mut self, outcome: Outcome<O>) {
        if let Some(cell) = self.0.take() {
            cell.complete(outcome);
        }
    }

    pub(crate) fn submitted(&self) -> Option<Instant> {
        self.0.as_ref().and_then(|cell| cell.submitted)
    }
}

impl<U: Send, O: Send> Drop for Completion<U, O> {
    fn drop(&mut self) {
        if let Some(cell) = self.0.take() {
            contain(|| cell.complete(Err(UpdateError::WriterLost)));
            contain(|| drop(cell));
        }
    }
}

/// Makes the two ends of one update. `waker` is woken once its outcome is there.
pub(crate) fn pair<U: Send + 'static, O: Send + 'static>(
    update: U,
    start_by: Option<Instant>,
    submitted: Option<Instant>,
    queue: QueueId,
    waker: Option<Waker>,
) -> (Envelope<U, O>, Pending<U, O>) {
    let state = Mutex::new(State::Queued { update, waker });
    let cell = Arc::new(Cell { state, queue, start_by, submitted });
    (Envelope(Some(Arc::clone(&cell))), Pending(Some(cell)))
}

enum Inner<O> {
    Shared(Arc<dyn Shared<O>>, Polls),
    Ready(Outcome<O>),
    Taken,
}

/// What is known of a ticket's polls: it spares some of them the lock, or the clone of a waker.
#[derive(Clone, Copy)]
enum Polls {
    Never,
    /// The waker of its first poll has been in the cell from the start: whatever happened since has woken it.
    Followed,
    /// It has been polled, so by now the outcome is probably there.
    Before,
}

/// The promise of an accepted update's outcome.
///
/// It is a [`Future`], and it has a blocking [`wait`](Self::wait); both work from any thread, inside a runtime or not.
/// Every ticket resolves, whatever happens to the writer.
///
/// Dropping a ticket abandons the update if it has not started; [`detach`](Self::detach) lets it go on.
///
/// # Cancel safety
/// The future can be polled, left and polled again; nothing is lost until it is dropped.
///
/// # Panics
/// Polling it again after it was ready. Waiting for it, or polling it, from inside the machine of its own queue while it
/// is not resolved: the update that waits is the one that would have to end first.
#[must_use = "dropping a ticket abandons an update that has not started; use `detach` to let it run"]
pub struct Ticket<O> {
    inner: Inner<O>,
}

/// What [`Ticket::cancel`] achieved.
#[derive(Debug)]
pub enum Cancel<O> {
    /// Not applied, and never will be.
    Cancelled,
    /// Already running, or waiting for its commit. Wait for the ticket, or detach it.
    TooLate(Ticket<O>),
    /// The outcome was already there.
    Done(Outcome<O>),
}

impl<O: Send + 'static> Ticket<O> {
    /// A ticket that is resolved from the start: for a strategy that applies on the caller's thread.
    pub fn ready(outcome: Outcome<O>) -> Self {
        Self { inner: Inner::Ready(outcome) }
    }

    /// Blocks this thread until the outcome is there.
    ///
    /// # Errors
    /// What happened instead of an output; [`effect`](UpdateError::effect) says whether it may have been applied.
    ///
    /// # Panics
    /// See [`Ticket`]. Never because of a runtime.
    pub fn wait(self) -> Outcome<O> {
        park::block_on(self)
    }

    /// Blocks this thread until the outcome is there or `deadline` has passed.
    ///
    /// # Errors
    /// The ticket, if the deadline came first: the update is still queued or running.
    ///
    /// # Panics
    /// See [`Ticket`].
    pub fn wait_until(mut self, deadline: Instant) -> Result<Outcome<O>, Self> {
        match park::block_on_until(&mut self, deadline) {
            Some(outcome) => Ok(outcome),
            None => Err(self),
        }
    }

    /// Withdraws the update unless the writer has claimed it.
    ///
    /// Returns at once, and the answer is final: one atomic claim decides between the writer and this call.
    /// A cancelled update is dropped, not handed back; its place is free when the writer passes it, not before.
    ///
    /// # Cancel safety
    /// Not async. Takes the ticket by value, so nobody waits for a cancelled update by mistake.
    ///
    /// # Panics
    /// If the ticket was polled to completion by reference before: its outcome is gone.
    pub fn cancel(mut self) -> Cancel<O> {
        match std::mem::replace(&mut self.inner, Inner::Taken) {
            Inner::Ready(outcome) => Cancel::Done(outcome),
            Inner::Shared(cell, _) => match cell.give_up() {
                GaveUp::Abandoned => Cancel::Cancelled,
                GaveUp::Done(outcome) => Cancel::Done(outcome),
                GaveUp::Running => Cancel::TooLate(Ticket { inner: Inner::Shared(cell, Polls::Never) }),
            },
            Inner::Taken => panic!("the ticket's outcome was taken before"),
        }
    }

    /// Lets the update go on without anybody waiting for it.
    pub fn detach(mut self) {
        if let Inner::Shared(cell, _) = std::mem::replace(&mut self.inner, Inner::Taken) {
            cell.forget_waker();
        }
    }
}

impl<O> Unpin for Ticket<O> {}

impl<O> Future for Ticket<O> {
    type Output = Outcome<O>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Inner::Shared(cell, polls) = &mut this.inner {
            let fresh = match std::mem::replace(polls, Polls::Before) {
                Polls::Followed => return Poll::Pending,
                // Cloned before locking, since a waker's clone is foreign code, and only if it will be kept.
                Polls::Never => Some(cx.waker().clone()),
                Polls::Before => None,
            };
            let polled = cell.poll(cx.waker(), fresh);
            if polled.is_pending() {
                assert!(
                    !reentry::inside(cell.queue()),
                    "waiting for an update from inside its own queue's machine"
                );
                return Poll::Pending;
            }
            this.inner = Inner::Taken;
            return polled;
        }
        match std::mem::replace(&mut this.inner, Inner::Taken) {
            Inner::Ready(outcome) => Poll::Ready(outcome),
            Inner::Shared(..) | Inner::Taken => panic!("a ticket was polled after it was resolved"),
        }
    }
}

impl<O> Drop for Ticket<O> {
    fn drop(&mut self) {
        if let Inner::Shared(cell, _) = std::mem::replace(&mut self.inner, Inner::Taken) {
            match cell.give_up() {
                GaveUp::Abandoned => {}
                GaveUp::Running => cell.forget_waker(),
                GaveUp::Done(outcome) => drop(outcome),
            }
        }
    }
}

impl<O> fmt::Debug for Ticket<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.inner {
            Inner::Shared(..) => "waiting",
            Inner::Ready(_) => "resolved",
            Inner::Taken => "taken",
        };
        f.debug_tuple("Ticket").field(&state).finish()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
