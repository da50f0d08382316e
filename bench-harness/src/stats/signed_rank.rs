//! The exact null distribution of Wilcoxon's signed-rank statistic.
//!
//! Under the null hypothesis each of the ranks 1..n counts with probability one half, so the statistic is the sum of a
//! random subset of 1..n. Its distribution follows by adding one rank at a time.

/// How many Walsh averages to count in from each end for an interval that errs with at most `per_side` on that side.
///
/// The largest `k` with `P(T <= k - 1) <= per_side` for `n` differences; `None` where even `k = 1` errs more often, that is
/// where there are too few differences for any interval.
pub fn depth(n: usize, per_side: f64) -> Option<usize> {
    let mut below = 0.0;
    let mut k = 0;
    for mass in null_distribution(n) {
        below += mass;
        if below > per_side {
            break;
        }
        k += 1;
    }
    (k > 0).then_some(k)
}

/// The smallest number of differences that has an interval at `per_side`.
pub fn fewest(per_side: f64) -> usize {
    // The least likely end has probability 2^-n.
    (0..1024).find(|n| 0.5_f64.powi(*n) <= per_side).map_or(1024, |n| n.unsigned_abs() as usize)
}

/// `P(T = t)` for t from 0 to n(n+1)/2.
fn null_distribution(n: usize) -> Vec<f64> {
    let mut mass = vec![0.0; n * (n + 1) / 2 + 1];
    mass[0] = 1.0;
    for rank in 1..=n {
        let reached = rank * (rank + 1) / 2;
        for sum in (0..=reached).rev() {
            let with_rank = if sum >= rank { mass[sum - rank] } else { 0.0 };
            mass[sum] = (mass[sum] + with_rank) / 2.0;
        }
    }
    mass
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_equals_the_published_table() {
        // (per side, n, k); `None`: too few.
        let table = [
            (0.01, [(7, Some(1)), (8, Some(2)), (9, Some(4)), (10, Some(6)), (11, Some(8)), (12, Some(10))]),
            (
                0.01,
                [
                    (13, Some(13)),
                    (14, Some(16)),
                    (15, Some(20)),
                    (16, Some(24)),
                    (18, Some(33)),
                    (20, Some(44)),
                ],
            ),
            (0.005, [(7, None), (8, Some(1)), (9, Some(2)), (10, Some(4)), (11, Some(6)), (12, Some(8))]),
            (
                0.005,
                [
                    (13, Some(10)),
                    (14, Some(13)),
                    (15, Some(16)),
                    (16, Some(20)),
                    (18, Some(28)),
                    (20, Some(38)),
                ],
            ),
            (0.025, [(5, None), (6, Some(1)), (8, Some(4)), (12, Some(14)), (20, Some(53)), (30, Some(138))]),
            (0.05, [(4, None), (5, Some(1)), (8, Some(6)), (12, Some(18)), (20, Some(61)), (30, Some(152))]),
        ];
        for (per_side, row) in table {
            for (n, k) in row {
                assert_eq!(depth(n, per_side), k, "n = {n}, {per_side} per side");
            }
        }
        assert_eq!(depth(25, 0.01), Some(77));
        assert_eq!(depth(30, 0.005), Some(110));
    }

    #[test]
    fn depth_agrees_with_counting_every_subset() {
        for n in 1..=14_usize {
            let mut counts = vec![0_u32; n * (n + 1) / 2 + 1];
            for subset in 0..1_u32 << n {
                let sum: usize = (0..n).filter(|bit| subset >> bit & 1 == 1).map(|bit| bit + 1).sum();
                counts[sum] += 1;
            }
            for per_side in [0.2, 0.05, 0.025, 0.01, 0.001] {
                let allowed = per_side * f64::from(1_u32 << n);
                let mut below = 0;
                let k = counts
                    .iter()
                    .take_while(|c| {
                        below += **c;
                        f64::from(below) <= allowed
                    })
                    .count();
                assert_eq!(depth(n, per_side), (k > 0).then_some(k), "n = {n}, {per_side} per side");
            }
        }
    }

    #[test]
    fn fewest_is_where_the_first_interval_appears() {
        for per_side in [0.05, 0.025, 0.01, 0.005] {
            let n = fewest(per_side);
            assert!(depth(n, per_side).is_some() && depth(n - 1, per_side).is_none(), "{per_side}: {n}");
        }
    }

    #[test]
    fn no_differences_have_no_interval() {
        assert_eq!(depth(0, 0.025), None);
    }
}
