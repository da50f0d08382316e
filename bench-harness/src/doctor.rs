//! Whether this machine is fit to measure on: readings, and what they say.
//!
//! Taking readings and judging them are apart, so that the judgement is a pure function of numbers. Thresholds are fixed
//! here, beforehand, and know nothing of any strategy.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::counters::Counters;
use crate::environment;
use crate::probe;
use crate::session::lock;
use crate::stats::steadiness::variation;

// LIMIT: 20 probes, the fewest whose scatter is known to a fifth.
const FEWEST_PROBES: usize = 20;
// LIMIT: as standard deviation over mean, probe after probe.
const MOST_PROBE_SCATTER: f64 = 0.1;
// LIMIT: of all CPU time while the probe runs.
const MOST_STOLEN: f64 = 0.03;
// LIMIT: share of the time in which something waited for a CPU while the probe alone ran.
const MOST_PRESSURE: f64 = 0.25;
// LIMIT: a tenth of one CPU: what an idle system with a desktop or a monitoring agent takes.
const MOST_OTHERS: f64 = 0.1;
// LIMIT: 250 ns for reading the clock: ten times what a counter of the CPU takes, and as long as a cheap update.
const DEAR_CLOCK: Duration = Duration::from_nanos(250);
// LIMIT: 64 MiB, five times a session of `cargo bench`.
const LEAST_SPACE: u64 = 64 << 20;
// LIMIT: 100 thousand reads: a few milliseconds.
const CLOCK_READS: u32 = 100_000;

/// What was seen of a machine. What a system does not tell is absent.
#[derive(Clone, Debug)]
pub struct Readings {
    /// Whether this program is built to be fast.
    pub is_optimised: bool,
    /// CPUs that this process may use.
    pub cpus: usize,
    /// CPU quota of the control group, in CPUs.
    pub cpu_quota: Option<f64>,
    /// Whether two CPUs may share a core.
    pub smt: Option<bool>,
    /// The policy that sets the clock rate of the CPUs.
    pub governor: Option<String>,
    /// What the kernel tells the time by.
    pub clock_source: Option<String>,
    /// What one reading of the clock takes.
    pub clock_read: Duration,
    /// Free space in the results folder, bytes.
    pub free_space: Option<u64>,
    /// Who is measuring on this machine, in words.
    pub holder: Option<String>,
    /// What was seen while the probe ran; absent if it did not, because somebody is measuring.
    pub probing: Option<Probing>,
}

/// What was seen while the probe ran, over and over, on one thread.
#[derive(Clone, Debug)]
pub struct Probing {
    /// For how long.
    pub time: Duration,
    /// What each probe took.
    pub probes: Vec<Duration>,
    /// Share of all CPU time that the hypervisor gave to others.
    pub stolen: Option<f64>,
    /// Share of the time in which something waited for a CPU.
    pub pressure: Option<f64>,
    /// CPUs that others than the probe kept busy.
    pub others: Option<f64>,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// As it should be.
    Good,
    /// Worth knowing; numbers are good all the same.
    Note,
    /// Numbers taken now would not be worth much.
    Unfit,
}

/// One thing that was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// What was seen, one sentence.
    pub seen: String,
    /// What to do about it; empty if nothing.
    pub mend: &'static str,
}

/// Takes readings, for about `time`; `results` is where sessions would go, `locks` where the machine's lock is.
pub fn look(time: Duration, results: &Path, locks: &Path) -> Readings {
    let environment = environment::read(String::new(), None);
    let holder = lock::holder(locks).ok().flatten();
    Readings {
        is_optimised: !cfg!(debug_assertions),
        cpus: environment.cpus,
        cpu_quota: environment.cpu_quota,
        smt: environment.smt,
        governor: environment.governor,
        clock_source: environment.clock_source,
        clock_read: clock_read(),
        free_space: free_space(results),
        // The probe would disturb whoever is measuring.
        probing: holder.is_none().then(|| probing(time)),
        holder,
    }
}

fn clock_read() -> Duration {
    let started = Instant::now();
    for _ in 0..CLOCK_READS {
        black_box(Instant::now());
    }
    started.elapsed() / CLOCK_READS
}

fn probing(time: Duration) -> Probing {
    probe::run();
    let (before, started) = (Counters::now(), Instant::now());
    let mut probes = Vec::new();
    while started.elapsed() < time || probes.len() < FEWEST_PROBES {
        probes.push(probe::run());
    }
    let passed = Counters::now().since(&before);
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let wall = passed.time.as_nanos() as f64;
    let cpu = passed.busy_ns.zip(passed.idle_ns).zip(passed.steal_ns);
    Probing {
        time: passed.time,
        probes,
        stolen: cpu.map(|((busy, idle), steal)| share(steal as f64, (busy + idle + steal) as f64)),
        pressure: passed.cpu_pressure_us.map(|waited| share(1_000.0 * waited as f64, wall)),
        others: passed.busy_ns.map(|busy| share((busy as f64 - wall).max(0.0), wall)),
    }
}

#[cfg(unix)]
fn free_space(folder: &Path) -> Option<u64> {
    let folder = std::path::absolute(folder).ok()?;
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let about = nix::sys::statvfs::statvfs(there).ok()?;
    #[allow(
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        reason = "both are narrower on some systems"
    )]
    (about.blocks_available() as u64).checked_mul(about.fragment_size() as u64)
}

