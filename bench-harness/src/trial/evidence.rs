//! What the process uses: CPU time, context switches, page faults, memory; all threads together.

use crate::record::Evidence;

/// What the process has used since it started.
#[derive(Clone, Debug)]
pub struct Usage {
    /// Totals since the start; `peak_memory_bytes` is the most there ever was.
    total: Evidence,
}

impl Usage {
    /// Everything up to now; `None` where the platform cannot tell.
    pub fn now() -> Option<Self> {
        total().map(|total| Self { total })
    }

    /// What was used since `earlier`. Peak memory is the process's, less `own_bytes` that the harness holds for itself.
    pub fn since(&self, earlier: &Self, own_bytes: u64) -> Evidence {
        let (now, then) = (&self.total, &earlier.total);
        Evidence {
            user_ns: now.user_ns.saturating_sub(then.user_ns),
            sys_ns: now.sys_ns.saturating_sub(then.sys_ns),
            voluntary_switches: now.voluntary_switches.saturating_sub(then.voluntary_switches),
            involuntary_switches: now.involuntary_switches.saturating_sub(then.involuntary_switches),
            minor_faults: now.minor_faults.saturating_sub(then.minor_faults),
            major_faults: now.major_faults.saturating_sub(then.major_faults),
            peak_memory_bytes: now.peak_memory_bytes.saturating_sub(own_bytes),
        }
    }
}

#[cfg(unix)]
fn total() -> Option<Evidence> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::{TimeVal, TimeValLike};

    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let count = |n: std::ffi::c_long| u64::try_from(n).unwrap_or(0);
    let time = |t: TimeVal| u64::try_from(t.num_nanoseconds()).unwrap_or(0);
    Some(Evidence {
        user_ns: time(usage.user_time()),
        sys_ns: time(usage.system_time()),
        voluntary_switches: count(usage.voluntary_context_switches()),
        involuntary_switches: count(usage.involuntary_context_switches()),
        minor_faults: count(usage.minor_page_faults()),
        major_faults: count(usage.major_page_faults()),
        peak_memory_bytes: peak_memory().unwrap_or_else(|| count(usage.max_rss()) * MAX_RSS_UNIT),
    })
}

#[cfg(not(unix))]
fn total() -> Option<Evidence> {
    None
}

// LIMIT: getrusage(2) counts resident memory in bytes on Apple's systems and in KiB elsewhere.
#[cfg(unix)]
const MAX_RSS_UNIT: u64 = if cfg!(target_vendor = "apple") { 1 } else { 1024 };

/// The most memory this program held. On Linux `ru_maxrss` will not do: it starts at what the parent held at `exec`.
#[cfg(unix)]
fn peak_memory() -> Option<u64> {
    status_kib("VmHWM:").map(|kib| kib * 1024)
}

/// CPU time of one thread between two times of a trial.
#[derive(Debug)]
pub struct Stopwatch {
    start: u64,
    end: u64,
    used_at_start: Option<u64>,
    used_at_end: Option<u64>,
}

impl Stopwatch {
    /// Measures from `start` to `end`, on the trial's clock.
    pub fn of(start: u64, end: u64) -> Self {
        Self { start, end, used_at_start: None, used_at_end: None }
    }

    /// It is `now`. Called often, by the thread that is measured, because nobody else can look.
    pub fn look(&mut self, now: u64) {
        if now >= self.start && self.used_at_start.is_none() {
            self.used_at_start = thread_cpu_ns();
        }
        if now >= self.end && self.used_at_end.is_none() {
            self.used_at_end = thread_cpu_ns();
        }
    }

    /// What this thread used in that time; `None` where the platform cannot tell, or if it never looked.
    pub fn measured(self) -> Option<u64> {
        let end = self.used_at_end.or_else(thread_cpu_ns)?;
        Some(end.saturating_sub(self.used_at_start?))
    }
}

#[cfg(target_os = "linux")]
fn thread_cpu_ns() -> Option<u64> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;

    let usage = getrusage(UsageWho::RUSAGE_THREAD).ok()?;
    u64::try_from(usage.user_time().num_nanoseconds() + usage.system_time().num_nanoseconds()).ok()
}

#[cfg(not(target_os = "linux"))]
fn thread_cpu_ns() -> Option<u64> {
    None
}

/// The memory that this program holds right now, in bytes; `None` where the platform cannot tell.
pub fn resident_memory() -> Option<u64> {
    status_kib("VmRSS:").map(|kib| kib * 1024)
}

fn status_kib(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn cpu_time_of_another_thread_is_counted() {
        let before = Usage::now().expect("this platform tells");
        let burn = Duration::from_millis(60);
        std::thread::scope(|s| {
            s.spawn(|| {
                let start = Instant::now();
                while start.elapsed() < burn {}
            });
        });
        let used = Usage::now().expect("this platform tells").since(&before, 0);
        // LIMIT: a sixth of the wall time, because a busy machine may have given the thread no more than that.
        assert!(used.user_ns + used.sys_ns >= 10_000_000, "{used:?}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_stopwatch_counts_this_thread_between_its_times() {
        let mut stopwatch = Stopwatch::of(10, 20);
        stopwatch.look(5);
        stopwatch.look(10);
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(60) {}
        stopwatch.look(20);
        let used = stopwatch.measured().expect("this platform tells");
        // LIMIT: a sixth of the wall time at least, as above.
        assert!((10_000_000..2_000_000_000).contains(&used), "{used}");
        assert_eq!(Stopwatch::of(10, 20).measured(), None, "it never looked");
    }

    #[test]
    fn what_the_harness_holds_is_left_out_of_peak_memory() {
        let usage = Usage::now().expect("this platform tells");
        let all = usage.since(&usage, 0).peak_memory_bytes;
        assert!(all > 100_000, "a running test holds more than {all} bytes");
        assert_eq!(usage.since(&usage, 50_000).peak_memory_bytes, all - 50_000);
        assert_eq!(usage.since(&usage, u64::MAX).peak_memory_bytes, 0);
    }
}
