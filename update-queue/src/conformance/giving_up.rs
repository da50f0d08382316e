//! Items 11 to 17: callers that stop waiting, and what that does to their updates.

use std::sync::Arc;
use std::task::Poll;

use super::rig::{Rig, Seen, accepted, applied, failed, far, past};
use super::watch::watched;
use super::{Dice, Gate, Op, RACE_ROUNDS, Reply, Tag, Verdict, Wakes, size};
use crate::{Cancel, Effect, Options, Request, Strategy, Ticket, UpdateError, UpdateQueue};

/// Item 11: an update that was cancelled before its claim is never applied; its place is free when the writer passes it.
pub fn item_11_cancelled_before_its_claim_an_update_is_never_applied<S: Strategy>() -> Verdict {
    watched(11, "an update cancelled before its claim is never applied", |at| {
        let rig = Rig::<S, false>::holding(16);
        if !rig.has_queue("updates that are cancelled while queued") {
            return Ok(());
        }
        let stall = rig.stall();
        let mut kept = Vec::new();
        at.now("every second queued update is cancelled");
        for number in 0..10 {
            let ticket = accepted(rig.queue.try_submit(Op::new(0, number)))?;
            match (number % 2, ticket) {
                (0, ticket) => kept.push(ticket),
                (_, ticket) => {
                    let cancel = ticket.cancel();
                    ensure!(matches!(cancel, Cancel::Cancelled), "cancel said {cancel:?} of a queued update");
                }
            }
        }
        ensure!(
            rig.queue.depth() == 10,
            "depth() is {} and the writer has passed none of 10",
            rig.queue.depth()
        );
        stall.release()?;
        kept.into_iter().try_for_each(|ticket| applied(ticket.wait()).map(drop))?;
        let numbers = rig.shutdown()?.numbers_of(0);
        ensure!(numbers == [0, 2, 4, 6, 8], "applied were {numbers:?}, the odd ones were cancelled");
        Ok(())
    })
}

/// Item 12: after its claim an update cannot be cancelled; the ticket comes back and carries the outcome.
pub fn item_12_cancelled_after_its_claim_it_is_too_late_and_the_outcome_comes<S: Strategy>() -> Verdict {
    watched(12, "cancelling after the claim is too late, and the outcome comes", |at| {
        at.now("cancelling an update that runs");
        let rig = Rig::<S, false>::holding(4);
        if rig.has_queue("updates that are cancelled while they run") {
            let gate = Gate::new();
            let ticket = accepted(rig.queue.try_submit(Op::new(0, 0).doing(gate.way())))?;
            gate.wait_entered();
            outcome_after_cancel(ticket, &gate)?;
            at.now("cancelling an update that waits for its commit");
            let rig = Rig::<S, true>::holding(4);
            let gate = Gate::new();
            let way = gate.way();
            rig.probe.script_commit(move || {
                way();
                Ok(())
            });
            let ticket = accepted(rig.queue.try_submit(Op::new(0, 0)))?;
            gate.wait_entered();
            outcome_after_cancel(ticket, &gate)?;
        }
        at.now("cancelling an update that is done");
        let ticket = accepted(rig.queue.submit_blocking(Op::new(0, 1)))?;
        // The next one's outcome proves that this one is done.
        rig.call(Op::new(0, 2))?;
        match ticket.cancel() {
            Cancel::Done(Ok(done)) if done.output.tag.number == 1 => Ok(()),
            other => Err(format!("cancel said {other:?} of an update that is done")),
        }
    })
}

fn outcome_after_cancel(ticket: Ticket<Reply>, gate: &Gate) -> Seen<()> {
    let Cancel::TooLate(ticket) = ticket.cancel() else {
        return Err("cancel did not say `TooLate` of a claimed update".to_owned());
    };
    gate.open();
    let tag = applied(ticket.wait())?.output.tag;
    ensure!(tag == Tag { caller: 0, number: 0 }, "the outcome is that of {tag:?}");
    Ok(())
}

