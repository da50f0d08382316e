//! Which strategy for which write: the best of each cell, who ties with it, and what the control gives up.
//!
//! Two statements, each for all cells of the session together. Who may be best: everyone whom the interval against the
//! leader does not put behind by more than the floor; the truly best strategy is missing in at most one session of twenty,
//! because it takes a wrong interval among its own comparisons, and those are as many as a cell has strategies besides.
//! What the control gives up: from the comparisons with the control, which were fixed before anything was measured, so
//! that it does not matter that the leader was picked from the same numbers.

use super::verdicts::Court;
use super::{CellView, Numbers, Objective, Outcome, Role, WorkloadView};
use crate::report::format::{NONE, duration, known, rate, requested, whole_percent};
use crate::stats::location::median;
use crate::stats::{Absent, Judgement, Known, Quantile};
use crate::workload::definition::{Callers, Load};

/// By what a decision table chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Most updates per second.
    Throughput,
    /// The shortest latency where the load sets the pace.
    Latency,
    /// The shortest time in submit.
    Held,
}

impl Goal {
    /// All, in the order of the page.
    pub(crate) const ALL: [Self; 3] = [Self::Throughput, Self::Latency, Self::Held];
}

/// A decision table: rows are writes, columns are clients.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// By what it chooses.
    pub(crate) goal: Goal,
    /// Callers and clients, in order.
    pub(crate) columns: Vec<(Callers, usize)>,
    /// One per workload, write cost and offered load, the cheapest write first.
    pub(crate) rows: Vec<DecisionRow>,
}

/// One kind of write.
#[derive(Clone, Debug)]
pub(crate) struct DecisionRow {
    /// What apply and commit really took together, by the control.
    pub(crate) measured: String,
    /// The workload's name.
    pub(crate) workload: String,
    /// What was asked for.
    pub(crate) asked: String,
    /// One per column; `None`: the plan has no such cell.
    pub(crate) cells: Vec<Option<Choice>>,
}

/// The choice for one cell.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Where: `slow-writes, 16 threads`.
    pub(crate) place: String,
    /// By what the best was chosen.
    pub(crate) objective: Objective,
    /// What apply and commit took, nanoseconds.
    pub(crate) cost_ns: Option<f64>,
    /// All that may be best, the control first, then in list order; empty where nothing was measured.
    pub(crate) best: Vec<String>,
    /// How many have numbers.
    pub(crate) measured: usize,
    /// Whether the rounds were enough to tell the others apart.
    pub(crate) sure: bool,
    /// Who has the best estimate.
    pub(crate) leader: String,
    /// What the control gives up.
    pub(crate) control: GivenUp,
    /// What the leader reached: `12,300/s`, or `p90 1.20 ms`.
    pub(crate) value: String,
    /// How many failed here.
    pub(crate) failed: usize,
}

/// What the control gives up against the best. Numbers are logarithms of its cost over the best's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum GivenUp {
    /// No strategy is better by more than this share, the floor.
    Enough(f64),
    /// Surely something: estimate, and what it is at least and at most.
    Surely(f64, (f64, f64)),
    /// It cannot be told whether anything; at most this.
    AtMost(f64),
    /// No interval, or no numbers.
    Unknown(Absent),
}

impl Decision {
    /// A table for each objective that a workload has.
    pub(super) fn all(court: &Court, strategies: &[String], workloads: &[WorkloadView]) -> Vec<Self> {
        let of = |goal: Goal| -> Vec<(&WorkloadView, Objective)> {
            let wanted =
                workloads.iter().filter_map(|workload| match goal {
                    Goal::Held => (workload.load == Load::Steady).then_some((workload, workload.held)),
                    Goal::Throughput => (workload.objective == Objective::Throughput)
                        .then_some((workload, workload.objective)),
                    Goal::Latency => (workload.objective != Objective::Throughput)
                        .then_some((workload, workload.objective)),
                });
            wanted.collect()
        };
        let goals = Goal::ALL.into_iter();
        let tables = goals.map(|goal| Self::new(court, strategies, goal, &of(goal)));
        tables.filter(|table| !table.rows.is_empty()).collect()
    }

