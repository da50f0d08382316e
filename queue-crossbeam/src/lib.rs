//! The Singular Update Queue over crossbeam's bounded channel.
//!
//! - **Transport:** `crossbeam_channel::bounded`: a ring of slots with a stamp each, after Dmitry Vyukov's bounded
//!   multi-producer queue. All slots are reserved at the start.
//! - **Waiting for room:** an event count (`event-listener`) for async and blocking callers alike, never polling: try,
//!   listen, try again, wait. Callers are woken in order and then race with newcomers.
//!   LIMIT: a newcomer may take the place that a woken caller was woken for; under steady overload shares are uneven.
//! - **The writer** is a std thread, parked in `recv` while the queue is empty.
//! - **Close and death:** the queue's gate refuses callers and wakes the waiting ones; a token in the channel wakes an
//!   idle writer; the writer drains what is left, because the channel itself would keep it as long as a handle lives.
//! - **Cost per update:** one compare-and-swap on the ring, one slot of 16 bytes, one allocation for the update itself.

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use event_listener::{Event, IntoNotification};
use update_queue::{ChannelQueue, EnvelopeOf, Options, Source, StateMachine, Strategy, Transport, Writer};

/// The strategy; see the crate's page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crossbeam;

impl Strategy for Crossbeam {
    const NAME: &'static str = "crossbeam";

    type Queue<M: StateMachine> = ChannelQueue<M, Sending<EnvelopeOf<M>>>;

    fn start<M: StateMachine>(machine: M, options: Options) -> (Self::Queue<M>, Writer<M>) {
        ChannelQueue::start(machine, options, |capacity| {
            let (sender, receiver) = bounded(capacity);
            let room = Arc::new(Room::default());
            (Sending { sender, room: Arc::clone(&room) }, Receiving { receiver, room })
        })
    }
}

/// An envelope, or `None`: the token that wakes the writer.
type Item<E> = Option<E>;

/// The callers' end.
pub struct Sending<E> {
    sender: Sender<Item<E>>,
    room: Arc<Room>,
}

/// Who waits for room.
#[derive(Default)]
struct Room {
    freed: Event,
    /// How many wait. The event would tell as well, but only under its lock, and the writer asks after every update.
    waiting: AtomicUsize,
}

impl Room {
    /// After `places` came free: lets as many more of those who wait try.
    fn free(&self, places: usize) {
        // ORDERING: pairs with the fence in `Waiting::new`. The writer takes an item, fences, looks for callers; a caller
        // counts itself, fences, looks for room. At least one sees the other.
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.freed.notify(places.additional());
        }
    }
}

/// Counts a caller for as long as it waits.
struct Waiting<'a>(&'a Room);

impl<'a> Waiting<'a> {
    fn new(room: &'a Room) -> Self {
        // ORDERING: Relaxed: the fences here and in `Room::free` order it.
        room.waiting.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        Self(room)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // ORDERING: Relaxed: counted too long costs one needless notification.
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How one try to push ended.
enum Tried<E> {
    Pushed,
    Full(E),
    Gone(E),
}

impl<E> Sending<E> {
    fn attempt(&self, envelope: E) -> Tried<E> {
        match self.sender.try_send(Some(envelope)) {
            Ok(()) => Tried::Pushed,
            Err(TrySendError::Full(item)) => Tried::Full(item.expect("what comes back is what was sent")),
            Err(TrySendError::Disconnected(item)) => {
                Tried::Gone(item.expect("what comes back is what was sent"))
            }
        }
    }
}

impl<E: Send + 'static> Transport<E> for Sending<E> {
    fn try_push(&self, envelope: E) -> Result<(), E> {
        match self.attempt(envelope) {
            Tried::Pushed => Ok(()),
            Tried::Full(envelope) | Tried::Gone(envelope) => Err(envelope),
        }
    }

    async fn push(&self, mut envelope: E) -> bool {
        let _waiting = Waiting::new(&self.room);
        loop {
            // ORDER MATTERS: listen, then look again: a place that came free in between has nobody else to tell.
            let room = self.room.freed.listen();
            envelope = match self.attempt(envelope) {
                Tried::Pushed => return true,
                Tried::Full(envelope) => envelope,
                Tried::Gone(_) => return false,
            };
            room.await;
        }
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
    room: Arc<Room>,
}

impl<E: Send + 'static> Source<E> for Receiving<E> {
    fn try_pull(&mut self) -> Option<E> {
        loop {
            let item = self.receiver.try_recv().ok()?;
            self.room.free(1);
            if let Some(envelope) = item {
                return Some(envelope);
            }
        }
    }

    fn pull(&mut self) -> Option<E> {
        // The queue is empty: everyone who waits for room may try. This mends a wake-up that was spent on a future which
        // nobody polls any more.
        self.room.free(usize::MAX);
        let item = self.receiver.recv().ok()?;
        self.room.free(1);
        item
    }
}
