//! The plan of a campaign: rounds, order, seeds, and how long it will take.
//!
//! The number of rounds is fixed before anything runs and never depends on what is measured.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::order::row;
use super::pilot;
use crate::random::{Generator, derive};
use crate::record::{LIMIT, Plan, PlannedCell, PlannedWorkload};
use crate::trial::open::GRACE;
use crate::trial::spec::TrialSpec;
use crate::trial::{WARM_UP_UPDATES, warm_up_most};
use crate::workload::definition::{Cell, Load, Pattern, Spacing, Workload};
use crate::workload::duration::show;

/// Fewer rounds give ratios whose interval is wide, or none at all.
// LIMIT: 8 rounds: the fewest from which an exact signed-rank interval exists at the 99 % level.
pub const FEW_ROUNDS: u32 = 8;

// LIMIT: 120 ms beyond warm-up and window: measured with 7 labels on two cores. Starting the process and its clients,
// stopping them, and checking up to a million updates.
const TRIAL_OVERHEAD: Duration = Duration::from_millis(120);

/// What a user chose to measure.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Workloads, each with the chosen cells only and at least one.
    pub workloads: Vec<Workload>,
    /// Strategies in list order, the control among them.
    pub strategies: Vec<String>,
    /// The strategy that all others are divided by.
    pub control: String,
}

/// How many rounds to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounds {
    /// As many as this.
    Count(u32),
    /// As many as fit into this much time.
    Budget(Duration),
}

/// A budget that is too small for one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverBudget {
    budget: Duration,
    round: Duration,
    pilots: Duration,
    trials: usize,
}

impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { budget, round, pilots, trials } = self;
        let before =
            if pilots.is_zero() { String::new() } else { format!(" after {} of pilots", about(*pilots)) };
        let (budget, round) = (about(*budget), about(*round));
        write!(
            f,
            "a budget of {budget} is less than one round, which takes about {round} ({trials} trials){before}; raise \
             --budget, or choose less with --workload, --cell, --strategy or --core"
        )
    }
}

impl std::error::Error for OverBudget {}

/// A plan with everything needed to run it.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The plan as it is put on record.
    pub plan: Plan,
    seed: u64,
    workloads: Vec<Workload>,
}

/// Plans a campaign. `command` is what the user typed, for the record.
///
/// # Errors
/// The budget is less than one round.
pub fn plan(choice: Choice, rounds: Rounds, seed: u64, command: Vec<String>) -> Result<Campaign, OverBudget> {
    let mut labels = choice.strategies;
    labels.push(LIMIT.to_owned());
    let mut campaign = Campaign {
        plan: Plan {
            command,
            master_seed: format!("{seed:#x}"),
            rounds: 0,
            control: choice.control,
            strategies: labels,
            twins: BTreeMap::new(),
            family: 0,
            workloads: choice.workloads.iter().map(planned).collect(),
        },
        seed,
        workloads: choice.workloads,
    };
    campaign.plan.rounds = match rounds {
        Rounds::Count(rounds) => rounds,
        Rounds::Budget(budget) => campaign.rounds_within(budget)?,
    };
    Ok(campaign)
}

fn planned(workload: &Workload) -> PlannedWorkload {
    PlannedWorkload {
        name: workload.name.clone(),
        title: workload.title.clone(),
        question: workload.question.clone(),
        hash: workload.hash.clone(),
        commit: workload.commit,
        load: match workload.pattern {
            Pattern::Steady => Load::Steady,
            Pattern::Bursts { .. } => Load::Bursts,
            Pattern::Arrivals { kind: Spacing::Poisson, .. } => Load::Poisson,
            Pattern::Arrivals { kind: Spacing::Constant, .. } => Load::Constant,
        },
        deadline_ns: match workload.pattern {
            Pattern::Arrivals { deadline, .. } => deadline.map(nanos),
            Pattern::Steady | Pattern::Bursts { .. } => None,
        },
        capacity: workload.capacity,
        warm_up_ns: nanos(workload.warm_up),
        window_ns: nanos(workload.window),
        cells: workload.cells.iter().map(planned_cell).collect(),
    }
}

