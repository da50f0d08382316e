//! How far a campaign is: a bar on a terminal, a line per round elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output;
use crate::campaign::Campaign;
use crate::campaign::plan::{about, trial_time};
use crate::campaign::run::Watch;
use crate::record::{Pilot, Round, Session, Trial, TrialResult};
use crate::trial::spec::TrialSpec;

/// How far a campaign is. It draws between trials only, never while one is measured.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    rounds: u32,
    trials_per_round: usize,
    trials: usize,
    done: usize,
    failed: usize,
    started: Instant,
    planned: Duration,
    planned_done: Duration,
}

impl Progress {
    /// Of a campaign of which `ended` rounds are in already.
    pub(super) fn new(campaign: &Campaign, ended: u32) -> Self {
        let trials_per_round = campaign.trials_per_round();
        let trials = campaign.n_trials().max(trials_per_round * ended as usize);
        let done = trials_per_round * ended as usize;
        let bar = std::io::stderr().is_terminal().then(|| bar(trials));
        bar.iter().for_each(|bar| bar.set_position(done as u64));
        Self {
            bar,
            rounds: campaign.plan.rounds,
            trials_per_round,
            trials,
            done,
            failed: 0,
            started: Instant::now(),
            planned: campaign.round_time() * campaign.plan.rounds.saturating_sub(ended),
            planned_done: Duration::ZERO,
        }
    }

    pub(super) fn finish(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }

    /// The planned time that is left, corrected by how long the trials so far really took.
    fn left(&self) -> Duration {
        let left = self.planned.saturating_sub(self.planned_done);
        if self.planned_done.is_zero() {
            return left;
        }
        left.mul_f64(self.started.elapsed().as_secs_f64() / self.planned_done.as_secs_f64())
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::say(line)),
            None => output::say(line),
        }
    }
}

fn bar(trials: usize) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:20} {pos}/{len} {wide_msg}").expect("the template is right");
    ProgressBar::new(trials as u64).with_style(style)
}

impl Watch for Progress {
    fn prepared(&mut self, session: &Session) {
        self.started = Instant::now();
        if let Some(ns) = session.timing_ns {
            self.say(&format!("timing makes an update {:.0} ns longer", ns.max(0.0)));
        }
        for pilot in &session.pilots {
            let Pilot { workload, callers, strategy, capacity } = pilot;
            self.say(&format!("{strategy} can take {capacity:.0} updates/s of {workload} from {callers}"));
        }
    }

    fn starts(&mut self, spec: &TrialSpec) {
        if self.done == self.trials {
            // A round in place of an invalid one.
            self.trials += self.trials_per_round;
            self.bar.iter().for_each(|bar| bar.set_length(self.trials as u64));
        }
        let Some(bar) = &self.bar else { return };
        let TrialSpec { round, workload, cell, label, .. } = spec;
        let left = about(self.left());
        let rounds = self.rounds;
        bar.set_message(format!("{left} left, round {}/{rounds}: {workload}/{} {label}", round + 1, cell.id));
        bar.tick();
    }

    fn ended(&mut self, spec: &TrialSpec, trial: &Trial) {
        self.done += 1;
        self.planned_done += trial_time(spec);
        if let TrialResult::Failed(failure) = &trial.result {
            self.failed += 1;
            let Trial { workload, cell, strategy, round, .. } = trial;
            let named = format!("{strategy} on {workload}/{cell}, round {}", round + 1);
            self.say(&format!("failed: {named}: {} {}", failure.check, failure.reason));
        }
        self.bar.iter().for_each(|bar| bar.inc(1));
    }

    fn round_ended(&mut self, round: &Round) {
        let number = round.round + 1;
        if let Some(why) = &round.invalid {
            self.say(&format!("round {number} is invalid and stays out of all comparisons: {why}"));
        }
        if self.bar.is_some() {
            return;
        }
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        let (done, trials, rounds) = (self.done, self.trials, self.rounds);
        let left = if done < trials { format!(", about {} left", about(self.left())) } else { String::new() };
        self.say(&format!("round {number} of {rounds}: {done} of {trials} trials{failed}{left}"));
    }
}
