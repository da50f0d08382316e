//! Does a 95 % interval hold the truth in 95 of 100 sessions? Simulated sessions with a known answer.

use rayon::prelude::*;

use super::location::locate;
use super::{PER_SIDE, signed_rank};
use crate::random::Generator;

const SESSIONS: u64 = 4_000;

fn seed() -> u64 {
    let seed = std::env::var("TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_240_229);
    println!("repeat with TEST_SEED={seed} cargo test -p bench-harness coverage");
    seed
}

/// How often the interval around `n` rounds of `noise`, whose centre is 0, misses 0.
fn misses(seed: u64, n: usize, noise: fn(&mut Generator) -> f64) -> f64 {
    let missed = (0..SESSIONS).into_par_iter().filter(|session| {
        let mut random = Generator(seed ^ session.wrapping_mul(0xd134_2543_de82_ef95));
        let rounds: Vec<f64> = (0..n).map(|_| noise(&mut random)).collect();
        !locate(&rounds, PER_SIDE).unwrap().interval.unwrap().contains(0.0)
    });
    missed.count() as f64 / SESSIONS as f64
}

/// The error that the discrete distribution really allows: at most 5 %, and exactly this where noise is symmetric.
fn exact_error(n: usize) -> f64 {
    let k = signed_rank::depth(n, PER_SIDE).unwrap();
    let subsets = (0..1_u32 << n)
        .filter(|subset| (0..n).filter(|bit| subset >> bit & 1 == 1).map(|bit| bit + 1).sum::<usize>() < k);
    2.0 * subsets.count() as f64 / f64::from(1_u32 << n)
}

#[track_caller]
fn check(name: &str, noise: fn(&mut Generator) -> f64) {
    let seed = seed();
    for n in [6, 8, 12] {
        let (expected, seen) = (exact_error(n), misses(seed, n, noise));
        // Five standard errors: one false alarm in a million runs.
        let allowed = 5.0 * (expected * (1.0 - expected) / SESSIONS as f64).sqrt();
        assert!((seen - expected).abs() < allowed, "{name}, {n} rounds: missed {seen}, expected {expected}");
    }
}

#[test]
fn coverage_holds_for_normal_rounds() {
    check("normal", Generator::normal);
}

#[test]
fn coverage_holds_when_each_tenth_round_is_five_times_as_wild() {
    check("outliers", |random| random.normal() * if random.uniform() < 0.1 { 5.0 } else { 1.0 });
}

#[test]
fn coverage_holds_for_two_modes() {
    check("bimodal", |random| 0.2 * random.normal() + if random.uniform() < 0.5 { 1.0 } else { -1.0 });
}

#[test]
fn coverage_holds_when_both_sides_of_a_ratio_are_skewed_alike() {
    check("skewed", |random| random.uniform().ln().abs().ln() - random.uniform().ln().abs().ln());
}

#[test]
fn the_check_notices_a_biased_centre() {
    let missed = misses(seed(), 12, |random| random.normal() + 1.0);
    assert!(missed > 0.5, "a centre one standard deviation off was missed only {missed}");
}
