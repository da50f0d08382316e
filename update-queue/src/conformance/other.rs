//! Items 33 to 39: chaining, re-entrance, the observer's books, leaks, the smallest queue and unusual updates.

use std::cell::Cell;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::rig::{Rig, Seen, accepted, applied, crowd, failed, past};
use super::watch::{At, watched};
use super::{Journal, Op, Reply, Verdict, Wakes, size};
use crate::{
    CallError, Cancel, Observer, Options, Refused, Request, Role, ShutdownError, Skipped, StateMachine, Strategy,
    SubmitError, Ticket, UpdateError, UpdateQueue, Writer, block_on,
};

/// Item 33: an update may hand its follow-up to another thread, which submits it; also with a single place.
pub fn item_33_a_follow_up_handed_to_another_thread_does_not_deadlock<S: Strategy>() -> Verdict {
    watched(33, "a follow-up that `apply` hands to another thread is applied, also at capacity 1", |at| {
        let links = size(10_000);
        let rig = Rig::<S, false>::holding(1);
        let (follow_ups, to_submit) = mpsc::channel::<Sender<usize>>();
        let queue = rig.queue.clone();
        let helper = thread::spawn(move || {
            for (number, next) in to_submit.into_iter().enumerate() {
                accepted(queue.submit_blocking(link(number, next)))?.detach();
            }
            Ok::<(), String>(())
        });
        let (next, mut done) = mpsc::channel();
        let _ = follow_ups.send(next);
        for number in 0..links {
            at.round("an update causes the next", number);
            let applied = done.recv().map_err(|_| "the chain broke: an update was not applied")?;
            ensure!(applied == number, "link {applied} came in place of {number}");
            let (next, then) = mpsc::channel();
            let _ = follow_ups.send(next);
            done = then;
        }
        drop(follow_ups);
        helper.join().map_err(|_| "the submitting thread panicked")??;
        rig.shutdown().map(drop)
    })
}

/// An update that tells, from inside `apply`, that it runs.
fn link(number: usize, next: Sender<usize>) -> Op {
    Op::new(0, number).doing(move || {
        let _ = next.send(number);
    })
}

/// Item 34: what would wait for its own queue from inside `apply`, `commit` or `rollback` is refused, not a deadlock.
pub fn item_34_a_blocking_call_from_inside_the_machine_is_refused<S: Strategy>() -> Verdict {
    watched(34, "a blocking call from inside the machine is refused, and `try_submit` is not", |at| {
        at.now("apply calls its own queue");
        let rig = Rig::<S, true>::holding(4);
        let (told, heard) = mpsc::channel();
        let queue = rig.queue.clone();
        let inside = Op::new(0, 0).doing(move || drop(told.send(calls_from_inside(&queue))));
        applied(accepted(rig.queue.submit_blocking(inside))?.wait())?;
        heard.recv().map_err(|_| "the update did not run")??;
        at.now("commit and rollback call their own queue");
        calls_from_commit(&rig)?;
        let machine = rig.shutdown()?;
        let (chained, refused) = (machine.numbers_of(7), machine.numbers_of(8));
        ensure!(refused.is_empty(), "updates that were refused ran: {refused:?}");
        ensure!(chained.len() <= 1, "a chained update ran {} times", chained.len());
        at.now("apply waits for its own ticket");
        waits_for_itself::<S>()?;
        at.now("a submit that waits for room is polled inside the machine");
        moves_inside::<S>()?;
        at.now("apply shuts its own queue down");
        shuts_itself_down::<S>()
    })
}

fn calls_from_inside<Q: UpdateQueue<Machine = Journal<true>>>(queue: &Q) -> Seen<()> {
    reentrant(queue.submit_blocking(Op::new(8, 0)))?;
    reentrant(block_on(queue.submit(Op::new(8, 0))))?;
    reentrant(block_on(async { block_on(queue.submit(Op::new(8, 0))) }))?;
    match (queue.call_blocking(Op::new(8, 0)), block_on(queue.call(Op::new(8, 0)))) {
        (Err(CallError::Refused(first)), Err(CallError::Refused(second))) => {
            reentrant(Err(first))?;
            reentrant(Err(second))?;
        }
        other => return Err(format!("calls from inside the machine got {other:?}")),
    }
    match (queue.try_submit(Op::new(7, 0)), queue.capacity()) {
        (Ok(ticket), 1..) => ticket.detach(),
        (Err(SubmitError::Full { .. }), 0) => {}
        (other, _) => return Err(format!("try_submit from inside the machine got {other:?}")),
    }
    Ok(())
}

fn reentrant(submitted: Result<Ticket<Reply>, SubmitError<Op>>) -> Seen<()> {
    match submitted {
        Err(SubmitError::Reentrant { update }) if update.tag.caller == 8 => Ok(()),
        other => Err(format!("a blocking submit from inside the machine got {other:?}")),
    }
}

