//! Strategies that are wrong in one way each: the suite rejects them, by the item that promises the opposite.
//!
//! The same check passes the same strategy without the flaw, so it is the flaw that is rejected.

#![cfg(not(any(loom, shuttle)))]

mod wrong;

use std::sync::Once;
use std::time::Duration;

use update_queue::conformance::{self, Op, Rig, Verdict, backpressure, commit, delivery, panic, shutdown};
use update_queue::{Ticket, UpdateError, UpdateQueue};
use wrong::{
    AnswersEarly, AppliesTwice, Flawed, ForgetsAtClose, KeepsAfterDeath, LosesAReply, NewestFirst, Nothing,
    OneTooMany, Panics, SwapsReplies, TakesAll, TellsNobodyOfRoom,
};

// The strategy without a flaw keeps every promise; so any other's failure is its flaw's.
update_queue::conformance!(without_a_flaw: Flawed<Nothing>);

/// Some flaws make their callers hang, which the watchdog must find; it need not take ten seconds each.
fn impatient() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| conformance::set_patience(Duration::from_secs(4)));
}

#[track_caller]
fn rejected(verdict: Verdict, item: u8, fragment: &str) {
    let broken = verdict.expect_err("a wrong strategy passed");
    assert_eq!(broken.item, item, "{broken}");
    assert!(broken.seen.contains(fragment), "rejected, but not for `{fragment}`: {broken}");
}

#[track_caller]
fn accepted(verdict: Verdict) {
    if let Err(broken) = verdict {
        panic!("the strategy without the flaw was rejected: {broken}");
    }
}

macro_rules! bites {
    ($($name:ident: $flaw:ident, item $item:literal, $topic:ident::$check:ident, $fragment:literal;)+) => {$(
        #[test]
        fn $name() {
            impatient();
            rejected($topic::$check::<Flawed<$flaw>>(), $item, $fragment);
            accepted($topic::$check::<Flawed<Nothing>>());
        }
    )+};
}

bites! {
    a_lost_reply_breaks_item_1:
        LosesAReply, item 1, delivery::item_01_every_caller_gets_the_answer_to_its_own_update, "hung";
    two_swapped_replies_break_item_1:
        SwapsReplies, item 1, delivery::item_01_every_caller_gets_the_answer_to_its_own_update, "got the answer to";
    an_update_applied_twice_breaks_item_2:
        AppliesTwice, item 2, delivery::item_02_every_accepted_update_is_applied_exactly_once, "first twice: Some";
    a_reordered_producer_breaks_item_3:
        NewestFirst, item 3, delivery::item_03_updates_of_one_producer_are_applied_in_its_order, "in this order";
    one_update_too_many_breaks_item_6:
        OneTooMany, item 6, backpressure::item_06_exactly_capacity_is_accepted_while_the_writer_stands_still,
        "were accepted";
    taking_updates_ahead_of_their_claim_breaks_item_6:
        TakesAll, item 6, backpressure::item_06_exactly_capacity_is_accepted_while_the_writer_stands_still,
        "after one claim";
    room_that_nobody_hears_of_breaks_item_7:
        TellsNobodyOfRoom, item 7, backpressure::item_07_blocked_submitters_proceed_when_room_appears, "hung";
    an_answer_before_the_commit_breaks_item_18:
        AnswersEarly, item 18, commit::item_18_no_outcome_is_visible_before_its_commit_returned, "were committed";
    a_dead_writer_that_answers_nobody_breaks_item_27:
        KeepsAfterDeath, item 27, panic::item_27_when_the_writer_dies_nobody_hangs, "hung";
    accepted_updates_forgotten_at_close_break_item_28:
        ForgetsAtClose, item 28, shutdown::item_28_shutdown_applies_everything_accepted_and_returns_the_machine,
        "applied are";
}

/// Not a promise of a strategy but of the engine: a channel that panics costs what was in doubt, and nobody hangs.
#[test]
fn a_channel_that_panics_leaves_nobody_waiting() {
    impatient();
    accepted(conformance::watched(27, "when the channel panics, everybody is answered", |at| {
        let rig = Rig::<Flawed<Panics>, true>::holding(8);
        let stall = rig.stall();
        let submit = |number| rig.queue.try_submit(Op::new(0, number)).map_err(|error| error.to_string());
        let tickets = (0..4).map(submit).collect::<Result<Vec<_>, _>>()?;
        at.now("the channel panics with three updates applied and two queued");
        stall.release().expect_err("the stalled update is in doubt");
        let outcomes: Vec<_> = tickets.into_iter().map(Ticket::wait).collect();
        assert!(matches!(
            outcomes[..],
            [
                Err(UpdateError::WriterLost),
                Err(UpdateError::WriterLost),
                Err(UpdateError::Closed),
                Err(UpdateError::Closed)
            ]
        ));
        let (machine, cause) = rig.shutdown_poisoned()?;
        assert!(cause.contains("the channel broke"), "{cause}");
        assert_eq!(machine.numbers_of(0), [0, 1]);
        Ok(())
    }));
}
