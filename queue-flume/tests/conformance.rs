//! Every promise of the library, kept by this strategy.

update_queue::conformance!(flume: queue_flume::Flume, least_share: 0.25);
