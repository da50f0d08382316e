//! Items 7, 9 and 12 for `call`, which leaves its waker with the update before anybody polls the ticket.

use std::pin::pin;

use super::rig::{Rig, applied};
use super::watch::watched;
use super::{Gate, Op, Verdict, Wakes, size};
use crate::{Applied, CallError, Strategy, UpdateQueue};

/// Item 7: a call waits for room and then for its answer, whichever waker polls it meanwhile.
pub fn item_07_a_call_waits_for_room_and_for_its_answer<S: Strategy>() -> Verdict {
    watched(7, "a call waits for room and then for its answer", |at| {
        for round in 0..size(2_500) {
            at.round("a call finds no room, and its waker changes", round);
            let rig = Rig::<S, false>::holding(1);
            if !rig.has_queue("calls that wait for room") {
                return Ok(());
            }
            let stall = rig.stall();
            let (tickets, _refused) = rig.fill(0)?;
            let mut call = pin!(rig.queue.call(Op::new(1, 0)));
            let (first, second) = (Wakes::new(), Wakes::new());
            ensure!(first.poll(&mut call).is_pending(), "a call to a full queue was over at once");
            ensure!(second.poll(&mut call).is_pending(), "a call to a full queue was over at once");
            stall.release()?;
            answered(second.drive(&mut call))?;
            tickets.into_iter().try_for_each(|ticket| applied(ticket.wait()).map(drop))?;
        }
        Ok(())
    })
}

/// Item 7: a call that was accepted is woken by its answer, also if another waker polls it than the one it began with.
pub fn item_07_a_call_is_answered_whichever_waker_polls_it<S: Strategy>() -> Verdict {
    watched(7, "an accepted call is answered, whichever waker polls it", |at| {
        for round in 0..size(2_500) {
            at.round("a call is queued, and its waker changes in every second round", round);
            let rig = Rig::<S, false>::holding(4);
            if !rig.has_queue("calls that wait for a stalled writer") {
                return Ok(());
            }
            let stall = rig.stall();
            let mut call = pin!(rig.queue.call(Op::new(1, 0)));
            let (first, second) = (Wakes::new(), Wakes::new());
            ensure!(first.poll(&mut call).is_pending(), "a call to a stalled writer was over at once");
            let last = if round % 2 == 0 {
                first
            } else {
                ensure!(second.poll(&mut call).is_pending(), "a call to a stalled writer was over at once");
                second
            };
            stall.release()?;
            answered(last.drive(&mut call))?;
        }
        Ok(())
    })
}

/// Items 9 and 12: a call that is dropped never runs, unless it runs already.
pub fn item_09_a_dropped_call_never_runs_unless_it_runs_already<S: Strategy>() -> Verdict {
    watched(9, "a call that is dropped never runs, unless it runs already", |at| {
        let rig = Rig::<S, false>::holding(1);
        if !rig.has_queue("calls that are dropped") {
            return Ok(());
        }
        let wakes = Wakes::new();
        at.now("queued, and waiting for room");
        let stall = rig.stall();
        {
            let mut queued = Box::pin(rig.queue.call(Op::new(1, 0)));
            ensure!(wakes.poll(&mut queued).is_pending(), "a call to a stalled writer was over at once");
            let mut without_room = Box::pin(rig.queue.call(Op::new(1, 1)));
            ensure!(wakes.poll(&mut without_room).is_pending(), "a call to a full queue was over at once");
        }
        stall.release()?;
        // What was given up keeps its place until the writer comes by; it has when an update behind it is answered.
        rig.call(Op::new(2, 0))?;
        at.now("running");
        let gate = Gate::new();
        let mut running = Box::pin(rig.queue.call(Op::new(1, 2).doing(gate.way())));
        ensure!(wakes.poll(&mut running).is_pending(), "a call whose update stands still was over at once");
        gate.wait_entered();
        drop(running);
        gate.open();
        let numbers = rig.shutdown()?.numbers_of(1);
        ensure!(
            numbers == [2],
            "applied were {numbers:?}, and only the running one was not given up in time"
        );
        Ok(())
    })
}

fn answered<O, U>(called: Result<Applied<O>, CallError<U>>) -> Result<(), String> {
    called.map(drop).map_err(|error| format!("a call was not applied: {error}"))
}
