//! Item 35: what an observer is told adds up.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::rig::{Rig, Seen, accepted, applied, crowd, failed, past};
use super::watch::watched;
use super::{Op, Verdict, Wakes, size};
use crate::{
    Cancel, Observer, Options, Refused, Request, Role, Skipped, Strategy, SubmitError, UpdateError,
    UpdateQueue, block_on,
};

/// Counts every event.
#[derive(Default)]
struct Books {
    submitted: AtomicUsize,
    refused: Mutex<Vec<Refused>>,
    skipped: Mutex<Vec<Skipped>>,
    started: AtomicUsize,
    applied: AtomicUsize,
    committed: AtomicUsize,
    completed: AtomicUsize,
    failed: AtomicUsize,
    poisoned: AtomicUsize,
}

impl Observer for Books {
    fn on_submit(&self, _depth: usize) {
        self.submitted.fetch_add(1, Ordering::SeqCst);
    }

    fn on_refuse(&self, reason: Refused) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).push(reason);
    }

    fn on_skip(&self, reason: Skipped) {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).push(reason);
    }

    fn on_start(&self, _waited: Duration) {
        self.started.fetch_add(1, Ordering::SeqCst);
    }

    fn on_apply(&self, _took: Duration) {
        self.applied.fetch_add(1, Ordering::SeqCst);
    }

    fn on_commit(&self, updates: usize, _held: Duration, _took: Duration, ok: bool) {
        self.committed.fetch_add(if ok { updates } else { 0 }, Ordering::SeqCst);
    }

    fn on_complete(&self, _since: Duration, error: Option<&UpdateError>, _role: Role) {
        self.completed.fetch_add(1, Ordering::SeqCst);
        self.failed.fetch_add(error.is_some().into(), Ordering::SeqCst);
    }

    fn on_poison(&self, _cause: &str) {
        self.poisoned.fetch_add(1, Ordering::SeqCst);
    }
}

