//! Items 18 to 23: outcomes wait for their commit, and a commit that fails is undone or poisons.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::rig::{Rig, Seen, accepted, applied, crowd, failed, past};
use super::watch::{At, watched};
use super::{Event, Gate, Op, Reply, Tag, Verdict, Wakes, size};
use crate::{
    Cancel, Effect, Options, Outcome, Request, Strategy, SubmitError, Ticket, UpdateError, UpdateQueue,
};

/// Item 18: with group commit nobody learns an outcome before the commit that makes it last.
pub fn item_18_no_outcome_is_visible_before_its_commit_returned<S: Strategy>() -> Verdict {
    watched(18, "no outcome is visible before its commit returned", |at| {
        let rig = Rig::<S, true>::holding(8);
        at.now("callers compare their seq with what is committed");
        crowd(4, |caller| {
            (0..size(10_000)).try_for_each(|number| {
                let outcome = accepted(rig.queue.submit_blocking(Op::new(caller, number)))?.wait();
                let (seq, committed) = (applied(outcome)?.seq, rig.probe.published());
                ensure!(
                    committed as u64 >= seq,
                    "an outcome of seq {seq} was seen when {committed} were committed"
                );
                Ok(())
            })
        })?;
        at.now("the commit stands still");
        nobody_is_answered_during(&rig)?;
        rig.shutdown().map(drop)
    })
}

fn nobody_is_answered_during<S: Strategy>(rig: &Rig<S, true>) -> Seen<()> {
    let gate = Gate::new();
    let way = gate.way();
    rig.probe.script_commit(move || {
        way();
        Ok(())
    });
    let answered = AtomicBool::new(false);
    thread::scope(|scope| {
        let caller = scope.spawn(|| {
            let outcome = accepted(rig.queue.submit_blocking(Op::new(9, 0)))?.wait();
            answered.store(true, Ordering::SeqCst);
            applied(outcome)
        });
        gate.wait_entered();
        let early = answered.load(Ordering::SeqCst);
        gate.open();
        caller.join().map_err(|_| "a caller panicked")??;
        ensure!(!early, "a caller was answered while its commit was running");
        Ok(())
    })
}

/// Item 19: a batch has at most `max_batch` updates and is never held back for more; no updates, no commit.
pub fn item_19_a_batch_is_at_most_max_batch_and_nobody_waits_for_more<S: Strategy>() -> Verdict {
    watched(
        19,
        "a batch is at most `max_batch`, nobody waits for more, and no update means no commit",
        |at| {
            let rig = Rig::<S, true>::start(Options::default().max_batch(4).capacity(16));
            at.now("a lone update commits at once");
            rig.call(Op::new(0, 0))?;
            ensure!(rig.probe.batches() == [1], "commits after one lone update: {:?}", rig.probe.batches());
            at.now("an update expires, and nothing is applied");
            failed(accepted(rig.queue.try_submit(Request::new(Op::new(0, 1)).start_by(past())))?.wait())?;
            at.now("eleven updates are there at once, and one more is cancelled");
            let stall = rig.stall();
            let mut tickets = Vec::new();
            if rig.queue.capacity() > 0 {
                let cancel = accepted(rig.queue.try_submit(Op::new(0, 2)))?.cancel();
                ensure!(matches!(cancel, Cancel::Cancelled), "cancel said {cancel:?} of a queued update");
                let submit = |number| accepted(rig.queue.try_submit(Op::new(1, number)));
                tickets = (0..10).map(submit).collect::<Seen<Vec<_>>>()?;
            }
            let expected = if tickets.is_empty() { vec![1, 1] } else { vec![1, 4, 4, 3] };
            stall.release()?;
            tickets.into_iter().try_for_each(|ticket| applied(ticket.wait()).map(drop))?;
            let probe = Arc::clone(&rig.probe);
            rig.shutdown()?;
            ensure!(probe.batches() == expected, "committed were {:?}, not {expected:?}", probe.batches());
            Ok(())
        },
    )
}

