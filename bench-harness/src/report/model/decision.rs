//! Which strategy for which write: the best of each cell, who ties with it, and what the control gives up.
//!
//! Strategies are compared with the cell's leader round by round. One is behind only where its interval lies wholly below
//! the leader by more than the smallest difference that counts; everyone else ties.

use std::time::Duration;

use super::{CellView, Numbers, Objective, Outcome, Role, WorkloadView};
use crate::report::format::{NONE, coarse, duration, known, list, number, percent, rate, requested, times};
use crate::stats::{Absent, Interval, Known, Ratio};
use crate::workload::definition::Callers;

/// The decision table: rows are writes, columns are clients.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// Callers and clients, in order.
    pub(crate) columns: Vec<(Callers, usize)>,
    /// One per workload and write cost.
    pub(crate) rows: Vec<DecisionRow>,
}

/// One kind of write.
#[derive(Clone, Debug)]
pub(crate) struct DecisionRow {
    /// The workload's name.
    pub(crate) workload: String,
    /// What a write costs.
    pub(crate) cost: String,
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
    /// The best and all that tie with it, in list order; empty where nothing was measured.
    pub(crate) best: Vec<String>,
    /// Whether the rounds were enough to tell the others apart.
    pub(crate) sure: bool,
    /// How good the control is, the leader being 1.
    pub(crate) control: Known<Ratio>,
    /// The leader.
    pub(crate) leader: String,
    /// What the leader reached: `12,300/s`, or `p90 1.20 ms`.
    pub(crate) value: String,
    /// The choice in words, and what the control gives up.
    pub(crate) lines: [String; 2],
    /// The same for a narrow cell: the simplest of the best, with how many tie; and the loss.
    pub(crate) short: [String; 2],
}

impl Choice {
    /// Whether `strategy` is best or tied.
    pub(crate) fn has(&self, strategy: &str) -> bool {
        self.best.iter().any(|name| name == strategy)
    }

    /// How good the control is against the leader, where the interval shows that it is behind by more than a trifle.
    pub(crate) fn shortfall(&self) -> Option<(f64, Interval)> {
        let ratio = self.control.as_ref().ok().filter(|ratio| is_behind(self.objective, ratio))?;
        Some((ratio.estimate, *ratio.interval.as_ref().ok()?))
    }
}

impl Decision {
    pub(super) fn new(control: &str, strategies: &[String], workloads: &[WorkloadView]) -> Self {
        let all_cells = || workloads.iter().flat_map(|workload| &workload.cells);
        let mut columns: Vec<_> = all_cells().map(|cell| (cell.callers, cell.clients)).collect();
        columns.sort_unstable();
        columns.dedup();
        let rows = workloads.iter().flat_map(|workload| {
            let mut writes: Vec<_> = workload.cells.iter().map(|cell| cell.write).collect();
            writes.sort_unstable();
            writes.dedup();
            let columns = &columns;
            writes.into_iter().map(move |write| {
                let of_write: Vec<_> = workload.cells.iter().filter(|cell| cell.write == write).collect();
                let choice = |column: &(Callers, usize)| {
                    let cell = of_write.iter().find(|cell| (cell.callers, cell.clients) == *column)?;
                    Some(choose(control, strategies, workload, cell))
                };
                DecisionRow {
                    workload: workload.name.clone(),
                    cost: cost(workload, &of_write),
                    cells: columns.iter().map(choice).collect(),
                }
            })
        });
        Self { rows: rows.collect(), columns }
    }

    /// All choices, row by row.
    pub(crate) fn choices(&self) -> impl Iterator<Item = &Choice> {
        self.rows.iter().flat_map(|row| row.cells.iter().flatten())
    }
}

/// What a write and its commit cost, and by what the best is chosen where that is not the throughput.
fn cost(workload: &WorkloadView, cells: &[&CellView]) -> String {
    let write = cells.first().map_or(Duration::ZERO, |cell| cell.write);
    let mut cost = match (write.is_zero(), workload.group_commit) {
        (true, true) => "shared commit".to_owned(),
        (true, false) => "no cost".to_owned(),
        (false, true) => format!("{} + shared commit", requested(write)),
        (false, false) => requested(write),
    };
    if workload.objective == Objective::Latency {
        cost += ", by p90";
    }
    cost
}

