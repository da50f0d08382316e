//! The list of checks, written once, and what turns it into tests.

/// Ends a check with what was seen, unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($seen:tt)+) => {
        if $condition {
        } else {
            return Err(format!($($seen)+));
        }
    };
}

/// Calls `$then!` with every check's topic and name.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_items {
    ($($then:ident)::+ $(, $argument:tt)*) => {
        $($then)::+! {
            [$($argument)*]
            delivery: [
                item_01_every_caller_gets_the_answer_to_its_own_update,
                item_02_every_accepted_update_is_applied_exactly_once,
                item_03_updates_of_one_producer_are_applied_in_its_order,
                item_04_an_outcome_seen_before_a_submit_has_the_smaller_seq_and_seq_is_dense,
                item_05_apply_never_overlaps_and_a_writer_is_one_thread,
            ],
            backpressure: [
                item_06_exactly_capacity_is_accepted_while_the_writer_stands_still,
                item_07_blocked_submitters_proceed_when_room_appears,
                item_07_stress_one_place_serves_every_producer,
                item_08_a_submit_without_room_gives_the_update_back_at_start_by,
                item_09_a_pending_submit_that_is_dropped_never_runs_and_passes_its_turn_on,
                item_09_a_pending_submit_that_nobody_polls_stalls_nobody,
                item_09_stress_dropped_pending_submits_lose_no_turn,
            ],
            giving_up: [
                item_11_cancelled_before_its_claim_an_update_is_never_applied,
                item_12_cancelled_after_its_claim_it_is_too_late_and_the_outcome_comes,
                item_13_stress_cancel_against_claim_has_one_winner,
                item_14_a_dropped_ticket_is_skipped_and_a_detached_one_runs,
                item_15_past_its_start_by_an_update_expires_unapplied,
                item_16_stress_a_ticket_polled_once_and_dropped_while_completing_leaks_nothing,
                item_17_the_last_waker_is_woken_and_a_lost_select_branch_harms_nobody,
            ],
            commit: [
                item_18_no_outcome_is_visible_before_its_commit_returned,
                item_19_a_batch_is_at_most_max_batch_and_nobody_waits_for_more,
                item_20_a_failed_commit_that_is_undone_fails_its_batch_and_the_queue_lives,
                item_21_a_failed_commit_that_is_not_undone_poisons_the_queue,
                item_22_without_group_commit_updates_complete_one_by_one_and_commit_is_never_called,
                item_23_a_published_snapshot_is_committed_and_precedes_the_outcome,
            ],
            panic: [
                item_24_a_panic_in_apply_answers_everybody_and_poisons_the_queue,
                item_25_a_panic_that_is_rolled_back_costs_its_batch_only,
            ],
            foreign: [
                item_26_a_panic_in_commit_or_rollback_poisons_the_queue,
                item_26_a_panic_in_a_destructor_changes_nothing,
                item_26_a_panic_in_the_observer_switches_it_off,
                item_26_a_panic_in_a_waker_changes_nothing,
                item_26_a_panic_in_the_waker_of_a_caller_waiting_for_room_changes_nothing,
            ],
            panic: [
                item_27_when_the_writer_dies_nobody_hangs,
                item_27_stress_submits_against_the_death_of_the_writer,
            ],
            shutdown: [
                item_28_shutdown_applies_everything_accepted_and_returns_the_machine,
                item_28_stress_shutdown_reaches_a_writer_that_is_about_to_sleep,
                item_29_abort_closes_what_is_queued_and_the_running_batch_ends,
                item_30_shutdown_by_closes_the_rest_at_its_deadline,
                item_31_stress_a_submit_against_shutdown_is_applied_or_refused,
                item_32_closing_turns_away_the_callers_that_wait,
                item_32_a_queue_ends_well_whoever_goes_first,
            ],
            other: [
                item_33_a_follow_up_handed_to_another_thread_does_not_deadlock,
            ],
            reentry: [
                item_34_a_blocking_call_from_inside_the_machine_is_refused,
            ],
            books: [
                item_35_the_observers_books_balance,
            ],
            other: [
                item_36_nothing_leaks,
                item_38_the_smallest_queue_serves_a_hundredfold_crowd,
                item_39_updates_of_any_size_and_without_sync_pass,
            ],
            model: [
                item_40_random_operations_agree_with_a_sequential_model,
            ],
            overload: [
                item_41_an_idle_queue_is_no_standing_queue,
            ],
            calls: [
                item_07_a_call_waits_for_room_and_for_its_answer,
                item_07_a_call_is_answered_whichever_waker_polls_it,
                item_09_a_dropped_call_never_runs_unless_it_runs_already,
            ],
        }
    };
}

/// Makes one `#[test]` per check.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$strategy:tt $exempt:ident] $($topic:ident: [$($item:ident,)+],)+) => {
        $($(
            #[test]
            fn $item() {
                $crate::conformance::verify(stringify!($item), $exempt, $crate::conformance::$topic::$item::<Strategy>);
            }
        )+)+
    };
}

/// The names of all checks.
macro_rules! names {
    ([] $($topic:ident: [$($item:ident,)+],)+) => {
        /// The names of all checks, in the suite's order, but for item 10, which takes a strategy's own floor.
        pub const ITEMS: &[&str] = &[$($(stringify!($item),)+)+];
    };
}

/// Runs the whole suite on a strategy: a module of tests, one per promise.
///
/// See [`conformance`](mod@crate::conformance) for the settings.
#[macro_export]
macro_rules! conformance {
    (
        $name:ident: $strategy:ty
        $(, least_share: $share:expr)?
        $(, exempt: [$($item:ident: $reason:expr),* $(,)?])?
        $(,)?
    ) => {
        mod $name {
            #[allow(unused_imports, reason = "the strategy may be named by its full path")]
            use super::*;

            type Strategy = $strategy;
            const EXEMPT: &[(&str, &str)] = &[$($((stringify!($item), $reason),)*)?];

            $crate::__conformance_items! { $crate::__conformance_tests, Strategy, EXEMPT }

            #[test]
            fn item_10_under_equal_load_every_producer_gets_its_share() {
                let floor: f64 = 0.0 $(+ $share)?;
                $crate::conformance::verify("item_10_under_equal_load_every_producer_gets_its_share", EXEMPT, || {
                    $crate::conformance::backpressure::item_10_under_equal_load_every_producer_gets_its_share::<Strategy>(floor)
                });
            }

            #[test]
            fn every_exemption_names_a_check() {
                $crate::conformance::verify_exemptions(EXEMPT);
            }
        }
    };
}

__conformance_items! { names }
