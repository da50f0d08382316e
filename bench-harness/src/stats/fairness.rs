//! Whether clients get equal parts of the throughput.

use super::absent::{Absent, Known};

/// How evenly the answers of one window fell on its clients.
#[derive(Clone, Debug, PartialEq)]
pub struct Fairness {
    /// Jain's index: 1 when all are equal, 1/N when one client got everything.
    pub jain: f64,
    /// Each client's share of the mean, from the least to the most; 1 is an even share.
    pub shares: Vec<f64>,
}

impl Fairness {
    /// The share of the client that got least.
    pub fn least(&self) -> f64 {
        self.shares.first().copied().unwrap_or(1.0)
    }

    /// The share of the client that got most.
    pub fn most(&self) -> f64 {
        self.shares.last().copied().unwrap_or(1.0)
    }
}

/// The fairness of `done`, the answers of each client.
///
/// # Errors
/// Absent when there is no client, or no client got an answer.
pub fn fairness(done: &[u64]) -> Known<Fairness> {
    let total: f64 = done.iter().map(|x| *x as f64).sum();
    if total == 0.0 {
        return Err(Absent::because("no client got an answer"));
    }
    let n = done.len() as f64;
    let squares: f64 = done.iter().map(|x| (*x as f64).powi(2)).sum();
    let mut shares: Vec<f64> = done.iter().map(|x| *x as f64 * n / total).collect();
    shares.sort_by(f64::total_cmp);
    Ok(Fairness { jain: total * total / (n * squares), shares })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_clients_score_one() {
        let even = fairness(&[7, 7, 7, 7]).unwrap();
        assert_eq!((even.jain, even.least(), even.most()), (1.0, 1.0, 1.0));
    }

    #[test]
    fn one_client_that_takes_all_scores_one_over_n() {
        let greedy = fairness(&[0, 100, 0, 0]).unwrap();
        assert_eq!((greedy.jain, greedy.least(), greedy.most()), (0.25, 0.0, 4.0));
    }

    #[test]
    fn shares_are_sorted_and_average_one() {
        let shares = fairness(&[30, 10, 20]).unwrap().shares;
        assert_eq!(shares, [0.5, 1.0, 1.5]);
    }

    #[test]
    fn silence_has_no_fairness() {
        assert!(fairness(&[]).is_err());
        assert_eq!(fairness(&[0, 0]).unwrap_err().reason(), "no client got an answer");
    }
}
