//! Every promise of the library, kept by these strategies.

// Shares are reported only: whoever finds a lock free takes it, and on few cores that is whoever is running.
update_queue::conformance!(std_mutex: baseline_mutex::StdMutex);
update_queue::conformance!(parking_lot: baseline_mutex::ParkingLot);
update_queue::conformance!(tokio_mutex: baseline_mutex::TokioMutex);
