//! When an open loop's window begins and ends and its load is over: all known before it begins.

use std::time::Duration;

use crate::trial::clock::nanos;
use crate::trial::spec::TrialSpec;

/// How long arrivals go on after the window, so that its last updates meet the same traffic as its first.
// LIMIT: 1 s: what the slowest update of a strategy that keeps up waits for is far shorter; what is open after that is
// counted at its age.
pub const GRACE: Duration = Duration::from_secs(1);

/// The times of an open loop, on the trial's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// The window begins.
    pub start: u64,
    /// The window ends; arrivals go on.
    pub end: u64,
    /// The load is over.
    pub over: u64,
}

impl Horizon {
    /// The times that a trial asks for. The warm-up has a fixed length here, so that the same updates fall into the window
    /// whatever the strategy.
    pub fn of(spec: &TrialSpec) -> Self {
        let start = nanos(spec.warm_up);
        let end = start.saturating_add(nanos(spec.window));
        Self { start, end, over: end.saturating_add(nanos(GRACE)) }
    }

    /// Whether a time lies in the window.
    pub fn in_window(&self, at: u64) -> bool {
        (self.start..self.end).contains(&at)
    }

    /// The first and the last third of the window.
    pub fn thirds(&self) -> ((u64, u64), (u64, u64)) {
        let third = self.third();
        ((self.start, self.start + third), (self.end - third, self.end))
    }

    /// The length of a third of the window.
    pub fn third(&self) -> u64 {
        (self.end - self.start) / 3
    }
}
