//! A queue whose writer thread cannot be started is closed from the start, and gives its machine back.
//!
//! To get there the test runs itself once more, in a process where every new thread asks for an impossible stack.

#![cfg(all(target_os = "linux", not(any(loom, shuttle, miri))))]

use std::env;
use std::process::Command;

use update_queue::conformance::{Op, Rig};
use update_queue::{Strategy, SubmitError, UpdateQueue};

/// Set in the process without threads.
const INSIDE: &str = "UPDATE_QUEUE_TEST_WITHOUT_THREADS";

fn closed_from_the_start<S: Strategy>() {
    let rig = Rig::<S, true>::holding(4);
    match rig.queue.submit_blocking(Op::new(0, 1)) {
        Err(SubmitError::Closed { update }) => assert_eq!(update.tag.number, 1),
        other => panic!("{}: a queue without a writer answered {other:?}", S::NAME),
    }
    let machine = rig.shutdown().expect("the machine comes back unharmed");
    assert!(machine.log().is_empty());
}

#[test]
fn without_a_thread_for_its_writer_a_queue_is_closed_and_gives_the_machine_back() {
    if env::var_os(INSIDE).is_some() {
        assert!(std::thread::Builder::new().spawn(|| {}).is_err(), "a thread started all the same");
        closed_from_the_start::<queue_tokio::Tokio>();
        closed_from_the_start::<queue_crossbeam::Crossbeam>();
        closed_from_the_start::<queue_flume::Flume>();
        return;
    }
    let output = Command::new(env::current_exe().expect("a test knows its own path"))
        .args(["--test-threads=1", "--nocapture"])
        .env(INSIDE, "1")
        .env("RUST_MIN_STACK", (1_u64 << 60).to_string())
        .output()
        .expect("a test can run itself");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("1 passed"), "the test did not run without threads: {stdout}");
}
