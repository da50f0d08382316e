//! Item 34: a machine that calls its own queue.

use std::pin::Pin;
use std::sync::mpsc;

use super::rig::{Rig, Seen, accepted, applied};
use super::watch::watched;
use super::{Journal, Op, Reply, Verdict, Wakes};
use crate::{
    CallError, ShutdownError, Strategy, SubmitError, Ticket, UpdateError, UpdateQueue, Writer, block_on,
};

/// Item 34: what would wait for its own queue from inside `apply`, `commit` or `rollback` is refused, not a deadlock.
pub fn item_34_a_blocking_call_from_inside_the_machine_is_refused<S: Strategy>() -> Verdict {
    watched(34, "a blocking call from inside the machine is refused, and `try_submit` is not", |at| {
        at.now("apply calls its own queue");
        let rig = Rig::<S, true>::holding(4);
        let (told, heard) = mpsc::channel();
        let queue = rig.queue.clone();
        let inside = Op::new(0, 0).doing(move || drop(told.send(calls_from_inside(&queue))));
        rig.call(inside)?;
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
    rig.call_failing(Op::new(0, 1))?;
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
    let error = rig.call_failing(inside)?;
    ensure!(matches!(error, UpdateError::Panicked(_)), "an update that waits for a later one got {error:?}");
    Ok(())
}

fn moves_inside<S: Strategy>() -> Seen<()> {
    let rig = Rig::<S, false>::holding(1);
    if !rig.has_queue("a submit that is first polled outside the machine and then inside") {
        return Ok(());
    }
    let (told, heard) = mpsc::channel();
    let (give, take) = mpsc::channel::<Pin<Box<dyn Future<Output = Seen<()>> + Send>>>();
    let stall = rig.stall_then(move || {
        if let Ok(submit) = take.recv() {
            let _ = told.send(block_on(submit));
        }
    });
    rig.fill(0)?.0.into_iter().for_each(Ticket::detach);
    let queue = rig.queue.clone();
    let mut submit: Pin<Box<dyn Future<Output = Seen<()>> + Send>> =
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
        other => {
            return Err(format!(
                "shutdown from inside the machine got {:?}",
                other.map(|result| result.map(drop))
            ));
        }
    };
    writer.shutdown().map(drop).map_err(|error| format!("shutdown from outside, after that: {error}"))
}
