//! Items 24, 25 and 27: when an update panics everybody is answered, and the answer says what may have happened.

use std::sync::Arc;
use std::thread;

use super::commit::refused_as_poisoned;
use super::rig::{Rig, Seen, accepted, failed};
use super::watch::{At, watched};
use super::{Dice, Op, RACE_ROUNDS, Reply, Tag, Verdict, Wakes, size};
use crate::{CallError, Effect, Outcome, Strategy, SubmitError, Ticket, UpdateError, UpdateQueue, block_on};

/// What the suite's panics say.
pub(crate) const ON_PURPOSE: &str = "on purpose";

pub(crate) fn blows_up(caller: usize, number: usize) -> Op {
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
    let probe = Arc::clone(&rig.probe);
    let (machine, cause) = rig.shutdown_poisoned()?;
    ensure!(cause.contains(ON_PURPOSE), "shutdown's cause is `{cause}`");
    // A batch in doubt is not committed; a lock has committed each update before the one that panicked.
    let (commits, before) = (probe.batches().len(), if GROUP && !queued { kth } else { 0 });
    ensure!(commits == before, "{commits} commits were made, {before} before the panic");
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
    watched(
        25,
        "a panic that is rolled back fails its open batch as not applied, and the queue lives",
        |at| {
            let rig = Rig::<S, true>::holding(8);
            rig.probe.restores();
            at.now("a first batch is committed");
            rig.call(Op::new(1, 0))?;
            at.now("the third of five updates panics");
            let stall = (rig.queue.capacity() > 0).then(|| rig.stall());
            let op = |number| if number == 2 { blows_up(0, number) } else { Op::new(0, number) };
            let tickets =
                (0..5).map(|number| accepted(rig.queue.try_submit(op(number)))).collect::<Seen<Vec<_>>>()?;
            let alone = stall.is_none();
            let _of_the_batch = stall.map(super::Stall::release);
            for (number, ticket) in tickets.into_iter().enumerate() {
                outcome_around_rollback(ticket.wait(), number, alone)?;
            }
            let machine = rig.shutdown()?;
            let numbers = machine.numbers_of(0);
            let expected: &[usize] = if alone { &[0, 1, 3, 4] } else { &[3, 4] };
            ensure!(numbers == expected, "applied are {numbers:?}");
            ensure!(machine.numbers_of(1) == [0], "the batch before the panic is gone");
            Ok(())
        },
    )
}

/// Update 2 panicked; `alone`: in a batch of its own.
fn outcome_around_rollback(outcome: Outcome<Reply>, number: usize, alone: bool) -> Seen<()> {
    let undone = number == 2 || (number < 2 && !alone);
    let right = match &outcome {
        Ok(_) => !undone,
        Err(error @ UpdateError::RolledBack(_)) => undone && error.effect() == Effect::NotApplied,
        Err(_) => false,
    };
    ensure!(right, "update 2 panicked, and the outcome of update {number} is {outcome:?}");
    Ok(())
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
        Err(SubmitError::Poisoned { .. } | SubmitError::Closed { .. }) | Ok(Err(UpdateError::Closed)) => {
            Ok(())
        }
        Err(error) => Err(format!("a caller of a dead writer was refused with {error:?}")),
        Ok(outcome) => Err(format!("a caller of a dead writer got {outcome:?}")),
    }
}

/// Item 27, as a race: callers submit in every way while the writer dies.
pub fn item_27_stress_submits_against_the_death_of_the_writer<S: Strategy>() -> Verdict {
    watched(27, "when the writer dies, no ticket and no waiting caller hangs", |at| {
        let dice = Dice::from_env("item_27");
        super::race::rounds_of_two(at, size(RACE_ROUNDS), |round, racers| {
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
