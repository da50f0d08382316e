//! Items 24 to 27: whatever panics, everybody is answered, and the answer says what may have happened.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use super::commit::refused_as_poisoned;
use super::rig::{Rig, Seen, accepted, applied, failed, past};
use super::watch::{At, watched};
use super::{Dice, Op, RACE_ROUNDS, Reply, Tag, Verdict, Wakes, size};
use crate::{
    CallError, Effect, Observer, Options, Outcome, Request, StateMachine, Strategy, SubmitError, Ticket, UpdateError,
    UpdateQueue, block_on,
};

/// What the suite's panics say.
pub(crate) const ON_PURPOSE: &str = "on purpose";

fn blows_up(caller: usize, number: usize) -> Op {
    Op::new(caller, number).doing(|| panic!("{ON_PURPOSE}"))
}

/// Item 24: a panic in `apply` is `Panicked` for its caller, unknown for its batch, `Closed` for the queue, and poisons.
pub fn item_24_a_panic_in_apply_answers_everybody_and_poisons_the_queue<S: Strategy>() -> Verdict {
    watched(24, "a panic in `apply` answers everybody, poisons the queue, and the writer ends", |at| {
        for kth in 0..5 {
            at.round("the round's update of five panics; no group commit", kth);
            kth_panics::<S, false>(kth)?;
            at.round("the round's update of five panics; group commit", kth);
            kth_panics::<S, true>(kth)?;
        }
        Ok(())
    })
}

fn kth_panics<S: Strategy, const GROUP: bool>(kth: usize) -> Seen<()> {
    let rig = Rig::<S, GROUP>::holding(8);
    let queued = rig.queue.capacity() > 0;
    let stall = queued.then(|| rig.stall());
    let op = |number| if number == kth { blows_up(0, number) } else { Op::new(0, number) };
    let submitted: Vec<_> = (0..5).map(|number| rig.queue.try_submit(op(number))).collect();
    let _stalled = stall.map(|stall| stall.release());
    for (number, submitted) in submitted.into_iter().enumerate() {
        match submitted {
            Ok(ticket) => outcome_around_panic(ticket.wait(), number, kth, GROUP && queued)?,
            Err(SubmitError::Poisoned { .. }) if number > kth && !queued => {}
            Err(error) => return Err(format!("update {number} was refused: {error}")),
        }
    }
    refused_as_poisoned(rig.queue.try_submit(Op::new(2, 0)), ON_PURPOSE)?;
    refused_as_poisoned(rig.queue.submit_blocking(Op::new(2, 0)), ON_PURPOSE)?;
    refused_as_poisoned(block_on(rig.queue.submit(Op::new(2, 0))), ON_PURPOSE)?;
    let (machine, cause) = rig.shutdown_poisoned()?;
    ensure!(cause.contains(ON_PURPOSE), "shutdown's cause is `{cause}`");
    let numbers = machine.numbers_of(0);
    ensure!(numbers == (0..kth).collect::<Vec<_>>(), "applied were {numbers:?}, and {kth} panicked");
    Ok(())
}

/// `held`: those before the panic were waiting for a commit that never came.
fn outcome_around_panic(outcome: Outcome<Reply>, number: usize, kth: usize, held: bool) -> Seen<()> {
    let right = match &outcome {
        Ok(applied) => number < kth && !held && applied.output.tag == Tag { caller: 0, number },
        Err(UpdateError::WriterLost) => number < kth && held,
        Err(UpdateError::Panicked(message)) => number == kth && &**message == ON_PURPOSE,
        Err(UpdateError::Closed) => number > kth,
        Err(_) => false,
    };
    ensure!(right, "update {kth} panicked, and the outcome of update {number} is {outcome:?}");
    Ok(())
}

