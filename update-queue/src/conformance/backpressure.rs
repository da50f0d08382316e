//! Items 6 to 10: how many updates a queue takes, and how callers wait when it takes no more.

use std::pin::pin;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use super::rig::{Rig, Seen, accepted, applied, crowd, past};
use super::watch::{At, watched};
use super::{Gate, Op, RACE_ROUNDS, Tag, Verdict, Wakes, size};
use crate::{Request, Strategy, SubmitError, UpdateQueue, block_on};

/// Item 6: capacity is what is queued and not yet claimed, exactly; the update that does not fit comes back.
pub fn item_06_exactly_capacity_is_accepted_while_the_writer_stands_still<S: Strategy>() -> Verdict {
    watched(6, "exactly `capacity` updates are accepted while the writer stands still", |at| {
        for capacity in [1, 2, 7, 64] {
            exactly_capacity::<S, false>(at, capacity)?;
            exactly_capacity::<S, true>(at, capacity)?;
        }
        Ok(())
    })
}

fn exactly_capacity<S: Strategy, const GROUP: bool>(at: &At, capacity: usize) -> Seen<()> {
    at.round("the writer stands still in apply; the capacity is the round", capacity);
    let rig = Rig::<S, GROUP>::holding(capacity);
    let holds = rig.queue.capacity();
    ensure!(holds == 0 || holds == capacity, "capacity() is {holds}, and {capacity} was asked for");
    let stall = rig.stall();
    let first = Gate::new();
    let backlog = (holds > 0).then(|| rig.queue.try_submit(Op::new(0, 0).doing(first.way())));
    let head = backlog.map(accepted).transpose()?;
    let (mut tickets, refused) = rig.fill(1)?;
    ensure!(refused.tag.number == tickets.len(), "the update that came back is {:?}", refused.tag);
    let taken = tickets.len() + usize::from(head.is_some());
    ensure!(taken == holds, "{taken} updates were accepted, capacity() is {holds}");
    ensure!(rig.queue.depth() == holds, "depth() is {} in a full queue", rig.queue.depth());
    stall.open();
    if let Some(head) = head {
        at.round("the writer stands still again, on the first of its backlog", capacity);
        first.wait_entered();
        ensure!(rig.queue.depth() == holds - 1, "depth() is {} after one claim", rig.queue.depth());
        let more = rig.fill(2)?.0;
        ensure!(more.len() == 1, "one claim made room for {} updates", more.len());
        first.open();
        tickets.extend(more);
        tickets.push(head);
    }
    at.round("everything accepted is applied", capacity);
    stall.release()?;
    tickets.into_iter().try_for_each(|ticket| applied(ticket.wait()).map(drop))?;
    rig.shutdown().map(drop)
}

/// Item 7: callers that wait for room, blocking or async, get in when there is room.
pub fn item_07_blocked_submitters_proceed_when_room_appears<S: Strategy>() -> Verdict {
    watched(7, "blocked submitters proceed when room appears", |at| {
        for round in 0..size(2_500) {
            at.round("a blocking and an async caller wait for room", round);
            let rig = Rig::<S, false>::holding(1);
            let stall = rig.stall();
            rig.fill(0)?.0.into_iter().for_each(crate::Ticket::detach);
            thread::scope(|scope| {
                let blocking = scope.spawn(|| {
                    accepted(rig.queue.submit_blocking(Op::new(1, 0)))?.wait().map_err(|e| e.to_string())
                });
                let waiting = (rig.queue.capacity() > 0).then(|| Box::pin(rig.queue.submit(Op::new(2, 0))));
                let wakes = Wakes::new();
                let waiting = waiting.map(|mut submit| match wakes.poll(&mut submit) {
                    Poll::Pending => Ok(submit),
                    Poll::Ready(_) => Err("an async submit to a full queue did not wait".to_owned()),
                });
                let waiting = waiting.transpose()?;
                stall.release()?;
                if let Some(mut submit) = waiting {
                    applied(accepted(wakes.drive(&mut submit))?.wait())?;
                }
                blocking.join().map_err(|_| "a blocking caller panicked")?.map(drop)
            })?;
        }
        Ok(())
    })
}

