//! Latency samples of one trial or of several, and the percentiles that they support.
//!
//! Histograms are merged for display; percentiles are never averaged. A percentile is shown only where the samples reach
//! well beyond it: ten times as many as are needed for the largest of them to exceed it with 95 %.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};

use super::absent::{Absent, Known};

/// A percentile that reports show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantile {
    /// The median.
    P50,
    /// One in ten is above.
    P90,
    /// One in a hundred is above.
    P99,
    /// One in a thousand is above.
    P999,
}

impl Quantile {
    /// As a share, 0.5 to 0.999.
    pub fn share(self) -> f64 {
        match self {
            Self::P50 => 0.5,
            Self::P90 => 0.9,
            Self::P99 => 0.99,
            Self::P999 => 0.999,
        }
    }

    /// Samples that support it.
    // LIMIT: 10 ln(0.05) / ln(q), rounded up to tens.
    pub fn samples_needed(self) -> u64 {
        match self {
            Self::P50 => 50,
            Self::P90 => 290,
            Self::P99 => 2_990,
            Self::P999 => 29_950,
        }
    }

    /// [`samples_needed`](Self::samples_needed) as a reader sees it.
    fn needed_words(self) -> &'static str {
        match self {
            Self::P50 => "50",
            Self::P90 => "290",
            Self::P99 => "2,990",
            Self::P999 => "29,950",
        }
    }

    /// As it is written: `p99.9`.
    pub fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
        }
    }
}

/// Samples in nanoseconds, three digits each.
#[derive(Clone, Debug)]
pub struct Samples(Option<Histogram<u64>>);

impl From<Histogram<u64>> for Samples {
    fn from(samples: Histogram<u64>) -> Self {
        Self(Some(samples))
    }
}

impl Samples {
    /// No samples yet.
    pub fn none() -> Self {
        Self(None)
    }

    /// The samples of one histogram as a trial records it: V2, base64.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn decode(text: &str) -> Result<Self, String> {
        let bytes = STANDARD.decode(text).map_err(|error| format!("not base64: {error}"))?;
        let read = Deserializer::new().deserialize::<u64, _>(&mut bytes.as_slice());
        Ok(Self(Some(read.map_err(|error| format!("not a histogram: {error}"))?)))
    }

    /// As text that [`decode`](Self::decode) reads.
    pub fn encode(&self) -> String {
        let Some(samples) = &self.0 else { return String::new() };
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(samples, &mut bytes).expect("a vector takes all bytes");
        STANDARD.encode(bytes)
    }

    /// Adds the samples of another trial.
    ///
    /// # Errors
    /// The bounds of the two do not fit; nothing is added then.
    pub fn merge(&mut self, other: Self) -> Result<(), String> {
        match (&mut self.0, other.0) {
            (_, None) => Ok(()),
            (Some(all), Some(added)) => {
                all.add(&added).map_err(|error| format!("histograms of unlike bounds: {error}"))
            }
            (none, added) => {
                *none = added;
                Ok(())
            }
        }
    }

    /// How many samples.
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }

    /// A percentile, in nanoseconds.
    ///
    /// # Errors
    /// Absent when the samples are too few for it.
    pub fn percentile(&self, quantile: Quantile) -> Known<f64> {
        let (count, needed) = (self.count(), quantile.samples_needed());
        match &self.0 {
            Some(samples) if count >= needed => Ok(samples.value_at_quantile(quantile.share()) as f64),
            _ => Err(Absent::because(format!(
                "{} needs at least {} samples",
                quantile.name(),
                quantile.needed_words()
            ))),
        }
    }

    /// The largest sample, in nanoseconds; absent without samples.
    pub fn max(&self) -> Known<f64> {
        match &self.0 {
            Some(samples) if !samples.is_empty() => Ok(samples.max() as f64),
            _ => Err(Absent::because("no samples")),
        }
    }

    /// The latency spectrum: `(1 / (1 - q), nanoseconds)` from the median on, evenly spaced in the logarithm of the first,
    /// as far as ten samples lie above; at most `points` of them.
    pub fn spectrum(&self, points: usize) -> Vec<(f64, f64)> {
        let Some(samples) = &self.0 else { return Vec::new() };
        let (from, to) = (2.0_f64, self.count() as f64 / SAMPLES_ABOVE);
        if to < from || points < 2 {
            return Vec::new();
        }
        let step = (to / from).ln() / (points - 1) as f64;
        (0..points)
            .map(|i| from * (step * i as f64).exp())
            .map(|odds| (odds, samples.value_at_quantile(1.0 - 1.0 / odds) as f64))
            .collect()
    }
}

// LIMIT: a curve ends where fewer than ten samples lie above it; beyond, it would draw single events.
const SAMPLES_ABOVE: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(values: impl IntoIterator<Item = u64>) -> String {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3).unwrap();
        values.into_iter().for_each(|value| histogram.saturating_record(value));
        Samples::from(histogram).encode()
    }

    fn samples(values: impl IntoIterator<Item = u64>) -> Samples {
        Samples::decode(&encoded(values)).unwrap()
    }

    #[test]
    fn percentiles_appear_with_the_samples_that_support_them() {
        for quantile in [Quantile::P50, Quantile::P90, Quantile::P99, Quantile::P999] {
            let needed = quantile.samples_needed();
            assert!(samples(1..=needed).percentile(quantile).is_ok(), "{}", quantile.name());
            let reason = samples(1..needed).percentile(quantile).unwrap_err();
            assert_eq!(
                reason.reason(),
                format!("{} needs at least {} samples", quantile.name(), quantile.needed_words())
            );
        }
    }

    #[test]
    fn the_support_rule_is_ten_times_the_sample_that_likely_exceeds() {
        for quantile in [Quantile::P50, Quantile::P90, Quantile::P99, Quantile::P999] {
            let exceeds = (0.05_f64.ln() / quantile.share().ln()).ceil();
            assert_eq!(quantile.samples_needed(), (exceeds * 10.0) as u64, "{}", quantile.name());
        }
    }

    #[test]
    fn merging_is_not_averaging() {
        let mut both = samples(vec![1_000; 900]);
        both.merge(samples(vec![1_000_000; 100])).unwrap();
        assert_eq!(both.count(), 1_000);
        let within = |value: f64, expected: f64| (value / expected - 1.0).abs() < 0.001;
        assert!(within(both.percentile(Quantile::P50).unwrap(), 1_000.0));
        assert!(within(both.percentile(Quantile::P90).unwrap(), 1_000.0));
        assert!(within(both.max().unwrap(), 1_000_000.0));
    }

    #[test]
    fn the_spectrum_ends_where_ten_samples_lie_above() {
        let curve = samples(1..=100_000).spectrum(40);
        assert_eq!(curve.len(), 40);
        let (odds, value) = curve[39];
        assert!((odds - 10_000.0).abs() < 1e-6 && (value / 99_990.0 - 1.0).abs() < 0.002, "{odds} {value}");
        assert!(curve.windows(2).all(|pair| pair[0].1 <= pair[1].1));
        assert!(samples(1..=19).spectrum(40).is_empty());
    }

    #[test]
    fn text_that_is_no_histogram_is_named() {
        assert!(Samples::decode("$$$").unwrap_err().starts_with("not base64"));
        assert!(Samples::decode("AAAA").unwrap_err().starts_with("not a histogram"));
        assert!(Samples::none().max().is_err() && Samples::none().percentile(Quantile::P50).is_err());
    }
}
