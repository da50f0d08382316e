//! What a report says: every number, choice and sentence, before anything is laid out.
//!
//! Renderers read it and compute nothing, so the page, the terminal and the README cannot disagree.

mod decision;
mod headline;
mod index;
mod machine;
mod numbers;

pub(crate) use decision::{Choice, Decision};
pub(crate) use numbers::{Evenness, Numbers, Objective, PARTS};

use std::time::Duration;

use super::Error;
use super::format::{requested, write_time};
use crate::record::{Failure, LIMIT, PlannedCell, PlannedWorkload, Session};
use crate::stats::Absent;
use crate::workload::definition::{Callers, Load};
use index::Index;

/// A session, understood.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// The strategy that all others are divided by.
    pub(crate) control: String,
    /// Strategies in list order, without the limit.
    pub(crate) strategies: Vec<String>,
    /// The one sentence to remember.
    pub(crate) headline: String,
    /// What a reader must know before believing a number: an incomplete session, failed strategies.
    pub(crate) warnings: Vec<String>,
    /// Which strategy for which write.
    pub(crate) decision: Decision,
    /// Rows without numbers because a check failed.
    pub(crate) failures: Vec<FailedRow>,
    /// One per workload, in plan order.
    pub(crate) workloads: Vec<WorkloadView>,
    /// Complete rounds that the numbers come from.
    pub(crate) rounds: usize,
    /// One line: machine, rounds, date, commit.
    pub(crate) provenance: String,
    /// Name and value of everything known about the machine and the run.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// How small a difference this session can show.
    pub(crate) precision: Option<String>,
    /// What could not be measured, and why.
    pub(crate) unknown: Vec<String>,
}

/// A workload and its cells.
#[derive(Clone, Debug)]
pub(crate) struct WorkloadView {
    /// Its name.
    pub(crate) name: String,
    /// Its heading.
    pub(crate) title: String,
    /// What a reader learns from it.
    pub(crate) question: String,
    /// How it is run, in words.
    pub(crate) conditions: String,
    /// What makes a strategy good at it.
    pub(crate) objective: Objective,
    /// Whether several updates share a commit.
    pub(crate) group_commit: bool,
    /// In plan order.
    pub(crate) cells: Vec<CellView>,
}

/// One cell: what every strategy was measured on.
#[derive(Clone, Debug)]
pub(crate) struct CellView {
    /// What the clients are.
    pub(crate) callers: Callers,
    /// How many.
    pub(crate) clients: usize,
    /// Requested cost of a write.
    pub(crate) write: Duration,
    /// `16 threads`, with the write cost where the workload sweeps it.
    pub(crate) title: String,
    /// Strategies in list order, the limit last.
    pub(crate) rows: Vec<Row>,
}

impl CellView {
    /// The numbers of a strategy, if it has any.
    pub(crate) fn numbers(&self, strategy: &str) -> Option<&Numbers> {
        self.rows.iter().find(|row| row.strategy == strategy).and_then(Row::numbers)
    }
}

/// One strategy on one cell.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) strategy: String,
    /// What it is in the comparison.
    pub(crate) role: Role,
    /// Its numbers, or why there are none.
    pub(crate) outcome: Outcome,
}

impl Row {
    /// Its numbers, if it has any.
    pub(crate) fn numbers(&self) -> Option<&Numbers> {
        match &self.outcome {
            Outcome::Measured(numbers) => Some(numbers),
            Outcome::Failed(_) | Outcome::NotMeasured => None,
        }
    }
}

/// What a row is in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The denominator.
    Control,
    /// A strategy, by its place among those that are not the control.
    Strategy(usize),
    /// The bare loop.
    Limit,
}

/// Numbers, or the lack of them.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Verified in every round.
    Measured(Box<Numbers>),
    /// A check failed in at least one round; there are no numbers then.
    Failed(FailedRow),
    /// The plan has it, no complete round does.
    NotMeasured,
}

/// A strategy that failed on a cell.
#[derive(Clone, Debug)]
pub(crate) struct FailedRow {
    /// Where: `slow-writes, 16 threads`.
    pub(crate) place: String,
    /// Who.
    pub(crate) strategy: String,
    /// The first failure.
    pub(crate) failure: Failure,
    /// In how many of how many trials.
    pub(crate) how_often: String,
}

impl FailedRow {
    /// `failed: V2 (lost update 17), in 3 of 8 rounds`.
    pub(crate) fn sentence(&self) -> String {
        format!("failed: {} ({}), {}", self.failure.check, self.failure.reason, self.how_often)
    }
}

impl Model {
    /// Understands a session.
    ///
    /// # Errors
    /// No round is complete, or a record cannot be understood; nothing is half understood.
    pub(crate) fn new(session: &Session) -> Result<Self, Error> {
        let index = Index::new(session)?;
        let workloads: Vec<WorkloadView> = session
            .plan
            .workloads
            .iter()
            .map(|w| workload_view(session, &index, w))
            .collect::<Result<_, _>>()?;
        let strategies = strategies(session);
        let decision = Decision::new(&session.plan.control, &strategies, &workloads);
        let failures = failures(&workloads);
        Ok(Self {
            headline: headline::sentence(&session.plan.control, &strategies, &decision, index.rounds.len()),
            warnings: headline::warnings(session, index.rounds.len(), &failures),
            provenance: machine::provenance(session, index.rounds.len()),
            facts: machine::facts(session, index.rounds.len()),
            precision: headline::precision(&workloads),
            unknown: machine::unknown(session, &workloads),
            control: session.plan.control.clone(),
            rounds: index.rounds.len(),
            strategies,
            decision,
            failures,
            workloads,
        })
    }
}

