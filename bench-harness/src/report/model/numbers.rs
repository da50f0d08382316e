//! The numbers of one strategy on one cell, over the complete rounds.

use super::super::Error;
use super::Outcome;
use super::index::Index;
use super::objective::RoundValues;
use super::open::{self, OpenLoop};
use super::verdicts::{Judged, TwinRatio};
use crate::record::{Evidence, LIMIT, Measurement, PlannedCell, PlannedWorkload, Session};
use crate::stats::fairness::fairness;
use crate::stats::location::median;
use crate::stats::{
    Absent, Family, Known, Location, PER_SIDE, Quantile, Ratio, Samples, compare_speeds, locate,
};

/// The parts of an update's life, in the order in which they pass.
pub(crate) const PARTS: [&str; 5] = ["submit", "queued", "apply", "commit", "reply"];

// LIMIT: 16 points draw a smooth curve of four decades and keep a page of forty cells under its budget.
pub(super) const SPECTRUM_POINTS: usize = 16;

/// Everything that is reported about a verified row.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    /// Updates per second.
    pub(crate) throughput: Known<Location>,
    /// Throughput over the control's of the same round; exactly 1 for the control.
    pub(crate) to_control: Known<Ratio>,
    /// Throughput over the limit's of the same round.
    pub(crate) of_limit: Known<Ratio>,
    /// Nanoseconds that a caller was held in `submit`.
    pub(crate) held: Percentiles,
    /// Nanoseconds from submit called to answer received.
    pub(crate) latency: Percentiles,
    /// The latency spectrum, as far as samples support it.
    pub(crate) spectrum: Vec<(f64, f64)>,
    /// Mean nanoseconds of each of [`PARTS`].
    pub(crate) parts: Known<[f64; 5]>,
    /// Mean nanoseconds of a write as it really was.
    pub(crate) write_ns: Known<f64>,
    /// Its standard deviation over its mean.
    pub(crate) write_cv: Known<f64>,
    /// Commits per second and updates per commit, with group commit.
    pub(crate) commits: Option<(Known<f64>, Known<f64>)>,
    /// Share of the window in which the writer was busy.
    pub(crate) utilisation: Known<Location>,
    /// CPU nanoseconds per update in user mode and in the kernel.
    pub(crate) cpu_ns: Known<(Location, Location)>,
    /// Context switches per update, voluntary and involuntary.
    pub(crate) switches: Known<(Location, Location)>,
    /// The most memory in any round, bytes.
    pub(crate) peak_memory: Known<u64>,
    /// How evenly clients were served.
    pub(crate) fairness: Known<Evenness>,
    /// Submits that were refused and tried again, all rounds.
    pub(crate) refused: u64,
    /// What each round that counts measured.
    pub(crate) per_round: Vec<RoundValues>,
    /// The same with the rounds that do not count; as many as there are complete rounds.
    pub(crate) every_round: Vec<RoundValues>,
    /// How good it is by the workload's objective, over the control in the same round; above 1 is better.
    pub(crate) merit: Known<Ratio>,
    /// What the comparison with the control says, or why there is none.
    pub(crate) judged: Known<Judged>,
    /// Of a twin: how it compares with the same strategy under its own name.
    pub(crate) twin: Option<TwinRatio>,
    /// What became of the planned updates of an open loop.
    pub(crate) open: Option<OpenLoop>,
    /// Whether this is the bare loop.
    pub(crate) is_limit: bool,
    /// Histogram values that were too large to hold.
    pub(crate) clamped: u64,
}

/// Percentiles of the samples of all rounds.
#[derive(Clone, Debug)]
pub(crate) struct Percentiles {
    /// How many samples.
    pub(crate) count: u64,
    /// Nanoseconds.
    pub(crate) p50: Known<f64>,
    /// Nanoseconds.
    pub(crate) p90: Known<f64>,
    /// Nanoseconds.
    pub(crate) p99: Known<f64>,
    /// Nanoseconds.
    pub(crate) p999: Known<f64>,
    /// Nanoseconds.
    pub(crate) max: Known<f64>,
}

