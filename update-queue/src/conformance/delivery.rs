//! Items 1 to 5: every update is applied once, in order, and its answer reaches its caller.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::rig::{Rig, Seen, accepted, applied, crowd};
use super::watch::watched;
use super::{Dice, Gate, Op, Reply, Tag, Verdict, size};
use crate::{Options, Strategy, SubmitError, Ticket, UpdateQueue, block_on};

/// Item 1: an answer goes to the caller whose update it answers, and to nobody else, however late it comes.
pub fn item_01_every_caller_gets_the_answer_to_its_own_update<S: Strategy>() -> Verdict {
    watched(1, "every caller gets the answer to its own update", |at| {
        const THREADS: usize = 8;
        let rig = Rig::<S, false>::holding(64);
        at.now("1000 callers wait for their answers");
        crowd(THREADS, |caller| {
            let numbers: Vec<usize> = (0..size(50_000).clamp(THREADS, 1_000) / THREADS).collect();
            for batch in numbers.chunks(25) {
                answers_are_own(&rig.queue, caller, batch)?;
            }
            Ok(())
        })?;
        at.now("a caller leaves a running update; the next caller must not get its answer");
        late_answer_reaches_nobody(rig)
    })
}

fn answers_are_own<Q>(queue: &Q, caller: usize, numbers: &[usize]) -> Seen<()>
where
    Q: UpdateQueue<Machine = super::Journal<false>>,
{
    let submit = |&number: &usize| accepted(queue.submit_blocking(Op::new(caller, number)));
    let tickets = numbers.iter().map(submit).collect::<Seen<Vec<_>>>()?;
    for (&number, ticket) in numbers.iter().zip(tickets) {
        let answered = applied(ticket.wait())?.output.tag;
        let sent = Tag { caller, number };
        ensure!(answered == sent, "{sent:?} got the answer to {answered:?}");
    }
    Ok(())
}

fn late_answer_reaches_nobody<S: Strategy>(rig: Rig<S, false>) -> Seen<()> {
    let gate = Gate::new();
    let running = Op::new(100, 1).doing(gate.way());
    std::thread::scope(|scope| {
        let leaving = scope.spawn(|| {
            let ticket = accepted(rig.queue.submit_blocking(running))?;
            gate.wait_entered();
            drop(ticket);
            Ok::<(), String>(())
        });
        gate.wait_entered();
        let next = scope.spawn(|| {
            accepted(rig.queue.submit_blocking(Op::new(100, 2)))?.wait().map_err(|e| e.to_string())
        });
        gate.open();
        leaving.join().map_err(|_| "a caller panicked")??;
        let answered = next.join().map_err(|_| "a caller panicked")??.output.tag;
        ensure!(answered == Tag { caller: 100, number: 2 }, "got {answered:?}");
        Ok(())
    })
}

/// Item 2: what is accepted and not given up is applied exactly once, and nothing else is.
pub fn item_02_every_accepted_update_is_applied_exactly_once<S: Strategy>() -> Verdict {
    watched(2, "every accepted update is applied exactly once", |at| {
        let rig = Rig::<S, false>::holding(4);
        let dice = Dice::from_env("item_02");
        let accepted_tags = Mutex::new(Vec::new());
        at.now("four callers submit in every way");
        crowd(4, |caller| {
            let mut dice = dice.part(caller);
            for number in 0..size(10_000) {
                if let Some(ticket) = submit_any(&rig.queue, caller, number, &mut dice)? {
                    accepted_tags.lock().unwrap_or_else(PoisonError::into_inner).push(Tag { caller, number });
                    wait_or_detach(ticket, &mut dice)?;
                }
            }
            Ok(())
        })?;
        at.now("shutting down");
        let mut log = rig.shutdown()?.log().to_vec();
        let mut expected = accepted_tags.into_inner().unwrap_or_else(PoisonError::into_inner);
        log.sort_unstable();
        expected.sort_unstable();
        ensure!(log == expected, "{}", difference(&log, &expected));
        Ok(())
    })
}

/// Submits blocking, async or without waiting. `None`: there was no room.
fn submit_any<Q>(queue: &Q, caller: usize, number: usize, dice: &mut Dice) -> Seen<Option<Ticket<Reply>>>
where
    Q: UpdateQueue<Machine = super::Journal<false>>,
{
    let op = Op::new(caller, number);
    let submitted = match dice.below(3) {
        0 => queue.submit_blocking(op),
        1 => block_on(queue.submit(op)),
        _ => match queue.try_submit(op) {
            Err(SubmitError::Full { .. }) => return Ok(None),
            submitted => submitted,
        },
    };
    accepted(submitted).map(Some)
}

