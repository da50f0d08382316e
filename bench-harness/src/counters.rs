//! What the machine has done so far, by the system's own counters.
//!
//! Read from text files that Linux offers; what a system does not offer is absent, never guessed.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

// LIMIT: the kernel shows CPU times in hundredths of a second (`USER_HZ`), whatever its own clock is.
const TICK_NS: u64 = 10_000_000;

/// The counters at one moment.
#[derive(Clone, Debug)]
pub struct Counters {
    wall: SystemTime,
    monotonic: Instant,
    cpu: Option<CpuTimes>,
    cpu_pressure_us: Option<u64>,
    io_pressure_us: Option<u64>,
    memory_pressure_us: Option<u64>,
}

/// What happened between two moments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// By the monotonic clock.
    pub time: Duration,
    /// By how much the clock on the wall and the monotonic one disagree about it.
    pub clock_jump: Duration,
    /// CPU time that the hypervisor gave to others, all CPUs.
    pub steal_ns: Option<u64>,
    /// CPU time in which the machine worked, all CPUs.
    pub busy_ns: Option<u64>,
    /// CPU time in which it did not, all CPUs.
    pub idle_ns: Option<u64>,
    /// Time in which something waited for a CPU.
    pub cpu_pressure_us: Option<u64>,
    /// The same for storage.
    pub io_pressure_us: Option<u64>,
    /// The same for memory.
    pub memory_pressure_us: Option<u64>,
}

/// CPU times of all CPUs together since the machine was started, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CpuTimes {
    busy: u64,
    idle: u64,
    steal: u64,
}

impl Counters {
    /// Reads them.
    pub fn now() -> Self {
        let text = |path: &str| fs::read_to_string(path).ok();
        let pressure = |of: &str| text(&format!("/proc/pressure/{of}")).as_deref().and_then(pressure_us);
        Self {
            wall: SystemTime::now(),
            monotonic: Instant::now(),
            cpu: text("/proc/stat").as_deref().and_then(cpu_times),
            cpu_pressure_us: pressure("cpu"),
            io_pressure_us: pressure("io"),
            memory_pressure_us: pressure("memory"),
        }
    }

    /// What happened since `earlier`.
    pub fn since(&self, earlier: &Self) -> Passed {
        let time = self.monotonic.saturating_duration_since(earlier.monotonic);
        let clock_jump = match self.wall.duration_since(earlier.wall) {
            Ok(wall) => wall.abs_diff(time),
            Err(back) => back.duration().saturating_add(time),
        };
        // Counters of CPUs that come and go may fall.
        let risen = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
        let cpu = |of: fn(CpuTimes) -> u64| {
            risen(self.cpu.map(of), earlier.cpu.map(of)).map(|ticks| ticks.saturating_mul(TICK_NS))
        };
        Passed {
            time,
            clock_jump,
            steal_ns: cpu(|cpu| cpu.steal),
            busy_ns: cpu(|cpu| cpu.busy),
            idle_ns: cpu(|cpu| cpu.idle),
            cpu_pressure_us: risen(self.cpu_pressure_us, earlier.cpu_pressure_us),
            io_pressure_us: risen(self.io_pressure_us, earlier.io_pressure_us),
            memory_pressure_us: risen(self.memory_pressure_us, earlier.memory_pressure_us),
        }
    }
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal (guests are in user already).
fn cpu_times(stat: &str) -> Option<CpuTimes> {
    let line = stat.lines().find(|line| line.split_whitespace().next() == Some("cpu"))?;
    let ticks: Vec<u64> = line.split_whitespace().skip(1).map_while(|number| number.parse().ok()).collect();
    let &[user, nice, system, idle, iowait, irq, softirq, steal, ..] = &ticks[..] else { return None };
    let sum = |parts: &[u64]| parts.iter().fold(0_u64, |sum, part| sum.saturating_add(*part));
    Some(CpuTimes { busy: sum(&[user, nice, system, irq, softirq]), idle: sum(&[idle, iowait]), steal })
}

/// The total of the line `some` of a file in `/proc/pressure`.
fn pressure_us(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    line.split_whitespace().find_map(|field| field.strip_prefix("total="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_times_are_those_of_all_cpus() {
        let stat = "cpu  100 20 30 4000 50 6 7 80 9 1\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(cpu_times(stat), Some(CpuTimes { busy: 163, idle: 4050, steal: 80 }));
        assert_eq!(cpu_times("cpu 1 2 3\n"), None, "a kernel without steal time");
        assert_eq!(cpu_times("cpu0 1 2 3 4 5 6 7 8\n"), None);
    }

    #[test]
    fn pressure_is_the_total_of_what_waited_at_all() {
        let text = "some avg10=1.00 avg60=0.00 avg300=0.00 total=42\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(pressure_us(text), Some(42));
        assert_eq!(pressure_us("full total=7\n"), None);
    }

    #[test]
    fn a_clock_that_is_set_shows_as_a_jump_and_a_falling_counter_as_nothing() {
        let before = Counters::now();
        let times = CpuTimes { busy: 5, idle: 5, steal: 5 };
        let after = Counters {
            wall: before.wall - Duration::from_secs(3),
            monotonic: before.monotonic + Duration::from_secs(1),
            cpu: Some(CpuTimes { busy: 7, idle: 4, steal: 5 }),
            cpu_pressure_us: None,
            ..before.clone()
        };
        let passed = after.since(&Counters { cpu: Some(times), ..before });
        assert_eq!((passed.time, passed.clock_jump), (Duration::from_secs(1), Duration::from_secs(4)));
        assert_eq!((passed.busy_ns, passed.idle_ns, passed.steal_ns), (Some(20_000_000), Some(0), Some(0)));
        assert_eq!(passed.cpu_pressure_us, None);
    }
}
