//! Every promise of the library, kept by this strategy.

// Its shares are reported only: newcomers may overtake callers that wait for room.
update_queue::conformance!(crossbeam: queue_crossbeam::Crossbeam);
