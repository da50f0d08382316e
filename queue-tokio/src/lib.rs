//! The Singular Update Queue over tokio's bounded mpsc channel.
//!
//! - **Transport:** `tokio::sync::mpsc`, bounded: a list of blocks of 32 slots, its capacity a semaphore.
//! - **Waiting for room:** the semaphore's queue, strictly first come, first served, for async and blocking callers alike.
//!   LIMIT: a place that comes free is kept for the first pending `submit` or `call` in line until that future is polled
//!   or dropped. As many of them as there are places, whatever the capacity, stall all other callers if they are neither:
//!   a `submit` stays pending, a `submit_blocking` keeps its thread, a `try_submit` finds the queue full.
//! - **The writer** is a std thread, parked while the queue is empty, so a slow update never holds a runtime's worker.
//!   No runtime is needed on either side.
//! - **Close and death:** the queue's gate refuses callers and wakes the waiting ones; the writer drains what is left.
//! - **Cost per update:** one semaphore permit, one slot of 8 bytes, one allocation for the update itself. The channel
//!   keeps up to three spare blocks after a burst.

#![forbid(unsafe_code)]

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;
use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};
use tokio::task::coop;
use update_queue::{
    ChannelQueue, EnvelopeOf, Options, Source, StateMachine, Strategy, Transport, Writer, block_on,
};

/// The strategy; see the crate's page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl Strategy for Tokio {
    const NAME: &'static str = "tokio";

    type Queue<M: StateMachine> = ChannelQueue<M, Sending<EnvelopeOf<M>>>;

    fn start<M: StateMachine>(machine: M, options: Options) -> (Self::Queue<M>, Writer<M>) {
        ChannelQueue::start(machine, options, |capacity| {
            let (sender, receiver) = mpsc::channel(capacity);
            let wake = Arc::new(Notify::new());
            (Sending { sender, wake: Arc::clone(&wake) }, Receiving { receiver, wake })
        })
    }
}

/// The callers' end.
pub struct Sending<E> {
    sender: Sender<E>,
    wake: Arc<Notify>,
}

impl<E: Send + 'static> Transport<E> for Sending<E> {
    fn try_push(&self, envelope: E) -> Result<(), E> {
        self.sender.try_send(envelope).map_err(|error| match error {
            TrySendError::Full(envelope) | TrySendError::Closed(envelope) => envelope,
        })
    }

    fn push(&self, envelope: E) -> impl Future<Output = bool> + Send {
        // Outside tokio's cooperative budget: a blocking caller on a runtime's worker would spend the budget, be told
        // "pending", and have its wake-up put off until the worker yields, which it cannot while it is blocked.
        coop::unconstrained(async move {
            match self.sender.reserve().await {
                Ok(permit) => {
                    permit.send(envelope);
                    true
                }
                Err(_closed) => false,
            }
        })
    }

    fn wake(&self) {
        self.wake.notify_one();
    }

    fn len(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    fn capacity(&self) -> usize {
        self.sender.max_capacity()
    }
}

impl<E> fmt::Debug for Sending<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}

struct Receiving<E> {
    receiver: Receiver<E>,
    wake: Arc<Notify>,
}

impl<E: Send + 'static> Source<E> for Receiving<E> {
    fn try_pull(&mut self) -> Option<E> {
        // Not `try_recv`: it parks this thread while the next sender has taken its slot and not filled it yet, which cost
        // 15 % of the updates per second of 256 tasks. The waker that is left here is replaced by the next `pull`.
        match self.receiver.poll_recv(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(envelope) => envelope,
            Poll::Pending => None,
        }
    }

    fn pull_rest(&mut self) -> Option<E> {
        self.receiver.try_recv().ok()
    }

    fn pull(&mut self) -> Option<E> {
        let mut woken = pin!(self.wake.notified());
        block_on(poll_fn(|cx| match self.receiver.poll_recv(cx) {
            Poll::Pending => woken.as_mut().poll(cx).map(|()| None),
            ready => ready,
        }))
    }
}
