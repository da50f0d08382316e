//! Every promise of the library, kept by these strategies.

update_queue::conformance!(std_mutex: baseline_mutex::StdMutex);
update_queue::conformance!(parking_lot: baseline_mutex::ParkingLot);
update_queue::conformance!(tokio_mutex: baseline_mutex::TokioMutex, least_share: 0.25);
