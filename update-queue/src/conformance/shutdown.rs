//! Items 28 to 32: how a queue ends.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::race::rounds_of_two;
use super::rig::{Rig, Seen, accepted, applied, failed, far, past};
use super::watch::watched;
use super::{Dice, Event, Gate, Journal, Op, RACE_ROUNDS, Reply, Tag, Verdict, Wakes, size};
use crate::{
    CallError, Effect, ShutdownError, Strategy, SubmitError, Ticket, UpdateError, UpdateQueue, block_on,
};

/// Item 28: `shutdown` waits until everything accepted is applied and committed, and hands the machine back.
pub fn item_28_shutdown_applies_everything_accepted_and_returns_the_machine<S: Strategy>() -> Verdict {
    watched(28, "shutdown applies everything accepted and returns the machine", |at| {
        let rig = Rig::<S, true>::holding(64);
        at.now("updates are queued behind a stalled one, and the queue is closed");
        let stall = rig.stall();
        let (tickets, refused) = rig.fill(0)?;
        let count = tickets.len();
        let kept = detach_every_second(tickets);
        rig.queue.close();
        closed_gives_back(rig.queue.try_submit(refused), Tag { caller: 0, number: count })?;
        stall.open();
        at.now("shutting down");
        let (queue, probe) = (rig.queue.clone(), Arc::clone(&rig.probe));
        let machine = rig.shutdown()?;
        let (numbers, all) = (machine.numbers_of(0), machine.log().len());
        ensure!(numbers == (0..count).collect::<Vec<_>>(), "{count} were accepted, applied are {numbers:?}");
        ensure!(probe.published() == all, "{} of {all} are committed", probe.published());
        kept.into_iter().try_for_each(|ticket| applied(ticket.wait()).map(drop))?;
        ensure!(queue.depth() == 0, "depth() is {} after shutdown", queue.depth());
        closed_gives_back(queue.submit_blocking(Op::new(1, 0)), Tag { caller: 1, number: 0 })
    })
}

fn detach_every_second(tickets: Vec<Ticket<Reply>>) -> Vec<Ticket<Reply>> {
    let mut kept = Vec::new();
    for (number, ticket) in tickets.into_iter().enumerate() {
        if number % 2 == 0 { kept.push(ticket) } else { ticket.detach() }
    }
    kept
}

fn closed_gives_back(submitted: Result<Ticket<Reply>, SubmitError<Op>>, tag: Tag) -> Seen<()> {
    match submitted {
        Err(SubmitError::Closed { update }) => {
            ensure!(update.tag == tag, "another update came back: {:?}", update.tag);
            Ok(())
        }
        other => Err(format!("a closed queue answered a submit with {other:?}")),
    }
}

/// Item 28, a race: a writer that has found its queue empty, and is not asleep yet, hears of the shutdown.
pub fn item_28_stress_shutdown_reaches_a_writer_that_is_about_to_sleep<S: Strategy>() -> Verdict {
    watched(28, "shutdown applies everything accepted and returns the machine", |at| {
        let mut dice = Dice::from_env("item_28");
        for round in 0..size(RACE_ROUNDS) {
            at.round("a queue is shut down right after its last update", round);
            let rig = Rig::<S, false>::holding(2);
            let ticket = accepted(rig.queue.submit_blocking(Op::new(0, 0)))?;
            if dice.below(2) == 0 {
                applied(ticket.wait())?;
            } else {
                ticket.detach();
            }
            dice.dawdle(500);
            let machine = rig.shutdown()?;
            ensure!(machine.log().len() == 1, "the one accepted update is not there");
        }
        Ok(())
    })
}

/// Item 29: `abort` claims nothing further: queued updates are `Closed`, the running batch still commits.
pub fn item_29_abort_closes_what_is_queued_and_the_running_batch_ends<S: Strategy>() -> Verdict {
    watched(29, "abort closes what is queued, and the running batch ends", |at| {
        let rig = Rig::<S, true>::holding(8);
        let stall = rig.stall();
        let (tickets, _refused) = rig.fill(0)?;
        at.now("abort while an update runs");
        rig.writer.abort();
        let refused = rig.queue.try_submit(Op::new(1, 0));
        ensure!(matches!(refused, Err(SubmitError::Closed { .. })), "a submit after abort: {refused:?}");
        let running = stall.release()?;
        ensure!(
            rig.probe.published() as u64 >= running.seq,
            "the running batch was answered and not committed"
        );
        tickets.into_iter().try_for_each(closed)?;
        let machine = rig.shutdown()?;
        ensure!(
            machine.numbers_of(0).is_empty(),
            "queued updates ran after abort: {:?}",
            machine.numbers_of(0)
        );
        ensure!(machine.log().len() == 1, "the running update is not there");
        Ok(())
    })
}

