//! Everything random, from one seed: splitmix64 (Steele, Lea, Flood 2014).

use std::hash::{BuildHasher, Hasher, RandomState};

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A seed that nobody chose, from the operating system.
pub fn fresh_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Reads a seed: hex after `0x`, or decimal.
///
/// # Errors
/// The text is no number of 64 bits.
pub fn seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "a seed is a number of 64 bits, in hex like 0x1f or in decimal".to_owned())
}

/// A seed of its own for each purpose, all from the campaign's.
pub fn derive(master: u64, purpose: &str, workload: &str, cell: &str, n: u32) -> u64 {
    let mut generator = Generator(master);
    for part in [purpose, workload, cell] {
        // A length in front keeps ("ab", "c") and ("a", "bc") apart.
        generator.absorb(part.len() as u64);
        part.bytes().for_each(|byte| generator.absorb(u64::from(byte)));
    }
    generator.absorb(u64::from(n));
    generator.next()
}

/// The generator's mixing function alone: every bit of the input changes half of the output's.
pub fn mix(x: u64) -> u64 {
    let z = x.wrapping_add(STEP);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A sequence of random numbers; its seed is the number inside.
#[derive(Clone, Debug)]
pub struct Generator(pub u64);

impl Generator {
    /// The next number.
    #[allow(clippy::should_implement_trait, reason = "an iterator that never ends would invite `collect`")]
    pub fn next(&mut self) -> u64 {
        let number = mix(self.0);
        self.0 = self.0.wrapping_add(STEP);
        number
    }

    /// A number in (0, 1), evenly spread.
    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// A number of the standard normal distribution (Box and Muller's method).
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    fn absorb(&mut self, value: u64) {
        self.0 ^= value;
        self.0 = self.next();
    }

    /// A number below `n`, which is not 0. The bias of n / 2^64 is far below anything that a campaign could show.
    fn below(&mut self, n: usize) -> usize {
        let wide = u128::from(self.next()) * n as u128;
        usize::try_from(wide >> 64).expect("less than n")
    }

    /// Puts `items` into random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The first numbers from seed 1234567, as published with the algorithm's reference code.
        let mut generator = Generator(1_234_567);
        let numbers: Vec<_> = (0..3).map(|_| generator.next()).collect();
        assert_eq!(
            numbers,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut generator = Generator(7);
        let numbers: Vec<_> = (0..100_000).map(|_| generator.normal()).collect();
        let mean = numbers.iter().sum::<f64>() / 1e5;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }

    #[test]
    fn seeds_are_read_in_hex_and_in_decimal() {
        assert_eq!(seed("0x1f"), Ok(31));
        assert_eq!(seed("31"), Ok(31));
        assert_eq!(seed("0xffffffffffffffff"), Ok(u64::MAX));
        for text in ["", "0x", "-1", "1f", "0x1ffffffffffffffff"] {
            assert!(seed(text).is_err(), "`{text}`");
        }
    }

    #[test]
    fn seeds_differ_by_everything_they_are_for() {
        let all = [
            derive(1, "data", "w", "c", 0),
            derive(2, "data", "w", "c", 0),
            derive(1, "order", "w", "c", 0),
            derive(1, "data", "wc", "", 0),
            derive(1, "data", "w", "d", 0),
            derive(1, "data", "w", "c", 1),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(all[0], derive(1, "data", "w", "c", 0));
    }
}