fn choose(control: &str, strategies: &[String], workload: &WorkloadView, cell: &CellView) -> Choice {
    let (place, objective) = (format!("{}, {}", workload.name, cell.title), workload.objective);
    let measured: Vec<(&String, &Numbers)> =
        strategies.iter().filter_map(|name| Some((name, cell.numbers(name)?))).collect();
    // Of equals the first in list order leads.
    let better = |a: &Numbers, b: &Numbers| speed(objective, b) > speed(objective, a);
    let leader = measured.iter().copied().reduce(|a, b| if better(a.1, b.1) { b } else { a });
    let Some((leader, lead)) = leader else { return nothing(cell, place, objective) };
    let versus = |numbers: &Numbers| objective.compare(&numbers.per_round, &lead.per_round);
    let against: Vec<(&String, Known<Ratio>)> =
        measured.iter().map(|(name, numbers)| (*name, versus(numbers))).collect();
    let ties = |ratio: &Known<Ratio>| ratio.as_ref().is_ok_and(|ratio| !is_behind(objective, ratio));
    let of_control = against.iter().find(|(name, _)| *name == control).map(|(_, ratio)| ratio.clone());
    let mut choice = Choice {
        place,
        objective,
        best: against.iter().filter(|(_, ratio)| ties(ratio)).map(|(name, _)| (*name).clone()).collect(),
        sure: against.iter().all(|(_, ratio)| ratio.as_ref().is_ok_and(|ratio| ratio.interval.is_ok())),
        control: of_control.unwrap_or_else(|| Err(Absent::because(format!("{control} has no numbers here")))),
        leader: leader.clone(),
        value: value(objective, lead),
        lines: Default::default(),
        short: Default::default(),
    };
    choice.lines = [first_line(&choice, measured.len()), second_line(&choice, control)];
    choice.lines[0] += &failed_words(cell);
    choice.short = [short_choice(&choice, measured.len()), short_loss(&choice, control)];
    choice
}

/// `, 1 failed`, or nothing.
fn failed_words(cell: &CellView) -> String {
    let failed =
        cell.rows.iter().filter(|row| row.role != Role::Limit && matches!(row.outcome, Outcome::Failed(_)));
    match failed.count() {
        0 => String::new(),
        n => format!("; {n} failed"),
    }
}

/// By what strategies of one cell are put in order; higher is better.
fn speed(objective: Objective, numbers: &Numbers) -> f64 {
    match objective {
        Objective::Throughput => numbers.throughput.as_ref().map_or(0.0, |t| t.centre),
        Objective::Latency => numbers.latency.p90.as_ref().map_or(0.0, |p90| 1.0 / p90),
    }
}

fn value(objective: Objective, numbers: &Numbers) -> String {
    match objective {
        Objective::Throughput => known(&numbers.throughput, |t| rate(t.centre)),
        Objective::Latency => format!("p90 {}", known(&numbers.latency.p90, |ns| duration(*ns))),
    }
}

fn nothing(cell: &CellView, place: String, objective: Objective) -> Choice {
    let failed =
        cell.rows.iter().any(|row| matches!(row.outcome, Outcome::Failed(_)) && row.role != Role::Limit);
    let line = if failed { "all failed" } else { "not measured" };
    Choice {
        place,
        objective,
        best: Vec::new(),
        sure: false,
        control: Err(Absent::because(line)),
        leader: String::new(),
        value: NONE.to_owned(),
        lines: [line.to_owned(), String::new()],
        short: [line.to_owned(), String::new()],
    }
}

fn is_behind(objective: Objective, ratio: &Ratio) -> bool {
    ratio.surely_below(1.0 - objective.least_difference())
}

