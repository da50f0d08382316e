//! The Singular Update Queue over flume's bounded channel.
//!
//! - **Transport:** `flume::bounded`: a deque and a list of waiting senders under one mutex.
//! - **Waiting for room:** flume's own list, first come, first served, for async and blocking callers alike. The receiver
//!   takes a waiting sender's item itself, so a sender that nobody polls holds nobody up.
//! - **The writer** is a std thread, parked in `recv` while the queue is empty.
//! - **Close and death:** the queue's gate refuses callers and wakes the waiting ones; a token in the channel wakes an
//!   idle writer; the writer drains what is left, because the channel itself would keep it as long as a handle lives.
//!   An item of a sender that gave up may still arrive; its claim fails.
//! - **Cost per update:** the mutex twice, one slot of 8 bytes, one allocation for the update itself, one more for each
//!   wait for room.

#![forbid(unsafe_code)]

use std::fmt;

use flume::{Receiver, Sender, TrySendError, bounded};
use update_queue::{ChannelQueue, EnvelopeOf, Options, Source, StateMachine, Strategy, Transport, Writer};

/// The strategy; see the crate's page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flume;

impl Strategy for Flume {
    const NAME: &'static str = "flume";

    type Queue<M: StateMachine> = ChannelQueue<M, Sending<EnvelopeOf<M>>>;

    fn start<M: StateMachine>(machine: M, options: Options) -> (Self::Queue<M>, Writer<M>) {
        ChannelQueue::start(machine, options, |capacity| {
            let (sender, receiver) = bounded(capacity);
            (Sending { sender }, Receiving { receiver })
        })
    }
}

/// An envelope, or `None`: the token that wakes the writer.
type Item<E> = Option<E>;

/// The callers' end.
pub struct Sending<E> {
    sender: Sender<Item<E>>,
}

impl<E: Send + 'static> Transport<E> for Sending<E> {
    fn try_push(&self, envelope: E) -> Result<(), E> {
        self.sender.try_send(Some(envelope)).map_err(|error| match error {
            TrySendError::Full(item) | TrySendError::Disconnected(item) => {
                item.expect("what comes back is what was sent")
            }
        })
    }

    async fn push(&self, envelope: E) -> bool {
        self.sender.send_async(Some(envelope)).await.is_ok()
    }

    fn wake(&self) {
        // A full channel needs no token: the writer is awake, or about to be.
        let _ = self.sender.try_send(None);
    }

    fn len(&self) -> usize {
        self.sender.len()
    }

    fn capacity(&self) -> usize {
        self.sender.capacity().expect("the channel is bounded")
    }
}

impl<E> fmt::Debug for Sending<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}

struct Receiving<E> {
    receiver: Receiver<Item<E>>,
}

impl<E: Send + 'static> Source<E> for Receiving<E> {
    fn try_pull(&mut self) -> Option<E> {
        loop {
            if let Some(envelope) = self.receiver.try_recv().ok()? {
                return Some(envelope);
            }
        }
    }

    fn pull(&mut self) -> Option<E> {
        self.receiver.recv().ok()?
    }
}