    fn new(
        court: &Court,
        strategies: &[String],
        goal: Goal,
        workloads: &[(&WorkloadView, Objective)],
    ) -> Self {
        let cells = workloads.iter().flat_map(|(workload, _)| &workload.cells);
        let columns = distinct(cells.map(|cell| (cell.callers, cell.clients)));
        let mut rows = Vec::new();
        for (workload, objective) in workloads {
            let kinds = distinct(workload.cells.iter().map(|cell| (cell.write, share(cell))));
            for kind in kinds {
                let of_kind: Vec<_> =
                    workload.cells.iter().filter(|cell| (cell.write, share(cell)) == kind).collect();
                let choice = |column: &(Callers, usize)| {
                    let cell = of_kind.iter().find(|cell| (cell.callers, cell.clients) == *column)?;
                    Some(choose(court, strategies, workload, *objective, cell))
                };
                let costs: Vec<f64> = of_kind.iter().filter_map(|cell| cost(court, cell)).collect();
                let measured = median(&costs).ok();
                let row = DecisionRow {
                    measured: measured.map_or_else(|| NONE.to_owned(), duration),
                    workload: workload.name.clone(),
                    asked: asked(workload, of_kind[0]),
                    cells: columns.iter().map(choice).collect(),
                };
                rows.push((measured.unwrap_or(0.0), row));
            }
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { goal, columns, rows: rows.into_iter().map(|(_, row)| row).collect() }
    }

    /// All choices, row by row.
    pub(crate) fn choices(&self) -> impl Iterator<Item = &Choice> {
        self.rows.iter().flat_map(|row| row.cells.iter().flatten())
    }
}

fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// The offered load in tenths of a percent, which can be put in order.
fn share(cell: &CellView) -> u64 {
    cell.offered.map_or(0, |load| (load.clamp(0.0, 1e6) * 1_000.0) as u64)
}

/// What apply and commit took together with the control, or with whoever has numbers.
fn cost(court: &Court, cell: &CellView) -> Option<f64> {
    let numbers = cell.numbers(&court.control).or_else(|| cell.rows.iter().find_map(super::Row::numbers))?;
    let [_, _, apply, commit, _] = numbers.parts.clone().ok()?;
    Some(apply + commit)
}

fn asked(workload: &WorkloadView, cell: &CellView) -> String {
    let mut asked = match (cell.write.is_zero(), workload.group_commit) {
        (true, true) => "shared commit".to_owned(),
        (true, false) => "asked for none".to_owned(),
        (false, true) => format!("{} + shared commit", requested(cell.write)),
        (false, false) => format!("asked for {}", requested(cell.write)),
    };
    if let Some(load) = cell.offered {
        asked += &format!(", {} load", whole_percent(load));
    }
    match workload.objective {
        Objective::Latency(q) => format!("{asked}, {}", q.name()),
        _ => asked,
    }
}

fn choose(
    court: &Court,
    strategies: &[String],
    workload: &WorkloadView,
    objective: Objective,
    cell: &CellView,
) -> Choice {
    let is_usable = |numbers: &&Numbers| numbers.open.as_ref().is_none_or(|open| open.objection().is_none());
    let measured: Vec<(&String, &Numbers)> =
        strategies.iter().filter_map(|name| Some((name, cell.numbers(name).filter(is_usable)?))).collect();
    let floor = court.floor(&cell.rows, objective);
    let mut choice = Choice {
        place: format!("{}, {}", workload.name, cell.title),
        objective,
        cost_ns: cost(court, cell),
        best: Vec::new(),
        measured: measured.len(),
        sure: false,
        leader: String::new(),
        control: GivenUp::Unknown(Absent::because("nothing to compare")),
        value: NONE.to_owned(),
        failed: cell
            .rows
            .iter()
            .filter(|row| matches!(row.role, Role::Control | Role::Strategy(_)))
            .filter(|row| matches!(row.outcome, Outcome::Failed(_)))
            .count(),
    };
    let Some((_, first)) = measured.first() else { return choice };
    let excess = |numbers: &Numbers| court.compare(objective, numbers, first, floor).map(|j| j.excess.centre);
    // Of equals the first in list order leads.
    let ordered =
        measured.iter().filter_map(|(name, numbers)| Some((excess(numbers).ok()?, *name, *numbers)));
    let leader = ordered.reduce(|a, b| if b.0 < a.0 { b } else { a });
    let Some((_, leader, lead)) = leader else {
        choice.best = measured.iter().map(|(name, _)| (*name).clone()).collect();
        let why = excess(first).map_or_else(|why| why, |_| Absent::because("no ratio"));
        choice.control = GivenUp::Unknown(why);
        return choice;
    };
    let against: Vec<(&String, Known<Judgement>)> = measured
        .iter()
        .map(|(name, numbers)| (*name, court.compare(objective, numbers, lead, floor)))
        .collect();
    let is_behind = |judged: &Known<Judgement>| {
        judged.as_ref().is_ok_and(|j| j.equivalence.as_ref().is_ok_and(|i| i.low > floor.ln_1p()))
    };
    let has_interval = |judged: &Known<Judgement>| judged.as_ref().is_ok_and(|j| j.equivalence.is_ok());
    choice.best =
        against.iter().filter(|(_, judged)| !is_behind(judged)).map(|(name, _)| (*name).clone()).collect();
    choice.sure = against.iter().all(|(_, judged)| has_interval(judged));
    choice.leader = leader.clone();
    choice.value = value(objective, lead);
    choice.control = given_up(court, objective, cell, &measured, floor);
    choice
}

/// What the control gives up against the best of the others, whoever that is.
fn given_up(
    court: &Court,
    objective: Objective,
    cell: &CellView,
    measured: &[(&String, &Numbers)],
    floor: f64,
) -> GivenUp {
    let Some(control) = cell.numbers(&court.control) else {
        return GivenUp::Unknown(Absent::because(format!("{} has no numbers here", court.control)));
    };
    let others = measured.iter().filter(|(name, _)| **name != court.control);
    // Above zero: the control's cost is higher.
    let (mut estimate, mut low, mut high, mut highest_likely) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
    for (_, numbers) in others {
        let judged = court
            .compare(objective, numbers, control, floor)
            .and_then(|judged| Ok((judged.excess.centre, judged.excess.interval?, judged.equivalence?)));
        match judged {
            Err(why) => return GivenUp::Unknown(why),
            Ok((centre, interval, equivalence)) => {
                estimate = estimate.max(-centre);
                low = low.max(-interval.high);
                high = high.max(-interval.low);
                highest_likely = highest_likely.max(-equivalence.low);
            }
        }
    }
    if highest_likely < floor.ln_1p() {
        GivenUp::Enough(floor)
    } else if low > 0.0 {
        GivenUp::Surely(estimate, (low, high))
    } else {
        GivenUp::AtMost(high)
    }
}

fn value(objective: Objective, numbers: &Numbers) -> String {
    let at = |of: &super::numbers::Percentiles, q: Quantile| match q {
        Quantile::P50 => of.p50.clone(),
        Quantile::P90 => of.p90.clone(),
        Quantile::P99 => of.p99.clone(),
        Quantile::P999 => of.p999.clone(),
    };
    let named = |of, q: Quantile| format!("{} {}", q.name(), known(&at(of, q), |ns| duration(*ns)));
    match objective {
        Objective::Throughput => known(&numbers.throughput, |t| rate(t.centre)),
        Objective::Latency(q) => named(&numbers.latency, q),
        Objective::Held(q) => named(&numbers.held, q),
    }
}
