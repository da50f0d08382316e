//! What theory says about waiting for one server that updates come to at random: M/G/1 for the mean, M/D/1 for all of it.
//!
//! A measured wait far below the theory means a broken instrument (updates left out, arrivals that are not at random); above
//! it lies what the strategy and the machine add. Times are in units of the cost of a write unless said otherwise.

use super::absent::{Absent, Known};

/// Mean wait before a write begins, in units of its mean cost, at utilisation `rho`; `cv` is the coefficient of variation of
/// the cost (Pollaczek and Khinchine).
///
/// # Errors
/// Absent unless `rho` is at least 0 and below 1, and `cv` a number of at least 0: the wait has no limit from 1 on.
pub fn mean_wait(rho: f64, cv: f64) -> Known<f64> {
    let rho = in_range(rho)?;
    if !(cv.is_finite() && cv >= 0.0) {
        return Err(Absent::because(format!("a cv of {cv} is no measure of scatter")));
    }
    Ok(rho * (1.0 + cv * cv) / (2.0 * (1.0 - rho)))
}

fn in_range(rho: f64) -> Known<f64> {
    match rho {
        rho if (0.0..1.0).contains(&rho) => Ok(rho),
        _ => Err(Absent::because(format!("at a utilisation of {rho} there is no lasting wait"))),
    }
}

/// The wait of random arrivals for a server whose writes all cost the same (M/D/1).
#[derive(Clone, Debug)]
pub struct EqualWrites {
    rho: f64,
    /// `q[m]`: the probability that at most `m + 1` updates are in the system.
    q: Vec<f64>,
}

// LIMIT: 0.98: beyond it the tables grow with 1 / (1 - rho) and a window is too short to come near the limit anyway.
const MOST_RHO: f64 = 0.98;
// LIMIT: to 1e-12 of all updates: far beyond any percentile that samples support.
const TAIL: f64 = 1e-12;

impl EqualWrites {
    /// The wait at utilisation `rho`.
    ///
    /// By the form of Franx (2001), whose terms are all positive; the closed one cancels.
    ///
    /// # Errors
    /// Absent unless `rho` is at least 0 and at most 0.98.
    pub fn at(rho: f64) -> Known<Self> {
        let rho = in_range(rho)?;
        if rho > MOST_RHO {
            return Err(Absent::because(format!(
                "a utilisation of {rho} is too close to 1 for the theory to be of use"
            )));
        }
        // a[k]: the probability of k arrivals during one write. above[k]: of more than k.
        let mut a = vec![(-rho).exp()];
        while a[a.len() - 1] > 1e-300 && a.len() < 200 {
            a.push(a[a.len() - 1] * rho / a.len() as f64);
        }
        let mut above = vec![0.0; a.len()];
        for k in (0..a.len() - 1).rev() {
            above[k] = above[k + 1] + a[k + 1];
        }
        let above = |k: usize| above.get(k).copied().unwrap_or(0.0);
        let mut p = vec![1.0 - rho];
        let mut sum = p[0];
        let mut q = Vec::new();
        while 1.0 - sum > TAIL && p.len() < 20_000 {
            let n = p.len() - 1;
            let next =
                p[0] * above(n) + (1..=n).rev().take(a.len()).map(|j| p[j] * above(n + 1 - j)).sum::<f64>();
            p.push(next / a[0]);
            sum += next / a[0];
            q.push(sum.min(1.0));
        }
        Ok(Self { rho, q })
    }

    /// The probability of waiting no longer than `x` times the cost of a write.
    pub fn cdf(&self, x: f64) -> f64 {
        if x < 0.0 || x.is_nan() {
            return 0.0;
        }
        let k = x.floor() + 1.0;
        let u = self.rho * (k - x);
        let k = k as usize;
        let mut poisson = (-u).exp();
        let mut sum = 0.0;
        for j in 0..k {
            sum += self.at_most(k - 1 - j) * poisson;
            poisson *= u / (j + 1) as f64;
            if poisson < f64::MIN_POSITIVE {
                break;
            }
        }
        sum.min(1.0)
    }

    fn at_most(&self, m: usize) -> f64 {
        self.q.get(m).copied().unwrap_or(1.0)
    }