/// Item 7, as a race: a queue with one place serves blocking and async producers to the end.
pub fn item_07_stress_one_place_serves_every_producer<S: Strategy>() -> Verdict {
    watched(7, "blocked submitters proceed when room appears", |at| {
        const PRODUCERS: usize = 4;
        let rig = Rig::<S, false>::holding(1);
        crowd(PRODUCERS, |caller| {
            (0..size(RACE_ROUNDS) / PRODUCERS).try_for_each(|number| {
                at.round("producers pass a queue with one place", number);
                let op = Op::new(caller, number);
                let submitted = if caller % 2 == 0 {
                    rig.queue.submit_blocking(op)
                } else {
                    block_on(rig.queue.submit(op))
                };
                applied(accepted(submitted)?.wait()).map(drop)
            })
        })
    })
}

/// Item 8: a submit that finds no room until `start_by` gives the update back, and soon.
pub fn item_08_a_submit_without_room_gives_the_update_back_at_start_by<S: Strategy>() -> Verdict {
    watched(8, "a submit without room gives the update back at `start_by`", |at| {
        let rig = Rig::<S, false>::holding(1);
        if !rig.has_queue("submits that wait for room until their `start_by`") {
            return Ok(());
        }
        let stall = rig.stall();
        let (tickets, _refused) = rig.fill(0)?;
        at.now("blocking, start_by passed");
        gives_back(rig.queue.submit_blocking(Request::new(Op::new(1, 1)).start_by(past())), 1)?;
        at.now("blocking, start_by ahead");
        blocks_until_start_by(&rig.queue)?;
        at.now("async, start_by passed");
        gives_back(block_on(rig.queue.submit(Request::new(Op::new(1, 3)).start_by(past()))), 3)?;
        at.now("async, start_by passes while it waits");
        gives_back_at_its_next_poll(&rig.queue)?;
        stall.release()?;
        tickets.into_iter().try_for_each(|ticket| applied(ticket.wait()).map(drop))?;
        let log = rig.shutdown()?;
        ensure!(log.numbers_of(1).is_empty(), "updates that were given back ran: {:?}", log.numbers_of(1));
        Ok(())
    })
}

type Submitted = Result<crate::Ticket<super::Reply>, SubmitError<Op>>;

fn gives_back(submitted: Submitted, number: usize) -> Seen<()> {
    match submitted {
        Err(SubmitError::Full { update, .. }) => {
            ensure!(update.tag == Tag { caller: 1, number }, "another update came back: {:?}", update.tag);
            Ok(())
        }
        Err(error) => Err(format!("not `Full` but {error:?}")),
        Ok(_ticket) => Err("a full queue accepted an update".to_owned()),
    }
}

/// Not before `start_by`; soon after it at least once in a few attempts, because the machine may be busy.
fn blocks_until_start_by<Q: UpdateQueue<Machine = super::Journal<false>>>(queue: &Q) -> Seen<()> {
    // LIMIT: 50 ms: a timed wait ends within some milliseconds on an idle machine.
    const SOON: Duration = Duration::from_millis(50);
    let mut latest = Duration::MAX;
    for _ in 0..5 {
        let start_by = Instant::now() + Duration::from_millis(5);
        gives_back(queue.submit_blocking(Request::new(Op::new(1, 2)).start_by(start_by)), 2)?;
        let now = Instant::now();
        ensure!(now >= start_by, "gave up {:?} before start_by", start_by - now);
        latest = latest.min(now - start_by);
    }
    // Miri's clock counts its own steps.
    ensure!(cfg!(miri) || latest < SOON, "gave up {latest:?} after start_by at the earliest of five times");
    Ok(())
}