fn planned_cell(cell: &Cell) -> PlannedCell {
    PlannedCell {
        id: cell.id.clone(),
        callers: cell.callers,
        clients: cell.clients,
        write: cell.write,
        load: cell.load,
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Campaign {
    /// Every trial of a round, in the order in which they run.
    pub fn round(&self, round: u32) -> Vec<TrialSpec> {
        let mut cells: Vec<_> = self.cells().collect();
        Generator(derive(self.seed, "cells", "", "", round)).shuffle(&mut cells);
        let labels = &self.plan.strategies;
        let mut specs = Vec::with_capacity(cells.len() * labels.len());
        for (workload, cell) in cells {
            let square_seed = |square| derive(self.seed, "order", &workload.name, &cell.id, square);
            for label in row(labels.len(), round, square_seed) {
                let spec = spec(workload, cell, &labels[label], self.data_seed(workload, cell, round));
                specs.push(TrialSpec { round, position: place(specs.len()), ..spec });
            }
        }
        specs
    }

    /// The same for all labels of a cell in a round, so that they get the same updates.
    fn data_seed(&self, workload: &Workload, cell: &Cell, round: u32) -> u64 {
        derive(self.seed, "data", &workload.name, &cell.id, round)
    }

    fn cells(&self) -> impl Iterator<Item = (&Workload, &Cell)> {
        self.workloads.iter().flat_map(|workload| workload.cells.iter().map(move |cell| (workload, cell)))
    }

    /// The workloads, each with its chosen cells.
    pub(super) fn workloads(&self) -> &[Workload] {
        &self.workloads
    }

    /// The seed of order and data.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of cells.
    pub fn n_cells(&self) -> usize {
        self.cells().count()
    }

    /// Trials of one round.
    pub fn trials_per_round(&self) -> usize {
        self.n_cells() * self.plan.strategies.len()
    }

    /// Trials of all rounds.
    pub fn n_trials(&self) -> usize {
        self.trials_per_round() * self.plan.rounds as usize
    }

    /// About how long one round takes.
    pub fn round_time(&self) -> Duration {
        self.round(0).iter().map(trial_time).sum()
    }

    /// About how long the pilots take, before the first round.
    pub fn pilot_time(&self) -> Duration {
        pilot::all(self).iter().map(trial_time).sum()
    }

    /// About how long the pilots and all rounds take.
    pub fn time(&self) -> Duration {
        self.pilot_time() + self.round_time() * self.plan.rounds
    }

    fn rounds_within(&self, budget: Duration) -> Result<u32, OverBudget> {
        let round = self.round_time();
        let rounds = budget.saturating_sub(self.pilot_time()).as_nanos() / round.as_nanos().max(1);
        match u32::try_from(rounds).unwrap_or(u32::MAX) {
            0 => {
                Err(OverBudget { budget, round, pilots: self.pilot_time(), trials: self.trials_per_round() })
            }
            rounds => Ok(rounds),
        }
    }
}

fn place(index: usize) -> u32 {
    u32::try_from(index).expect("a round has fewer than 2^32 trials")
}

/// A trial of `strategy` on a cell; the first of a round, until somebody says otherwise.
pub fn spec(workload: &Workload, cell: &Cell, strategy: &str, seed: u64) -> TrialSpec {
    TrialSpec {
        round: 0,
        position: 0,
        workload: workload.name.clone(),
        cell: planned_cell(cell),
        label: strategy.to_owned(),
        strategy: strategy.to_owned(),
        seed,
        pattern: workload.pattern,
        rate: None,
        capacity: workload.capacity,
        max_batch: workload.max_batch,
        variation: workload.variation,
        commit: workload.commit,
        timed_every: workload.timed_every,
        warm_up: workload.warm_up,
        window: workload.window,
    }
}

/// About how long a trial takes: its process, its warm-up, which goes on until enough updates are through, its window, and
/// what comes after the window of an open loop.
pub fn trial_time(spec: &TrialSpec) -> Duration {
    if let Pattern::Arrivals { deadline, .. } = spec.pattern {
        let load = spec.warm_up + spec.window + GRACE;
        return load + backlog(spec, load, deadline) + TRIAL_OVERHEAD;
    }
    // With group commit a queue shares a commit between clients, a lock or the bare loop does not: the longer one counts.
    let update = spec.cell.write.requested + spec.commit.map_or(Duration::ZERO, |commit| commit.requested);
    let updates = u32::try_from(WARM_UP_UPDATES).unwrap_or(u32::MAX);
    let warm_up = update.saturating_mul(updates).clamp(spec.warm_up, warm_up_most(spec.warm_up));
    let until_idle = match spec.pattern {
        Pattern::Steady | Pattern::Arrivals { .. } => Duration::ZERO,
        Pattern::Bursts { every, .. } => every,
    };
    warm_up + until_idle + spec.window + TRIAL_OVERHEAD
}

/// What there is left to write when an open loop above the capacity ends: no more than its queue holds, and nothing that is
/// too late.
fn backlog(spec: &TrialSpec, load: Duration, deadline: Option<Duration>) -> Duration {
    let behind = load.mul_f64((spec.cell.load.unwrap_or(0.0) - 1.0).max(0.0));
    let full = spec.cell.write.requested * u32::try_from(spec.capacity).unwrap_or(u32::MAX);
    behind.min(full).min(deadline.unwrap_or(Duration::MAX))
}

/// A time as a person says it: `45s`, `7m 20s`, `2h 5m`.
pub fn about(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => show(Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))),
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m {s}s"),
        (h, m, _) => format!("{h}h {m}m"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::workload::parse::parse;

    fn choice() -> Choice {
        let text = "title = 't'\nquestion = 'q'\ncallers = ['threads']\nclients = [1, 4]\n[write]\ncost = ['0us', '1ms']\n\
                    kind = 'sleep'\n[time]\nwarm_up = '100ms'\nwindow = '500ms'\n";
        let workloads = ["one", "two"].map(|name| parse(name, "w.toml", text.as_bytes()).unwrap());
        let strategies = ["a", "b", "c"].map(str::to_owned).to_vec();
        Choice { workloads: workloads.to_vec(), strategies, control: "a".to_owned() }
    }

    fn campaign(rounds: Rounds, seed: u64) -> Campaign {
        plan(choice(), rounds, seed, Vec::new()).unwrap()
    }

    #[test]
    fn a_seed_repeats_the_plan_and_another_one_does_not() {
        let all = |seed| (0..8).flat_map(|r| campaign(Rounds::Count(8), seed).round(r)).collect::<Vec<_>>();
        assert_eq!(all(1), all(1));
        assert_ne!(all(1), all(2));
    }

    #[test]
    fn a_round_has_every_label_on_every_cell_once_and_a_cells_labels_are_neighbours() {
        let campaign = campaign(Rounds::Count(2), 3);
        let specs = campaign.round(1);
        let named: BTreeSet<_> =
            specs.iter().map(|spec| (&spec.workload, &spec.cell.id, &spec.strategy)).collect();
        assert_eq!((specs.len(), named.len()), (2 * 4 * 4, 2 * 4 * 4));
        for cell in specs.chunks(4) {
            assert!(
                cell.iter().all(|spec| (&spec.workload, &spec.cell) == (&cell[0].workload, &cell[0].cell))
            );
            assert!(cell.iter().all(|spec| spec.seed == cell[0].seed), "all labels get the same updates");
        }
        let positions: Vec<_> = specs.iter().map(|spec| spec.position).collect();
        assert_eq!(positions, (0..32).collect::<Vec<_>>());
        assert!(specs.iter().all(|spec| spec.round == 1));
    }

    #[test]
    fn cells_and_rounds_get_updates_of_their_own() {
        let campaign = campaign(Rounds::Count(3), 3);
        let seeds: BTreeSet<_> = (0..3).flat_map(|r| campaign.round(r)).map(|spec| spec.seed).collect();
        assert_eq!(seeds.len(), 3 * 8);
    }

    #[test]
    fn the_order_of_cells_changes_from_round_to_round() {
        let campaign = campaign(Rounds::Count(8), 3);
        let orders: BTreeSet<Vec<_>> = (0..8)
            .map(|r| campaign.round(r).iter().map(|s| (s.workload.clone(), s.cell.id.clone())).collect())
            .collect();
        assert!(orders.len() > 1);
    }

    #[test]
    fn a_budget_is_a_total_and_fixes_the_rounds() {
        let round = campaign(Rounds::Count(1), 3).round_time();
        assert_eq!(campaign(Rounds::Budget(round * 5 + round / 2), 3).plan.rounds, 5);
        assert!(campaign(Rounds::Budget(round * 5), 3).time() <= round * 5);
    }

    #[test]
    fn a_budget_below_one_round_is_refused_with_the_numbers_and_the_mend() {
        let error =
            plan(choice(), Rounds::Budget(Duration::from_secs(3)), 3, Vec::new()).unwrap_err().to_string();
        for part in ["budget of 3s", "32 trials", "raise --budget", "--cell"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn slow_writes_need_a_longer_warm_up() {
        let specs = campaign(Rounds::Count(1), 3).round(0);
        let time =
            |cost: Duration| trial_time(specs.iter().find(|spec| spec.cell.write.requested == cost).unwrap());
        assert!(time(Duration::from_millis(1)) > time(Duration::ZERO));
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        for (seconds, expected) in
            [(0.25, "250ms"), (45.4, "45s"), (440.0, "7m 20s"), (7500.0, "2h 5m"), (0.0, "0us")]
        {
            assert_eq!(about(Duration::from_secs_f64(seconds)), expected);
        }
    }
}
