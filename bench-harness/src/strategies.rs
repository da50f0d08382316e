//! The list of strategies: the one place that names them.

use std::sync::LazyLock;

use baseline_mutex::{ParkingLot, StdMutex, TokioMutex};
use queue_crossbeam::Crossbeam;
use queue_flume::Flume;
use queue_tokio::Tokio;
use update_queue::Strategy;

use crate::record::Trial;
use crate::trial::{run_with, spec::TrialSpec};

/// The strategy that all others are divided by.
pub const CONTROL: &str = "std-mutex";

/// Shows every strategy to `visitor`, in the order of all lists.
pub fn for_each(visitor: &mut impl Visitor) {
    visitor.visit::<StdMutex>(
        "std's Mutex around the state: callers take turns, and each applies its own update",
    );
    visitor.visit::<ParkingLot>("parking_lot's Mutex around the state, likewise");
    visitor.visit::<TokioMutex>("tokio's Mutex around the state: waiting callers give their thread away");
    visitor.visit::<Tokio>("a bounded tokio::sync::mpsc channel to a writer thread");
    visitor.visit::<Crossbeam>("a bounded crossbeam-channel to a writer thread");
    visitor.visit::<Flume>("a bounded flume channel to a writer thread");
}

/// Code that is compiled once for each strategy.
pub trait Visitor {
    /// Sees the strategy `S`, and one line about it.
    fn visit<S: Strategy>(&mut self, about: &'static str);
}

/// One strategy of the list.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name by which it is called.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Measures it.
    pub run: fn(&TrialSpec) -> Trial,
}

/// All strategies, in list order.
pub fn all() -> &'static [Entry] {
    struct Collect(Vec<Entry>);
    impl Visitor for Collect {
        fn visit<S: Strategy>(&mut self, about: &'static str) {
            self.0.push(Entry { name: S::NAME, about, run: run_with::<S> });
        }
    }
    static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let mut all = Collect(Vec::new());
        for_each(&mut all);
        all.0
    });
    &ALL
}

/// The names of all strategies, in list order.
pub fn names() -> Vec<&'static str> {
    all().iter().map(|entry| entry.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_list_order_and_the_control_is_one_of_them() {
        assert_eq!(names(), ["std-mutex", "parking-lot", "tokio-mutex", "tokio", "crossbeam", "flume"]);
        assert!(names().contains(&CONTROL));
    }
}
