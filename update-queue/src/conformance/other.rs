//! Items 33, 36, 38 and 39: chaining, leaks, the smallest queue and unusual updates.

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use super::rig::{Rig, Seen, accepted, applied, crowd};
use super::watch::{At, watched};
use super::{Op, Verdict, Wakes, size};
use crate::{Options, StateMachine, Strategy, UpdateQueue, block_on};

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
            let waited_for_room = every_fate(&rig, &token)?;
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
            let left = Arc::strong_count(&waited_for_room) - 1;
            ensure!(left == 0, "the waker of a caller that waited for room is still held {left} times");
        }
        Ok(())
    })
}

/// Gives up in every way. Returns the waker of a submit that was dropped while it waited for room.
fn every_fate<S: Strategy>(rig: &Rig<S, true>, token: &Arc<()>) -> Seen<Arc<Wakes>> {
    let (wakes, waits_for_room) = (Wakes::new(), Wakes::new());
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
        ensure!(waits_for_room.poll(&mut pending).is_pending(), "a submit to a full queue did not wait");
    }
    let held = Arc::strong_count(&wakes) - 1;
    ensure!(held == 0, "wakers of tickets that were given up are held {held} times");
    Ok(waits_for_room)
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
                let submitted = if number % 2 == 0 {
                    rig.queue.submit_blocking(op)
                } else {
                    block_on(rig.queue.submit(op))
                };
                let answered = applied(accepted(submitted)?.wait())?.output.tag;
                ensure!(
                    answered.caller == caller && answered.number == number,
                    "got the answer to {answered:?}"
                );
            }
            Ok(())
        })?;
        ensure!(
            rig.probe.batches().iter().all(|&updates| updates == 1),
            "a batch was larger than max_batch 1"
        );
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
        pass::<S, [u8; 16_384]>(
            at,
            "16 KiB updates in place",
            || [7; 16_384],
            |update| update == [7; 16_384],
        )?;
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
        ensure!(
            intact(applied(accepted(queue.submit_blocking(make()))?.wait())?.output),
            "{what}: one came back changed"
        );
        let outcome = block_on(queue.call(make())).map_err(|error| format!("{what}: {error:?}"))?;
        ensure!(intact(outcome.output), "{what}: one came back changed");
    }
    let Passing(count, _) = writer.shutdown().map_err(|error| format!("{what}: {error}"))?;
    ensure!(count == COUNT, "{what}: {count} of {COUNT} ran");
    Ok(())
}
