//! Latency samples of one trial or of several, and the percentiles that they support.
//!
//! Histograms are merged for display; percentiles are never averaged. A percentile is shown only where the samples reach
//! well beyond it: ten times as many as are needed for the largest of them to exceed it with 95 %.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
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

// LIMIT: 1 MiB inflated: thirty times what the finest histogram here needs with all of its places taken.
const MOST_BYTES: u64 = 1 << 20;
// LIMIT: three digits up to 60 s, what a trial records.
const MOST_DIGITS: u32 = 3;
const HIGHEST: u64 = 60_000_000_000;

/// The uncompressed form of a compressed V2 histogram, whose header asks for no more memory than a trial's own would.
fn inflated(bytes: &[u8]) -> Result<Vec<u8>, String> {
    // Two words of the outer header: a cookie and the length of what follows.
    let packed = bytes.get(8..).ok_or("it is too short")?;
    let mut plain = Vec::new();
    let inflating = ZlibDecoder::new(packed).take(MOST_BYTES).read_to_end(&mut plain);
    inflating.map_err(|error| error.to_string())?;
    let word =
        |at: usize| -> Option<u32> { Some(u32::from_be_bytes(plain.get(at..at + 4)?.try_into().ok()?)) };
    let wide = |at| Some(u64::from(word(at)?) << 32 | u64::from(word(at + 4)?));
    // cookie, length of the counts, offset, digits, lowest, highest, ratio
    let (Some(length), Some(digits), Some(highest)) = (word(4), word(12), wide(24)) else {
        return Err("its header is cut off".to_owned());
    };
    if digits > MOST_DIGITS || highest > HIGHEST {
        return Err(format!("its bounds are {digits} digits up to {highest} ns, beyond those of a trial"));
    }
    match plain.len().checked_sub(40) {
        Some(counts) if counts as u64 >= u64::from(length) => Ok(plain),
        _ => Err("its counts are cut off".to_owned()),
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
        let plain = inflated(&bytes).map_err(|reason| format!("not a histogram: {reason}"))?;
        let read = Deserializer::new().deserialize::<u64, _>(&mut plain.as_slice());
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

    /// The same samples to two digits, each at the middle of what it may have been: a third of the text, for curves and
    /// tables of many rounds together.
    #[must_use]
    pub fn to_two_digits(&self) -> Self {
        let Some(fine) = &self.0 else { return Self::none() };
        let mut coarse = Histogram::new_with_bounds(1, HIGHEST, 2).expect("these bounds are right");
        for step in fine.iter_recorded() {
            let value = fine.median_equivalent(step.value_iterated_to());
            coarse.saturating_record_n(value, step.count_at_value());
        }
        coarse.into()
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
    fn two_digits_keep_all_samples_and_move_none_by_more_than_a_hundredth() {
        let fine = samples((0..10_000).map(|i| 100 + i * i));
        let coarse = fine.to_two_digits();
        assert_eq!(coarse.count(), fine.count());
        for quantile in [Quantile::P50, Quantile::P90, Quantile::P99] {
            let (fine, coarse) = (fine.percentile(quantile).unwrap(), coarse.percentile(quantile).unwrap());
            assert!((coarse / fine - 1.0).abs() < 0.01, "{fine} {coarse}");
        }
        assert!(coarse.encode().len() < fine.encode().len());
        assert_eq!(coarse.to_two_digits().encode(), coarse.encode());
        assert_eq!(Samples::none().to_two_digits().count(), 0);
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

    /// A V2 histogram of a made-up header, compressed as a trial's is.
    fn hostile(length: u32, digits: u32, highest: u64, counts: &[u8]) -> String {
        use std::io::Write;
        let mut plain = 0x1c84_9313_u32.to_be_bytes().to_vec();
        [length, 0, digits].iter().for_each(|word| plain.extend(word.to_be_bytes()));
        [1, highest, 1.0_f64.to_bits()].iter().for_each(|wide| plain.extend(wide.to_be_bytes()));
        plain.extend(counts);
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(&plain).unwrap();
        let packed = packed.finish().unwrap();
        let mut bytes = 0x1c84_9314_u32.to_be_bytes().to_vec();
        bytes.extend((packed.len() as u32).to_be_bytes());
        bytes.extend(packed);
        STANDARD.encode(bytes)
    }

    #[test]
    fn a_header_that_asks_for_much_memory_is_refused_before_it_gets_any() {
        assert!(Samples::decode(&hostile(1, 3, HIGHEST, &[2])).is_ok(), "the made-up header is a right one");
        for (name, text, expected) in [
            ("length", hostile(u32::MAX, 3, HIGHEST, &[2]), "cut off"),
            ("digits", hostile(1, 5, HIGHEST, &[2]), "5 digits"),
            ("bounds", hostile(1, 3, u64::MAX, &[2]), "beyond"),
            ("zeros", hostile(8 << 20, 3, HIGHEST, &vec![0; 8 << 20]), "cut off"),
        ] {
            let error = Samples::decode(&text).unwrap_err();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
