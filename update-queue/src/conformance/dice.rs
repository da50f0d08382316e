//! Random numbers that can be repeated.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A small generator (splitmix64): the same seed gives the same numbers on every machine.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Takes the seed from `TEST_SEED`, or a new one, and prints how to repeat `check`.
    pub fn from_env(check: &str) -> Self {
        let seed =
            std::env::var("TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(fresh_seed);
        println!("repeat with: TEST_SEED={seed} cargo test --test conformance {check}");
        Self(seed)
    }

    /// The generator with this seed.
    pub fn from_number(seed: usize) -> Self {
        Self(seed as u64)
    }

    /// Another generator, for a part of the check with the given number.
    #[must_use]
    pub fn part(&self, number: usize) -> Self {
        let mut part = Self(self.0 ^ (number as u64).wrapping_mul(0x2545_f491_4f6c_dd1d));
        part.next();
        part
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Keeps this thread busy for a random moment, so that two threads meet in every order.
    pub fn dawdle(&mut self, longest: usize) {
        for _ in 0..self.below(longest) {
            std::hint::spin_loop();
        }
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// What the standard library seeds its hash maps with: different in every process.
fn fresh_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
