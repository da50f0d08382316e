//! How much one round of a session scatters: what the next session on the same machine can expect.

use std::collections::BTreeMap;

use crate::record::{LIMIT, Session, TrialResult};
use crate::stats::absent::Known;
use crate::stats::location::median;
use crate::stats::{Absent, Family, MIN_EFFECT, judge};

// LIMIT: 6 rounds: a median of fewer distances is itself uncertain by half.
const FEWEST_ROUNDS: usize = 6;

impl Session {
    /// The scatter of a typical row: the median over rows of the scatter of a round's throughput over the control's, as a
    /// logarithm.
    ///
    /// # Errors
    /// Absent when no row was measured in enough rounds.
    pub fn typical_scatter(&self) -> Known<f64> {
        let rounds = self.rounds_that_count();
        let mut costs = BTreeMap::new();
        for trial in self.trials.iter().filter(|trial| rounds.contains(&trial.round)) {
            let TrialResult::Measured(measured) = &trial.result else { continue };
            let cell = (&*trial.workload, &*trial.cell);
            costs.insert(
                (cell, &*trial.strategy, trial.round),
                measured.window_ns as f64 / measured.done as f64,
            );
        }
        let mut rows: BTreeMap<_, Vec<(f64, f64)>> = BTreeMap::new();
        for ((cell, label, round), cost) in &costs {
            let control = costs.get(&(*cell, &*self.plan.control, *round));
            if let Some(control) = control.filter(|_| *label != self.plan.control && *label != LIMIT) {
                rows.entry((cell, label)).or_default().push((*cost, *control));
            }
        }
        let long = rows.values().filter(|rounds| rounds.len() >= FEWEST_ROUNDS);
        let judged = long.filter_map(|rounds| judge(rounds, Family::of(1), MIN_EFFECT).ok());
        let scatters: Vec<f64> = judged.map(|judgement| judgement.scatter).collect();
        match scatters.is_empty() {
            true => Err(Absent::because(format!("no strategy was measured in {FEWEST_ROUNDS} rounds"))),
            false => median(&scatters),
        }
    }
}