fn calls_from_commit<S: Strategy>(rig: &Rig<S, true>) -> Seen<()> {
    rig.probe.restores();
    let (told, heard) = mpsc::channel();
    let (queue, tell) = (rig.queue.clone(), told.clone());
    rig.probe.script_commit(move || {
        let _ = tell.send(reentrant(queue.submit_blocking(Op::new(8, 1))));
        Err("undo this".into())
    });
    let queue = rig.queue.clone();
    rig.probe.script_rollback(move || drop(told.send(reentrant(queue.submit_blocking(Op::new(8, 2))))));
    failed(accepted(rig.queue.submit_blocking(Op::new(0, 1)))?.wait())?;
    heard.into_iter().take(2).collect::<Seen<Vec<()>>>().map(drop)
}

fn waits_for_itself<S: Strategy>() -> Seen<()> {
    let rig = Rig::<S, false>::holding(4);
    if !rig.has_queue("an update that waits for a later one of its own queue") {
        return Ok(());
    }
    let queue = rig.queue.clone();
    let inside = Op::new(0, 0).doing(move || {
        if let Ok(ticket) = queue.try_submit(Op::new(0, 1)) {
            let _never = ticket.wait();
        }
    });
    let error = failed(accepted(rig.queue.submit_blocking(inside))?.wait())?;
    ensure!(matches!(error, UpdateError::Panicked(_)), "an update that waits for a later one got {error:?}");
    Ok(())
}

fn moves_inside<S: Strategy>() -> Seen<()> {
    let rig = Rig::<S, false>::holding(1);
    if !rig.has_queue("a submit that is first polled outside the machine and then inside") {
        return Ok(());
    }
    let (told, heard) = mpsc::channel();
    let (give, take) = mpsc::channel::<std::pin::Pin<Box<dyn Future<Output = Seen<()>> + Send>>>();
    let stall = rig.stall_then(move || {
        if let Ok(submit) = take.recv() {
            let _ = told.send(block_on(submit));
        }
    });
    rig.fill(0)?.0.into_iter().for_each(Ticket::detach);
    let queue = rig.queue.clone();
    let mut submit: std::pin::Pin<Box<dyn Future<Output = Seen<()>> + Send>> =
        Box::pin(async move { reentrant(queue.submit(Op::new(8, 0)).await) });
    ensure!(Wakes::new().poll(&mut submit).is_pending(), "a submit to a full queue did not wait");
    let _ = give.send(submit);
    stall.release()?;
    heard.recv().map_err(|_| "the update did not run")?
}

fn shuts_itself_down<S: Strategy>() -> Seen<()> {
    let Rig { queue, writer, probe: _ } = Rig::<S, false>::holding(4);
    let (told, heard) = mpsc::channel();
    let inside = Op::new(0, 0).doing(move || drop(told.send(writer.shutdown())));
    applied(accepted(queue.submit_blocking(inside))?.wait())?;
    let writer: Writer<_> = match heard.recv() {
        Ok(Err(ShutdownError::Reentrant(writer))) => writer,
        other => return Err(format!("shutdown from inside the machine got {:?}", other.map(|result| result.map(drop)))),
    };
    writer.shutdown().map(drop).map_err(|error| format!("shutdown from outside, after that: {error}"))
}

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
        ensure!(offered == submitted + refused.len(), "{case}: {offered} offered, {submitted} submitted, {refused:?}");
        let completed = count(&self.completed);
        ensure!(submitted == completed + skipped.len(), "{case}: {submitted} submitted, {completed} completed, {skipped:?}");
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
    applied(accepted(rig.queue.submit_blocking(Op::new(1, 0)))?.wait())?;
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

/// Item 36: updates, outputs, the machine and wakers are freed, whatever became of them.
pub fn item_36_nothing_leaks<S: Strategy>() -> Verdict {
    watched(36, "after the end nothing of a queue is left", |at| {
        let token = Arc::new(());
        for poisoned in [false, true] {
            at.round("updates meet every fate (round 1: the queue is poisoned)", poisoned.into());
            let rig = Rig::<S, true>::holding(5);
            let act = move || assert!(!poisoned, "on purpose");
            let stall = rig.stall_then(act);
            let probe = Arc::clone(&rig.probe);
            every_fate(&rig, &token)?;
            let _stalled = stall.release();
            let _refused = rig.queue.try_submit(Op::new(1, 0).holding(&token));
            let Rig { queue, writer, probe: other } = rig;
            drop(other);
            let ended = writer.shutdown();
            ensure!(ended.is_ok() != poisoned, "shutdown ended with {:?}", ended.map(drop));
            drop(ended);
            let left = Arc::strong_count(&probe) - 1;
            ensure!(left == 0, "the machine's view is still held {left} times");
            drop((_refused, queue));
            let left = Arc::strong_count(&token) - 1;
            ensure!(left == 0, "{left} updates or outputs are still held");
        }
        Ok(())
    })
}

