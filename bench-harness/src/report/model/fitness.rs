//! Whether the machine was fit to measure on, by evidence that knows no strategy.

use super::index::Index;
use crate::record::{Round, Session};
use crate::report::format::percent;
use crate::stats::Known;
use crate::stats::steadiness::{drift, variation};

/// A session's evidence.
#[derive(Clone, Debug)]
pub(crate) struct Fitness {
    /// What each round did, in the order in which they ran; empty where nothing was recorded.
    pub(crate) rounds: Vec<RoundEvidence>,
    /// Complete rounds that do not count.
    pub(crate) invalid: usize,
    /// CPU time given to others, as a share of the time in which the machine worked.
    pub(crate) steal: Option<f64>,
    /// Share of the time in which something waited for a CPU.
    pub(crate) pressure: Option<f64>,
    /// How much the fixed piece of work varied, and how far it drifted from the first third to the last.
    pub(crate) probe: (Known<f64>, Known<f64>),
    /// Why the machine was not fit; empty: nothing speaks against it.
    pub(crate) unfit: Vec<String>,
}

/// What one round did.
#[derive(Clone, Debug)]
pub(crate) struct RoundEvidence {
    /// Which round.
    pub(crate) round: u32,
    /// CPU time given to others, as a share of the time in which the machine worked.
    pub(crate) steal: Option<f64>,
    /// Share of the round in which something waited for a CPU.
    pub(crate) pressure: Option<f64>,
    /// What the fixed piece of work took, nanoseconds.
    pub(crate) probe_ns: f64,
    /// Why it does not count.
    pub(crate) invalid: Option<String>,
}

impl Fitness {
    pub(super) fn of(session: &Session, index: &Index<'_>) -> Self {
        let counted: Vec<&Round> =
            session.rounds.iter().filter(|round| index.rounds.contains(&round.round)).collect();
        let steal = total(&counted, |round| Some((round.steal_ns?, round.busy_ns?)));
        let pressure =
            total(&counted, |round| Some((round.cpu_pressure_us?.saturating_mul(1_000), round.wall_ns)));
        let probes: Vec<f64> = counted.iter().map(|round| round.probe_ns as f64).collect();
        let probe = (variation(&probes), drift(&probes));
        let invalid = index.every_round.len() - index.rounds.len();
        let unfit = session.fitness().why;
        let rounds = session.rounds.iter().map(evidence).collect();
        Self { rounds, invalid, steal, pressure, probe, unfit }
    }

    /// `fit`, `unfit`, or `unknown` where nothing was recorded.
    pub(crate) fn word(&self) -> &'static str {
        match (self.unfit.is_empty(), self.rounds.is_empty()) {
            (false, _) => "unfit",
            (true, true) => "unknown",
            (true, false) => "fit",
        }
    }

    /// What was seen, in words.
    pub(crate) fn evidence(&self) -> String {
        if self.rounds.is_empty() {
            return "not recorded".to_owned();
        }
        let share = |share: Option<f64>| share.map_or_else(|| "unknown".to_owned(), percent);
        let known =
            |share: &Known<f64>| share.as_ref().map_or_else(|_| "unknown".to_owned(), |s| percent(*s));
        format!(
            "steal {}, something waited for a CPU {} of the time, a fixed piece of work varied {} and drifted {}",
            share(self.steal),
            share(self.pressure),
            known(&self.probe.0),
            known(&self.probe.1)
        )
    }
}

/// The sum of the first over the sum of the second; `None` where a round does not have them.
fn total(rounds: &[&Round], of: impl Fn(&Round) -> Option<(u64, u64)>) -> Option<f64> {
    let pairs: Vec<(u64, u64)> = rounds.iter().map(|round| of(round)).collect::<Option<_>>()?;
    let sum = |pick: fn(&(u64, u64)) -> u64| pairs.iter().map(|pair| pick(pair) as f64).sum::<f64>();
    let (part, whole) = (sum(|pair| pair.0), sum(|pair| pair.1));
    (whole > 0.0).then_some(part / whole)
}

fn evidence(round: &Round) -> RoundEvidence {
    RoundEvidence {
        round: round.round,
        steal: total(&[round], |round| Some((round.steal_ns?, round.busy_ns?))),
        pressure: total(&[round], |round| {
            Some((round.cpu_pressure_us?.saturating_mul(1_000), round.wall_ns))
        }),
        probe_ns: round.probe_ns as f64,
        invalid: round.invalid.clone(),
    }
}
