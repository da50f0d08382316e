//! A fixed piece of work, timed to tell how fast the machine is at a moment.
//!
//! Frozen: figures of two sessions, or of two rounds, are of the same work only as long as nothing here changes. A test
//! pins what the work comes to; whoever has to change it gives it a new [`VERSION`].

use std::hint::black_box;
use std::time::{Duration, Instant};

/// What the work is called in a record.
pub const VERSION: &str = "spin/1";

// LIMIT: 5 million steps, each of which waits for the one before: 20 to 40 ms in a release build, long against a time slice.
const STEPS: u32 = 5_000_000;
const START: u64 = 0x5eed_0f7e_a11d_0001;

/// Does the work once, on this thread, and says how long it took.
pub fn run() -> Duration {
    let started = Instant::now();
    black_box(work(black_box(STEPS)));
    started.elapsed()
}

/// A chain of multiplications and shifts (the finalizer of splitmix64) that no compiler can shorten.
fn work(steps: u32) -> u64 {
    (0..steps).fold(START, |x, _| {
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)).wrapping_add(0x9e37_79b9_7f4a_7c15)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_is_what_its_version_says() {
        assert_eq!(
            (VERSION, work(1_000)),
            ("spin/1", 4_206_087_538_192_036_427),
            "another work needs another version"
        );
    }

    #[test]
    fn the_work_takes_time() {
        assert!(run() > Duration::from_millis(1));
    }
}