fn closed(ticket: Ticket<Reply>) -> Seen<()> {
    let error = failed(ticket.wait())?;
    ensure!(matches!(error, UpdateError::Closed), "the outcome of a queued update is {error:?}");
    ensure!(error.effect() == Effect::NotApplied, "the effect is {:?}", error.effect());
    Ok(())
}

/// Item 30: at the deadline of `shutdown_by` claiming stops; an update that does not end comes back as `TimedOut`.
pub fn item_30_shutdown_by_closes_the_rest_at_its_deadline<S: Strategy>() -> Verdict {
    watched(
        30,
        "shutdown_by closes what is queued at its deadline, and never waits for a stuck update",
        |at| {
            at.now("the deadline passes while an update runs");
            let rig = Rig::<S, false>::holding(8);
            let stall = rig.stall();
            let (tickets, _refused) = rig.fill(0)?;
            let Rig { queue: _queue, writer, probe: _ } = rig;
            let writer = match writer.shutdown_by(past()) {
                Err(ShutdownError::TimedOut(writer)) => writer,
                other => return Err(format!("shutdown_by during a stuck update: {:?}", other.map(drop))),
            };
            let _stalled = stall.release()?;
            tickets.into_iter().try_for_each(closed)?;
            at.now("waiting once more");
            let machine = writer.shutdown().map_err(|error| format!("shutdown after TimedOut: {error}"))?;
            ensure!(machine.numbers_of(0).is_empty(), "queued updates ran after the deadline");
            at.now("there is time for everything");
            in_time::<S>()
        },
    )
}

fn in_time<S: Strategy>() -> Seen<()> {
    let rig = Rig::<S, false>::holding(8);
    for number in 0..8 {
        accepted(rig.queue.submit_blocking(Op::new(0, number)))?.detach();
    }
    let machine = rig.writer.shutdown_by(far()).map_err(|error| format!("shutdown_by in time: {error}"))?;
    let numbers = machine.numbers_of(0);
    ensure!(numbers.len() == 8, "8 were accepted in time, applied are {numbers:?}");
    Ok(())
}

/// Item 31, a race: a submit that meets a shutdown is applied or refused; nothing accepted is lost.
pub fn item_31_stress_a_submit_against_shutdown_is_applied_or_refused<S: Strategy>() -> Verdict {
    watched(31, "a submit that meets a shutdown is accepted and applied, or refused and not", |at| {
        let dice = Dice::from_env("item_31");
        rounds_of_two(at, size(RACE_ROUNDS), |round, racers| {
            let rig = Rig::<S, false>::holding(2);
            let mut dice = dice.part(round);
            let accepted_tags = Arc::new(Mutex::new(Vec::new()));
            let (told, heard) = mpsc::channel();
            for racer in racers {
                let (queue, tags, caller, told) =
                    (rig.queue.clone(), Arc::clone(&accepted_tags), racer.number(), told.clone());
                let mut dice = dice.part(caller + 1);
                racer.give(move || {
                    let ended = until_closed(&queue, caller, &mut dice, &tags);
                    let _ = told.send(());
                    ended
                });
            }
            drop(told);
            dice.dawdle(3_000);
            let machine = rig.shutdown()?;
            while heard.recv().is_ok() {}
            let mut expected =
                std::mem::take(&mut *accepted_tags.lock().unwrap_or_else(PoisonError::into_inner));
            let mut log = machine.log().to_vec();
            expected.sort_unstable();
            log.sort_unstable();
            ensure!(log == expected, "accepted were {expected:?}, applied {log:?}");
            Ok(())
        })
    })
}

fn until_closed<Q>(queue: &Q, caller: usize, dice: &mut Dice, tags: &Mutex<Vec<Tag>>) -> Seen<()>
where
    Q: UpdateQueue<Machine = Journal<false>>,
{
    for number in 0.. {
        let op = Op::new(caller, number);
        let submitted = match dice.below(4) {
            0 => queue.submit_blocking(op),
            3 => match block_on(queue.call(op)) {
                Ok(_) => {
                    tags.lock().unwrap_or_else(PoisonError::into_inner).push(Tag { caller, number });
                    continue;
                }
                Err(CallError::Refused(refused)) => Err(refused),
                Err(CallError::Failed(error)) => return Err(format!("a call beside a shutdown: {error}")),
            },
            1 => block_on(queue.submit(op)),
            _ => queue.try_submit(op),
        };
        match submitted {
            Ok(ticket) => {
                tags.lock().unwrap_or_else(PoisonError::into_inner).push(Tag { caller, number });
                if dice.below(2) == 0 {
                    ticket.detach();
                } else {
                    applied(ticket.wait())?;
                }
            }
            Err(SubmitError::Closed { update }) => {
                ensure!(update.tag == Tag { caller, number }, "another update came back: {:?}", update.tag);
                return Ok(());
            }
            Err(SubmitError::Full { .. }) => {}
            Err(error) => return Err(format!("a submit beside a shutdown was refused with {error:?}")),
        }
    }
    Ok(())
}