fn gives_back_at_its_next_poll<Q: UpdateQueue<Machine = super::Journal<false>>>(queue: &Q) -> Seen<()> {
    let start_by = Instant::now() + Duration::from_millis(5);
    let mut submit = pin!(queue.submit(Request::new(Op::new(1, 4)).start_by(start_by)));
    let wakes = Wakes::new();
    let first = wakes.poll(&mut submit);
    ensure!(first.is_pending() || Instant::now() >= start_by, "an async submit to a full queue did not wait");
    while Instant::now() < start_by {
        thread::yield_now();
    }
    match first {
        Poll::Ready(submitted) => gives_back(submitted, 4),
        Poll::Pending => match wakes.poll(&mut submit) {
            Poll::Ready(submitted) => gives_back(submitted, 4),
            Poll::Pending => Err("still waiting at the first poll after start_by".to_owned()),
        },
    }
}

/// Item 9: a pending submit that is dropped never starts, and whoever waits behind it gets its turn.
pub fn item_09_a_pending_submit_that_is_dropped_never_runs_and_passes_its_turn_on<S: Strategy>() -> Verdict {
    watched(9, "a pending submit that is dropped never runs and passes its turn on", |at| {
        for after_its_wake in [false, true] {
            at.round(
                "one of two pending submits is dropped (round 1: after it was woken)",
                after_its_wake.into(),
            );
            let rig = Rig::<S, false>::holding(1);
            if !rig.has_queue("pending submits that are dropped") {
                return Ok(());
            }
            dropped_pending(&rig, after_its_wake)?;
            let log = rig.shutdown()?;
            ensure!(log.numbers_of(1).is_empty(), "the dropped submit's update was applied");
            ensure!(log.numbers_of(2) == [0], "the next caller's update was not applied");
        }
        Ok(())
    })
}

fn dropped_pending<S: Strategy>(rig: &Rig<S, false>, after_its_wake: bool) -> Seen<()> {
    let stall = rig.stall();
    let gate = Gate::new();
    accepted(rig.queue.try_submit(Op::new(0, 0).doing(gate.way())))?.detach();
    let mut dropped = Box::pin(rig.queue.submit(Op::new(1, 0)));
    let mut next = Box::pin(rig.queue.submit(Op::new(2, 0)));
    let (first, second) = (Wakes::new(), Wakes::new());
    ensure!(first.poll(&mut dropped).is_pending(), "a submit to a full queue did not wait");
    ensure!(second.poll(&mut next).is_pending(), "a submit to a full queue did not wait");
    if after_its_wake {
        stall.release()?;
        gate.wait_entered();
        first.wait_beyond(0);
        drop(dropped);
    } else {
        drop(dropped);
        stall.release()?;
        gate.wait_entered();
    }
    if rig.queue.depth() == 0 {
        // There is room, and nobody but the next caller waits for it.
        applied_after(second.drive(&mut next), || gate.open())
    } else {
        gate.open();
        applied_after(second.drive(&mut next), || {})
    }
}

fn applied_after(submitted: Submitted, then: impl FnOnce()) -> Seen<()> {
    let ticket = accepted(submitted)?;
    then();
    applied(ticket.wait()).map(drop)
}

/// Item 9: a pending submit that is neither polled nor dropped holds nobody up.
pub fn item_09_a_pending_submit_that_nobody_polls_stalls_nobody<S: Strategy>() -> Verdict {
    watched(9, "a pending submit that nobody polls stalls nobody", |at| {
        let rig = Rig::<S, false>::holding(1);
        if !rig.has_queue("pending submits that nobody polls") {
            return Ok(());
        }
        let stall = rig.stall();
        rig.fill(0)?.0.into_iter().for_each(crate::Ticket::detach);
        let mut idle = Box::pin(rig.queue.submit(Op::new(1, 0)));
        let mut next = Box::pin(rig.queue.submit(Op::new(2, 0)));
        let wakes = Wakes::new();
        ensure!(Wakes::new().poll(&mut idle).is_pending(), "a submit to a full queue did not wait");
        ensure!(wakes.poll(&mut next).is_pending(), "a submit to a full queue did not wait");
        at.now("room appears; the first in line is not polled");
        stall.release()?;
        applied(accepted(wakes.drive(&mut next))?.wait())?;
        drop(idle);
        Ok(())
    })
}