#[cfg(not(unix))]
fn free_space(_: &Path) -> Option<u64> {
    None
}

/// What readings say, in the order in which they are told.
pub fn findings(readings: &Readings) -> Vec<Finding> {
    let mut findings = vec![build(readings), cpus(readings)];
    findings.extend(smt(readings));
    findings.extend(governor(readings));
    findings.push(clock(readings));
    match (&readings.probing, &readings.holder) {
        (Some(probing), _) => findings.extend(of_probing(probing)),
        (None, holder) => {
            let holder = holder.as_deref().unwrap_or("another process is measuring");
            findings.push(unfit(
                holder.to_owned(),
                "wait for it to end, then ask again: nothing was probed meanwhile",
            ));
        }
    }
    findings.extend(readings.free_space.map(space));
    findings
}

/// Whether nothing among the findings is against measuring.
pub fn is_fit(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.weight != Weight::Unfit)
}

fn good(seen: String) -> Finding {
    Finding { weight: Weight::Good, seen, mend: "" }
}

fn note(seen: String, mend: &'static str) -> Finding {
    Finding { weight: Weight::Note, seen, mend }
}

fn unfit(seen: String, mend: &'static str) -> Finding {
    Finding { weight: Weight::Unfit, seen, mend }
}

fn build(readings: &Readings) -> Finding {
    match readings.is_optimised {
        true => good("this program is an optimised build".to_owned()),
        false => unfit("this program is a debug build".to_owned(), "build it with --release"),
    }
}

fn cpus(readings: &Readings) -> Finding {
    let n = readings.cpus;
    let cpus = if n == 1 { "1 CPU".to_owned() } else { format!("{n} CPUs") };
    match readings.cpu_quota {
        Some(quota) if quota < n as f64 => unfit(
            format!("{cpus}, but a quota of {quota:.2}: the kernel stops everything whenever it is used up"),
            "raise or remove the CPU quota of this control group (of the container)",
        ),
        _ if n == 1 => note(
            format!("{cpus}: callers and writer take turns, which is not how most machines run"),
            "give the machine a second CPU if it stands for one that has several",
        ),
        _ => good(format!("{cpus}, no quota below that")),
    }
}

fn smt(readings: &Readings) -> Option<Finding> {
    readings.smt.filter(|smt| *smt).map(|_| {
        note(
            "two CPUs may share a core, and then slow each other down".to_owned(),
            "switch SMT off, or run under `taskset` with one CPU of each core, if numbers scatter",
        )
    })
}

fn governor(readings: &Readings) -> Option<Finding> {
    let governor = readings.governor.as_ref()?;
    Some(match governor.as_str() {
        "performance" => good("the clock rate of the CPUs is kept high (governor `performance`)".to_owned()),
        other => note(
            format!("the clock rate of the CPUs follows the load (governor `{other}`)"),
            "`cpupower frequency-set -g performance` keeps it high",
        ),
    })
}

fn clock(readings: &Readings) -> Finding {
    let source = readings.clock_source.as_deref().unwrap_or("not told");
    let seen =
        format!("reading the clock takes {} ns (clock source: {source})", readings.clock_read.as_nanos());
    match readings.clock_read > DEAR_CLOCK {
        false => good(seen),
        true => note(
            seen + ", which is as long as a cheap update",
            "see whether the kernel can use the CPU's own counter (`tsc`) instead",
        ),
    }
}

fn of_probing(probing: &Probing) -> Vec<Finding> {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let time = probing.time.as_secs_f64();
    let mut findings = Vec::new();
    let mut judge = |share: Option<f64>, most: f64, seen: &dyn Fn(String) -> String, mend: &'static str| {
        let Some(share) = share else { return };
        let seen = format!("{} (at most {})", seen(percent(share)), percent(most));
        findings.push(if share > most { unfit(seen, mend) } else { good(seen) });
    };
    judge(
        probing.stolen,
        MOST_STOLEN,
        &|share| format!("the hypervisor gave {share} of the CPU time to others during {time:.1} s"),
        "use a machine with CPUs of its own, or another hour",
    );
    judge(
        probing.pressure,
        MOST_PRESSURE,
        &|share| format!("something waited for a CPU {share} of the time, with one thread at work"),
        "end what else is running (`top` shows it), or wait for it",
    );
    let nanos: Vec<f64> = probing.probes.iter().map(|probe| probe.as_nanos() as f64).collect();
    judge(
        variation(&nanos).ok(),
        MOST_PROBE_SCATTER,
        &|scatter| format!("the same work took {scatter} more or less time, {} times over", nanos.len()),
        "look for other load, for a CPU that gets hot, or use a machine with CPUs of its own",
    );
    findings.extend(probing.others.map(|others| {
        let seen = format!("other programs kept {others:.2} CPUs busy");
        match others > MOST_OTHERS {
            true => {
                note(seen, "end what else is running (`top` shows it): it takes part in every comparison")
            }
            false => good(seen),
        }
    }));
    findings
}

fn space(bytes: u64) -> Finding {
    let seen = format!("the results folder has {} MiB of free space", bytes >> 20);
    match bytes < LEAST_SPACE {
        true => unfit(seen, "make room, or choose another folder with --results"),
        false => good(seen),
    }
}

#[cfg(test)]
#[path = "doctor/tests.rs"]
mod tests;