impl Books {
    fn refused(&self) -> Vec<Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn skipped(&self) -> Vec<Skipped> {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// After a drain: offered = submitted + refused, submitted = completed + skipped.
    fn balance(&self, offered: usize, case: &str) -> Seen<()> {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        let (submitted, refused, skipped) = (count(&self.submitted), self.refused(), self.skipped());
        ensure!(
            offered == submitted + refused.len(),
            "{case}: {offered} offered, {submitted} submitted, {refused:?}"
        );
        let completed = count(&self.completed);
        ensure!(
            submitted == completed + skipped.len(),
            "{case}: {submitted} submitted, {completed} completed, {skipped:?}"
        );
        let (started, applied) = (count(&self.started), count(&self.applied));
        ensure!(started == applied, "{case}: {started} started, {applied} applied or panicked");
        Ok(())
    }
}

fn observed<S: Strategy, const GROUP: bool>(capacity: usize) -> (Rig<S, GROUP>, Arc<Books>) {
    let books = Arc::new(Books::default());
    let observer = Arc::clone(&books) as Arc<dyn Observer>;
    (Rig::start(Options::default().capacity(capacity).observer(observer)), books)
}

/// Item 35: the observer hears of every fate once; after a drain its books balance.
pub fn item_35_the_observers_books_balance<S: Strategy>() -> Verdict {
    watched(35, "after a drain, offered = submitted + refused and submitted = completed + skipped", |at| {
        at.now("updates are applied, refused, cancelled, expired and closed");
        books_of_every_fate::<S>()?;
        at.now("a pending submit is dropped");
        books_of_a_dropped_submit::<S>()?;
        at.now("an update panics with others queued");
        books_of_a_panic::<S>()?;
        at.now("callers submit until the queue is closed");
        books_of_a_race::<S>()
    })
}

fn books_of_every_fate<S: Strategy>() -> Seen<()> {
    let (rig, books) = observed::<S, true>(3);
    let stall = rig.stall();
    let (tickets, refused) = rig.fill(0)?;
    let queued = tickets.len();
    for (number, ticket) in tickets.into_iter().enumerate() {
        match number {
            0 => ensure!(matches!(ticket.cancel(), Cancel::Cancelled), "a queued update was not cancelled"),
            1 => drop(ticket),
            _ => ticket.detach(),
        }
    }
    stall.release()?;
    let late = accepted(rig.queue.submit_blocking(Request::new(refused).start_by(past())))?;
    failed(late.wait())?;
    rig.call(Op::new(1, 0))?;
    rig.queue.close();
    drop(block_on(rig.queue.submit(Op::new(1, 1))));
    rig.shutdown()?;
    // The stalled one, those queued, the full one, the late one, a good one, one too late.
    books.balance(1 + queued + 1 + 1 + 1 + 1, "every fate")?;
    ensure!(books.refused() == [Refused::Full, Refused::Closed], "refused were {:?}", books.refused());
    let cancelled = if queued == 0 { vec![] } else { vec![Skipped::Cancelled; 2] };
    let skipped = [cancelled, vec![Skipped::Expired]].concat();
    ensure!(books.skipped() == skipped, "skipped were {:?}", books.skipped());
    let (applied, committed) = (books.applied.load(Ordering::SeqCst), books.committed.load(Ordering::SeqCst));
    ensure!(applied == committed, "{applied} applied, {committed} committed");
    Ok(())
}

fn books_of_a_dropped_submit<S: Strategy>() -> Seen<()> {
    let (rig, books) = observed::<S, false>(1);
    if !rig.has_queue("pending submits that are dropped") {
        return Ok(());
    }
    let stall = rig.stall();
    let (tickets, _refused) = rig.fill(0)?;
    {
        let mut dropped = pin!(rig.queue.submit(Op::new(1, 0)));
        ensure!(Wakes::new().poll(&mut dropped).is_pending(), "a submit to a full queue did not wait");
    }
    stall.release()?;
    tickets.into_iter().try_for_each(|ticket| applied(ticket.wait()).map(drop))?;
    rig.shutdown()?;
    // A submit that was dropped before it was decided is in nobody's books: stalled, queued, full.
    books.balance(3, "a dropped pending submit")
}

fn books_of_a_panic<S: Strategy>() -> Seen<()> {
    let (rig, books) = observed::<S, true>(4);
    let stall = rig.stall_then(|| panic!("on purpose"));
    let (tickets, _refused) = rig.fill(0)?;
    let queued = tickets.len();
    stall.open();
    tickets.into_iter().try_for_each(|ticket| failed(ticket.wait()).map(drop))?;
    let _panicked = stall.release();
    let refused = rig.queue.try_submit(Op::new(2, 0));
    ensure!(matches!(refused, Err(SubmitError::Poisoned { .. })), "a poisoned queue answered {refused:?}");
    rig.shutdown_poisoned()?;
    books.balance(1 + queued + 1 + 1, "a panic")?;
    ensure!(books.skipped() == vec![Skipped::Closed; queued], "skipped were {:?}", books.skipped());
    let poisoned = books.poisoned.load(Ordering::SeqCst);
    ensure!(poisoned == 1, "on_poison was called {poisoned} times");
    Ok(())
}

fn books_of_a_race<S: Strategy>() -> Seen<()> {
    let (rig, books) = observed::<S, false>(2);
    let offered = AtomicUsize::new(0);
    let closing = rig.queue.clone();
    crowd(3, |caller| {
        for number in 0.. {
            if caller == 0 && number == size(2_500) {
                closing.close();
            }
            offered.fetch_add(1, Ordering::SeqCst);
            let submitted = match number % 3 {
                0 => rig.queue.try_submit(Op::new(caller, number)),
                1 => rig.queue.submit_blocking(Op::new(caller, number)),
                _ => block_on(rig.queue.submit(Op::new(caller, number))),
            };
            match submitted {
                Ok(ticket) if number % 2 == 0 => drop(ticket),
                Ok(ticket) => ticket.detach(),
                Err(error) if error.is_final() => break,
                Err(_) => {}
            }
        }
        Ok(())
    })?;
    rig.shutdown()?;
    books.balance(offered.load(Ordering::SeqCst), "a race with close")
}
