//! What a queue does when updates arrive faster than they can be applied.
//!
//! Two lines of defence beside the capacity, both off unless asked for. *Admission* refuses at submit what would
//! probably wait too long: depth times the average cost of an update, against half of what the caller can bear. *CoDel*
//! drops at the claim what has waited too long while the queue has not been empty for a while; it catches a writer that
//! suddenly stalls, when estimates are stale. Half, the average's half-life and CoDel's numbers come from simulated
//! goodput at 1.2 to 10 times the capacity, where both keep it near 100 % and a plain bound falls to a few per cent.
//! CoDel in this form: Maurer, "Fail at Scale", ACM Queue 13(8), 2015.

use std::time::{Duration, Instant};

use crate::sync::{AtomicU64, Ordering};

// LIMIT: half-life of 64 samples: 1 - 0.5^(1/64). Shorter follows single slow updates, longer sleeps through a change.
const WEIGHT: f64 = 0.0108;

/// What a queue does under overload, beyond refusing when it is full. The default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overload {
    admission: Option<Duration>,
    codel: Option<Codel>,
}

/// The limits of CoDel at the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Codel {
    interval: Duration,
    target: Duration,
}

impl Overload {
    /// Refuses a submit whose estimated wait is over half of `max_wait`, or over half of the time left until its
    /// `start_by`.
    ///
    /// An empty queue always admits, so an estimate that has become too high corrects itself.
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.admission = Some(max_wait);
        self
    }

    /// Sheds an update that has waited longer than `interval`, or longer than `target` once the queue has not been empty
    /// for an `interval`.
    ///
    /// 100 ms and 5 ms suit writes of up to a few milliseconds; the target should not be under twice a usual commit.
    #[must_use]
    pub fn codel(mut self, interval: Duration, target: Duration) -> Self {
        self.codel = Some(Codel { interval, target });
        self
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.admission.is_some() || self.codel.is_some()
    }

    #[inline]
    pub(crate) fn admits(&self) -> bool {
        self.admission.is_some()
    }

    /// The estimated wait, if it is too long for a caller who must start by `start_by`.
    pub(crate) fn refuses(&self, depth: usize, load: &Load, start_by: Option<Instant>) -> Option<Duration> {
        let mut bearable = self.admission?;
        if let Some(start_by) = start_by {
            bearable = bearable.min(start_by.saturating_duration_since(Instant::now()));
        }
        let estimated = load.estimated_wait(depth);
        (depth > 0 && estimated > bearable / 2).then_some(estimated)
    }

    /// Whether an update that was submitted at `submitted` has waited too long.
    pub(crate) fn sheds(&self, submitted: Option<Instant>, last_empty: Instant, now: Instant) -> bool {
        let (Some(codel), Some(submitted)) = (self.codel, submitted) else { return false };
        let standing = now.saturating_duration_since(last_empty) > codel.interval;
        let limit = if standing { codel.target } else { codel.interval };
        now.saturating_duration_since(submitted) > limit
    }
}

/// The average busy time of the writer per update.
#[derive(Default)]
pub(crate) struct Load {
    /// Nanoseconds as the bits of an `f64`; 0 until the first sample.
    average: AtomicU64,
}

impl Load {
    /// Takes in a batch: `updates` updates kept the writer busy for `busy`. Only the writer calls this.
    pub(crate) fn sample(&self, busy: Duration, updates: usize) {
        if updates == 0 {
            return;
        }
        let cost = busy.as_nanos() as f64 / updates as f64;
        // ORDERING: Relaxed here and below: a lone statistic; nothing else travels with it.
        let old = f64::from_bits(self.average.load(Ordering::Relaxed));
        let new = if old == 0.0 { cost } else { old + WEIGHT * (cost - old) };
        self.average.store(new.to_bits(), Ordering::Relaxed);
    }

    fn estimated_wait(&self, depth: usize) -> Duration {
        let average = f64::from_bits(self.average.load(Ordering::Relaxed));
        Duration::from_nanos((average * depth as f64) as u64)
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn an_estimate_over_half_of_the_bearable_wait_is_refused() {
        let load = Load::default();
        load.sample(10 * MS, 10);
        let policy = Overload::default().max_wait(20 * MS);
        assert_eq!(policy.refuses(10, &load, None), None);
        assert_eq!(policy.refuses(11, &load, None), Some(11 * MS));
        assert!(policy.refuses(2, &load, Some(Instant::now())).is_some(), "no time is left until start_by");
        assert_eq!(policy.refuses(0, &load, Some(Instant::now())), None, "an empty queue admits");
    }

    #[test]
    fn without_a_limit_nothing_is_refused_or_shed() {
        let load = Load::default();
        load.sample(1_000 * MS, 1);
        let now = Instant::now();
        assert_eq!(Overload::default().refuses(1_000, &load, Some(now)), None);
        assert!(!Overload::default().sheds(Some(now), now, now + 1_000 * MS));
    }

    #[test]
    fn codel_tightens_once_the_queue_has_stood_for_an_interval() {
        let policy = Overload::default().codel(100 * MS, 5 * MS);
        let start = Instant::now();
        let now = start + 200 * MS;
        assert!(!policy.sheds(Some(now - 50 * MS), now - 50 * MS, now), "empty a moment ago: the long limit");
        assert!(policy.sheds(Some(now - 101 * MS), now - 50 * MS, now));
        assert!(policy.sheds(Some(now - 6 * MS), start, now), "standing queue: the short limit");
        assert!(!policy.sheds(Some(now - 5 * MS), start, now));
    }

    #[test]
    fn the_average_moves_half_way_in_64_batches() {
        let load = Load::default();
        load.sample(MS, 1);
        for _ in 0..64 {
            load.sample(3 * MS, 1);
        }
        let average = load.estimated_wait(1);
        assert!((average.as_secs_f64() - 0.002).abs() < 2e-5, "{average:?}");
    }
}