/// Item 9, as a race: one producer drops its pending submits at random moments; the others pass all the same.
pub fn item_09_stress_dropped_pending_submits_lose_no_turn<S: Strategy>() -> Verdict {
    watched(9, "a pending submit that is dropped never runs and passes its turn on", |at| {
        const STEADY: usize = 2;
        let rig = Rig::<S, false>::holding(1);
        if !rig.has_queue("pending submits that are dropped") {
            return Ok(());
        }
        let passed = AtomicUsize::new(0);
        let rounds = size(RACE_ROUNDS);
        crowd(STEADY + 1, |caller| {
            if caller == STEADY {
                return fickle(&rig.queue, || passed.load(Ordering::Relaxed) < STEADY * rounds / 2);
            }
            (0..rounds / 2).try_for_each(|number| {
                at.round("two producers pass while a third gives up", number);
                let submitted = block_on(rig.queue.submit(Op::new(caller, number)));
                let outcome = applied(accepted(submitted)?.wait());
                passed.fetch_add(1, Ordering::Relaxed);
                outcome.map(drop)
            })
        })?;
        let log = rig.shutdown()?;
        let numbers = log.numbers_of(STEADY);
        ensure!(
            numbers.windows(2).all(|pair| pair[0] < pair[1]),
            "an update of a dropped submit ran twice or late"
        );
        Ok(())
    })
}

/// Polls each submit once and drops it.
fn fickle<Q: UpdateQueue<Machine = super::Journal<false>>>(queue: &Q, go_on: impl Fn() -> bool) -> Seen<()> {
    for number in 0.. {
        if !go_on() {
            break;
        }
        let mut submit = Box::pin(queue.submit(Op::new(2, number)));
        if let Poll::Ready(submitted) = Wakes::new().poll(&mut submit) {
            accepted(submitted)?.detach();
        }
    }
    Ok(())
}

/// A write that takes longer than a submit: the callers of a queue with little room then wait for room most of the time,
/// and how often each gets in is the strategy's choice, not the scheduler's.
fn work() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(10) {
        std::hint::spin_loop();
    }
}

/// Item 10: under equal load no producer gets less than `least_share` of an equal share. The shares are printed.
pub fn item_10_under_equal_load_every_producer_gets_its_share<S: Strategy>(least_share: f64) -> Verdict {
    watched(10, "under equal load every producer gets the strategy's stated share", move |at| {
        const PRODUCERS: usize = 4;
        let total = size(50_000);
        let rig = Rig::<S, false>::holding(4);
        let (taken, start) = (AtomicUsize::new(0), Barrier::new(PRODUCERS));
        crowd(PRODUCERS, |caller| {
            start.wait();
            for number in 0.. {
                let place = taken.fetch_add(1, Ordering::Relaxed);
                if place >= total {
                    break;
                }
                at.round("four producers submit as fast as they can", place);
                let update = Op::new(caller, number).doing(work);
                accepted(rig.queue.submit_blocking(update))?.detach();
            }
            Ok(())
        })?;
        let log = rig.shutdown()?;
        let equal = total as f64 / PRODUCERS as f64;
        let shares: Vec<f64> =
            (0..PRODUCERS).map(|caller| log.numbers_of(caller).len() as f64 / equal).collect();
        println!("shares of {} producers with {}, 1 is equal: {shares:.2?}", PRODUCERS, S::NAME);
        let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
        ensure!(
            least >= least_share,
            "the smallest is {least:.3} of an equal share, stated is {least_share}"
        );
        Ok(())
    })
}
