//! The queue over a channel: everything about it except the channel.
//!
//! A strategy brings a [`Transport`] and its [`Source`]: how an envelope gets from a caller to the writer's thread, how a
//! caller waits for room, how the writer waits for work. Accepting, refusing, giving up, closing, dying and draining are
//! here, once, and rest on two facts: the update stays in its cell until somebody takes it out under the cell's lock, and
//! a submit that was pushed looks at the gate afterwards (see `gate.rs`).

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::contain::contained;
use crate::engine::{Engine, EnvelopeOf};
use crate::error::{CallError, SubmitError};
use crate::front::Front;
use crate::machine::StateMachine;
use crate::options::Options;
use crate::park;
use crate::queue::UpdateQueue;
use crate::request::Request;
use crate::serve;
use crate::ticket::{self, Applied, Pending, Ticket};
use crate::writer::{Control, Ended, Exit, Writer};

/// The callers' end of a channel that holds at most [`capacity`](Self::capacity) envelopes.
///
/// An implementation is "just the channel": it need not know about closing, beyond [`wake`](Self::wake).
pub trait Transport<E: Send + 'static>: Send + Sync + 'static {
    /// Puts an envelope in if there is room right now.
    ///
    /// # Errors
    /// The envelope: there is no room, or the [`Source`] is gone.
    fn try_push(&self, envelope: E) -> Result<(), E>;

    /// Waits for room and puts the envelope in; `false` if the [`Source`] is gone.
    ///
    /// # Cancel safety
    /// Dropped, the future may drop the envelope or leave it in the channel; both are fine.
    fn push(&self, envelope: E) -> impl Future<Output = bool> + Send;

    /// Makes a [`Source::pull`] that waits, or the next one that would, return `None`.
    fn wake(&self);

    /// How many envelopes are in the channel.
    fn len(&self) -> usize;

    /// Whether no envelope is in the channel.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many envelopes it holds.
    fn capacity(&self) -> usize;
}

/// The writer's end of a channel.
///
/// It takes one envelope at a time, because the engine claims it at once: taking several would free the places of
/// updates that nobody has claimed, and the queue would accept more than its capacity.
pub trait Source<E: Send + 'static>: Send + 'static {
    /// Takes the oldest envelope, if one is ready. It may use up a [`Transport::wake`].
    fn try_pull(&mut self) -> Option<E>;

    /// Takes the oldest envelope; `None` proves that none is left whose push has returned.
    ///
    /// For a channel where an unfinished push hides the finished ones behind it: this one waits for it to end.
    fn pull_rest(&mut self) -> Option<E> {
        self.try_pull()
    }

    /// Takes the oldest envelope, waiting for one if need be, without using the CPU. `None` after
    /// [`Transport::wake`], and spuriously.
    fn pull(&mut self) -> Option<E>;
}

/// An [`UpdateQueue`] over any [`Transport`], with a writer thread at its other end.
pub struct ChannelQueue<M: StateMachine, T: Transport<EnvelopeOf<M>>> {
    handle: Arc<Handle<M, T>>,
}

/// What all handles share; dropped with the last of them.
struct Handle<M: StateMachine, T: Transport<EnvelopeOf<M>>> {
    channel: Arc<Channel<M, T>>,
}

/// What the handles and the writer's owner share.
struct Channel<M, T> {
    front: Arc<Front>,
    transport: T,
    exit: Arc<Exit<M>>,
}

/// A submit that was admitted.
enum Offer<M: StateMachine> {
    Accepted(Ticket<M::Output>),
    NoRoom(NoRoom<M>),
}

/// An admitted submit that found the channel full.
struct NoRoom<M: StateMachine> {
    envelope: EnvelopeOf<M>,
    pending: PendingOf<M>,
    start_by: Option<Instant>,
}

type PendingOf<M> = Pending<<M as StateMachine>::Update, <M as StateMachine>::Output>;
type Submitted<M> = Result<Ticket<<M as StateMachine>::Output>, SubmitError<<M as StateMachine>::Update>>;

type Called<M> = Result<Applied<<M as StateMachine>::Output>, CallError<<M as StateMachine>::Update>>;

/// How a wait for room ended.
enum Wait {
    Pushed,
    Shut,
    Late,
    Reentrant,
}

