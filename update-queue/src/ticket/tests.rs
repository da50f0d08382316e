//! The cell's table, one operation after the other; how they race is in `models/cell.rs`.

use super::*;

fn queued(update: u32) -> (Envelope<u32, u32>, Pending<u32, u32>) {
    pair(update, None, None, QueueId::new(), None)
}

fn accepted(update: u32) -> (Envelope<u32, u32>, Ticket<u32>) {
    let (envelope, pending) = queued(update);
    (envelope, pending.into_ticket())
}

#[test]
fn a_claimed_update_is_answered_with_its_output() {
    let (envelope, ticket) = accepted(7);
    let Ok((update, completion)) = envelope.claim() else { panic!("nobody gave up") };
    completion.complete(Ok(Applied { seq: 3, output: update + 1 }));
    assert_eq!(ticket.wait().ok(), Some(Applied { seq: 3, output: 8 }));
}

#[test]
fn a_writer_that_comes_too_late_learns_who_was_first() {
    let (envelope, ticket) = accepted(7);
    assert!(matches!(ticket.cancel(), Cancel::Cancelled));
    assert!(matches!(envelope.claim(), Err(Skipped::Abandoned)));

    let (envelope, ticket) = accepted(7);
    drop(ticket);
    assert!(matches!(envelope.refuse(UpdateError::Expired), Err(Skipped::Abandoned)));

    let (envelope, pending) = queued(7);
    assert_eq!(pending.withdraw(), Some(7));
    assert!(matches!(envelope.claim(), Err(Skipped::Gone)));

    let (envelope, pending) = queued(7);
    drop(pending);
    assert!(matches!(envelope.refuse(UpdateError::Expired), Err(Skipped::Gone)));
}

#[test]
fn an_update_whose_envelope_was_dropped_comes_back_to_its_submit() {
    let (envelope, pending) = queued(7);
    drop(envelope);
    assert_eq!(pending.withdraw(), Some(7));
}

#[test]
fn an_accepted_update_whose_envelope_was_dropped_is_closed() {
    let (envelope, ticket) = accepted(7);
    drop(envelope);
    assert!(matches!(ticket.cancel(), Cancel::Done(Err(UpdateError::Closed))));

    let (envelope, ticket) = accepted(7);
    drop(envelope);
    assert!(matches!(ticket.wait(), Err(UpdateError::Closed)));
}

#[test]
fn a_cancel_after_the_claim_hands_the_ticket_back() {
    let (envelope, ticket) = accepted(7);
    let Ok((_, completion)) = envelope.claim() else { panic!("nobody gave up") };
    let Cancel::TooLate(ticket) = ticket.cancel() else { panic!("it was claimed") };
    drop(completion);
    assert!(matches!(ticket.cancel(), Cancel::Done(Err(UpdateError::WriterLost))));
}

#[test]
fn a_ticket_that_is_ready_from_the_start_can_only_be_taken() {
    let ready = || Ticket::ready(Ok(Applied { seq: 1, output: 7 }));
    assert!(matches!(ready().cancel(), Cancel::Done(Ok(Applied { seq: 1, output: 7 }))));
    assert_eq!(ready().wait().ok(), Some(Applied { seq: 1, output: 7 }));
    ready().detach();
}
