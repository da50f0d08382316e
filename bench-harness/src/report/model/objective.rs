//! What makes a strategy good at a workload, and what each round says about it.

use crate::record::{self, Measurement, PlannedWorkload};
use crate::report::format::{percent, times};
use crate::stats::{Absent, Known, MIN_EFFECT, MIN_LATENCY_EFFECT, Quantile};
use crate::workload::definition::Load;

/// What makes a strategy good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objective {
    /// Many updates per second.
    Throughput,
    /// A short latency, at this percentile: where the load sets the pace, all have the same throughput.
    Latency(Quantile),
    /// A caller that is soon free again: time in submit, at this percentile.
    Held(Quantile),
}

/// One round's values, as measured.
#[derive(Clone, Debug)]
pub(crate) struct RoundValues {
    /// Which round.
    pub(crate) round: u32,
    /// Updates per second.
    pub(crate) speed: f64,
    latency: Option<record::Percentiles>,
    held: Option<record::Percentiles>,
}

impl RoundValues {
    pub(super) fn new(round: u32, measurement: &Measurement) -> Self {
        let of = |part: &str| measurement.percentiles.get(part).cloned();
        let speed = measurement.done as f64 * 1e9 / measurement.window_ns as f64;
        Self { round, speed, latency: of("latency"), held: of("held") }
    }

    /// A percentile of the round's latency, nanoseconds.
    pub(crate) fn latency(&self, quantile: Quantile) -> Known<f64> {
        percentile(self.latency.as_ref(), quantile)
    }

    /// A percentile of the round's time in submit, nanoseconds.
    pub(crate) fn held(&self, quantile: Quantile) -> Known<f64> {
        percentile(self.held.as_ref(), quantile)
    }
}

fn percentile(of: Option<&record::Percentiles>, quantile: Quantile) -> Known<f64> {
    let known = of.and_then(|percentiles| match quantile {
        Quantile::P50 => percentiles.p50,
        Quantile::P90 => percentiles.p90,
        Quantile::P99 => percentiles.p99,
        Quantile::P999 => percentiles.p999,
    });
    known.map(|ns| ns as f64).ok_or_else(|| {
        let (name, needed) = (quantile.name(), quantile.samples_needed());
        Absent::because(format!("{name} of a round needs at least {needed} samples"))
    })
}

impl Objective {
    /// Costs of `own` and of `reference`, in the same rounds.
    pub(crate) fn costs(self, own: &[RoundValues], reference: &[RoundValues]) -> Known<Vec<(f64, f64)>> {
        let rounds = own.iter().zip(reference);
        match self {
            // The time of an update is one over the speed, so the two change places.
            Self::Throughput => Ok(rounds.map(|(own, other)| (other.speed, own.speed)).collect()),
            Self::Latency(q) => rounds.map(|(own, other)| Ok((own.latency(q)?, other.latency(q)?))).collect(),
            Self::Held(q) => rounds.map(|(own, other)| Ok((own.held(q)?, other.held(q)?))).collect(),
        }
    }

    /// The smallest difference that counts, as a share.
    pub(crate) fn least_difference(self) -> f64 {
        match self {
            Self::Throughput => MIN_EFFECT,
            Self::Latency(_) | Self::Held(_) => MIN_LATENCY_EFFECT,
        }
    }

    /// What is compared, in a word or two: `updates per second`, `p90 of the latency`.
    pub(crate) fn measure(self) -> String {
        match self {
            Self::Throughput => "updates per second".to_owned(),
            Self::Latency(q) => format!("{} of the latency", q.name()),
            Self::Held(q) => format!("{} of the time in submit", q.name()),
        }
    }

    /// How much a loss of `d` is, the logarithm of a cost over the better one's: `11 %`, or `1.2×`.
    pub(crate) fn loss(self, d: f64) -> String {
        match self {
            Self::Throughput => percent(-(-d).exp_m1()),
            Self::Latency(_) | Self::Held(_) => times(d.exp()),
        }
    }

    /// `11 % [9.0, 13]`, or `1.2× [1.1, 1.3]`.
    pub(crate) fn loss_within(self, d: f64, (low, high): (f64, f64)) -> String {
        let bare = |d: f64| self.loss(d).replace(" %", "").replace('×', "");
        format!("{} [{}, {}]", self.loss(d), bare(low), bare(high))
    }
}

/// Where its percentile is taken for a workload: as high as every round of every row supports.
fn supported(
    measurements: &mut dyn Iterator<Item = &Measurement>,
    part: &str,
    highest: Quantile,
) -> Quantile {
    let mut best = highest;
    for measurement in measurements {
        let Some(of) = measurement.percentiles.get(part) else { continue };
        if best == Quantile::P99 && of.p99.is_none() {
            best = Quantile::P90;
        }
        if best == Quantile::P90 && of.p90.is_none() {
            best = Quantile::P50;
        }
    }
    best
}

/// What makes a strategy good at the workload, by what its rounds support.
pub(super) fn headline<'m>(
    workload: &PlannedWorkload,
    mut measurements: impl Iterator<Item = &'m Measurement>,
) -> Objective {
    match workload.load {
        Load::Steady => Objective::Throughput,
        // A burst is over before its p99 is known.
        Load::Bursts => Objective::Latency(supported(&mut measurements, "latency", Quantile::P90)),
        Load::Poisson | Load::Constant => {
            Objective::Latency(supported(&mut measurements, "latency", Quantile::P99))
        }
    }
}

/// By what the time that callers are held is compared.
pub(super) fn held<'m>(mut measurements: impl Iterator<Item = &'m Measurement>) -> Objective {
    Objective::Held(supported(&mut measurements, "held", Quantile::P99))
}