/// Item 13, a race: of a cancel and the claim one wins: applied, or `Cancelled`, never both or neither.
pub fn item_13_stress_cancel_against_claim_has_one_winner<S: Strategy>() -> Verdict {
    watched(13, "an update is applied or `Cancelled`, never both, never neither", |at| {
        let rig = Rig::<S, false>::holding(4);
        let mut dice = Dice::from_env("item_13");
        let mut was_applied = Vec::new();
        for number in 0..size(RACE_ROUNDS) {
            at.round("a cancel meets a claim", number);
            let ticket = accepted(rig.queue.submit_blocking(Op::new(0, number)))?;
            dice.dawdle(2_000);
            match ticket.cancel() {
                Cancel::Cancelled => {}
                Cancel::TooLate(ticket) => {
                    applied(ticket.wait())?;
                    was_applied.push(number);
                }
                Cancel::Done(outcome) => {
                    applied(outcome)?;
                    was_applied.push(number);
                }
            }
        }
        println!("the claim won {} of {} times with {}", was_applied.len(), size(RACE_ROUNDS), S::NAME);
        let numbers = rig.shutdown()?.numbers_of(0);
        let wrong = numbers.iter().zip(&was_applied).find(|(log, told)| log != told);
        ensure!(wrong.is_none() && numbers.len() == was_applied.len(), "first applied and told: {wrong:?}");
        Ok(())
    })
}

/// Item 14: dropping a ticket abandons an update that has not started; a detached one is applied.
pub fn item_14_a_dropped_ticket_is_skipped_and_a_detached_one_runs<S: Strategy>() -> Verdict {
    watched(14, "an update whose ticket is dropped is skipped, a detached one runs", |at| {
        let rig = Rig::<S, false>::holding(8);
        if !rig.has_queue("tickets that are dropped before the claim") {
            return Ok(());
        }
        let stall = rig.stall();
        at.now("one of each kind is queued");
        let mut tickets: Vec<_> =
            (0..5).map(|number| accepted(rig.queue.try_submit(Op::new(0, number)))).collect::<Seen<_>>()?;
        let (polled, wakes) = (&mut tickets[1], Wakes::new());
        ensure!(wakes.poll(polled).is_pending(), "a queued update had an outcome");
        let polled_and_detached = tickets.remove(3);
        let mut polled_and_detached = polled_and_detached;
        ensure!(wakes.poll(&mut polled_and_detached).is_pending(), "a queued update had an outcome");
        polled_and_detached.detach();
        tickets.remove(2).detach();
        let kept = tickets.pop();
        drop(tickets);
        stall.release()?;
        kept.map(|ticket| applied(ticket.wait())).transpose()?;
        let numbers = rig.shutdown()?.numbers_of(0);
        ensure!(
            numbers == [2, 3, 4],
            "applied were {numbers:?}; 0 and 1 were dropped, 2 and 3 detached, 4 kept"
        );
        ensure!(wakes.count() == 0, "a caller that had left was woken {} times", wakes.count());
        Ok(())
    })
}

/// Item 15: an update whose `start_by` has passed at its claim is `Expired` and not applied.
pub fn item_15_past_its_start_by_an_update_expires_unapplied<S: Strategy>() -> Verdict {
    watched(15, "an update past its `start_by` expires and is not applied", |at| {
        let rig = Rig::<S, true>::holding(8);
        at.now("an update is late when it is submitted");
        let late = accepted(rig.queue.try_submit(Request::new(Op::new(0, 0)).start_by(past())))?;
        expired(late)?;
        at.now("an update has an hour left");
        let early = accepted(rig.queue.try_submit(Request::new(Op::new(0, 1)).start_by(far())))?;
        applied(early.wait())?;
        if rig.has_queue("an update that expires while it is queued") {
            at.now("an update expires while it is queued");
            let stall = rig.stall();
            let start_by = past() + std::time::Duration::from_millis(2);
            let waited = accepted(rig.queue.try_submit(Request::new(Op::new(0, 2)).start_by(start_by)))?;
            let next = accepted(rig.queue.try_submit(Op::new(0, 3)))?;
            while std::time::Instant::now() < start_by {
                std::thread::yield_now();
            }
            stall.release()?;
            expired(waited)?;
            applied(next.wait())?;
        }
        let numbers = rig.shutdown()?.numbers_of(0);
        ensure!(!numbers.contains(&0) && !numbers.contains(&2), "an expired update ran: {numbers:?}");
        Ok(())
    })
}