/// How evenly clients were served.
#[derive(Clone, Debug)]
pub(crate) struct Evenness {
    /// Median over rounds of Jain's index.
    pub(crate) jain: f64,
    /// Share of the mean of a round's least served client, the next, ... each the median over rounds.
    pub(crate) shares: Vec<f64>,
    /// The least served client of any round.
    pub(crate) worst: f64,
    /// The best round's least served client.
    pub(crate) best_worst: f64,
    /// The longest time in which one client got no answer, any round, nanoseconds.
    pub(crate) longest_gap_ns: u64,
}

/// The numbers of `strategy` on a cell.
///
/// # Errors
/// A histogram that cannot be read.
pub(super) fn of(
    session: &Session,
    index: &Index<'_>,
    workload: &PlannedWorkload,
    cell: &PlannedCell,
    strategy: &str,
    family: Family,
) -> Result<Outcome, Error> {
    let rounds = index.measurements(workload, cell, strategy, &index.rounds);
    if rounds.is_empty() {
        return Ok(Outcome::NotMeasured);
    }
    let samples = |part: &str| {
        let unreadable = |what: &str| {
            Error::row(&workload.name, &cell.id, strategy, &format!("histogram `{part}`: {what}"))
        };
        let text = index.samples(workload, cell, strategy, part).ok_or_else(|| unreadable("missing"))?;
        Samples::decode(text).map_err(|what| unreadable(&what))
    };
    let (latency, held) = (samples("latency")?, samples("held")?);
    let values = |rounds: &Rounds<'_>| rounds.iter().map(|(round, m)| RoundValues::new(*round, m)).collect();
    let every_round = index.measurements(workload, cell, strategy, &index.every_round);
    let speed_over = |other: &str, per_side: f64| {
        speed_ratio(&rounds, &index.measurements(workload, cell, other, &index.rounds), other, per_side)
    };
    let is_limit = strategy == LIMIT;
    Ok(Outcome::Measured(Box::new(Numbers {
        throughput: locate(&each(&rounds, per_second), PER_SIDE),
        to_control: speed_over(&session.plan.control, family.difference_side()),
        of_limit: if is_limit {
            Err(Absent::because("it is the limit"))
        } else {
            speed_over(LIMIT, PER_SIDE)
        },
        spectrum: latency.spectrum(SPECTRUM_POINTS),
        held: percentiles(&held),
        latency: percentiles(&latency),
        parts: parts(&rounds),
        write_ns: median(&each(&rounds, |m| m.cost.mean_ns)),
        write_cv: median(&each(&rounds, |m| m.cost.cv)),
        commits: workload.commit.map(|_| commits(&rounds)),
        utilisation: utilisation(&rounds),
        cpu_ns: per_update(&rounds, |evidence| (evidence.user_ns, evidence.sys_ns)),
        switches: per_update(&rounds, |evidence| {
            (evidence.voluntary_switches, evidence.involuntary_switches)
        }),
        peak_memory: peak_memory(&rounds),
        fairness: evenness(&rounds),
        refused: rounds.iter().map(|(_, m)| m.refused).sum(),
        clamped: rounds.iter().map(|(_, m)| m.clamped).sum(),
        per_round: values(&rounds),
        every_round: values(&every_round),
        merit: Err(Absent::because("not compared")),
        judged: Err(Absent::because("not judged")),
        twin: None,
        open: open::of(workload, &rounds, samples)?,
        is_limit,
    })))
}

pub(super) type Rounds<'s> = [(u32, &'s Measurement)];

fn each(rounds: &Rounds<'_>, value: impl Fn(&Measurement) -> f64) -> Vec<f64> {
    rounds.iter().map(|(_, measurement)| value(measurement)).collect()
}

fn per_second(measurement: &Measurement) -> f64 {
    measurement.done as f64 * 1e9 / measurement.window_ns as f64
}

fn speed_ratio(rounds: &Rounds<'_>, reference: &Rounds<'_>, name: &str, per_side: f64) -> Known<Ratio> {
    if reference.len() != rounds.len() {
        return Err(Absent::because(format!("{name} has no numbers here")));
    }
    let pairs: Vec<_> =
        rounds.iter().zip(reference).map(|((_, a), (_, b))| (per_second(a), per_second(b))).collect();
    compare_speeds(&pairs, per_side)
}