    /// The wait that a share `q` of updates do not exceed, in units of the cost of a write.
    pub fn quantile(&self, q: f64) -> f64 {
        if q <= self.cdf(0.0) {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, 1.0);
        // LIMIT: the table reaches as far as one update in 1e12, which bounds the search.
        while self.cdf(high) < q && high < self.q.len() as f64 + 2.0 {
            high *= 2.0;
        }
        // LIMIT: 60 halvings: to the last digit.
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.cdf(middle) < q { low = middle } else { high = middle }
        }
        high
    }

    /// The mean wait, in units of the cost of a write.
    pub fn mean(&self) -> f64 {
        self.rho / (2.0 * (1.0 - self.rho))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Generator;

    #[track_caller]
    fn close(what: &str, value: f64, expected: f64, tolerance: f64) {
        assert!((value - expected).abs() <= tolerance, "{what}: {value}, expected {expected}");
    }

    #[test]
    fn percentiles_are_those_of_the_published_tables() {
        for (rho, expected, digits) in [
            (0.25, [0.0, 0.73, 1.67, 2.63], 0.005),
            (0.5, [0.0, 1.516, 3.336, 5.17], 0.005),
            (0.75, [0.92, 3.85, 8.04, 12.2], 0.05),
            (0.8, [1.276, 5.012, 10.356, f64::NAN], 0.000_5),
            (0.9, [3.013, 10.783, 21.898, 33.0], 0.05),
        ] {
            let waits = EqualWrites::at(rho).unwrap();
            for (q, expected) in [0.5, 0.9, 0.99, 0.999].into_iter().zip(expected) {
                if !expected.is_nan() {
                    close(&format!("rho {rho}, quantile {q}"), waits.quantile(q), expected, digits);
                }
            }
        }
        let waits = EqualWrites::at(0.9).unwrap();
        for (q, expected) in [(0.5, 3.013), (0.9, 10.783), (0.99, 21.898)] {
            close("rho 0.9", waits.quantile(q), expected, 0.000_5);
        }
    }

    #[test]
    fn means_are_those_of_the_published_table() {
        for (rho, mean) in [(0.25, 0.167), (0.5, 0.5), (0.75, 1.5), (0.9, 4.5)] {
            close("mean", EqualWrites::at(rho).unwrap().mean(), mean, 0.000_5);
            close("mean of equal writes", mean_wait(rho, 0.0).unwrap(), mean, 0.000_5);
            close("mean of exponential writes", mean_wait(rho, 1.0).unwrap(), 2.0 * mean, 0.001);
        }
    }

    #[test]
    fn the_distribution_has_the_mean_and_begins_with_the_idle_server() {
        for rho in [0.0, 0.1, 0.5, 0.9, 0.98] {
            let waits = EqualWrites::at(rho).unwrap();
            close("nobody waits", waits.cdf(0.0), 1.0 - rho, 1e-12);
            let (step, mut mean, mut x) = (0.01, 0.0, 0.005);
            while waits.cdf(x) < 1.0 - 1e-9 {
                mean += step * (1.0 - waits.cdf(x));
                x += step;
            }
            close(&format!("mean at {rho}"), mean, waits.mean(), 0.001 + 0.001 * waits.mean());
        }
    }

    #[test]
    fn a_simulated_queue_waits_as_the_theory_says() {
        let (rho, n) = (0.8, 400_000);
        let mut generator = Generator(3);
        let mut wait: f64 = 0.0;
        let mut waits: Vec<f64> = (0..n)
            .map(|_| {
                let gap = -generator.uniform().ln() / rho;
                wait = (wait + 1.0 - gap).max(0.0);
                wait
            })
            .collect();
        let mean = waits.iter().sum::<f64>() / f64::from(n);
        close("mean", mean / EqualWrites::at(rho).unwrap().mean(), 1.0, 0.05);
        waits.sort_by(f64::total_cmp);
        let p90 = waits[waits.len() * 9 / 10];
        close("p90", p90 / EqualWrites::at(rho).unwrap().quantile(0.9), 1.0, 0.05);
    }

    #[test]
    fn what_has_no_lasting_wait_is_absent_with_the_reason() {
        for rho in [-0.1, 1.0, 1.5, f64::NAN, f64::INFINITY] {
            assert!(mean_wait(rho, 0.0).is_err() && EqualWrites::at(rho).is_err(), "{rho}");
        }
        assert!(EqualWrites::at(0.99).unwrap_err().reason().contains("too close to 1"));
        assert!(mean_wait(0.5, -1.0).is_err() && mean_wait(0.5, f64::NAN).is_err());
    }
}
