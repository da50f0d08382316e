//! Trials by cell, strategy and round, and which rounds are complete.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Failure, Measurement, PlannedCell, PlannedWorkload, Session, Trial, TrialResult};
use crate::report::Error;

type Place<'s> = (&'s str, &'s str, &'s str);

/// The trials of a session, found by where they belong.
#[derive(Debug)]
pub(super) struct Index<'s> {
    trials: BTreeMap<Place<'s>, BTreeMap<u32, &'s Trial>>,
    samples: BTreeMap<Place<'s>, &'s BTreeMap<String, String>>,
    /// The complete rounds that count, in order.
    pub(super) rounds: Vec<u32>,
    /// All complete rounds, in order.
    pub(super) every_round: Vec<u32>,
}

impl<'s> Index<'s> {
    /// Sorts the trials.
    ///
    /// # Errors
    /// A trial that the plan does not know, or no complete round that counts.
    pub(super) fn new(session: &'s Session) -> Result<Self, Error> {
        let planned = planned(session);
        let mut trials: BTreeMap<Place<'s>, BTreeMap<u32, &'s Trial>> = BTreeMap::new();
        for trial in &session.trials {
            let place = (trial.workload.as_str(), trial.cell.as_str(), trial.strategy.as_str());
            if !planned.contains(&place) {
                return Err(Error::unplanned(trial));
            }
            trials.entry(place).or_default().insert(trial.round, trial);
        }
        let (rounds, every_round) = (session.rounds_that_count(), session.complete_rounds());
        if every_round.is_empty() || planned.is_empty() {
            return Err(Error::no_complete_round(session, planned.len()));
        }
        if rounds.is_empty() {
            return Err(Error::no_valid_round(session, every_round.len()));
        }
        let samples = session.histograms.iter();
        let samples = samples.map(|row| ((&*row.workload, &*row.cell, &*row.strategy), &row.hdr)).collect();
        Ok(Self { trials, samples, rounds, every_round })
    }

    /// The merged histogram of a part of the latency, as it is on record.
    pub(super) fn samples(
        &self,
        workload: &PlannedWorkload,
        cell: &PlannedCell,
        strategy: &str,
        part: &str,
    ) -> Option<&'s str> {
        let parts = self.samples.get(&(workload.name.as_str(), cell.id.as_str(), strategy))?;
        parts.get(part).map(String::as_str)
    }

    /// The first failure of a strategy on a cell, in any round, and how often it failed.
    ///
    /// A failure in a round that was cut short counts too: the strategy is broken all the same.
    pub(super) fn failure(
        &self,
        workload: &PlannedWorkload,
        cell: &PlannedCell,
        strategy: &str,
    ) -> Option<(Failure, String)> {
        let trials = self.trials.get(&(workload.name.as_str(), cell.id.as_str(), strategy))?;
        let failures: Vec<&Failure> = trials
            .values()
            .filter_map(|trial| match &trial.result {
                TrialResult::Failed(failure) => Some(failure),
                TrialResult::Measured(_) => None,
            })
            .collect();
        let first = (*failures.first()?).clone();
        let rounds = if trials.len() == 1 { "round" } else { "rounds" };
        Some((first, format!("in {} of {} {rounds}", failures.len(), trials.len())))
    }

    /// The measurements of a strategy on a cell, one for each of `rounds`; empty where one of them has none.
    pub(super) fn measurements(
        &self,
        workload: &PlannedWorkload,
        cell: &PlannedCell,
        strategy: &str,
        rounds: &[u32],
    ) -> Vec<(u32, &'s Measurement)> {
        let Some(trials) = self.trials.get(&(workload.name.as_str(), cell.id.as_str(), strategy)) else {
            return Vec::new();
        };
        let measured = rounds.iter().map(|round| match &trials.get(round)?.result {
            TrialResult::Measured(measurement) => Some((*round, &**measurement)),
            TrialResult::Failed(_) => None,
        });
        measured.collect::<Option<_>>().unwrap_or_default()
    }
}

fn planned(session: &Session) -> BTreeSet<Place<'_>> {
    let mut places = BTreeSet::new();
    for workload in &session.plan.workloads {
        for cell in &workload.cells {
            for strategy in &session.plan.strategies {
                places.insert((workload.name.as_str(), cell.id.as_str(), strategy.as_str()));
            }
        }
    }
    places
}
