//! Item 37: a queue with nothing to do uses no CPU.
//!
//! A second of real waiting is what this measures; nothing waits *for* something here. In a test binary of its own,
//! because it looks at the CPU time of the whole process.

#![cfg(all(target_os = "linux", not(any(loom, shuttle, miri))))]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use update_queue::conformance::{Op, Rig};
use update_queue::{Strategy, UpdateQueue};

/// CPU time of all threads of this process.
fn cpu_time() -> Duration {
    // Fields 14 and 15, counted from the command's closing parenthesis because the command may hold spaces.
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux shows every process its own statistics");
    let fields = stat.rsplit_once(')').expect("the command is in parentheses").1.split_whitespace();
    let ticks: u64 =
        fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks are a number")).sum();
    // LIMIT: Linux counts CPU time for user space in hundredths of a second on every architecture.
    Duration::from_millis(ticks * 10)
}

/// A queue that was used, is empty, and has a caller left.
fn used<S: Strategy>() -> Rig<S, true> {
    let rig = Rig::<S, true>::holding(4);
    for number in 0..100 {
        rig.queue.call_blocking(Op::new(0, number)).expect("an open queue applies updates");
    }
    rig
}

/// CPU time that the queue used while it was left alone for a second.
fn of_an_idle_second<S: Strategy>() -> Duration {
    let rig = used::<S>();
    let (began, before) = (Instant::now(), cpu_time());
    while let Some(left) = Duration::from_secs(1).checked_sub(began.elapsed()) {
        thread::park_timeout(left);
    }
    let used = cpu_time() - before;
    drop(rig);
    used
}

/// Returns once the measurement has shown that it sees a busy thread.
fn sees_work() {
    let before = cpu_time();
    while cpu_time() < before + Duration::from_millis(20) {
        std::hint::spin_loop();
    }
}

#[test]
fn item_37_an_idle_queue_uses_under_one_per_cent_of_a_core() {
    sees_work();
    let measured = [
        ("tokio", of_an_idle_second::<queue_tokio::Tokio>()),
        ("crossbeam", of_an_idle_second::<queue_crossbeam::Crossbeam>()),
        ("flume", of_an_idle_second::<queue_flume::Flume>()),
        ("std-mutex", of_an_idle_second::<baseline_mutex::StdMutex>()),
        ("parking-lot", of_an_idle_second::<baseline_mutex::ParkingLot>()),
        ("tokio-mutex", of_an_idle_second::<baseline_mutex::TokioMutex>()),
    ];
    // One tick of 10 ms is the smallest amount there is, and 1 % of the second.
    let greedy: Vec<_> = measured.iter().filter(|(_, used)| *used > Duration::from_millis(10)).collect();
    assert!(greedy.is_empty(), "CPU time in an idle second: {greedy:?}");
}
