//! What one write costs: the requested cost, or what the workload's variation makes of it.
//!
//! A varied cost follows from the update's payload, which follows from the seed of the data: the same update costs the same
//! under every strategy, and whatever order it arrives in.
//!
//! Spread costs are lognormal. Its mean and its coefficient of variation are given directly and both exist for every window,
//! so that a mean wait can be held against theory. A Pareto cost as heavy as real ones has no variance: the few largest writes
//! of a window would decide its throughput, and no two rounds would agree.

use std::time::Duration;

use super::clock::spend;
use super::spec::TrialSpec;
use crate::random::{Generator, mix};
use crate::workload::definition::{Cost, Variation};

// LIMIT: 100 times the mean: at a cv of 10 one write in 2000 would be longer, at a cv of 2 one in 100,000. One such write
// would stand for a good part of a window.
const LONGEST: f64 = 100.0;
/// Keeps the draws for the two kinds of variation, and the payload itself, apart.
const SPREAD: u64 = 0x5bd1_e995_7b7d_159c;
const STALL: u64 = 0x2545_f491_4f6c_dd1d;

/// What the writes of a trial cost.
#[derive(Clone, Copy, Debug)]
pub struct Writes {
    cost: Cost,
    variation: Variation,
}

impl Writes {
    /// The writes that a trial asks for.
    pub fn of(spec: &TrialSpec) -> Self {
        Self { cost: spec.cell.write, variation: spec.variation }
    }

    /// Spends what the write of `payload` costs.
    pub fn spend(&self, payload: u64) {
        spend(Cost { requested: self.cost_of(payload), ..self.cost });
    }

    /// What the write of `payload` costs.
    pub fn cost_of(&self, payload: u64) -> Duration {
        let Variation { cv, stall } = self.variation;
        if let Some(stall) =
            stall.filter(|stall| mix(payload ^ STALL).is_multiple_of(u64::from(stall.one_in)))
        {
            return stall.takes;
        }
        match cv {
            Some(cv) => self.cost.requested.mul_f64(lognormal(cv, &mut Generator(mix(payload ^ SPREAD)))),
            None => self.cost.requested,
        }
    }
}

/// A number of the lognormal distribution with mean 1 and this coefficient of variation, at most [`LONGEST`].
fn lognormal(cv: f64, generator: &mut Generator) -> f64 {
    let variance = (cv * cv).ln_1p();
    (variance.sqrt() * generator.normal() - variance / 2.0).exp().min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::checker::payload;
    use crate::workload::definition::{CostKind, Stall};

    const COST: Duration = Duration::from_micros(100);

    fn costs(variation: Variation, seed: u64) -> Vec<f64> {
        let writes = Writes { cost: Cost { requested: COST, kind: CostKind::Spin }, variation };
        (1..=100_000).map(|n| writes.cost_of(payload(seed, 3, n)).as_secs_f64()).collect()
    }

    #[test]
    fn without_variation_every_write_costs_what_was_requested() {
        assert!(costs(Variation::default(), 1).iter().all(|cost| *cost == COST.as_secs_f64()));
    }

    #[test]
    fn spread_costs_have_the_requested_mean_and_variation() {
        for (cv, tolerance) in [(0.5, 0.02), (1.0, 0.05), (2.0, 0.15)] {
            let costs = costs(Variation { cv: Some(cv), stall: None }, 5);
            let n = costs.len() as f64;
            let mean = costs.iter().sum::<f64>() / n;
            let variance = costs.iter().map(|cost| (cost - mean).powi(2)).sum::<f64>() / n;
            let ratio = mean / COST.as_secs_f64();
            assert!((ratio - 1.0).abs() < 0.05, "mean of cv {cv}: {ratio}");
            assert!(
                (variance.sqrt() / mean / cv - 1.0).abs() < tolerance,
                "cv {cv}: {}",
                variance.sqrt() / mean
            );
            assert!(costs.iter().all(|cost| *cost <= COST.as_secs_f64() * LONGEST), "cv {cv}");
        }
    }

    #[test]
    fn one_update_in_so_many_stalls_and_the_seed_says_which() {
        let stall = Stall { one_in: 1_000, takes: Duration::from_millis(50) };
        let variation = Variation { cv: None, stall: Some(stall) };
        let stalled = costs(variation, 7).iter().filter(|cost| **cost == 0.05).count();
        // 100 expected, with a standard deviation of 10.
        assert!((60..=140).contains(&stalled), "{stalled}");
        assert_eq!(costs(variation, 7), costs(variation, 7));
        assert_ne!(costs(variation, 7), costs(variation, 8));
    }
}
