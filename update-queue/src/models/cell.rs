//! The reply cell: a caller that polls, waits, cancels or leaves, against a writer that claims and answers.

use std::task::Poll;
use std::time::Instant;

use super::{Alive, Tracked, Wakes, explore};
use crate::error::UpdateError;
use crate::reentry::QueueId;
use crate::sync::thread;
use crate::ticket::{self, Applied, Cancel, Envelope, Outcome, Ticket};

type TrackedEnvelope = Envelope<Tracked, Tracked>;

/// An update that is queued and accepted.
fn queued(update: Tracked) -> (TrackedEnvelope, Ticket<Tracked>) {
    let (envelope, pending) = ticket::pair(update, None, None, QueueId::new(), None);
    (envelope, pending.into_ticket())
}

/// What the writer does with an update it reaches; whether it got to run it.
fn apply(envelope: TrackedEnvelope) -> bool {
    let Ok((update, completion)) = envelope.claim() else { return false };
    let output = update.alive.make(update.id);
    drop(update);
    completion.complete(Ok(Applied { seq: 1, output }));
    true
}

fn claim_and_die(envelope: TrackedEnvelope) -> bool {
    envelope.claim().is_ok()
}

fn die_before_the_claim(envelope: TrackedEnvelope) -> bool {
    drop(envelope);
    false
}

fn refuse(envelope: TrackedEnvelope) -> bool {
    let _ = envelope.refuse(UpdateError::Expired);
    false
}

#[track_caller]
fn assert_output(outcome: Outcome<Tracked>, id: u32) {
    let applied = outcome.expect("the writer applied it");
    assert_eq!((applied.seq, applied.output.id), (1, id));
}

/// One caller polls its ticket once and leaves, while the writer does its part.
#[track_caller]
fn polled_once_then_dropped(writer: fn(TrackedEnvelope) -> bool) {
    explore(move || {
        let (alive, wakes) = (Alive::default(), Wakes::default());
        let (envelope, mut ticket) = queued(alive.make(7));
        let writer = thread::spawn(move || writer(envelope));
        let polled = wakes.poll(&mut ticket);
        drop(ticket);
        let ready = polled.is_ready();
        drop(polled);
        writer.join().expect("the writer ends");
        assert!(wakes.count() <= 1, "woken twice");
        assert!(!ready || wakes.count() == 0, "woken for an outcome it had");
        wakes.assert_released();
        alive.assert_none();
    });
}

#[test]
fn a_ticket_polled_once_and_dropped_while_the_writer_completes_leaves_nothing_behind() {
    polled_once_then_dropped(apply);
}

#[test]
fn a_ticket_polled_once_and_dropped_while_its_envelope_is_dropped_leaves_nothing_behind() {
    polled_once_then_dropped(die_before_the_claim);
}

#[test]
fn a_ticket_polled_once_and_dropped_while_its_completion_is_dropped_leaves_nothing_behind() {
    polled_once_then_dropped(claim_and_die);
}

#[test]
fn a_ticket_polled_once_and_dropped_while_it_is_refused_leaves_nothing_behind() {
    polled_once_then_dropped(refuse);
}

#[test]
fn a_ticket_polled_once_and_detached_runs_and_leaves_nothing_behind() {
    explore(|| {
        let (alive, wakes) = (Alive::default(), Wakes::default());
        let (envelope, mut ticket) = queued(alive.make(7));
        let writer = thread::spawn(move || apply(envelope));
        let pending = wakes.poll(&mut ticket).is_pending();
        ticket.detach();
        assert!(writer.join().expect("the writer ends"), "a detached update runs");
        assert!(wakes.count() <= usize::from(pending), "woken without waiting, or twice");
        wakes.assert_released();
        alive.assert_none();
    });
}

#[test]
fn either_the_cancel_or_the_claim_wins() {
    explore(|| {
        let alive = Alive::default();
        let (envelope, ticket) = queued(alive.make(7));
        let writer = thread::spawn(move || apply(envelope));
        let cancelled = match ticket.cancel() {
            Cancel::Cancelled => true,
            Cancel::TooLate(ticket) => {
                assert_output(ticket.wait(), 7);
                false
            }
            Cancel::Done(outcome) => {
                assert_output(outcome, 7);
                false
            }
        };
        let applied = writer.join().expect("the writer ends");
        assert_ne!(applied, cancelled, "applied: {applied}, cancelled: {cancelled}");
        alive.assert_none();
    });
}

#[test]
fn a_cancel_after_a_poll_says_cancelled_only_if_the_claim_failed() {
    explore(|| {
        let (alive, wakes) = (Alive::default(), Wakes::default());
        let (envelope, mut ticket) = queued(alive.make(7));
        let writer = thread::spawn(move || apply(envelope));
        let polled = wakes.poll(&mut ticket);
        let cancelled = match polled {
            Poll::Ready(outcome) => {
                assert_output(outcome, 7);
                false
            }
            Poll::Pending => match ticket.cancel() {
                Cancel::Cancelled => true,
                Cancel::TooLate(ticket) => {
                    assert_output(ticket.wait(), 7);
                    false
                }
                Cancel::Done(outcome) => {
                    assert_output(outcome, 7);
                    false
                }
            },
        };
        assert_ne!(writer.join().expect("the writer ends"), cancelled);
        wakes.assert_released();
        alive.assert_none();
    });
}

