//! Whether a queue takes updates, and who must hear that it no longer does.
//!
//! One word of flags that only ever gain bits, plus the callers that wait for room. The gate is what makes "accepted means
//! answered" independent of the transport: a submit pushes and *then* looks for `DEAD`, a dying writer sets `DEAD` and
//! *then* drains, so at least one of them settles the update.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::contain::contain;
use crate::sync::{AtomicU8, Mutex, Ordering, fence, lock};

/// No more submits; what is accepted is still applied.
const CLOSED: u8 = 1;
/// No more claims; what is queued is answered `Closed`.
const ABORTED: u8 = 2;
/// The machine is in doubt; the cause says why.
const POISONED: u8 = 4;
/// The writer has ended, or never started.
const DEAD: u8 = 8;

#[derive(Default)]
pub(crate) struct Gate {
    flags: AtomicU8,
    cause: Mutex<Option<Arc<str>>>,
    waiting: Mutex<Waiting>,
}

/// Why a gate lets no update in.
pub(crate) enum Shut {
    Closed,
    Poisoned(Arc<str>),
}

impl Gate {
    /// Why nothing gets in, or `None` while the queue is open.
    #[inline]
    pub(crate) fn shut(&self) -> Option<Shut> {
        if self.is_closed() { Some(self.why_shut()) } else { None }
    }

    #[cold]
    fn why_shut(&self) -> Shut {
        if self.is_poisoned() {
            Shut::Poisoned(self.cause().unwrap_or_else(|| "unknown".into()))
        } else {
            Shut::Closed
        }
    }

    pub(crate) fn cause(&self) -> Option<Arc<str>> {
        lock(&self.cause).clone()
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.flags() != 0
    }

    #[inline]
    pub(crate) fn is_poisoned(&self) -> bool {
        self.flags() & POISONED != 0
    }

    /// Whether the writer must not claim any more.
    #[inline]
    pub(crate) fn claims_stopped(&self) -> bool {
        self.flags() & (ABORTED | POISONED) != 0
    }

    pub(crate) fn close(&self) {
        self.raise(CLOSED);
    }

    pub(crate) fn abort(&self) {
        self.raise(CLOSED | ABORTED);
    }

    /// Keeps the cause and refuses everything from now on; the first cause stays.
    pub(crate) fn poison(&self, cause: &Arc<str>) {
        // ORDER MATTERS: the cause is there before the flag, and the flag before anybody is answered, so that a caller
        // who submits again after an error is told why.
        lock(&self.cause).get_or_insert_with(|| Arc::clone(cause));
        self.raise(POISONED);
    }

    /// The writer is about to drain for the last time.
    pub(crate) fn mark_dead(&self) {
        self.raise(DEAD);
        // ORDERING: pairs with the fence in `died_since_push`; see there.
        fence(Ordering::SeqCst);
    }

    /// After a push: whether the writer may have drained without seeing it.
    #[inline]
    pub(crate) fn died_since_push(&self) -> bool {
        // ORDERING: pairs with the fence in `mark_dead`. We push, fence, look at the flags; the dying writer raises DEAD,
        // fences, drains. With both fences at least one side sees the other; with Acquire and Release alone both could
        // miss (store buffering), and this caller would wait for ever.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed: the fence above orders it.
        self.flags.load(Ordering::Relaxed) & DEAD != 0
    }

    #[inline]
    fn flags(&self) -> u8 {
        // ORDERING: pairs with the `fetch_or` in `raise`: whoever sees a flag sees what was done before it.
        self.flags.load(Ordering::Acquire)
    }

    fn raise(&self, flags: u8) {
        // ORDERING: Release for `flags()`; the lock in `wake_all` orders it against `Open::poll`.
        self.flags.fetch_or(flags, Ordering::AcqRel);
        self.wake_all();
    }

    fn wake_all(&self) {
        let woken = std::mem::take(&mut lock(&self.waiting).wakers);
        for waker in woken.into_values() {
            contain(|| waker.wake());
        }
    }

    /// Waits for `inner`, but not longer than the queue is open.
    pub(crate) fn while_open<'a, F: Future>(&'a self, inner: Pin<&'a mut F>) -> WhileOpen<'a, F> {
        WhileOpen { gate: self, key: None, inner }
    }
}

/// The callers that wait for room, so that closing reaches them whatever the transport does.
#[derive(Default)]
struct Waiting {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

/// See [`Gate::while_open`]. `None` if the gate shut first.
pub(crate) struct WhileOpen<'a, F> {
    gate: &'a Gate,
    key: Option<u64>,
    inner: Pin<&'a mut F>,
}

impl<F> WhileOpen<'_, F> {
    /// Leaves this caller's waker with the gate, in place of the one before.
    fn register(&mut self, waker: &Waker) {
        let fresh = waker.clone();
        let mut waiting = lock(&self.gate.waiting);
        let key = *self.key.get_or_insert_with(|| {
            waiting.next += 1;
            waiting.next
        });
        let replaced = waiting.wakers.insert(key, fresh);
        drop(waiting);
        drop(replaced);
    }
}

impl<F: Future> Future for WhileOpen<'_, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Poll::Ready(output) = this.inner.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        this.register(cx.waker());
        // After registering: a gate that shuts from here on finds the waker, one that shut before is seen now.
        if this.gate.is_closed() { Poll::Ready(None) } else { Poll::Pending }
    }
}

impl<F> Drop for WhileOpen<'_, F> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = lock(&self.gate.waiting).wakers.remove(&key);
            drop(waker);
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;

    use super::*;

    fn poison(gate: &Gate) {
        gate.poison(&"the disk is gone".into());
    }

    #[test]
    fn each_end_refuses_submits_and_says_whether_claims_go_on() {
        type Row = (&'static str, &'static [fn(&Gate)], bool, bool);
        // (name, ends, refused as poisoned, claims stopped)
        let table: [Row; 6] = [
            ("close", &[Gate::close], false, false),
            ("close twice", &[Gate::close, Gate::close], false, false),
            ("abort", &[Gate::abort], false, true),
            ("death", &[Gate::mark_dead], false, false),
            ("poison", &[poison], true, true),
            ("poison after the close", &[Gate::close, poison, Gate::mark_dead], true, true),
        ];
        for (name, ends, poisoned, stopped) in table {
            let gate = Gate::default();
            assert!(gate.shut().is_none(), "{name}: shut before");
            ends.iter().for_each(|end| end(&gate));
            match gate.shut() {
                Some(Shut::Poisoned(cause)) => assert!(poisoned && &*cause == "the disk is gone", "{name}"),
                Some(Shut::Closed) => assert!(!poisoned, "{name}"),
                None => panic!("{name}: open"),
            }
            assert_eq!(gate.claims_stopped(), stopped, "{name}");
        }
    }

    #[test]
    fn the_first_cause_of_a_poisoning_stays() {
        let gate = Gate::default();
        poison(&gate);
        gate.poison(&"something later".into());
        assert_eq!(gate.cause().as_deref(), Some("the disk is gone"));
    }

    #[test]
    fn a_wait_that_is_over_at_once_is_over_even_if_the_gate_is_shut() {
        let gate = Gate::default();
        gate.close();
        assert_eq!(crate::block_on(gate.while_open(pin!(ready(7)))), Some(7));
        assert_eq!(crate::block_on(gate.while_open(pin!(pending::<u32>()))), None);
        assert!(lock(&gate.waiting).wakers.is_empty(), "a waiter is still registered");
    }
}
