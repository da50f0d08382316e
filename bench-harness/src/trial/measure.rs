//! From what was observed in the window to the numbers of the record.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::checker::{Checker, Entry};
use super::client::Journal;
use super::clock::nanos;
use super::evidence::Usage;
use super::open::cohort::{Answered, Cohort};
use super::open::{self, Horizon, Plan};
use super::sample::Sample;
use super::spec::TrialSpec;
use crate::record::{AchievedCost, Arrivals, Failure, Measurement, Percentiles};
use crate::stats::Samples;

/// The highest value that a histogram holds.
// LIMIT: 60 s, longer than any trial waits for an answer.
pub const HIGHEST_NS: u64 = 60_000_000_000;

/// When the window was, and what the process had used by its edges.
#[derive(Clone, Debug)]
pub struct Window {
    /// Time the load ran before it.
    pub warm_up_ns: u64,
    /// When it began, on the trial's clock.
    pub start: u64,
    /// When it ended.
    pub end: u64,
    /// How much later the machine could know that it had ended.
    pub known_after: u64,
    /// Use of the process up to the start and up to the end.
    pub usage: Option<(Usage, Usage)>,
    /// Updates that the machine had finished by the end, those of the warm-up included.
    pub finished: u64,
    /// CPU time of threads that only generate load.
    pub generator_ns: Option<u64>,
}

impl Window {
    /// Its length in nanoseconds.
    pub fn length(&self) -> u64 {
        self.end - self.start
    }
}

type Part = fn(&Sample) -> u64;

/// The parts by their names in the record.
const PARTS: [(&str, Part); 7] = [
    ("latency", |s| s.latency()),
    ("held", |s| s.held),
    ("submit", |s| s.submit),
    ("queued", |s| s.queued),
    ("apply", |s| s.apply),
    ("commit", |s| s.commit),
    ("reply", |s| s.reply),
];

/// The parts whose distribution is kept. Of the others the mean is enough: percentiles of parts do not add up.
const DISTRIBUTIONS: [&str; 2] = ["latency", "held"];

/// All parts whose distribution a trial keeps, of a closed loop or of an open one.
pub const KEPT: [&str; 5] = ["latency", "held", "lag", "late", "service"];

type PlannedPart = fn(&Answered) -> u64;

/// The parts of an open loop, and whether their distribution is kept.
const PLANNED_PARTS: [(&str, PlannedPart, bool); 10] = [
    ("latency", |a| a.latency(), false),
    ("lag", |a| a.lag, true),
    ("late", |a| a.late, true),
    ("service", |a| a.sample.latency(), true),
    ("held", |a| a.sample.held, true),
    ("submit", |a| a.sample.submit, false),
    ("queued", |a| a.sample.queued, false),
    ("apply", |a| a.sample.apply, false),
    ("commit", |a| a.sample.commit, false),
    ("reply", |a| a.sample.reply, false),
];

/// The numbers of a trial whose checks have held.
///
/// # Errors
/// V5: the writer was busy for longer than the window. V9: nothing was answered in the window.
pub fn measurement(
    spec: &TrialSpec,
    window: &Window,
    journals: &[Journal],
    checker: &Checker,
) -> Result<Measurement, Failure> {
    let done: u64 = journals.iter().map(|journal| journal.done).sum();
    let open = open::is_open(spec).then(|| arrivals(spec, window, journals));
    if done == 0 && open.as_ref().is_none_or(|open| open.given_up == 0) {
        return Err(failure("V9", format!("no update was answered in a window of {:?}", spec.window)));
    }
    let busy_ns = (spec.timed_every <= 1).then(|| checker.busy_ns());
    if busy_ns.is_some_and(|busy| busy > window.length() + window.known_after + EDGE_NS) {
        let reason =
            format!("the writer was busy for {} ns in a window of {} ns", checker.busy_ns(), window.length());
        return Err(failure("V5", reason));
    }
    let numbers = if open.is_some() { of_open_loop(journals) } else { of_closed_loop(journals) };
    Ok(Measurement {
        warm_up_ns: window.warm_up_ns,
        window_ns: window.length(),
        done,
        refused: journals.iter().map(|journal| journal.refused).sum(),
        clients: journals.iter().map(|journal| journal.done).collect(),
        longest_gap_ns: journals.iter().map(|journal| longest_gap(journal, window)).max().unwrap_or(0),
        cost: achieved_cost(spec, journals, checker, busy_ns),
        hdr: numbers.hdr,
        percentiles: numbers.percentiles,
        mean_ns: numbers.mean_ns,
        clamped: numbers.clamped,
        open,
        evidence: window.usage.as_ref().map(|(start, end)| end.since(start, own_bytes(window, journals))),
    })
}

fn of_closed_loop(journals: &[Journal]) -> Numbers {
    let mut numbers = Numbers::default();
    for (name, part) in PARTS {
        let values = || journals.iter().flat_map(|journal| journal.samples.iter().map(part));
        numbers.add_mean(name, values());
        if DISTRIBUTIONS.contains(&name) {
            numbers.add_distribution(name, values());
        }
    }
    numbers
}