#[test]
fn either_the_drop_or_the_claim_wins_and_the_update_is_dropped_once() {
    explore(|| {
        let alive = Alive::default();
        let (envelope, ticket) = queued(alive.make(7));
        let writer = thread::spawn(move || apply(envelope));
        drop(ticket);
        writer.join().expect("the writer ends");
        alive.assert_none();
    });
}

#[test]
fn a_submit_that_withdraws_gets_its_update_back_unless_it_runs() {
    explore(|| {
        let alive = Alive::default();
        let (envelope, pending) = ticket::pair(alive.make(7), None, None, QueueId::new(), None);
        let writer = thread::spawn(move || apply(envelope));
        let withdrawn = pending.withdraw();
        let applied = withdrawn.is_none();
        match withdrawn {
            Some(update) => assert_eq!(update.id, 7),
            None => assert_output(pending.into_ticket().wait(), 7),
        }
        assert_eq!(writer.join().expect("the writer ends"), applied);
        alive.assert_none();
    });
}

/// A caller whose waker is in the cell from the start, against what the writer may do with the update.
#[track_caller]
fn followed(writer: fn(TrackedEnvelope) -> bool, answered: fn(Outcome<Tracked>)) {
    explore(move || {
        let (alive, wakes) = (Alive::default(), Wakes::default());
        let (envelope, pending) =
            ticket::pair(alive.make(7), None, None, QueueId::new(), Some(wakes.waker()));
        let writer = thread::spawn(move || writer(envelope));
        let mut ticket = pending.into_followed();
        assert!(wakes.poll(&mut ticket).is_pending());
        let again = wakes.poll(&mut ticket);
        writer.join().expect("the writer ends");
        assert_eq!(wakes.count(), 1);
        match again {
            Poll::Ready(outcome) => answered(outcome),
            Poll::Pending => {
                let Poll::Ready(outcome) = wakes.poll(&mut ticket) else { panic!("woken for nothing") };
                answered(outcome);
            }
        }
        wakes.assert_released();
        alive.assert_none();
    });
}

#[test]
fn a_caller_whose_waker_is_there_from_the_start_is_woken_once_however_early_the_answer_comes() {
    followed(apply, |outcome| assert_output(outcome, 7));
    followed(claim_and_die, |outcome| assert!(matches!(outcome, Err(UpdateError::WriterLost))));
    followed(die_before_the_claim, |outcome| assert!(matches!(outcome, Err(UpdateError::Closed))));
    followed(refuse, |outcome| assert!(matches!(outcome, Err(UpdateError::Expired))));
}

#[test]
fn a_waiting_thread_returns_with_the_outcome() {
    explore(|| {
        let alive = Alive::default();
        let (envelope, ticket) = queued(alive.make(7));
        let writer = thread::spawn(move || apply(envelope));
        assert_output(ticket.wait(), 7);
        assert!(writer.join().expect("the writer ends"));
        alive.assert_none();
    });
}

#[test]
fn a_waiting_thread_returns_when_the_envelope_is_dropped() {
    explore(|| {
        let alive = Alive::default();
        let (envelope, ticket) = queued(alive.make(7));
        let writer = thread::spawn(move || die_before_the_claim(envelope));
        assert!(matches!(ticket.wait(), Err(UpdateError::Closed)));
        writer.join().expect("the writer ends");
        alive.assert_none();
    });
}

#[test]
fn a_waiting_thread_returns_when_the_completion_is_dropped() {
    explore(|| {
        let alive = Alive::default();
        let (envelope, ticket) = queued(alive.make(7));
        let writer = thread::spawn(move || claim_and_die(envelope));
        assert!(matches!(ticket.wait(), Err(UpdateError::WriterLost)));
        writer.join().expect("the writer ends");
        alive.assert_none();
    });
}

#[test]
fn a_wait_that_ran_out_of_time_gives_the_ticket_back_for_another() {
    let past = Instant::now();
    explore(move || {
        let alive = Alive::default();
        let (envelope, ticket) = queued(alive.make(7));
        let writer = thread::spawn(move || apply(envelope));
        match ticket.wait_until(past) {
            Ok(outcome) => assert_output(outcome, 7),
            Err(ticket) => assert_output(ticket.wait(), 7),
        }
        writer.join().expect("the writer ends");
        alive.assert_none();
    });
}

#[test]
fn the_waker_of_the_last_pending_poll_is_the_one_that_is_woken() {
    explore(|| {
        let (alive, first, second) = (Alive::default(), Wakes::default(), Wakes::default());
        let (envelope, mut ticket) = queued(alive.make(7));
        let writer = thread::spawn(move || apply(envelope));
        let outcome = match first.poll(&mut ticket) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => match second.poll(&mut ticket) {
                Poll::Ready(outcome) => {
                    assert_eq!(second.count(), 0, "woken for an outcome it had");
                    outcome
                }
                Poll::Pending => {
                    writer.join().expect("the writer ends");
                    assert_eq!((first.count(), second.count()), (0, 1));
                    let Poll::Ready(outcome) = second.poll(&mut ticket) else {
                        panic!("woken, and not ready");
                    };
                    assert_output(outcome, 7);
                    return;
                }
            },
        };
        assert_output(outcome, 7);
        writer.join().expect("the writer ends");
        first.assert_released();
        second.assert_released();
        alive.assert_none();
    });
}
