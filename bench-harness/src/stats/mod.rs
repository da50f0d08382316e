//! Estimators: what the raw numbers of a session say, and how surely.
//!
//! Everything here is a pure function of numbers; nothing prints, nothing knows a strategy. A number that the data cannot
//! support is [`Absent`] with the reason, never a NaN that wanders on. Comparisons divide values of the same round only,
//! because a round shares the machine's mood and two rounds do not.

pub mod absent;
#[cfg(test)]
mod coverage;
pub mod detectable;
pub mod fairness;
pub mod histogram;
pub mod load;
pub mod location;
pub mod proportion;
pub mod queueing;
pub mod ratio;
pub mod signed_rank;
pub mod steadiness;
pub mod verdict;

pub use absent::{Absent, Known};
pub use detectable::{Sight, detectable, rounds_to_see};
pub use fairness::Fairness;
pub use histogram::{Quantile, Samples};
pub use load::{Offered, Saturation, is_generator_limited, knee};
pub use location::{Interval, Location, locate};
pub use proportion::proportion;
pub use queueing::{EqualWrites, mean_wait};
pub use ratio::{Ratio, compare_costs, compare_speeds};
pub use verdict::{Family, Judgement, Verdict, judge};

/// Error of an interval on each side: 2.5 %, so that the two sides leave a 95 % interval.
// LIMIT: per interval, not per page: with many intervals on a page about one in twenty misses its true value.
pub const PER_SIDE: f64 = 0.025;

/// The smallest difference in throughput that is called a difference, as a share.
// LIMIT: 3 %. Below it, layout and placement of one build decide more than the strategy does.
pub const MIN_EFFECT: f64 = 0.03;

/// The smallest difference in a high percentile of the latency that is called a difference, as a share.
// LIMIT: 10 %: a percentile rests on few samples and scatters more than a throughput.
pub const MIN_LATENCY_EFFECT: f64 = 0.1;
