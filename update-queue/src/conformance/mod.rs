//! The promises that every strategy keeps, each as a test.
//!
//! A strategy's crate runs all of them with one line in `tests/conformance.rs`; each promise is a `#[test]` of its own,
//! whose name says what is promised and whose failure says what was seen instead:
//!
//! ```text
//! update_queue::conformance!(flume: queue_flume::Flume, least_share: 0.25);
//! ```
//!
//! - `least_share`: the smallest part of an equal share that a producer gets under equal load (item 10). Without it
//!   shares are reported only.
//! - `exempt: [item_09_…: "reason"]`: a promise that the strategy documents not to keep. The reason is printed.
//!
//! Promises about waiting in a queue do not concern a strategy whose [`capacity`](crate::UpdateQueue::capacity) is 0;
//! those checks say so and end.
//!
//! Every check is a public function over any strategy, by topic: [`delivery`] (1 to 5), [`backpressure`] (6 to 10),
//! [`calls`] (7 and 9 for `call`), [`giving_up`] (11 to 17), [`commit`] (18 to 23), [`panic`](mod@panic) (24, 25, 27), [`foreign`] (26), [`shutdown`]
//! (28 to 32), [`reentry`] (34), [`books`] (35), [`other`] (33, 36, 38, 39) [`model`] (40) and [`overload`] (41). Two items need more than
//! a strategy and live in this crate's own `tests/`: several runtimes (17) in `runtimes.rs`, CPU use while idle (37) in
//! `idle.rs`.
//!
//! Items with `stress` in their name are races, repeated 100 000 times in a release build and fewer times otherwise:
//!
//! ```text
//! cargo test --release --test conformance stress
//! ```
//!
//! No check sleeps. One that makes no progress for [`patience`] fails and says where it hangs. Random checks print the
//! seed and the command that repeats them; `TEST_SEED` sets it.

#[macro_use]
mod macros;
mod watch;
mod dice;
mod gate;
mod wakes;
mod journal;
mod rig;
mod race;

pub mod delivery;
pub mod backpressure;
pub mod calls;
pub mod giving_up;
pub mod commit;
pub mod panic;
pub mod foreign;
pub mod shutdown;
pub mod reentry;
pub mod books;
pub mod other;
pub mod model;
pub mod overload;

use std::fmt;

pub use dice::Dice;
pub use gate::Gate;
pub use journal::{Event, Journal, Op, Probe, Reply, Tag};
pub use macros::ITEMS;
pub use rig::{Rig, STALLER, Seen, Stall};
pub use wakes::Wakes;
pub use watch::{At, patience, set_patience, watched};

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broken {
    /// The promise's number in the suite.
    pub item: u8,
    /// What every strategy promises.
    pub promise: &'static str,
    /// What was seen instead.
    pub seen: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {} is broken.\n  promise: {}\n  seen:    {}", self.item, self.promise, self.seen)
    }
}

impl std::error::Error for Broken {}

/// How a check ends.
pub type Verdict = Result<(), Broken>;

/// Runs one check as a test: fails with the broken promise, or prints why the strategy is exempt.
///
/// # Panics
/// If the promise is broken and the strategy is not exempt from it.
pub fn verify(name: &str, exempt: &[(&str, &str)], check: impl FnOnce() -> Verdict) {
    if let Some((_, reason)) = exempt.iter().find(|(item, _)| *item == name) {
        println!("EXEMPT {name}: {reason}");
        return;
    }
    if let Err(broken) = check() {
        panic!("{broken}");
    }
}

/// Fails if an exemption names no check, or gives no reason.
///
/// # Panics
/// As said.
pub fn verify_exemptions(exempt: &[(&str, &str)]) {
    for (name, reason) in exempt {
        assert!(ITEMS.contains(name), "the exemption `{name}` names no check");
        assert!(!reason.is_empty(), "the exemption `{name}` gives no reason");
    }
}

/// How often something is repeated: `release` times in a release build, fewer in a debug build, a few under miri.
pub(crate) fn size(release: usize) -> usize {
    // LIMIT: a debug build does a twentieth, so that the suite of one strategy stays under 20 seconds on two busy cores;
    // miri is about a thousand times slower than that.
    if cfg!(miri) {
        (release / 10_000).clamp(2, 8)
    } else if cfg!(debug_assertions) {
        (release / 20).max(8)
    } else {
        release
    }
}

/// Rounds of a race.
// LIMIT: 10^5: windows of a few nanoseconds in rounds of some microseconds are hit at least a few times.
pub(crate) const RACE_ROUNDS: usize = 100_000;
