//! A session as it is kept: the samples of each row merged over the rounds, and of each trial its percentiles.
//!
//! The histogram of each trial stays in `trials.jsonl`. Merged ones are for showing and have two digits; what is inferred
//! comes from the rounds' own percentiles, which have three.

use std::collections::BTreeMap;

use crate::record::{Histograms, Session, Trial, TrialResult};
use crate::stats::Samples;

impl Session {
    /// The same session with the histograms of its trials merged over the rounds that count; itself, if it is folded
    /// already.
    ///
    /// # Errors
    /// Which trial has a histogram that cannot be read.
    pub fn folded(&self) -> Result<Self, String> {
        if !self.trials.iter().any(has_samples) {
            return Ok(self.clone());
        }
        let rounds = self.rounds_that_count();
        let mut rows: BTreeMap<_, BTreeMap<&str, Samples>> = BTreeMap::new();
        for trial in self.trials.iter().filter(|trial| rounds.contains(&trial.round)) {
            let TrialResult::Measured(measurement) = &trial.result else { continue };
            let row = rows.entry((&*trial.workload, &*trial.cell, &*trial.strategy)).or_default();
            for (part, text) in &measurement.hdr {
                let unreadable = |what| format!("{}: histogram `{part}`: {what}", trial.place());
                let samples = Samples::decode(text).map_err(unreadable)?;
                row.entry(part).or_insert_with(Samples::none).merge(samples).map_err(unreadable)?;
            }
        }
        let histograms = rows.into_iter().map(|((workload, cell, strategy), parts)| Histograms {
            workload: workload.to_owned(),
            cell: cell.to_owned(),
            strategy: strategy.to_owned(),
            hdr: parts
                .into_iter()
                .map(|(part, samples)| (part.to_owned(), samples.to_two_digits().encode()))
                .collect(),
        });
        let histograms = histograms.collect();
        Ok(Self {
            histograms,
            trials: self.trials.iter().map(Trial::without_samples).collect(),
            ..self.clone()
        })
    }
}

fn has_samples(trial: &Trial) -> bool {
    matches!(&trial.result, TrialResult::Measured(measurement) if !measurement.hdr.is_empty())
}

impl Trial {
    /// The same trial without its histograms.
    #[must_use]
    pub fn without_samples(&self) -> Self {
        let mut trial = self.clone();
        if let TrialResult::Measured(measurement) = &mut trial.result {
            measurement.hdr.clear();
        }
        trial
    }
}
