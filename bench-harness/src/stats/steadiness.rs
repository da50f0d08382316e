//! Whether something that should stay the same did: the fixed piece of work that is timed in each round.

use super::absent::{Absent, Known};
use super::location::median;

/// Standard deviation over mean.
///
/// # Errors
/// Absent with fewer than two values, or one that is not finite and above zero.
pub fn variation(values: &[f64]) -> Known<f64> {
    let n = usable(values, 2)? as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Ok(variance.sqrt() / mean)
}

/// How far the median of the last third is from that of the first, as a share of the first; below zero is less.
///
/// # Errors
/// Absent with fewer than six values, or one that is not finite and above zero.
pub fn drift(values: &[f64]) -> Known<f64> {
    let third = usable(values, 6)? / 3;
    let (first, last) = (median(&values[..third])?, median(&values[values.len() - third..])?);
    Ok(last / first - 1.0)
}

/// How much of each value's distance from the mean its successor shares, -1 to 1 (lag-1 autocorrelation).
///
/// # Errors
/// Absent with fewer than six values, or when all are the same.
pub fn memory(values: &[f64]) -> Known<f64> {
    if values.len() < 6 || values.iter().any(|value| !value.is_finite()) {
        return Err(Absent::because("fewer than six values"));
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let together: f64 = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    if variance > 0.0 { Ok(together / variance) } else { Err(Absent::because("all values are the same")) }
}

fn usable(values: &[f64], fewest: usize) -> Known<usize> {
    if values.len() < fewest {
        return Err(Absent::because(format!("{} values, needs {fewest}", values.len())));
    }
    match values.iter().find(|value| !(value.is_finite() && **value > 0.0)) {
        Some(value) => Err(Absent::because(format!("a value is {value}"))),
        None => Ok(values.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_the_same_neither_varies_nor_drifts() {
        assert_eq!(variation(&[5.0; 8]), Ok(0.0));
        assert_eq!(drift(&[5.0; 8]), Ok(0.0));
        assert!(memory(&[5.0; 8]).is_err());
    }

    #[test]
    fn a_jump_half_way_is_a_drift() {
        let values = [1.0, 1.0, 1.0, 1.2, 1.2, 1.2];
        assert!((drift(&values).unwrap() - 0.2).abs() < 1e-12);
        assert!((variation(&values).unwrap() - 0.099_586).abs() < 1e-5);
        assert!(memory(&values).unwrap() > 0.4);
        assert!(memory(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0]).unwrap() < -0.8);
    }

    #[test]
    fn what_cannot_be_said_is_absent() {
        assert!(variation(&[1.0]).is_err() && drift(&[1.0; 5]).is_err());
        assert!(variation(&[1.0, 0.0]).is_err() && drift(&[f64::NAN; 6]).is_err());
    }
}