pub(super) fn percentiles(samples: &Samples) -> Percentiles {
    Percentiles {
        count: samples.count(),
        p50: samples.percentile(Quantile::P50),
        p90: samples.percentile(Quantile::P90),
        p99: samples.percentile(Quantile::P99),
        p999: samples.percentile(Quantile::P999),
        max: samples.max(),
    }
}

fn parts(rounds: &Rounds<'_>) -> Known<[f64; 5]> {
    let mut means = [0.0; 5];
    for (mean, part) in means.iter_mut().zip(PARTS) {
        let values: Option<Vec<f64>> = rounds.iter().map(|(_, m)| m.mean_ns.get(part).copied()).collect();
        let values = values.ok_or_else(|| Absent::because(format!("{part} was not timed in every round")))?;
        *mean = values.iter().sum::<f64>() / values.len() as f64;
        if !mean.is_finite() || *mean < 0.0 {
            return Err(Absent::because(format!("the mean of {part} is {mean}")));
        }
    }
    Ok(means)
}

fn commits(rounds: &Rounds<'_>) -> (Known<f64>, Known<f64>) {
    let per_second = each(rounds, |m| m.cost.commits as f64 * 1e9 / m.window_ns as f64);
    let batch = each(rounds, |m| m.done as f64 / m.cost.commits as f64);
    (median(&per_second), median(&batch))
}

fn utilisation(rounds: &Rounds<'_>) -> Known<Location> {
    let busy: Option<Vec<f64>> =
        rounds.iter().map(|(_, m)| m.cost.busy_ns.map(|ns| ns as f64 / m.window_ns as f64)).collect();
    locate(&busy.ok_or_else(|| Absent::because("not every update was timed"))?, PER_SIDE)
}

fn per_update(rounds: &Rounds<'_>, of: impl Fn(&Evidence) -> (u64, u64)) -> Known<(Location, Location)> {
    let each_round = rounds.iter().map(|(_, m)| {
        let (first, second) = of(evidence(m)?);
        if m.done == 0 {
            return Err(Absent::because("a round without any answer"));
        }
        Ok((first as f64 / m.done as f64, second as f64 / m.done as f64))
    });
    let (first, second): (Vec<f64>, Vec<f64>) = each_round.collect::<Known<Vec<_>>>()?.into_iter().unzip();
    Ok((locate(&first, PER_SIDE)?, locate(&second, PER_SIDE)?))
}

fn peak_memory(rounds: &Rounds<'_>) -> Known<u64> {
    let each_round = rounds.iter().map(|(_, m)| evidence(m).map(|evidence| evidence.peak_memory_bytes));
    Ok(each_round.collect::<Known<Vec<_>>>()?.into_iter().max().unwrap_or(0))
}

fn evidence(measurement: &Measurement) -> Known<&Evidence> {
    measurement
        .evidence
        .as_ref()
        .ok_or_else(|| Absent::because("this system does not tell what a process used"))
}

fn evenness(rounds: &Rounds<'_>) -> Known<Evenness> {
    let each_round = rounds.iter().map(|(_, m)| fairness(&m.clients)).collect::<Known<Vec<_>>>()?;
    let clients = each_round.iter().map(|round| round.shares.len()).min().unwrap_or(0);
    let nth = |n: usize| median(&each_round.iter().map(|round| round.shares[n]).collect::<Vec<_>>());
    let least = || each_round.iter().map(crate::stats::Fairness::least);
    Ok(Evenness {
        jain: median(&each_round.iter().map(|round| round.jain).collect::<Vec<_>>())?,
        shares: (0..clients).map(nth).collect::<Known<_>>()?,
        worst: least().fold(f64::INFINITY, f64::min),
        best_worst: least().fold(0.0, f64::max),
        longest_gap_ns: rounds.iter().map(|(_, m)| m.longest_gap_ns).max().unwrap_or(0),
    })
}
