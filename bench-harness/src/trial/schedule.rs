//! When clients submit: always, or in bursts that begin for all of them at the same instants.

use super::clock::nanos;
use super::spec::TrialSpec;
use crate::workload::definition::Pattern;

/// The instants at which bursts begin, on the trial's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bursts {
    every: u64,
    next: u64,
    updates: u32,
}

impl Bursts {
    /// The bursts of a workload; `None` if it has none.
    pub fn of(spec: &TrialSpec) -> Option<Self> {
        match spec.pattern {
            Pattern::Steady | Pattern::Arrivals { .. } => None,
            Pattern::Bursts { every, updates } => {
                let every = nanos(every).max(1);
                Some(Self { every, next: every, updates })
            }
        }
    }

    /// When the next burst begins. A burst that is late is not skipped.
    pub fn next_start(&mut self) -> u64 {
        let start = self.next;
        self.next = start.saturating_add(self.every);
        start
    }

    /// Updates of each client per burst.
    pub fn updates(&self) -> u32 {
        self.updates
    }

    /// The first time from `now` on that lies half way between two bursts: when everybody should be idle.
    pub fn idle_from(&self, now: u64) -> u64 {
        let half = self.every / 2;
        now.saturating_sub(half).div_ceil(self.every).max(1).saturating_mul(self.every).saturating_add(half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_begin_at_multiples_and_none_is_skipped() {
        let mut bursts = Bursts { every: 100, next: 100, updates: 3 };
        assert_eq!([bursts.next_start(), bursts.next_start(), bursts.next_start()], [100, 200, 300]);
    }

    #[test]
    fn a_window_begins_half_way_between_bursts() {
        let bursts = Bursts { every: 100, next: 100, updates: 1 };
        for (now, expected) in [(0, 150), (120, 150), (150, 150), (151, 250), (200, 250), (250, 250)] {
            assert_eq!(bursts.idle_from(now), expected, "from {now}");
        }
    }
}