impl<M: StateMachine, T: Transport<EnvelopeOf<M>>> ChannelQueue<M, T> {
    /// Starts a writer thread for `machine` at the far end of the channel that `open` makes for the given capacity.
    pub fn start<S: Source<EnvelopeOf<M>>>(
        machine: M,
        options: Options,
        open: impl FnOnce(usize) -> (T, S),
    ) -> (Self, Writer<M>) {
        let front = Arc::new(Front::new(&options));
        let engine = Engine::new(machine, &options, Arc::clone(&front));
        let (transport, source) = open(options.capacity);
        let exit = Arc::new(Exit::default());
        serve::spawn(options.thread_name, engine, source, Arc::clone(&exit));
        let channel = Arc::new(Channel { front, transport, exit });
        let writer = Writer::new(Arc::clone(&channel));
        (Self { handle: Arc::new(Handle { channel }) }, writer)
    }

    fn front(&self) -> &Front {
        &self.handle.channel.front
    }

    fn transport(&self) -> &T {
        &self.handle.channel.transport
    }

    /// Accepts the request if there is room right now. `follower`: the waker of a caller who polls the ticket next.
    fn offer(
        &self,
        request: Request<M::Update>,
        follower: Option<Waker>,
    ) -> Result<Offer<M>, SubmitError<M::Update>> {
        let Request { update, start_by } = request;
        let front = self.front();
        let update = front.admit(update, start_by, || self.transport().len())?;
        let followed = follower.is_some();
        let (envelope, pending) = ticket::pair(update, start_by, front.now(), front.queue, follower);
        match self.transport().try_push(envelope) {
            Ok(()) => self.accept(pending, followed).map(Offer::Accepted),
            Err(envelope) => Ok(Offer::NoRoom(NoRoom { envelope, pending, start_by })),
        }
    }

    /// The envelope is in the channel: accepted, unless the writer died without seeing it.
    fn accept(&self, pending: PendingOf<M>, followed: bool) -> Submitted<M> {
        if self.front().gate.died_since_push() {
            if let Some(update) = pending.withdraw() {
                return Err(self.front().no_room(update, self.capacity()));
            }
        }
        Ok(if followed { pending.into_followed() } else { pending.into_ticket() })
    }

    /// A wait for room is over: the ticket, or the update back.
    fn settle(&self, pending: PendingOf<M>, wait: &Wait) -> Submitted<M> {
        if matches!(wait, Wait::Pushed) {
            return self.accept(pending, false);
        }
        match (pending.withdraw(), wait) {
            // The channel had delivered it already: the writer's answer stands.
            (None, _) => Ok(pending.into_ticket()),
            (Some(update), Wait::Reentrant) => Err(SubmitError::Reentrant { update }),
            (Some(update), _) => Err(self.front().no_room(update, self.capacity())),
        }
    }

    /// As [`offer`](Self::offer), for a caller who would wait for room.
    fn offer_waiting(
        &self,
        request: Request<M::Update>,
        follower: Option<Waker>,
    ) -> Result<Offer<M>, SubmitError<M::Update>> {
        if self.front().is_reentrant() {
            return Err(SubmitError::Reentrant { update: request.update });
        }
        self.offer(request, follower)
    }

    async fn submit_async(&self, request: Request<M::Update>, follower: Option<Waker>) -> Submitted<M> {
        let submitted = match self.offer_waiting(request, follower) {
            Ok(Offer::Accepted(ticket)) => Ok(ticket),
            Ok(Offer::NoRoom(full)) => self.wait_for_room(full).await,
            Err(refused) => Err(refused),
        };
        self.report(&submitted);
        submitted
    }