fn expired(ticket: Ticket<Reply>) -> Seen<()> {
    let error = failed(ticket.wait())?;
    ensure!(matches!(error, UpdateError::Expired), "the outcome is {error:?}");
    ensure!(error.effect() == Effect::NotApplied, "the effect of {error:?} is {:?}", error.effect());
    Ok(())
}

/// Item 16, a race: a ticket is polled once and dropped while the writer completes it; output and waker are freed.
pub fn item_16_stress_a_ticket_polled_once_and_dropped_while_completing_leaks_nothing<S: Strategy>() -> Verdict
{
    watched(16, "a ticket polled once and dropped while completing frees its output and its waker", |at| {
        let rig = Rig::<S, false>::holding(4);
        let mut dice = Dice::from_env("item_16");
        let token = Arc::new(());
        for number in 0..size(RACE_ROUNDS) {
            at.round("a ticket is dropped while it completes", number);
            let wakes = Wakes::new();
            let mut ticket = accepted(rig.queue.submit_blocking(Op::new(0, number).holding(&token)))?;
            let polled = wakes.poll(&mut ticket);
            dice.dawdle(500);
            drop(ticket);
            if let Poll::Ready(outcome) = polled {
                applied(outcome)?;
            }
            // The next one's outcome proves that the writer is through with this one.
            rig.call(Op::new(1, number))?;
            ensure!(wakes.count() <= 1, "one completion woke {} times", wakes.count());
            let (wakers, tokens) = (Arc::strong_count(&wakes) - 1, Arc::strong_count(&token) - 1);
            ensure!(wakers == 0 && tokens == 0, "left over: {wakers} wakers, {tokens} updates or outputs");
        }
        rig.shutdown().map(drop)
    })
}

/// Item 17: the newest waker is woken, a waker that was replaced is freed, and a ticket that lost a `select` goes on.
pub fn item_17_the_last_waker_is_woken_and_a_lost_select_branch_harms_nobody<S: Strategy>() -> Verdict {
    watched(17, "a ticket wakes the task that polled it last, and can be left and polled again", |at| {
        let rig = Rig::<S, false>::start(Options::default());
        if !rig.has_queue("tickets that are pending") {
            return Ok(());
        }
        let stall = rig.stall();
        let mut ticket = accepted(rig.queue.try_submit(Op::new(0, 0)))?;
        let (first, last) = (Wakes::new(), Wakes::new());
        ensure!(first.poll(&mut ticket).is_pending(), "a queued update had an outcome");
        ensure!(last.poll(&mut ticket).is_pending(), "a queued update had an outcome");
        ensure!(last.poll(&mut ticket).is_pending(), "a queued update had an outcome");
        ensure!(Arc::strong_count(&first) == 1, "the waker that was replaced is still held");
        at.now("the ticket loses a select, is polled by a timed wait that gives up, and is polled again");
        let Err(mut ticket) = ticket.wait_until(past()) else {
            return Err("a queued update had an outcome".to_owned());
        };
        ensure!(last.poll(&mut ticket).is_pending(), "a queued update had an outcome");
        stall.release()?;
        let outcome = last.drive(&mut ticket);
        applied(outcome)?;
        ensure!(first.count() == 0, "the task that had left was woken");
        at.now("a wait moves to another thread");
        ticket_moves(&rig)
    })
}

fn ticket_moves<S: Strategy>(rig: &Rig<S, false>) -> Seen<()> {
    let stall = rig.stall();
    let mut ticket = accepted(rig.queue.try_submit(Op::new(0, 1)))?;
    ensure!(Wakes::new().poll(&mut ticket).is_pending(), "a queued update had an outcome");
    let waiting = std::thread::spawn(move || ticket.wait());
    stall.release()?;
    let outcome = waiting.join().map_err(|_| "a caller panicked")?;
    applied(outcome).map(drop)
}