fn strategies(session: &Session) -> Vec<String> {
    session.plan.strategies.iter().filter(|name| *name != LIMIT).cloned().collect()
}

fn workload_view(
    session: &Session,
    index: &Index<'_>,
    planned: &PlannedWorkload,
) -> Result<WorkloadView, Error> {
    let sweeps_writes = differ(planned, |cell| cell.write.requested);
    let cells = planned.cells.iter().map(|cell| {
        let clients = format!("{} {}", cell.clients, callers(cell));
        let write = write_time(cell.write.requested);
        let title = if sweeps_writes { format!("{clients}, {write}") } else { clients };
        let rows = rows(session, index, planned, cell, &title)?;
        let write = cell.write.requested;
        Ok(CellView { callers: cell.callers, clients: cell.clients, write, title, rows })
    });
    Ok(WorkloadView {
        name: planned.name.clone(),
        title: planned.title.clone(),
        question: planned.question.clone(),
        conditions: conditions(planned, sweeps_writes),
        objective: numbers::objective(planned),
        group_commit: planned.commit.is_some(),
        cells: cells.collect::<Result<_, _>>()?,
    })
}

fn differ<T: PartialEq>(planned: &PlannedWorkload, of: impl Fn(&PlannedCell) -> T) -> bool {
    planned.cells.windows(2).any(|pair| of(&pair[0]) != of(&pair[1]))
}

fn callers(cell: &PlannedCell) -> &'static str {
    match (cell.callers, cell.clients) {
        (Callers::Threads, 1) => "thread",
        (Callers::Threads, _) => "threads",
        (Callers::Tasks, 1) => "task",
        (Callers::Tasks, _) => "tasks",
    }
}

fn conditions(planned: &PlannedWorkload, sweeps_writes: bool) -> String {
    let mut conditions = Vec::new();
    match planned.cells.first() {
        Some(cell) if !sweeps_writes => conditions.push(write_time(cell.write.requested)),
        _ => conditions.push("several write costs".to_owned()),
    }
    if let Some(commit) = planned.commit {
        conditions
            .push(format!("each commit takes {} however many updates share it", requested(commit.requested)));
    }
    conditions.push(if planned.load == Load::Bursts {
        "idle, then every client at once; one update in flight per client".to_owned()
    } else {
        "closed loop: each client has one update in flight and sends the next at once".to_owned()
    });
    conditions.push(format!("capacity {}", planned.capacity));
    let (warm_up, window) =
        (Duration::from_nanos(planned.warm_up_ns), Duration::from_nanos(planned.window_ns));
    conditions.push(format!("{} measured after {} of warm-up", requested(window), requested(warm_up)));
    conditions.join(" · ")
}

fn rows(
    session: &Session,
    index: &Index<'_>,
    workload: &PlannedWorkload,
    cell: &PlannedCell,
    title: &str,
) -> Result<Vec<Row>, Error> {
    let mut next_strategy = 0;
    let mut rows = Vec::new();
    for strategy in &session.plan.strategies {
        let role = match strategy {
            name if *name == session.plan.control => Role::Control,
            name if name == LIMIT => Role::Limit,
            _ => {
                next_strategy += 1;
                Role::Strategy(next_strategy - 1)
            }
        };
        let place = || format!("{}, {title}", workload.name);
        let outcome = match index.failure(workload, cell, strategy) {
            Some((failure, how_often)) => {
                Outcome::Failed(FailedRow { place: place(), strategy: strategy.clone(), failure, how_often })
            }
            None => numbers::of(session, index, workload, cell, strategy)?,
        };
        rows.push(Row { strategy: strategy.clone(), role, outcome });
    }
    rows.sort_by_key(|row| row.role == Role::Limit);
    compare_with_control(&mut rows, &session.plan.control, numbers::objective(workload));
    Ok(rows)
}

fn compare_with_control(rows: &mut [Row], control: &str, objective: Objective) {
    let of_control = rows.iter().find(|row| row.strategy == control).and_then(Row::numbers);
    let of_control = of_control.map(|numbers| numbers.per_round.clone());
    for row in rows {
        if let Outcome::Measured(numbers) = &mut row.outcome {
            numbers.merit = match &of_control {
                Some(control) => objective.compare(&numbers.per_round, control),
                None => Err(Absent::because(format!("{control} has no numbers here"))),
            };
        }
    }
}

fn failures(workloads: &[WorkloadView]) -> Vec<FailedRow> {
    let rows = workloads.iter().flat_map(|workload| &workload.cells).flat_map(|cell| &cell.rows);
    rows.filter_map(|row| match &row.outcome {
        Outcome::Failed(failed) => Some(failed.clone()),
        Outcome::Measured(_) | Outcome::NotMeasured => None,
    })
    .collect()
}
