//! Item 40: random operations of several callers, checked against the sequential history that `seq` names.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use super::rig::{Rig, Seen, crowd, far, past};
use super::watch::watched;
use super::{Dice, Journal, Op, Reply, Tag, Verdict, Wakes, size};
use crate::{
    Applied, Cancel, Effect, Options, Outcome, Request, Strategy, SubmitError, Ticket, UpdateError,
    UpdateQueue, block_on,
};

/// What a caller knows of its update in the end.
#[derive(Debug)]
enum Fate {
    /// Certainly applied, with this place and this reply.
    Applied(u64, Reply),
    /// Certainly not applied.
    NotApplied,
    /// The caller dropped or detached it; applied or not, at most once.
    LetGo,
}

/// Item 40: whatever callers do, their outcomes are those of applying the updates one after the other in `seq` order.
pub fn item_40_random_operations_agree_with_a_sequential_model<S: Strategy>() -> Verdict {
    watched(40, "random operations agree with a sequential model", |at| {
        const CALLERS: usize = 4;
        let dice = Dice::from_env("item_40");
        for round in 0..size(2_500) {
            at.round("four callers do random operations", round);
            let mut dice = dice.part(round);
            let options = Options::default().capacity(1 + dice.below(4)).max_batch(1 + dice.below(4));
            let rig = Rig::<S, true>::start(options);
            rig.probe.restores();
            let fates = Mutex::new(BTreeMap::new());
            crowd(CALLERS, |caller| {
                let mut dice = dice.part(caller);
                (0..25).try_for_each(|number| {
                    if dice.below(16) == 0 {
                        rig.probe.script_commit(|| Err("undone".into()));
                    }
                    let fate = operation(&rig.queue, caller, number, &mut dice)?;
                    fates.lock().unwrap_or_else(PoisonError::into_inner).insert(Tag { caller, number }, fate);
                    Ok(())
                })
            })?;
            let machine = rig.shutdown()?;
            agrees(&machine, &fates.into_inner().unwrap_or_else(PoisonError::into_inner))?;
        }
        Ok(())
    })
}

fn operation<Q>(queue: &Q, caller: usize, number: usize, dice: &mut Dice) -> Seen<Fate>
where
    Q: UpdateQueue<Machine = Journal<true>>,
{
    let request = request(caller, number, dice);
    let submitted = match dice.below(4) {
        0 => queue.try_submit(request),
        1 => queue.submit_blocking(request),
        2 => block_on(queue.submit(request)),
        _ => match Wakes::new().poll(&mut Box::pin(queue.submit(request))) {
            Poll::Ready(submitted) => submitted,
            Poll::Pending => return Ok(Fate::LetGo),
        },
    };
    match submitted {
        Ok(ticket) => end_of(ticket, dice),
        Err(SubmitError::Full { update, .. }) => {
            ensure!(update.tag == Tag { caller, number }, "another update came back: {:?}", update.tag);
            Ok(Fate::NotApplied)
        }
        Err(error) => Err(format!("an open queue refused an update with {error:?}")),
    }
}

/// An update that may panic and may have a `start_by`, passed or not.
fn request(caller: usize, number: usize, dice: &mut Dice) -> Request<Op> {
    let op = Op::new(caller, number);
    let request = Request::new(if dice.below(16) == 0 { op.doing(|| panic!("on purpose")) } else { op });
    match dice.below(8) {
        0 => request.start_by(past()),
        1 => request.start_by(far()),
        _ => request,
    }
}

fn end_of(mut ticket: Ticket<Reply>, dice: &mut Dice) -> Seen<Fate> {
    match dice.below(6) {
        0 => {
            ticket.detach();
            Ok(Fate::LetGo)
        }
        1 => {
            dice.dawdle(200);
            drop(ticket);
            Ok(Fate::LetGo)
        }
        2 => match ticket.cancel() {
            Cancel::Cancelled => Ok(Fate::NotApplied),
            Cancel::TooLate(ticket) => known(ticket.wait()),
            Cancel::Done(outcome) => known(outcome),
        },
        3 => match ticket.wait_until(past()) {
            Ok(outcome) => known(outcome),
            Err(ticket) => known(block_on(ticket)),
        },
        4 => known(Wakes::new().drive(&mut ticket)),
        _ => known(ticket.wait()),
    }
}

fn known(outcome: Outcome<Reply>) -> Seen<Fate> {
    match outcome {
        Ok(Applied { seq, output }) => Ok(Fate::Applied(seq, output)),
        Err(UpdateError::Expired | UpdateError::RolledBack(_)) => Ok(Fate::NotApplied),
        Err(error) if error.effect() == Effect::Unknown => {
            Err(format!("a sound machine's update got {error:?}"))
        }
        Err(error) => Err(format!("an open queue's update got {error:?}")),
    }
}

/// The log is the history: place `seq` of it is the update that was told so, and nobody was told wrong.
fn agrees(machine: &Journal<true>, fates: &BTreeMap<Tag, Fate>) -> Seen<()> {
    let log = machine.log();
    for (tag, fate) in fates {
        let runs = log.iter().filter(|logged| *logged == tag).count();
        ensure!(runs <= 1, "{tag:?} was applied {runs} times");
        match fate {
            Fate::Applied(seq, reply) => {
                let place = *seq as usize;
                ensure!(
                    log.get(place - 1) == Some(tag),
                    "{tag:?} has seq {seq}, where {:?} is",
                    log.get(place - 1)
                );
                ensure!(reply.tag == *tag && reply.position == place, "{tag:?} at {place} got {reply:?}");
            }
            Fate::NotApplied => ensure!(runs == 0, "{tag:?} was applied, and its caller was told not"),
            Fate::LetGo => {}
        }
    }
    let unknown = log.iter().find(|tag| !fates.contains_key(tag));
    ensure!(unknown.is_none(), "nobody submitted {unknown:?}");
    Ok(())
}