/// Three updates that share a batch with a stalled one if the strategy has a queue, and are alone otherwise.
fn batch_of_three<S: Strategy>(rig: &Rig<S, true>) -> Seen<Vec<Outcome<Reply>>> {
    let op = |number| Op::new(0, number);
    if rig.queue.capacity() == 0 {
        return (0..3).map(|number| accepted(rig.queue.try_submit(op(number))).map(Ticket::wait)).collect();
    }
    let stall = rig.stall();
    let tickets =
        (0..3).map(|number| accepted(rig.queue.try_submit(op(number)))).collect::<Seen<Vec<_>>>()?;
    let _of_the_batch = stall.release();
    Ok(tickets.into_iter().map(Ticket::wait).collect())
}

/// Item 20: when a commit fails and the machine rolls back, its batch is not applied and the queue goes on.
pub fn item_20_a_failed_commit_that_is_undone_fails_its_batch_and_the_queue_lives<S: Strategy>() -> Verdict {
    watched(
        20,
        "a failed commit that is undone fails its whole batch as not applied, and the queue lives",
        |at| {
            let rig = Rig::<S, true>::holding(8);
            rig.probe.restores();
            at.now("a first batch is committed");
            rig.call(Op::new(1, 0))?;
            // One failure for a batch of three, or three for three batches of one.
            for _ in 0..if rig.queue.capacity() == 0 { 3 } else { 1 } {
                rig.probe.script_commit(|| Err("the disk is full".into()));
            }
            at.now("the commit of a batch fails");
            batch_of_three(&rig)?.into_iter().try_for_each(rolled_back)?;
            at.now("the queue goes on");
            let next = rig.call(Op::new(1, 1))?;
            let place = (next.seq, next.output.position);
            ensure!(place == (2, 2), "after one committed update an update's seq and position are {place:?}");
            let machine = rig.shutdown()?;
            let right = machine.numbers_of(1) == [0, 1] && machine.log().len() == 2;
            ensure!(right, "applied are {:?}", machine.log());
            Ok(())
        },
    )
}

fn rolled_back(outcome: Outcome<Reply>) -> Seen<()> {
    let error = failed(outcome)?;
    ensure!(matches!(error, UpdateError::RolledBack(_)), "the outcome is {error:?}");
    ensure!(error.effect() == Effect::NotApplied, "the effect is {:?}", error.effect());
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    ensure!(cause.as_deref() == Some("the disk is full"), "the cause is {cause:?}");
    Ok(())
}

/// Item 21: when a commit fails and nothing is undone, the effect is unknown, and nobody gets in any more.
pub fn item_21_a_failed_commit_that_is_not_undone_poisons_the_queue<S: Strategy>() -> Verdict {
    watched(21, "a failed commit that is not rolled back poisons the queue, and is not tried again", |at| {
        let rig = Rig::<S, true>::start(Options::default().capacity(8).max_batch(3));
        rig.probe.script_commit(|| Err("the disk is gone".into()));
        at.now("the commit of a batch fails");
        if rig.queue.capacity() == 0 {
            commit_failed(accepted(rig.queue.try_submit(Op::new(0, 0)))?.wait())?;
        } else {
            // The stalled update and two more are a batch; the third is still queued.
            let mut outcomes = batch_of_three(&rig)?.into_iter();
            outcomes.by_ref().take(2).try_for_each(commit_failed)?;
            let queued = outcomes.next().map(failed).transpose()?;
            ensure!(
                matches!(queued, Some(UpdateError::Closed)),
                "the outcome of a queued update is {queued:?}"
            );
        }
        at.now("later submits are refused");
        refused_as_poisoned(rig.queue.try_submit(Op::new(2, 0)), "the disk is gone")?;
        refused_as_poisoned(rig.queue.submit_blocking(Op::new(2, 0)), "the disk is gone")?;
        refused_as_poisoned(crate::block_on(rig.queue.submit(Op::new(2, 0))), "the disk is gone")?;
        let probe = Arc::clone(&rig.probe);
        at.now("shutting down");
        let (_machine, cause) = rig.shutdown_poisoned()?;
        ensure!(cause.contains("the disk is gone"), "shutdown's cause is {cause}");
        ensure!(probe.batches().len() == 1, "commits: {:?}", probe.batches());
        Ok(())
    })
}

fn commit_failed(outcome: Outcome<Reply>) -> Seen<()> {
    let error = failed(outcome)?;
    ensure!(matches!(error, UpdateError::CommitFailed(_)), "the outcome is {error:?}");
    ensure!(error.effect() == Effect::Unknown, "the effect is {:?}", error.effect());
    Ok(())
}

