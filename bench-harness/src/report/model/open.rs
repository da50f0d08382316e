//! What an open loop shows besides its latency: whether its arrivals came on time, and whether the queue kept up.

use super::numbers::{Percentiles, Rounds, SPECTRUM_POINTS, percentiles};
use crate::record::{Arrivals, Measurement, PlannedWorkload};
use crate::report::Error;
use crate::report::format::{number, percent, plural};
use crate::stats::{
    Absent, Interval, Known, Offered, PER_SIDE, Quantile, Samples, Saturation, is_generator_limited, locate,
};

/// An open loop over all rounds.
#[derive(Clone, Debug)]
pub(crate) struct OpenLoop {
    /// Planned starts per second.
    pub(crate) offered: f64,
    /// Of those, answered.
    pub(crate) achieved: f64,
    /// Share of the planned that was answered within the deadline.
    pub(crate) in_time: f64,
    /// Certainly not applied, all rounds.
    pub(crate) given_up: u64,
    /// Neither when the load ended, all rounds: their latency is at least what is counted.
    pub(crate) censored: u64,
    /// Share of the planned that is censored.
    pub(crate) censored_share: f64,
    /// Planned start to submit really called.
    pub(crate) lag: Percentiles,
    /// Whether each round was saturated.
    pub(crate) saturated_rounds: Vec<bool>,
    /// Submit really called to answer received.
    pub(crate) service: Percentiles,
    /// The spectrum of `service`.
    pub(crate) service_spectrum: Vec<(f64, f64)>,
    /// Mean nanoseconds from planned start to submit really called; absent where the record has none.
    pub(crate) mean_lag: Known<f64>,
    /// Intervals of p50 and p99 over the rounds.
    pub(crate) bars: [Known<Interval>; 2],
    /// Why its latency is not that of a queue that keeps up.
    pub(crate) saturated: Option<String>,
    /// Whether the latency is partly that of the generator.
    pub(crate) is_generator_limited: bool,
}

impl OpenLoop {
    /// Whether a percentile lies among the censored, so that it is only known to be at least what is counted.
    pub(crate) fn is_at_least(&self, quantile: Quantile) -> bool {
        quantile.share() > 1.0 - self.censored_share
    }

    /// Why the row is not judged, if it is not.
    pub(super) fn objection(&self) -> Option<Absent> {
        if self.is_generator_limited {
            return Some(Absent::because("limited by the generator: its sends were late"));
        }
        self.saturated.as_ref().map(|why| Absent::because(format!("saturated: {why}")))
    }
}

/// The open loop of a row; `None` for a closed one.
///
/// # Errors
/// A histogram that is missing or cannot be read.
pub(super) fn of(
    workload: &PlannedWorkload,
    rounds: &Rounds<'_>,
    samples: impl Fn(&str) -> Result<Samples, Error>,
) -> Result<Option<OpenLoop>, Error> {
    let arrivals: Option<Vec<(&Arrivals, f64)>> =
        rounds.iter().map(|(_, m)| Some((m.open.as_ref()?, m.window_ns as f64 / 1e9))).collect();
    let Some(arrivals) = arrivals else { return Ok(None) };
    let sum = |of: fn(&Arrivals) -> u64| arrivals.iter().map(|(arrivals, _)| of(arrivals)).sum::<u64>();
    let seconds: f64 = arrivals.iter().map(|(_, seconds)| seconds).sum();
    let offered = sum(|a| a.offered);
    let share = |of: u64| if offered > 0 { of as f64 / offered as f64 } else { 0.0 };
    let (answered, censored) = (sum(|a| a.answered), sum(|a| a.censored));
    let (lag, service, latency) = (samples("lag")?, samples("service")?, samples("latency")?);
    let late = samples("late")?;
    let p99 = |samples: &Samples| samples.percentile(Quantile::P99).ok().map(|ns| ns as u64);
    let is_late =
        p99(&late).zip(p99(&latency)).is_some_and(|(late, latency)| is_generator_limited(late, latency));
    let bar = |of: fn(&crate::record::Percentiles) -> Option<u64>| {
        let known = rounds.iter().map(|(_, m)| of(m.percentiles.get("latency")?).map(|ns| ns as f64));
        let known: Option<Vec<f64>> = known.collect();
        locate(&known.ok_or_else(|| Absent::because("too few samples in a round"))?, PER_SIDE)?.interval
    };
    let mean_lag: Option<Vec<f64>> = rounds.iter().map(|(_, m)| m.mean_ns.get("lag").copied()).collect();
    let saturations: Vec<Option<Saturation>> =
        rounds.iter().map(|(_, measurement)| saturation(workload, measurement)).collect();
    Ok(Some(OpenLoop {
        offered: offered as f64 / seconds,
        achieved: answered as f64 / seconds,
        in_time: share(sum(|a| a.in_time)),
        given_up: sum(|a| a.given_up),
        censored,
        censored_share: share(censored),
        lag: percentiles(&lag),
        service_spectrum: service.spectrum(SPECTRUM_POINTS),
        service: percentiles(&service),
        mean_lag: mean_lag
            .map(|means| means.iter().sum::<f64>() / means.len() as f64)
            .filter(|mean| mean.is_finite() && *mean >= 0.0)
            .ok_or_else(|| Absent::because("the lag was not summed in every round")),
        bars: [bar(|p| p.p50), bar(|p| p.p99)],
        saturated: saturated(&saturations),
        saturated_rounds: saturations.iter().map(Option::is_some).collect(),
        is_generator_limited: is_late,
    }))
}

fn saturation(workload: &PlannedWorkload, measurement: &Measurement) -> Option<Saturation> {
    let open = measurement.open.as_ref()?;
    let offered = Offered {
        offered: open.offered,
        done: measurement.done,
        first: open.depth_at_first,
        last: open.depth_at_last,
        capacity: workload.capacity,
    };
    offered.saturation()
}

/// Why the row is saturated, if more than half of its rounds are.
fn saturated(rounds: &[Option<Saturation>]) -> Option<String> {
    let known: Vec<Saturation> = rounds.iter().copied().flatten().collect();
    if known.len() * 2 <= rounds.len() {
        return None;
    }
    let first = match known[0] {
        Saturation::Behind { achieved } => {
            format!("{} of what was offered was answered in the window", percent(achieved))
        }
        Saturation::Growing { first, last } => {
            format!("what was open grew from {} to {} updates", number(first), number(last))
        }
    };
    Some(format!("{first}, in {} of {}", known.len(), plural(rounds.len(), "round")))
}
