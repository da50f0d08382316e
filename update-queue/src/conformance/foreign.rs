//! Item 26: panics of everything foreign but `apply`: commits, rollbacks, destructors, observers, wakers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use super::commit::refused_as_poisoned;
use super::panic::{ON_PURPOSE, blows_up};
use super::rig::{Rig, Seen, accepted, applied, failed, past};
use super::watch::watched;
use super::{Op, Verdict, Wakes};
use crate::{Observer, Options, Request, StateMachine, Strategy, Ticket, UpdateError, UpdateQueue, block_on};

/// Item 26: a panic in `commit` or in `rollback` leaves the machine in doubt.
pub fn item_26_a_panic_in_commit_or_rollback_poisons_the_queue<S: Strategy>() -> Verdict {
    watched(26, "a panic in `commit` or `rollback` poisons the queue, and everybody is answered", |at| {
        at.now("commit panics");
        let rig = restoring::<S>();
        rig.probe.script_commit(|| panic!("{ON_PURPOSE}"));
        let error = rig.call_failing(Op::new(0, 0))?;
        ensure!(matches!(error, UpdateError::CommitFailed(_)), "a commit panicked: {error:?}");
        poisoned(rig, ON_PURPOSE)?;
        at.now("rollback panics after a failed commit");
        let rig = restoring::<S>();
        rig.probe.script_commit(|| Err("the disk is full".into()));
        rig.probe.script_rollback(|| panic!("{ON_PURPOSE}"));
        let error = rig.call_failing(Op::new(0, 0))?;
        ensure!(matches!(error, UpdateError::CommitFailed(_)), "a rollback panicked: {error:?}");
        poisoned(rig, "the disk is full")?;
        at.now("rollback panics after a panic in apply");
        let rig = restoring::<S>();
        rig.probe.script_rollback(|| panic!("a second time"));
        let error = rig.call_failing(blows_up(0, 0))?;
        ensure!(matches!(error, UpdateError::Panicked(_)), "a rollback panicked: {error:?}");
        poisoned(rig, ON_PURPOSE)
    })
}

fn restoring<S: Strategy>() -> Rig<S, true> {
    let rig = Rig::holding(8);
    rig.probe.restores();
    rig
}

fn poisoned<S: Strategy>(rig: Rig<S, true>, why: &str) -> Seen<()> {
    refused_as_poisoned(rig.queue.try_submit(Op::new(2, 0)), why)?;
    rig.shutdown_poisoned().map(drop)
}

/// Panics when it is dropped, unless it is disarmed.
#[derive(Debug)]
struct Grenade(bool);

impl Drop for Grenade {
    fn drop(&mut self) {
        assert!(!self.0 || thread::panicking(), "{ON_PURPOSE}");
    }
}

/// Returns its update as its output.
struct Echo<const GROUP: bool> {
    commits_fail: bool,
}

impl<const GROUP: bool> StateMachine for Echo<GROUP> {
    type Update = Grenade;
    type Output = Grenade;

    const GROUP_COMMIT: bool = GROUP;

    fn apply(&mut self, update: Grenade) -> Grenade {
        update
    }

    fn commit(&mut self) -> Result<(), crate::BoxError> {
        if std::mem::take(&mut self.commits_fail) { Err("the disk is full".into()) } else { Ok(()) }
    }

    fn rollback(&mut self) -> crate::Rollback {
        crate::Rollback::Restored
    }
}

/// Item 26: destructors of skipped updates and of outputs that nobody takes may panic.
pub fn item_26_a_panic_in_a_destructor_changes_nothing<S: Strategy>() -> Verdict {
    watched(26, "a panic in a destructor of an update or an output changes nothing", |at| {
        let (queue, writer) = S::start(Echo::<true> { commits_fail: true }, Options::default().capacity(8));
        at.now("outputs of a batch that is undone");
        let error = failed(accepted(queue.submit_blocking(Grenade(true)))?.wait().map(disarm))?;
        ensure!(matches!(error, UpdateError::RolledBack(_)), "the outcome is {error:?}");
        at.now("an update that expires");
        let late = accepted(queue.try_submit(Request::new(Grenade(true)).start_by(past())))?;
        let error = failed(late.wait().map(disarm))?;
        ensure!(matches!(error, UpdateError::Expired), "the outcome is {error:?}");
        if queue.capacity() > 0 {
            at.now("outputs that nobody takes");
            for _ in 0..3 {
                accepted(queue.submit_blocking(Grenade(true)))?.detach();
            }
        }
        at.now("the queue goes on");
        applied(accepted(queue.submit_blocking(Grenade(false)))?.wait())?;
        at.now("updates that an abort leaves");
        if queue.capacity() > 0 {
            writer.abort();
            let _raced = queue.try_submit(Grenade(false));
        }
        writer.shutdown().map(drop).map_err(|error| format!("shutdown failed: {error}"))
    })
}