    async fn wait_for_room(&self, NoRoom { envelope, pending, start_by }: NoRoom<M>) -> Submitted<M> {
        let front = self.front();
        let mut unsettled = Unsettled { front, pending: Some(pending) };
        let pushing = pin!(self.transport().push(envelope));
        let mut open = pin!(front.gate.while_open(pushing));
        let wait = poll_fn(|cx: &mut Context<'_>| {
            if front.is_reentrant() {
                return Poll::Ready(Wait::Reentrant);
            }
            let waker = contained(cx.waker());
            match open.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(pushed) => Poll::Ready(Wait::after(pushed)),
                Poll::Pending if start_by.is_some_and(|latest| latest <= Instant::now()) => {
                    Poll::Ready(Wait::Late)
                }
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        self.settle(unsettled.pending.take().expect("a wait for room is settled once"), &wait)
    }

    fn park_for_room(&self, NoRoom { envelope, pending, start_by }: NoRoom<M>) -> Submitted<M> {
        let pushing = pin!(self.transport().push(envelope));
        let wait =
            park::drive(self.front().gate.while_open(pushing), start_by).map_or(Wait::Late, Wait::after);
        self.settle(pending, &wait)
    }

    #[inline]
    fn report(&self, submitted: &Submitted<M>) {
        self.front().report(submitted, || self.depth());
    }
}

impl Wait {
    /// `None`: the gate shut first. `false`: the source was gone.
    fn after(pushed: Option<bool>) -> Self {
        if pushed == Some(true) { Self::Pushed } else { Self::Shut }
    }
}

/// Keeps the books right when the future of a submit is dropped after the writer has already taken the update.
struct Unsettled<'a, U: Send + 'static, O: Send + 'static> {
    front: &'a Front,
    pending: Option<Pending<U, O>>,
}

impl<U: Send, O: Send> Drop for Unsettled<'_, U, O> {
    fn drop(&mut self) {
        if let Some(pending) = self.pending.take() {
            if pending.withdraw().is_none() {
                self.front.watch.tell(|observer| observer.on_submit(0));
            }
        }
    }
}

impl<M: StateMachine, T: Transport<EnvelopeOf<M>>> UpdateQueue for ChannelQueue<M, T> {
    type Machine = M;

    fn try_submit(&self, request: impl Into<Request<M::Update>>) -> Submitted<M> {
        let submitted = match self.offer(request.into(), None) {
            Ok(Offer::Accepted(ticket)) => Ok(ticket),
            Ok(Offer::NoRoom(full)) => {
                let update =
                    full.pending.withdraw().expect("nobody else has an envelope that was never pushed");
                Err(self.front().no_room(update, self.capacity()))
            }
            Err(refused) => Err(refused),
        };
        self.report(&submitted);
        submitted
    }

    fn submit(&self, request: impl Into<Request<M::Update>>) -> impl Future<Output = Submitted<M>> + Send {
        self.submit_async(request.into(), None)
    }

    fn call(&self, request: impl Into<Request<M::Update>>) -> impl Future<Output = Called<M>> + Send {
        let request = request.into();
        async move {
            let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
            Ok(self.submit_async(request, Some(waker)).await?.await?)
        }
    }

    fn submit_blocking(&self, request: impl Into<Request<M::Update>>) -> Submitted<M> {
        let submitted = match self.offer_waiting(request.into(), None) {
            Ok(Offer::Accepted(ticket)) => Ok(ticket),
            Ok(Offer::NoRoom(full)) => self.park_for_room(full),
            Err(refused) => Err(refused),
        };
        self.report(&submitted);
        submitted
    }

    fn close(&self) {
        self.handle.channel.close();
    }

    fn depth(&self) -> usize {
        self.transport().len().min(self.capacity())
    }

    fn capacity(&self) -> usize {
        self.transport().capacity()
    }
}

impl<M, T> Channel<M, T> {
    fn close<E: Send + 'static>(&self)
    where
        T: Transport<E>,
    {
        // ORDER MATTERS: the writer that wakes must find the flag.
        self.front.gate.close();
        self.transport.wake();
    }
}

impl<M: StateMachine, T: Transport<EnvelopeOf<M>>> Control<M> for Arc<Channel<M, T>> {
    fn front(&self) -> &Front {
        &self.front
    }

    fn close(&self) {
        Channel::close(self);
    }

    fn abort(&self) {
        self.front.gate.abort();
        self.transport.wake();
    }

    fn join(&self, deadline: Option<Instant>) -> Option<Ended<M>> {
        self.exit.wait(deadline)
    }

    fn forget(&self) {
        self.exit.forget();
    }
}

impl<M: StateMachine, T: Transport<EnvelopeOf<M>>> Drop for Handle<M, T> {
    fn drop(&mut self) {
        Channel::close(&self.channel);
    }
}

impl<M: StateMachine, T: Transport<EnvelopeOf<M>>> Clone for ChannelQueue<M, T> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

impl<M: StateMachine, T: Transport<EnvelopeOf<M>>> fmt::Debug for ChannelQueue<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelQueue")
            .field("depth", &self.depth())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