fn wait_or_detach(ticket: Ticket<Reply>, dice: &mut Dice) -> Seen<()> {
    if dice.below(2) == 0 {
        ticket.detach();
        return Ok(());
    }
    applied(ticket.wait()).map(drop)
}

fn difference(log: &[Tag], expected: &[Tag]) -> String {
    let (was, should): (BTreeSet<_>, BTreeSet<_>) = (log.iter().collect(), expected.iter().collect());
    let twice = log.windows(2).find(|pair| pair[0] == pair[1]);
    format!(
        "{} accepted, {} applied; first lost: {:?}, first twice: {twice:?}, first uncalled-for: {:?}",
        expected.len(),
        log.len(),
        should.difference(&was).next(),
        was.difference(&should).next(),
    )
}

/// Item 3: one caller's updates are applied in the order of its submits, whichever kinds of submit it mixes.
pub fn item_03_updates_of_one_producer_are_applied_in_its_order<S: Strategy>() -> Verdict {
    watched(3, "updates of one producer are applied in its order", |at| {
        const PRODUCERS: usize = 4;
        let rig = Rig::<S, false>::holding(8);
        let dice = Dice::from_env("item_03");
        at.now("four producers submit in every way");
        crowd(PRODUCERS, |caller| {
            let mut dice = dice.part(caller);
            for number in 0..size(10_000) {
                // Without room the update goes in later, but before the next.
                let ticket = loop {
                    if let Some(ticket) = submit_any(&rig.queue, caller, number, &mut dice)? {
                        break ticket;
                    }
                };
                ticket.detach();
            }
            Ok(())
        })?;
        at.now("shutting down");
        let machine = rig.shutdown()?;
        for caller in 0..PRODUCERS {
            let numbers = machine.numbers_of(caller);
            let wrong = numbers.windows(2).find(|pair| pair[0] >= pair[1]);
            ensure!(wrong.is_none(), "producer {caller}: {wrong:?} were applied in this order");
        }
        Ok(())
    })
}

/// Item 4: `seq` is the place in one total order that agrees with what callers see, and it has no gaps.
pub fn item_04_an_outcome_seen_before_a_submit_has_the_smaller_seq_and_seq_is_dense<S: Strategy>() -> Verdict
{
    watched(4, "an outcome seen before a submit has the smaller seq, and seq is dense", |at| {
        const LAST: u64 = 1_000;
        let rig = Rig::<S, false>::start(Options::default().capacity(4).last_seq(LAST));
        let seen = AtomicU64::new(LAST);
        let seqs = Mutex::new(Vec::new());
        at.now("four callers compare numbers");
        crowd(4, |caller| {
            for number in 0..size(10_000) {
                let before = seen.load(Ordering::SeqCst);
                let outcome = accepted(rig.queue.submit_blocking(Op::new(caller, number)))?.wait();
                let seq = applied(outcome)?.seq;
                ensure!(
                    seq > before,
                    "seq {seq} for an update that was submitted after seq {before} was seen"
                );
                seen.fetch_max(seq, Ordering::SeqCst);
                seqs.lock().unwrap_or_else(PoisonError::into_inner).push(seq);
            }
            Ok(())
        })?;
        let mut seqs = seqs.into_inner().unwrap_or_else(PoisonError::into_inner);
        seqs.sort_unstable();
        let gap = (LAST + 1..).zip(&seqs).find(|(place, seq)| place != *seq);
        ensure!(gap.is_none(), "expected seq and found seq: {gap:?}");
        Ok(())
    })
}

/// Item 5: the machine is called by one thread at a time; by one thread ever, if the strategy has a writer thread.
pub fn item_05_apply_never_overlaps_and_a_writer_is_one_thread<S: Strategy>() -> Verdict {
    watched(5, "calls into the machine never overlap", |at| {
        let rig = Rig::<S, true>::holding(4);
        at.now("four callers submit");
        crowd(4, |caller| {
            (0..size(10_000)).try_for_each(|number| {
                let dawdle = move || Dice::from_number(number).dawdle(100);
                rig.call(Op::new(caller, number).doing(dawdle)).map(drop)
            })
        })?;
        let (overlaps, threads) = (rig.probe.overlaps(), rig.probe.threads());
        ensure!(overlaps == 0, "{overlaps} calls into the machine began before the one before had ended");
        let one = rig.queue.capacity() == 0 || threads == 1;
        ensure!(one, "{threads} threads called the machine of a strategy with a writer thread");
        Ok(())
    })
}
