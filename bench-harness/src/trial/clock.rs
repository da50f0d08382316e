//! Time as one number that all threads of a trial share, and the spending of it.

use std::hint;
use std::thread;
use std::time::{Duration, Instant};

use crate::workload::definition::{Cost, CostKind};

/// A monotonic clock that counts nanoseconds from its own start, so that a time fits into an atomic.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: Instant,
}

impl Clock {
    /// A clock that starts at 0 now.
    pub fn start() -> Self {
        Self { epoch: Instant::now() }
    }

    /// Nanoseconds since the start.
    pub fn now(&self) -> u64 {
        nanos(self.epoch.elapsed())
    }

    /// The instant at which the clock shows `nanos`.
    pub fn instant(&self, nanos: u64) -> Instant {
        self.epoch + Duration::from_nanos(nanos)
    }

    /// As [`sleep_until`](Self::sleep_until), but on time to a microsecond, unless the thread has to wait for a core.
    pub fn sleep_exactly_until(&self, nanos: u64) {
        self.sleep_until(nanos.saturating_sub(EARLY_NS));
        while self.now() < nanos {
            hint::spin_loop();
        }
    }

    /// Holds this thread until the clock shows `nanos`; returns at once if it already does.
    pub fn sleep_until(&self, nanos: u64) {
        let left = nanos.saturating_sub(self.now());
        if left > 0 {
            thread::sleep(Duration::from_nanos(left));
        }
    }
}

/// How long before a planned time a thread is woken, to spend the rest of the wait awake.
// LIMIT: 70 us: Linux wakes a thread up to 50 us late by default (timer slack) and needs some 10 us to let it run. So most of
// this is slept through, and the core is held for a few microseconds per update.
pub const EARLY_NS: u64 = 70_000;

/// A duration in whole nanoseconds; the highest value stands for anything above 584 years.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Spends a simulated cost on this thread. Sleeping overshoots; what it really took is for the caller to measure.
pub fn spend(cost: Cost) {
    if cost.requested.is_zero() {
        return;
    }
    match cost.kind {
        CostKind::Sleep => thread::sleep(cost.requested),
        CostKind::Spin => {
            let start = Instant::now();
            while start.elapsed() < cost.requested {
                hint::spin_loop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_kind_of_cost_takes_at_least_what_was_requested() {
        for kind in [CostKind::Spin, CostKind::Sleep] {
            let requested = Duration::from_micros(300);
            let start = Instant::now();
            spend(Cost { requested, kind });
            assert!(start.elapsed() >= requested, "{kind:?}");
        }
    }

    #[test]
    fn sleeping_until_a_time_ends_at_that_time_or_later() {
        let clock = Clock::start();
        let wake = clock.now() + 200_000;
        clock.sleep_until(wake);
        assert!(clock.now() >= wake);
        clock.sleep_until(0);
    }
}