/// Item 25: if the machine rolls back, a panic fails its open batch as not applied; what comes later runs.
pub fn item_25_a_panic_that_is_rolled_back_costs_its_batch_only<S: Strategy>() -> Verdict {
    watched(25, "a panic that is rolled back fails its open batch as not applied, and the queue lives", |at| {
        let rig = Rig::<S, true>::holding(8);
        rig.probe.restores();
        at.now("a first batch is committed");
        applied(accepted(rig.queue.submit_blocking(Op::new(1, 0)))?.wait())?;
        at.now("the third of five updates panics");
        let stall = (rig.queue.capacity() > 0).then(|| rig.stall());
        let op = |number| if number == 2 { blows_up(0, number) } else { Op::new(0, number) };
        let tickets = (0..5).map(|number| accepted(rig.queue.try_submit(op(number)))).collect::<Seen<Vec<_>>>()?;
        let alone = stall.is_none();
        let _of_the_batch = stall.map(super::Stall::release);
        for (number, ticket) in tickets.into_iter().enumerate() {
            match ticket.wait() {
                Ok(_) if number > 2 || (alone && number < 2) => {}
                Err(error @ UpdateError::RolledBack(_)) if number == 2 || (!alone && number < 2) => {
                    ensure!(error.effect() == Effect::NotApplied, "the effect is {:?}", error.effect());
                }
                outcome => return Err(format!("update 2 panicked, and the outcome of update {number} is {outcome:?}")),
            }
        }
        let machine = rig.shutdown()?;
        let numbers = machine.numbers_of(0);
        let expected: &[usize] = if alone { &[0, 1, 3, 4] } else { &[3, 4] };
        ensure!(numbers == expected, "applied are {numbers:?}");
        ensure!(machine.numbers_of(1) == [0], "the batch before the panic is gone");
        Ok(())
    })
}

/// Item 26: a panic in `commit` or in `rollback` leaves the machine in doubt.
pub fn item_26_a_panic_in_commit_or_rollback_poisons_the_queue<S: Strategy>() -> Verdict {
    watched(26, "a panic in `commit` or `rollback` poisons the queue, and everybody is answered", |at| {
        at.now("commit panics");
        let rig = Rig::<S, true>::holding(8);
        rig.probe.restores();
        rig.probe.script_commit(|| panic!("{ON_PURPOSE}"));
        let error = failed(accepted(rig.queue.submit_blocking(Op::new(0, 0)))?.wait())?;
        ensure!(matches!(error, UpdateError::CommitFailed(_)), "a commit panicked, and the outcome is {error:?}");
        refused_as_poisoned(rig.queue.try_submit(Op::new(2, 0)), ON_PURPOSE)?;
        rig.shutdown_poisoned()?;
        at.now("rollback panics after a failed commit");
        let rig = Rig::<S, true>::holding(8);
        rig.probe.restores();
        rig.probe.script_commit(|| Err("the disk is full".into()));
        rig.probe.script_rollback(|| panic!("{ON_PURPOSE}"));
        let error = failed(accepted(rig.queue.submit_blocking(Op::new(0, 0)))?.wait())?;
        ensure!(matches!(error, UpdateError::CommitFailed(_)), "a rollback panicked, and the outcome is {error:?}");
        refused_as_poisoned(rig.queue.try_submit(Op::new(2, 0)), "the disk is full")?;
        rig.shutdown_poisoned()?;
        at.now("rollback panics after a panic in apply");
        let rig = Rig::<S, true>::holding(8);
        rig.probe.restores();
        rig.probe.script_rollback(|| panic!("a second time"));
        let error = failed(accepted(rig.queue.submit_blocking(blows_up(0, 0)))?.wait())?;
        ensure!(matches!(error, UpdateError::Panicked(_)), "a rollback panicked, and the outcome is {error:?}");
        refused_as_poisoned(rig.queue.try_submit(Op::new(2, 0)), ON_PURPOSE)?;
        rig.shutdown_poisoned().map(drop)
    })
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
        let rig = Rig::<S, true>::start(Options::default().observer(Arc::clone(&observer) as Arc<dyn Observer>));
        for number in 0..10 {
            at.round("updates pass a broken observer", number);
            let done = applied(accepted(rig.queue.submit_blocking(Op::new(0, number)))?.wait())?;
            ensure!(done.seq == number as u64 + 1, "update {number} got seq {}", done.seq);
        }
        let calls = observer.0.load(Ordering::SeqCst);
        // A caller and the writer may both be in an event when one of them panics.
        ensure!((2..=4).contains(&calls), "an observer that panicked at its second event was called {calls} times");
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
        let mut tickets =
            (0..3).map(|number| accepted(rig.queue.try_submit(Op::new(0, number)))).collect::<Seen<Vec<_>>>()?;
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
        applied(accepted(rig.queue.submit_blocking(Op::new(0, 4)))?.wait())?;
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
        applied(accepted(rig.queue.submit_blocking(Op::new(3, 0)))?.wait())?;
        rig.shutdown().map(drop)
    })
}

