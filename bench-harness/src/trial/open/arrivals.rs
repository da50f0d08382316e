//! When the updates of an open loop are to start: a pure function of the trial's seed.
//!
//! All starts are known before the trial's clock runs, so nothing that happens in the trial can move one, and planning takes
//! no time from it.

use super::horizon::Horizon;
use crate::random::{Generator, mix};
use crate::trial::spec::TrialSpec;
use crate::workload::definition::{Pattern, Spacing};

/// Keeps the arrivals of a seed apart from its payloads.
const ARRIVALS: u64 = 0x8f1b_bcdc_ca62_c1d6;

/// The planned starts of all clients.
#[derive(Debug, Default)]
pub struct Plan {
    clients: Vec<Vec<u64>>,
    merged: Vec<(u64, usize)>,
}

impl Plan {
    /// Memory for one start: it is in two lists.
    pub const BYTES_PER_START: u64 = (size_of::<u64>() + size_of::<(u64, usize)>()) as u64;

    /// The plan of a trial; an empty one for a closed loop.
    pub fn of(spec: &TrialSpec) -> Self {
        let (Pattern::Arrivals { kind, .. }, Some(rate)) = (spec.pattern, spec.rate) else {
            return Self::default();
        };
        let (end, rate) = (Horizon::of(spec).over, rate / spec.cell.clients as f64);
        let clients: Vec<_> = (0..spec.cell.clients)
            .map(|client| planned(kind, rate, end, spec.seed, u32::try_from(client).unwrap_or(u32::MAX)))
            .collect();
        let starts =
            |(client, starts): (usize, &Vec<u64>)| starts.iter().map(move |start| (*start, client)).collect();
        let mut merged: Vec<_> = clients.iter().enumerate().flat_map::<Vec<_>, _>(starts).collect();
        merged.sort_unstable();
        Self { clients, merged }
    }

    /// The starts of one client.
    pub fn client(&self, client: u32) -> &[u64] {
        self.clients.get(client as usize).map_or(&[], Vec::as_slice)
    }

    /// The starts of all clients, in order, and whose each is.
    pub fn merged(&self) -> &[(u64, usize)] {
        &self.merged
    }
}

/// The planned starts of client `client` before `end`, ascending, in nanoseconds from the start of the load; `rate` is the
/// client's own, in updates per second.
pub fn planned(kind: Spacing, rate: f64, end: u64, seed: u64, client: u32) -> Vec<u64> {
    let mut generator = Generator(mix(seed ^ ARRIVALS) ^ mix(u64::from(client)));
    let mean_gap = 1e9 / rate;
    let end = end as f64;
    let mut starts = Vec::with_capacity((end / mean_gap * 1.1) as usize + 16);
    // Constant arrivals begin somewhere within their first gap, so that clients do not come in step.
    let mut next = match kind {
        Spacing::Poisson => 0.0,
        Spacing::Constant => (generator.uniform() - 1.0) * mean_gap,
    };
    loop {
        next += match kind {
            Spacing::Poisson => -generator.uniform().ln() * mean_gap,
            Spacing::Constant => mean_gap,
        };
        if next >= end {
            return starts;
        }
        starts.push(next as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn gaps(starts: &[u64]) -> Vec<f64> {
        starts.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect()
    }

    #[test]
    fn a_seed_repeats_the_arrivals_and_every_client_has_its_own() {
        for kind in [Spacing::Poisson, Spacing::Constant] {
            let starts = |seed, client| planned(kind, 1_000.0, SECOND, seed, client);
            assert_eq!(starts(1, 0), starts(1, 0));
            assert_ne!(starts(1, 0), starts(2, 0), "{kind:?}");
            assert_ne!(starts(1, 0), starts(1, 1), "{kind:?}");
        }
    }

    #[test]
    fn arrivals_are_in_order_before_the_end_and_as_many_as_the_rate_says() {
        for kind in [Spacing::Poisson, Spacing::Constant] {
            let starts = planned(kind, 2_000.0, 50 * SECOND, 9, 4);
            assert!(starts.is_sorted() && starts.iter().all(|start| *start < 50 * SECOND));
            // 100,000 expected; the count of a Poisson process scatters by its root, 316.
            assert!((98_500..=101_500).contains(&starts.len()), "{kind:?}: {}", starts.len());
        }
    }

    #[test]
    fn constant_gaps_are_equal_to_a_nanosecond() {
        let starts = planned(Spacing::Constant, 300.0, 10 * SECOND, 3, 0);
        assert!(starts[0] < 3_333_334);
        assert!(gaps(&starts).iter().all(|gap| (gap - 1e9 / 300.0).abs() <= 1.0));
    }

    #[test]
    fn poisson_gaps_are_exponential() {
        let mut gaps = gaps(&planned(Spacing::Poisson, 1_000.0, 100 * SECOND, 17, 2));
        gaps.sort_by(f64::total_cmp);
        let n = gaps.len() as f64;
        let distance = (0..).zip(&gaps).map(|(i, gap)| {
            let expected = 1.0 - (-gap / 1e6).exp();
            (expected - f64::from(i) / n).abs().max((expected - (f64::from(i) + 1.0) / n).abs())
        });
        // Kolmogorov and Smirnov: 1.95 / sqrt(n) is passed by one fair sample in a thousand.
        assert!(distance.fold(0.0, f64::max) < 1.95 / n.sqrt());
    }

    #[test]
    fn no_rate_that_is_too_low_for_an_arrival_makes_one() {
        assert!(planned(Spacing::Constant, 1e-9, SECOND, 1, 0).is_empty());
        assert!(planned(Spacing::Poisson, 0.0, SECOND, 1, 0).is_empty());
    }
}
