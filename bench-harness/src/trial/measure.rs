//! From what was observed in the window to the numbers of the record.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::checker::{Checker, Entry};
use super::client::Journal;
use super::clock::nanos;
use super::evidence::Usage;
use super::sample::Sample;
use super::spec::TrialSpec;
use crate::record::{AchievedCost, Failure, Measurement, Percentiles};
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
}

impl Window {
    /// Its length in nanoseconds.
    pub fn length(&self) -> u64 {
        self.end - self.start
    }
}

type Part = fn(&Sample) -> u64;

/// The parts by their names in the record.
const PARTS: [(&str, Part); 6] = [
    ("latency", |s| s.latency()),
    ("submit", |s| s.submit),
    ("queued", |s| s.queued),
    ("apply", |s| s.apply),
    ("commit", |s| s.commit),
    ("reply", |s| s.reply),
];

/// The parts whose distribution is kept. Of the others the mean is enough: percentiles of parts do not add up.
const DISTRIBUTIONS: [&str; 2] = ["latency", "submit"];

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
    if done == 0 {
        return Err(failure("V9", format!("no update was answered in a window of {:?}", spec.window)));
    }
    let busy_ns = (spec.timed_every <= 1).then(|| checker.busy_ns());
    if busy_ns.is_some_and(|busy| busy > window.length() + window.known_after + EDGE_NS) {
        let reason =
            format!("the writer was busy for {} ns in a window of {} ns", checker.busy_ns(), window.length());
        return Err(failure("V5", reason));
    }
    let mut numbers = Numbers::default();
    for (name, part) in PARTS {
        numbers.add(name, journals.iter().flat_map(|journal| journal.samples.iter().map(part)));
    }
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
        open: None,
        evidence: window.usage.as_ref().map(|(start, end)| end.since(start, own_bytes(window, journals))),
    })
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
    fn add(&mut self, name: &str, values: impl Iterator<Item = u64>) {
        let mut histogram = histogram();
        let mut sum = 0_u128;
        for value in values {
            histogram.saturating_record(value);
            self.clamped += u64::from(value > HIGHEST_NS);
            sum += u128::from(value);
        }
        self.mean_ns.insert(name.to_owned(), thousandths(ratio(sum as f64, histogram.len() as f64)));
        if DISTRIBUTIONS.contains(&name) {
            let samples = Samples::from(histogram);
            self.hdr.insert(name.to_owned(), samples.encode());
            self.percentiles.insert(name.to_owned(), Percentiles::from(&samples));
        }
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
    let applies = || journals.iter().flat_map(|journal| journal.samples.iter().map(|sample| sample.apply));
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

/// The longest time without an answer; between timed answers, where not all are timed.
fn longest_gap(journal: &Journal, window: &Window) -> u64 {
    let ends = journal.samples.iter().map(|sample| sample.resumed).chain([window.end]);
    let mut last = window.start;
    let mut longest = 0;
    for end in ends {
        longest = longest.max(end.saturating_sub(last));
        last = last.max(end);
    }
    longest
}

/// What the harness held for itself when the window ended: the machine's log and the clients' samples.
fn own_bytes(window: &Window, journals: &[Journal]) -> u64 {
    let samples: usize = journals.iter().map(|journal| journal.samples.len()).sum();
    window.finished * size_of::<Entry>() as u64 + (samples * size_of::<Sample>()) as u64
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