/// Item 27: the writer dies while the queue is full and callers wait for room: everybody hears of it.
pub fn item_27_when_the_writer_dies_nobody_hangs<S: Strategy>() -> Verdict {
    watched(27, "when the writer dies, no ticket and no waiting caller hangs", |at| {
        for round in 0..size(2_500) {
            at.round("the queue is full, three callers wait, and the writer dies", round);
            writer_dies::<S>(at, round)?;
        }
        Ok(())
    })
}

fn writer_dies<S: Strategy>(at: &At, round: usize) -> Seen<()> {
    let rig = Rig::<S, false>::holding(2);
    let stall = rig.stall_then(|| panic!("{ON_PURPOSE}"));
    let (queued, _refused) = rig.fill(0)?;
    let queued_count = queued.len();
    thread::scope(|scope| {
        let blocked: Vec<_> = (0..3)
            .map(|caller| {
                let queue = rig.queue.clone();
                scope.spawn(move || after_death(queue.submit_blocking(Op::new(caller, 0))))
            })
            .collect();
        let mut pending = (queued_count > 0).then(|| Box::pin(rig.queue.submit(Op::new(3, 0))));
        let wakes = Wakes::new();
        if let Some(submit) = &mut pending {
            ensure!(wakes.poll(submit).is_pending(), "a submit to a full queue did not wait");
        }
        stall.open();
        for ticket in queued {
            let error = failed(ticket.wait())?;
            ensure!(matches!(error, UpdateError::Closed), "the outcome of a queued update is {error:?}");
        }
        at.round("the callers that waited for room are answered", round);
        pending.map(|mut submit| after_death(wakes.drive(&mut submit))).transpose()?;
        for caller in blocked {
            caller.join().map_err(|_| "a blocked caller panicked")??;
        }
        Ok(())
    })?;
    let stalled = stall.release();
    ensure!(stalled.is_err(), "the update that panicked has the outcome {stalled:?}");
    rig.shutdown_poisoned().map(drop)
}

/// A submit that met a dying writer: refused, or a ticket that says `Closed`. Certainly not applied.
fn after_death(submitted: Result<Ticket<Reply>, SubmitError<Op>>) -> Seen<()> {
    match submitted.map(Ticket::wait) {
        Err(SubmitError::Poisoned { .. } | SubmitError::Closed { .. }) | Ok(Err(UpdateError::Closed)) => Ok(()),
        Err(error) => Err(format!("a caller of a dead writer was refused with {error:?}")),
        Ok(outcome) => Err(format!("a caller of a dead writer got {outcome:?}")),
    }
}

/// Item 27, as a race: callers submit in every way while the writer dies.
pub fn item_27_stress_submits_against_the_death_of_the_writer<S: Strategy>() -> Verdict {
    watched(27, "when the writer dies, no ticket and no waiting caller hangs", |at| {
        let dice = Dice::from_env("item_27");
        super::shutdown::rounds_of_two(at, size(RACE_ROUNDS), |round, racers| {
            let rig = Rig::<S, false>::holding(2);
            let mut dice = dice.part(round);
            for racer in racers {
                let (queue, mut dice) = (rig.queue.clone(), dice.part(racer.number()));
                racer.give(move || until_refused(&queue, &mut dice));
            }
            dice.dawdle(2_000);
            match rig.queue.call_blocking(blows_up(9, 9)) {
                Err(CallError::Failed(UpdateError::Panicked(_))) => {}
                other => return Err(format!("the update that panics got {other:?}")),
            }
            rig.shutdown_poisoned().map(drop)
        })
    })
}

/// Submits until the queue refuses for good; every ticket is answered.
fn until_refused<Q: UpdateQueue<Machine = super::Journal<false>>>(queue: &Q, dice: &mut Dice) -> Seen<()> {
    for number in 0.. {
        let op = Op::new(0, number);
        let submitted = match dice.below(3) {
            0 => queue.submit_blocking(op),
            1 => block_on(queue.submit(op)),
            _ => queue.try_submit(op),
        };
        match submitted {
            Ok(ticket) => match ticket.wait() {
                Ok(_) | Err(UpdateError::Closed) => {}
                Err(error) => return Err(format!("an update beside the one that panicked got {error:?}")),
            },
            Err(error) if error.is_final() => return Ok(()),
            Err(_) => {}
        }
    }
    Ok(())
}
