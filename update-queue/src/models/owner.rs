//! The machine after its owner is gone: dropped once the queue has ended, even if it holds a handle of its own queue.

use std::sync::Arc;

use super::locks::StubLock;
use super::parking::Signal;
use super::{explore_up_to, stub};
use crate::sync::thread;
use crate::{
    ChannelQueue, EnvelopeOf, LockedEngine, LockedQueue, Options, StateMachine, UpdateQueue, Writer, block_on,
};

/// A machine that keeps the last update, and says when it is dropped.
struct Keeper<K: Send + 'static> {
    kept: Option<K>,
    dropped: Arc<Signal>,
}

impl<K: Send + 'static> StateMachine for Keeper<K> {
    type Update = K;
    type Output = ();

    fn apply(&mut self, update: K) {
        self.kept = Some(update);
    }
}

impl<K: Send + 'static> Drop for Keeper<K> {
    fn drop(&mut self) {
        self.dropped.give();
    }
}

/// A handle of the queue over a machine that keeps such handles: what a machine holds that submits follow-ups.
struct Channel(#[allow(dead_code, reason = "held, as a machine that submits follow-ups does")] ChannelHandle);
type ChannelHandle = ChannelQueue<Keeper<Channel>, stub::Sending<EnvelopeOf<Keeper<Channel>>>>;

struct Locked(#[allow(dead_code, reason = "held, as a machine that submits follow-ups does")] LockedHandle);
type LockedHandle = LockedQueue<Keeper<Locked>, StubLock<Option<LockedEngine<Keeper<Locked>>>>>;

type Start<K, Q> = fn(Keeper<K>) -> (Q, Writer<Keeper<K>>);

/// The owner leaves while a caller hands the machine a handle of its own queue.
fn the_owner_leaves<K: Send + 'static, Q: UpdateQueue<Machine = Keeper<K>>>(
    start: Start<K, Q>,
    keep: fn(Q) -> K,
) {
    explore_up_to(3, move || {
        let dropped = Arc::new(Signal::default());
        let (queue, writer) = start(Keeper { kept: None, dropped: Arc::clone(&dropped) });
        let caller = thread::spawn(move || {
            let _ = queue.call_blocking(keep(queue.clone()));
            queue
        });
        drop(writer);
        let queue = caller.join().expect("the caller ends");
        // Although a handle is still there.
        block_on(dropped.given());
        drop(queue);
    });
}

#[test]
fn a_writer_dropped_by_its_owner_drops_the_machine_in_the_end() {
    the_owner_leaves::<Channel, ChannelHandle>(
        |machine| ChannelQueue::start(machine, Options::default(), stub::open),
        Channel,
    );
}

#[test]
fn a_lock_whose_owner_leaves_drops_the_machine_in_the_end() {
    the_owner_leaves::<Locked, LockedHandle>(
        |machine| LockedQueue::start(machine, Options::default()),
        Locked,
    );
}