/// A poisoned queue gives update (2, 0) back and says why.
pub(crate) fn refused_as_poisoned(submitted: Result<Ticket<Reply>, SubmitError<Op>>, why: &str) -> Seen<()> {
    match submitted {
        Err(SubmitError::Poisoned { update, cause }) => {
            ensure!(update.tag == Tag { caller: 2, number: 0 }, "another update came back: {:?}", update.tag);
            ensure!(cause.contains(why), "the cause is `{cause}`, without `{why}`");
            Ok(())
        }
        other => Err(format!("a poisoned queue answered a submit with {other:?}")),
    }
}

/// Item 22: without group commit an update is answered before the next is applied, and `commit` is never called.
pub fn item_22_without_group_commit_updates_complete_one_by_one_and_commit_is_never_called<S: Strategy>()
-> Verdict {
    watched(
        22,
        "without group commit an update completes before the next, and commit is never called",
        |at| {
            let rig = Rig::<S, false>::holding(8);
            at.now("an update stands still; the one before is done");
            let first = accepted(rig.queue.submit_blocking(Op::new(0, 0)))?;
            let stall = rig.stall();
            is_done(first)?;
            at.now("the same within a backlog");
            let gate = Gate::new();
            let submit =
                |op| (rig.queue.capacity() > 0).then(|| accepted(rig.queue.try_submit(op))).transpose();
            let (first, last) = (submit(Op::new(0, 1))?, submit(Op::new(0, 2).doing(gate.way()))?);
            stall.release()?;
            if let (Some(first), Some(last)) = (first, last) {
                gate.wait_entered();
                is_done(first)?;
                gate.open();
                applied(last.wait())?;
            }
            at.now("an update panics");
            rig.probe.restores();
            rig.call_failing(Op::new(0, 3).doing(|| panic!("on purpose")))?;
            let events = rig.probe.events();
            let only_applied = events.iter().all(|event| matches!(event, Event::Applied(_)));
            ensure!(only_applied, "without group commit the machine saw {events:?}");
            Ok(())
        },
    )
}

fn is_done(mut ticket: Ticket<Reply>) -> Seen<()> {
    ensure!(Wakes::new().poll(&mut ticket).is_ready(), "the next update runs, and this one has no outcome");
    Ok(())
}

/// Item 23: what a machine publishes at its commit is there when the outcome is, and never what is undone later.
pub fn item_23_a_published_snapshot_is_committed_and_precedes_the_outcome<S: Strategy>() -> Verdict {
    watched(23, "a snapshot shows every outcome that was seen, and nothing uncommitted", |at| {
        let rig = Rig::<S, true>::holding(8);
        rig.probe.restores();
        at.now("a reader looks while a batch is undone");
        rig.call(Op::new(1, 0))?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        for _ in 0..if rig.queue.capacity() == 0 { 3 } else { 1 } {
            let (seen, probe) = (Arc::clone(&seen), Arc::clone(&rig.probe));
            rig.probe.script_commit(move || {
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(probe.published());
                Err("undone".into())
            });
        }
        batch_of_three(&rig)?.into_iter().try_for_each(|outcome| failed(outcome).map(drop))?;
        let during = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        ensure!(
            during.iter().all(|&shown| shown == 1),
            "snapshots before the commit ended showed {during:?}"
        );
        ensure!(
            rig.probe.published() == 1,
            "after the batch was undone a snapshot shows {}",
            rig.probe.published()
        );
        at.now("callers read their own writes");
        reads_its_writes(at, &rig)?;
        rig.shutdown().map(drop)
    })
}

fn reads_its_writes<S: Strategy>(at: &At, rig: &Rig<S, true>) -> Seen<()> {
    crowd(4, |caller| {
        (0..size(2_500)).try_for_each(|number| {
            at.round("callers read their own writes", number);
            let done = rig.call(Op::new(caller, number))?;
            let shown = rig.probe.published();
            ensure!(
                shown >= done.output.position,
                "update {} is done, the snapshot shows {shown}",
                done.output.position
            );
            Ok(())
        })
    })
}