/// Item 32: callers that wait for room, or for the lock, when the queue is closed get their updates back.
pub fn item_32_closing_turns_away_the_callers_that_wait<S: Strategy>() -> Verdict {
    watched(32, "closing turns away the callers that wait", |at| {
        for round in 0..size(2_500) {
            at.round("two callers wait, and the queue is closed", round);
            let rig = Rig::<S, false>::holding(1);
            let stall = rig.stall();
            let (tickets, _refused) = rig.fill(0)?;
            thread::scope(|scope| {
                let blocking = scope.spawn(|| rig.queue.submit_blocking(Op::new(1, 0)));
                let mut pending =
                    (rig.queue.capacity() > 0).then(|| Box::pin(rig.queue.submit(Op::new(2, 0))));
                let wakes = Wakes::new();
                if let Some(submit) = &mut pending {
                    ensure!(wakes.poll(submit).is_pending(), "a submit to a full queue did not wait");
                }
                rig.queue.close();
                if let Some(mut submit) = pending {
                    closed_gives_back(wakes.drive(&mut submit), Tag { caller: 2, number: 0 })?;
                } else {
                    stall.open();
                }
                let submitted = blocking.join().map_err(|_| "a blocked caller panicked")?;
                closed_gives_back(submitted, Tag { caller: 1, number: 0 })
            })?;
            stall.release()?;
            tickets.into_iter().try_for_each(|ticket| applied(ticket.wait()).map(drop))?;
            rig.shutdown()?;
        }
        Ok(())
    })
}

/// Item 32: the writer's owner or the callers may leave first, in any order, and closing is idempotent.
pub fn item_32_a_queue_ends_well_whoever_goes_first<S: Strategy>() -> Verdict {
    watched(
        32,
        "accepted updates are applied whoever leaves first, and closing twice is closing once",
        |at| {
            at.now("the writer's owner leaves first");
            writer_leaves_first::<S>()?;
            at.now("all handles leave first");
            handles_leave_first::<S>()?;
            at.now("closing twice");
            let rig = Rig::<S, true>::holding(8);
            rig.queue.close();
            rig.queue.clone().close();
            closed_gives_back(rig.queue.try_submit(Op::new(0, 0)), Tag { caller: 0, number: 0 })?;
            rig.shutdown()?;
            at.now("the last handle is dropped inside the machine");
            last_handle_inside::<S>()
        },
    )
}

fn handles_leave_first<S: Strategy>() -> Seen<()> {
    let rig = Rig::<S, true>::holding(8);
    let stall = rig.stall();
    let (tickets, _refused) = rig.fill(0)?;
    let count = tickets.len();
    let Rig { queue, writer, probe: _ } = rig;
    drop(queue);
    let _stalled = stall.release()?;
    tickets.into_iter().try_for_each(|ticket| applied(ticket.wait()).map(drop))?;
    let machine = writer.shutdown().map_err(|error| format!("shutdown without handles: {error}"))?;
    let numbers = machine.numbers_of(0);
    ensure!(numbers.len() == count, "{count} were accepted, applied are {numbers:?}");
    Ok(())
}

fn writer_leaves_first<S: Strategy>() -> Seen<()> {
    let rig = Rig::<S, true>::holding(8);
    let stall = rig.stall();
    let (tickets, refused) = rig.fill(0)?;
    let Rig { queue, writer, probe } = rig;
    drop(writer);
    let late = queue.try_submit(refused);
    ensure!(
        matches!(late, Err(SubmitError::Closed { .. })),
        "without a writer's owner a submit got {late:?}"
    );
    let _stalled = stall.release()?;
    let count = tickets.len();
    tickets.into_iter().try_for_each(|ticket| applied(ticket.wait()).map(drop))?;
    let ran =
        probe.events().iter().filter(|event| matches!(event, Event::Applied(tag) if tag.caller == 0)).count();
    ensure!(ran == count, "{ran} of {count} accepted updates ran");
    Ok(())
}

fn last_handle_inside<S: Strategy>() -> Seen<()> {
    let Rig { queue, writer, probe: _ } = Rig::<S, false>::holding(8);
    let gate = Gate::new();
    let (way, last) = (gate.way(), queue.clone());
    let op = Op::new(0, 0).doing(move || {
        way();
        drop(last);
    });
    let caller = thread::spawn(move || {
        let submitted = accepted(queue.submit_blocking(op));
        drop(queue);
        submitted.map(Ticket::wait)
    });
    gate.wait_entered();
    gate.open();
    let outcome = caller.join().map_err(|_| "a caller panicked")??;
    applied(outcome)?;
    let machine = writer.shutdown().map_err(|error| format!("shutdown: {error}"))?;
    ensure!(machine.log().len() == 1, "the update is not there");
    Ok(())
}