/// Means are those of the answered updates, so that the parts sum to the whole; the distribution of the latency has the
/// others too, at the age they had.
fn of_open_loop(journals: &[Journal]) -> Numbers {
    let mut numbers = Numbers::default();
    let cohorts = || journals.iter().map(|journal| &journal.cohort);
    for (name, part, is_distributed) in PLANNED_PARTS {
        let values = || cohorts().flat_map(|cohort| cohort.answered.iter().map(part));
        numbers.add_mean(name, values());
        if is_distributed {
            numbers.add_distribution(name, values());
        }
    }
    let answered = cohorts().flat_map(|cohort| cohort.answered.iter().map(Answered::latency));
    let censored = cohorts().flat_map(|cohort| cohort.censored.iter().copied());
    numbers.add_distribution("latency", answered.chain(censored));
    numbers
}

/// What became of the updates that were planned for the window.
fn arrivals(spec: &TrialSpec, window: &Window, journals: &[Journal]) -> Arrivals {
    let sum = |of: fn(&Cohort) -> u64| journals.iter().map(|journal| of(&journal.cohort)).sum::<u64>();
    let third = Horizon::of(spec).third() as f64;
    Arrivals {
        offered: sum(|cohort| cohort.offered),
        answered: sum(|cohort| cohort.answered.len() as u64),
        in_time: sum(|cohort| cohort.in_time),
        given_up: sum(|cohort| cohort.given_up),
        censored: sum(|cohort| cohort.censored.len() as u64),
        depth_at_first: thousandths(ratio(sum(|cohort| cohort.open_in_first) as f64, third)),
        depth_at_last: thousandths(ratio(sum(|cohort| cohort.open_in_last) as f64, third)),
        generator_ns: window.generator_ns,
    }
}

// LIMIT: 10 us: the edges of the window and the machine's spans are read from the same clock, by different threads.
const EDGE_NS: u64 = 10_000;

#[derive(Default)]
struct Numbers {
    hdr: BTreeMap<String, String>,
    percentiles: BTreeMap<String, Percentiles>,
    mean_ns: BTreeMap<String, f64>,
    clamped: u64,
}

impl Numbers {
    fn add_mean(&mut self, name: &str, values: impl Iterator<Item = u64>) {
        let (sum, count) = values.fold((0_u128, 0_u64), |(sum, n), value| (sum + u128::from(value), n + 1));
        self.mean_ns.insert(name.to_owned(), thousandths(ratio(sum as f64, count as f64)));
    }

    fn add_distribution(&mut self, name: &str, values: impl Iterator<Item = u64>) {
        let mut histogram = histogram();
        for value in values {
            histogram.saturating_record(value);
            self.clamped += u64::from(value > HIGHEST_NS);
        }
        let samples = Samples::from(histogram);
        self.hdr.insert(name.to_owned(), samples.encode());
        self.percentiles.insert(name.to_owned(), Percentiles::from(&samples));
    }
}

/// An empty histogram with the bounds of all histograms in records.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, HIGHEST_NS, 3)
        .expect("1 ns to 60 s with three digits are bounds that a histogram takes")
}

fn achieved_cost(
    spec: &TrialSpec,
    journals: &[Journal],
    checker: &Checker,
    busy_ns: Option<u64>,
) -> AchievedCost {
    let applies = || journals.iter().flat_map(samples).map(|sample| sample.apply);
    let mut histogram = histogram();
    let mut sum = 0.0;
    for apply in applies() {
        histogram.saturating_record(apply);
        sum += apply as f64;
    }
    let mean = ratio(sum, histogram.len() as f64);
    let squares: f64 = applies().map(|apply| (apply as f64 - mean).powi(2)).sum();
    AchievedCost {
        requested_ns: nanos(spec.cell.write.requested),
        mean_ns: thousandths(mean),
        cv: thousandths(ratio(ratio(squares, histogram.len() as f64).sqrt(), mean)),
        p50_ns: histogram.value_at_quantile(0.5),
        p99_ns: histogram.value_at_quantile(0.99),
        commits: checker.commits(),
        busy_ns,
    }
}

/// The timed updates of a client: in a closed loop those answered in the window, in an open one those planned for it.
fn samples(journal: &Journal) -> impl Iterator<Item = &Sample> {
    journal.samples.iter().chain(journal.cohort.answered.iter().map(|answered| &answered.sample))
}

/// The longest time in the window without an answer; between timed answers, where not all are timed.
fn longest_gap(journal: &Journal, window: &Window) -> u64 {
    let ends = samples(journal).map(|sample| sample.resumed.min(window.end)).chain([window.end]);
    let mut last = window.start;
    let mut longest = 0;
    for end in ends {
        longest = longest.max(end.saturating_sub(last));
        last = last.max(end);
    }
    longest
}

/// What the harness held for itself when the window ended: the machine's log, the clients' samples, and the plan of an open
/// loop.
fn own_bytes(window: &Window, journals: &[Journal]) -> u64 {
    let samples: usize = journals.iter().map(|journal| journal.samples.len()).sum();
    let answered: usize = journals.iter().map(|journal| journal.cohort.answered.len()).sum();
    let planned: u64 = journals.iter().map(|journal| journal.cohort.planned).sum();
    let bytes = samples * size_of::<Sample>() + answered * size_of::<Answered>();
    window.finished * size_of::<Entry>() as u64 + planned * Plan::BYTES_PER_START + bytes as u64
}

/// To three places: what is beyond them is no property of what was measured, and half the length of a record.
fn thousandths(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

/// `a / b`, and 0 for nothing of nothing.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

fn failure(check: &str, reason: String) -> Failure {
    Failure { check: check.to_owned(), reason }
}