fn every_fate<S: Strategy>(rig: &Rig<S, true>, token: &Arc<()>) -> Seen<()> {
    let wakes = Wakes::new();
    for number in 0..rig.queue.capacity() {
        let mut ticket = accepted(rig.queue.try_submit(Op::new(0, number).holding(token)))?;
        match number {
            0 => drop(ticket),
            1 => ticket.detach(),
            2 => drop(ticket.cancel()),
            3 => {
                ensure!(wakes.poll(&mut ticket).is_pending(), "a queued update had an outcome");
                drop(ticket);
            }
            _ => {
                ensure!(wakes.poll(&mut ticket).is_pending(), "a queued update had an outcome");
                ticket.detach();
            }
        }
    }
    drop(rig.queue.try_submit(Op::new(1, 0).holding(token)));
    if rig.queue.capacity() > 0 {
        let mut pending = pin!(rig.queue.submit(Op::new(1, 1).holding(token)));
        ensure!(wakes.poll(&mut pending).is_pending(), "a submit to a full queue did not wait");
    }
    let held = Arc::strong_count(&wakes) - 1;
    ensure!(held == 0, "wakers of callers that left are held {held} times");
    Ok(())
}

/// Item 38: capacity 1 and `max_batch` 1 with a hundred callers per core, each waiting for its answers.
pub fn item_38_the_smallest_queue_serves_a_hundredfold_crowd<S: Strategy>() -> Verdict {
    watched(38, "capacity 1 and `max_batch` 1 serve a hundred callers per core", |at| {
        let cores = thread::available_parallelism().map_or(2, usize::from).min(4);
        let callers = if cfg!(miri) { 4 } else { 100 * cores };
        let rig = Rig::<S, true>::start(Options::default().capacity(1).max_batch(1));
        crowd(callers, |caller| {
            for number in 0..4 {
                at.round("a crowd passes the smallest queue", caller);
                let op = Op::new(caller, number);
                let submitted =
                    if number % 2 == 0 { rig.queue.submit_blocking(op) } else { block_on(rig.queue.submit(op)) };
                let answered = applied(accepted(submitted)?.wait())?.output.tag;
                ensure!(answered.caller == caller && answered.number == number, "got the answer to {answered:?}");
            }
            Ok(())
        })?;
        ensure!(rig.probe.batches().iter().all(|&updates| updates == 1), "a batch was larger than max_batch 1");
        let machine = rig.shutdown()?;
        ensure!(machine.log().len() == 4 * callers, "{} of {} updates ran", machine.log().len(), 4 * callers);
        Ok(())
    })
}

/// Counts its updates, whatever they are, and gives each back.
struct Passing<U>(usize, std::marker::PhantomData<fn(U)>);

impl<U: Send + 'static> StateMachine for Passing<U> {
    type Update = U;
    type Output = U;

    fn apply(&mut self, update: U) -> U {
        self.0 += 1;
        update
    }
}

/// Item 39: zero-size, large and non-`Sync` updates and outputs pass.
pub fn item_39_updates_of_any_size_and_without_sync_pass<S: Strategy>() -> Verdict {
    watched(39, "zero-size, large and non-`Sync` updates pass", |at| {
        pass::<S, ()>(at, "zero-size updates", || (), |()| true)?;
        // LIMIT: 16 KiB in place: moved a few times per update on stacks of 2 MiB. Larger updates belong in a box.
        pass::<S, [u8; 16_384]>(at, "16 KiB updates in place", || [7; 16_384], |update| update == [7; 16_384])?;
        pass::<S, Vec<u8>>(at, "1 MiB updates", || vec![7; 1 << 20], |update| update == vec![7; 1 << 20])?;
        pass::<S, Cell<u32>>(at, "updates that are not `Sync`", || Cell::new(7), |update| update.get() == 7)
    })
}

fn pass<S: Strategy, U: Send + 'static>(
    at: &At,
    what: &'static str,
    make: impl Fn() -> U,
    intact: impl Fn(U) -> bool,
) -> Seen<()> {
    const COUNT: usize = 8;
    at.now(what);
    let (queue, writer) = S::start(Passing(0, std::marker::PhantomData), Options::default().capacity(4));
    for _ in 0..COUNT / 2 {
        ensure!(intact(applied(accepted(queue.submit_blocking(make()))?.wait())?.output), "{what}: one came back changed");
        let outcome = block_on(queue.call(make())).map_err(|error| format!("{what}: {error:?}"))?;
        ensure!(intact(outcome.output), "{what}: one came back changed");
    }
    let Passing(count, _) = writer.shutdown().map_err(|error| format!("{what}: {error}"))?;
    ensure!(count == COUNT, "{what}: {count} of {COUNT} ran");
    Ok(())
}