fn disarm(mut applied: crate::Applied<Grenade>) -> crate::Applied<Grenade> {
    applied.output.0 = false;
    applied
}

/// Panics at its second event.
#[derive(Default)]
struct Nervous(AtomicUsize);

impl Nervous {
    fn event(&self) {
        assert!(self.0.fetch_add(1, Ordering::SeqCst) != 1, "{ON_PURPOSE}");
    }
}

impl Observer for Nervous {
    fn on_submit(&self, _depth: usize) {
        self.event();
    }

    fn on_start(&self, _waited: Duration) {
        self.event();
    }

    fn on_complete(&self, _since: Duration, _error: Option<&UpdateError>, _role: crate::Role) {
        self.event();
    }
}

/// Item 26: an observer that panics is not called again; updates do not notice.
pub fn item_26_a_panic_in_the_observer_switches_it_off<S: Strategy>() -> Verdict {
    watched(26, "a panic in the observer switches it off and changes nothing else", |at| {
        let observer = Arc::new(Nervous::default());
        let rig =
            Rig::<S, true>::start(Options::default().observer(Arc::clone(&observer) as Arc<dyn Observer>));
        for number in 0..10 {
            at.round("updates pass a broken observer", number);
            let done = rig.call(Op::new(0, number))?;
            ensure!(done.seq == number as u64 + 1, "update {number} got seq {}", done.seq);
        }
        let calls = observer.0.load(Ordering::SeqCst);
        // A caller and the writer may both be in an event when one of them panics.
        ensure!(
            (2..=4).contains(&calls),
            "an observer that panicked at its second event was called {calls} times"
        );
        rig.shutdown().map(drop)
    })
}

/// A waker that panics when it is used.
struct Explosive;

impl Wake for Explosive {
    fn wake(self: Arc<Self>) {
        panic!("{ON_PURPOSE}");
    }
}

fn poll_explosively<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::new(Explosive))))
}

/// Item 26: the waker of a ticket may panic.
pub fn item_26_a_panic_in_a_waker_changes_nothing<S: Strategy>() -> Verdict {
    watched(26, "a panic in a ticket's waker changes nothing", |at| {
        let rig = Rig::<S, true>::holding(8);
        if !rig.has_queue("tickets with wakers that panic") {
            return Ok(());
        }
        at.now("the first of three tickets has a waker that panics");
        let stall = rig.stall();
        let mut tickets = (0..3)
            .map(|number| accepted(rig.queue.try_submit(Op::new(0, number))))
            .collect::<Seen<Vec<_>>>()?;
        ensure!(poll_explosively(Pin::new(&mut tickets[0])).is_pending(), "a queued update had an outcome");
        stall.release()?;
        tickets.into_iter().try_for_each(|ticket| applied(ticket.wait()).map(drop))?;
        at.now("an update with such a ticket expires");
        let stall = rig.stall();
        let late = Request::new(Op::new(0, 3)).start_by(past());
        let mut late = accepted(rig.queue.try_submit(late))?;
        ensure!(poll_explosively(Pin::new(&mut late)).is_pending(), "a queued update had an outcome");
        stall.release()?;
        failed(late.wait())?;
        rig.call(Op::new(0, 4))?;
        rig.shutdown().map(drop)
    })
}

/// Item 26: the waker of a caller that waits for room may panic: neither the writer nor other callers are harmed.
pub fn item_26_a_panic_in_the_waker_of_a_caller_waiting_for_room_changes_nothing<S: Strategy>() -> Verdict {
    watched(26, "a panic in the waker of a caller that waits for room changes nothing", |at| {
        let rig = Rig::<S, false>::holding(1);
        if !rig.has_queue("callers that wait for room") {
            return Ok(());
        }
        at.now("the first of two waiting callers has a waker that panics");
        let stall = rig.stall();
        rig.fill(0)?.0.into_iter().for_each(Ticket::detach);
        let mut first = Box::pin(rig.queue.submit(Op::new(1, 0)));
        let mut second = Box::pin(rig.queue.submit(Op::new(2, 0)));
        let wakes = Wakes::new();
        ensure!(poll_explosively(first.as_mut()).is_pending(), "a submit to a full queue did not wait");
        ensure!(wakes.poll(&mut second).is_pending(), "a submit to a full queue did not wait");
        stall.release()?;
        at.now("both get in");
        // The first caller's task died with its waker; somebody else polls it again.
        let first = accepted(block_on(first))?;
        applied(first.wait())?;
        applied(accepted(wakes.drive(&mut second))?.wait())?;
        drop(second);
        rig.call(Op::new(3, 0))?;
        rig.shutdown().map(drop)
    })
}
