//! Every promise of the library but one, kept by this strategy; the exempt one says why.

update_queue::conformance!(
    tokio: queue_tokio::Tokio,
    least_share: 0.25,
    exempt: [
        item_09_a_pending_submit_that_nobody_polls_stalls_nobody:
            "a place that is offered to a pending submit is kept for it until it is polled or dropped",
    ]
);
