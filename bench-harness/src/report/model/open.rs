//! What an open loop shows besides its latency: whether its arrivals came on time, and whether the queue kept up.

use super::numbers::{Percentiles, Rounds, SPECTRUM_POINTS, percentiles};
use crate::record::{Arrivals, PlannedWorkload};
use crate::report::Error;
use crate::stats::{Absent, Interval, Known, PER_SIDE, Quantile, Samples, locate};

// LIMIT: below 99 % of what was offered the queue does not keep up (Schroeder and others, NSDI 2006, use the same).
const KEEPS_UP: f64 = 0.99;
// LIMIT: sends that are later than a tenth of the latency that is reported would be part of it.
const LATE_SHARE: f64 = 0.1;

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
    let p99 = |samples: &Samples| samples.percentile(Quantile::P99).ok();
    let is_late = p99(&lag).zip(p99(&latency)).is_some_and(|(lag, latency)| lag > LATE_SHARE * latency);
    let bar = |of: fn(&crate::record::Percentiles) -> Option<u64>| {
        let known = rounds.iter().map(|(_, m)| of(m.percentiles.get("latency")?).map(|ns| ns as f64));
        let known: Option<Vec<f64>> = known.collect();
        locate(&known.ok_or_else(|| Absent::because("too few samples in a round"))?, PER_SIDE)?.interval
    };
    let mean_lag: Option<Vec<f64>> = rounds.iter().map(|(_, m)| m.mean_ns.get("lag").copied()).collect();
    let grew = arrivals.iter().map(|(arrivals, _)| arrivals.depth_at_last - arrivals.depth_at_first);
    let grew = grew.sum::<f64>() / arrivals.len() as f64;
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
        saturated: saturated(share(answered), grew, workload.capacity),
        is_generator_limited: is_late,
    }))
}

fn saturated(answered: f64, grew: f64, capacity: usize) -> Option<String> {
    use crate::report::format::{number, percent};
    if answered < KEEPS_UP {
        return Some(format!("{} of the offered updates were answered", percent(answered)));
    }
    // LIMIT: a tenth of the capacity: more than the depth of a queue that keeps up wanders.
    (grew > capacity as f64 / 10.0)
        .then(|| format!("the queue grew by {} updates during the window", number(grew)))
}