fn first_line(choice: &Choice, measured: usize) -> String {
    match choice.best.as_slice() {
        _ if !choice.sure => format!("{} leads, not surely", choice.leader),
        [only] if measured == 1 => format!("only {only} measured"),
        [only] => only.clone(),
        all if all.len() == measured => format!("all {measured} tied"),
        some => format!("tied: {}", some.join(", ")),
    }
}

fn second_line(choice: &Choice, control: &str) -> String {
    if let Some((share, bounds)) = choice.shortfall() {
        return match choice.objective {
            Objective::Throughput => {
                format!("{control} gives up {} [{}]", percent(1.0 - share), lost(bounds, ", "))
            }
            Objective::Latency => {
                format!("{control}'s p90 is {} [{}] as long", times(1.0 / share), longer(bounds, ", "))
            }
        };
    }
    match (&choice.control, choice.objective) {
        (Err(reason), _) => reason.reason().to_owned(),
        (Ok(ratio), objective) => match (&ratio.interval, objective) {
            (Ok(_), _) if choice.leader == control => format!("{control} leads"),
            (Ok(bounds), Objective::Throughput) => format!("{control} gives up at most {}", at_most(*bounds)),
            (Ok(bounds), Objective::Latency) => {
                format!("{control}'s p90 is at most {} as long", times(1.0 / bounds.low))
            }
            (Err(_), Objective::Throughput) => {
                format!("{control} does {} of it, no interval", percent(ratio.estimate))
            }
            (Err(_), Objective::Latency) => {
                format!("{control}'s p90 is {} as long, no interval", times(1.0 / ratio.estimate))
            }
        },
    }
}

fn short_choice(choice: &Choice, measured: usize) -> String {
    match choice.best.as_slice() {
        _ if !choice.sure => format!("{}?", choice.leader),
        all if all.len() == measured && measured > 1 => format!("all {measured} tied"),
        [simplest, others @ ..] if !others.is_empty() => format!("{simplest} +{}", others.len()),
        _ => choice.leader.clone(),
    }
}

fn short_loss(choice: &Choice, control: &str) -> String {
    if let Some((_, bounds)) = choice.shortfall() {
        return match choice.objective {
            Objective::Throughput => format!("loses {} %", lost(bounds, "–")),
            Objective::Latency => format!("p90 {}×", shortly_longer(bounds)),
        };
    }
    match (&choice.control, choice.objective) {
        (Err(_), _) => "no numbers".to_owned(),
        (Ok(ratio), objective) => match (&ratio.interval, objective) {
            (Ok(_), _) if choice.leader == control => "it leads".to_owned(),
            (Ok(bounds), Objective::Throughput) => format!("loses ≤ {}", at_most(*bounds)),
            (Ok(bounds), Objective::Latency) => format!("p90 ≤ {}", times(1.0 / bounds.low)),
            (Err(_), Objective::Throughput) => format!("loses ~{}", percent(1.0 - ratio.estimate)),
            (Err(_), Objective::Latency) => format!("p90 ~{}", times(1.0 / ratio.estimate)),
        },
    }
}

/// The ends of a loss in percent, without the sign; one number where they look alike.
fn lost(share: Interval, between: &str) -> String {
    let bare = |share: f64| percent(1.0 - share).replace(" %", "");
    let (low, high) = (bare(share.high), bare(share.low));
    if low == high && between != ", " { high } else { format!("{low}{between}{high}") }
}

/// The ends of how many times as long a latency is.
fn longer(share: Interval, between: &str) -> String {
    format!("{}{between}{}", number(1.0 / share.high), number(1.0 / share.low))
}

/// The same in two digits, for a narrow cell.
fn shortly_longer(share: Interval) -> String {
    let (low, high) = (coarse(1.0 / share.high), coarse(1.0 / share.low));
    if low == high { high } else { format!("{low}–{high}") }
}

fn at_most(share: Interval) -> String {
    percent((1.0 - share.low).max(0.0))
}

/// Names for a sentence: all of them, or the first two and how many more.
pub(super) fn shortened(names: &[String]) -> String {
    match names {
        [a, b, rest @ ..] if rest.len() > 1 => format!("{a}, {b} and {} more", rest.len()),
        _ => list(names),
    }
}
