//! How often something happens, from how often it was seen: Clopper and Pearson's exact bounds.

/// The share that `seen` of `tried` does not exceed, erring with at most `error`.
///
/// Never 0: what was not seen in 60 trials may still happen in 4.9 % of them (`error` 0.05). Nothing tried: 1.
pub fn upper_bound(seen: u64, tried: u64, error: f64) -> f64 {
    if seen >= tried {
        return 1.0;
    }
    // The chance of so few falls as the share grows, so the bound is where it has fallen to `error`.
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    // LIMIT: 60 halvings reach the last digit of a float.
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if at_most(seen, tried, middle) > error {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The chance of at most `seen` in `tried` when each has the chance `share`, above 0 and below 1.
fn at_most(seen: u64, tried: u64, share: f64) -> f64 {
    let odds = share.ln() - (-share).ln_1p();
    let mut log_mass = tried as f64 * (-share).ln_1p();
    let mut sum = log_mass.exp();
    for k in 1..=seen {
        log_mass += ((tried - k + 1) as f64 / k as f64).ln() + odds;
        sum += log_mass.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_seen_has_the_closed_bound() {
        for (tried, published) in [(20, 0.139), (60, 0.049), (100, 0.030), (300, 0.010)] {
            let bound = upper_bound(0, tried, 0.05);
            assert!((bound - (1.0 - 0.05_f64.powf(1.0 / tried as f64))).abs() < 1e-9, "{tried}: {bound}");
            assert!((bound - published).abs() < 5e-4, "{tried}: {bound}");
        }
    }

    #[test]
    fn bounds_equal_published_ones() {
        // Clopper and Pearson, one-sided 95 %: 1 of 20, 3 of 30; nothing tried, and everything seen.
        for (seen, tried, published) in [(1, 20, 0.2161), (3, 30, 0.2386), (0, 0, 1.0), (5, 5, 1.0)] {
            let bound = upper_bound(seen, tried, 0.05);
            assert!((bound - published).abs() < 5e-4, "{seen} of {tried}: {bound}");
        }
    }

    #[test]
    fn the_bound_holds_as_often_as_it_says() {
        // Of 40 trials with a chance of 5 % each: how often does the bound of what is seen lie below 5 %?
        let missed: f64 = (0..=40)
            .filter(|seen| upper_bound(*seen, 40, 0.05) < 0.05)
            .map(|seen| at_most(seen, 40, 0.05) - if seen == 0 { 0.0 } else { at_most(seen - 1, 40, 0.05) })
            .sum();
        assert!(missed <= 0.05, "{missed}");
    }
}
