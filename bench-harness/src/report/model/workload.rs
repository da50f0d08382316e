//! A workload as a report shows it: its cells, and the rows of each in the order of the list.

use std::collections::BTreeMap;
use std::time::Duration;

use super::index::Index;
use super::verdicts::Court;
use super::{CellView, FailedRow, Outcome, Role, Row, WorkloadView, numbers, objective};
use crate::record::{LIMIT, Measurement, Plan, PlannedCell, PlannedWorkload, Session};
use crate::report::Error;
use crate::report::format::{requested, whole_percent, write_time};
use crate::workload::definition::{Callers, Load};

/// What labels are called.
#[derive(Debug)]
pub(super) struct Names<'s> {
    /// The shown name of each twin's label, and whose twin it is.
    twins: BTreeMap<&'s str, (String, &'s str)>,
}

impl<'s> Names<'s> {
    pub(super) fn of(plan: &'s Plan) -> Self {
        let mut twins: BTreeMap<&str, (String, &str)> = BTreeMap::new();
        for (label, original) in &plan.twins {
            let before = twins.values().filter(|(_, of)| of == original).count();
            let number = if before > 0 { format!(" ({})", before + 1) } else { String::new() };
            twins.insert(label, (format!("twin of {original}{number}"), original));
        }
        Self { twins }
    }

    /// The labels that are compared: neither twins nor the limit.
    fn is_strategy(&self, label: &str) -> bool {
        label != LIMIT && !self.twins.contains_key(label)
    }

    /// Strategies in list order, the control first.
    pub(super) fn strategies(&self, plan: &Plan) -> Vec<String> {
        let mut names: Vec<String> =
            plan.strategies.iter().filter(|name| self.is_strategy(name)).cloned().collect();
        names.sort_by_key(|name| *name != plan.control);
        names
    }

    /// How many rows of the plan are compared with the control.
    pub(super) fn judged_rows(&self, plan: &Plan) -> usize {
        let cells: usize = plan.workloads.iter().map(|workload| workload.cells.len()).sum();
        self.strategies(plan).len().saturating_sub(1) * cells
    }
}

/// A workload with all its cells, judged.
///
/// # Errors
/// A histogram that is missing or cannot be read.
pub(super) fn view(
    session: &Session,
    index: &Index<'_>,
    names: &Names<'_>,
    court: &Court,
    planned: &PlannedWorkload,
) -> Result<WorkloadView, Error> {
    let sweeps_writes = differ(planned, |cell| cell.write.requested);
    let sweeps_load = differ(planned, |cell| cell.load);
    let headline = objective::headline(planned, measurements(session, index, names, planned));
    let held = objective::held(measurements(session, index, names, planned));
    let cells = planned.cells.iter().map(|cell| {
        let mut title = format!("{} {}", cell.clients, callers(cell));
        if sweeps_writes {
            title += &format!(", {}", write_time(cell.write.requested));
        }
        if let Some(load) = cell.load.filter(|_| sweeps_load) {
            title += &format!(", {} load", whole_percent(load));
        }
        let mut rows = rows(session, index, names, court, planned, cell, &title)?;
        court.judge(&mut rows, headline);
        let (callers, clients, write) = (cell.callers, cell.clients, cell.write.requested);
        Ok(CellView { callers, clients, write, offered: cell.load, title, rows })
    });
    Ok(WorkloadView {
        name: planned.name.clone(),
        title: planned.title.clone(),
        question: planned.question.clone(),
        conditions: conditions(planned, sweeps_writes),
        objective: headline,
        held,
        load: planned.load,
        group_commit: planned.commit.is_some(),
        cells: cells.collect::<Result<_, _>>()?,
    })
}

/// What the strategies of a workload measured in the rounds that count.
fn measurements<'s>(
    session: &Session,
    index: &'s Index<'s>,
    names: &Names<'_>,
    workload: &PlannedWorkload,
) -> impl Iterator<Item = &'s Measurement> {
    let rows = workload.cells.iter().flat_map(|cell| {
        let labels = session.plan.strategies.iter().filter(|label| names.is_strategy(label));
        labels.flat_map(move |label| index.measurements(workload, cell, label, &index.rounds))
    });
    rows.map(|(_, measurement)| measurement).collect::<Vec<_>>().into_iter()
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
    conditions.push(
        match planned.load {
            Load::Steady => "closed loop: each client has one update in flight and sends the next at once",
            Load::Bursts => "idle, then every client at once; one update in flight per client",
            Load::Poisson => "open loop: updates arrive at random times, whatever the answers do",
            Load::Constant => "open loop: updates arrive at equal distances, whatever the answers do",
        }
        .to_owned(),
    );
    if let Some(deadline) = planned.deadline_ns {
        conditions.push(format!("of use for {}", requested(Duration::from_nanos(deadline))));
    }
    conditions.push(format!("capacity {}", planned.capacity));
    let (warm_up, window) =
        (Duration::from_nanos(planned.warm_up_ns), Duration::from_nanos(planned.window_ns));
    conditions.push(format!("{} measured after {} of warm-up", requested(window), requested(warm_up)));
    conditions.join(" · ")
}

fn rows(
    session: &Session,
    index: &Index<'_>,
    names: &Names<'_>,
    court: &Court,
    workload: &PlannedWorkload,
    cell: &PlannedCell,
    title: &str,
) -> Result<Vec<Row>, Error> {
    let mut next_strategy = 0;
    let mut rows = Vec::new();
    for label in &session.plan.strategies {
        let twin = names.twins.get(label.as_str());
        let role = match label {
            _ if twin.is_some() => Role::Twin,
            name if *name == session.plan.control => Role::Control,
            name if name == LIMIT => Role::Limit,
            _ => {
                next_strategy += 1;
                Role::Strategy(next_strategy - 1)
            }
        };
        let strategy = twin.map_or_else(|| label.clone(), |(name, _)| name.clone());
        let place = || format!("{}, {title}", workload.name);
        let outcome = match index.failure(workload, cell, label) {
            Some((failure, how_often)) => {
                Outcome::Failed(FailedRow { place: place(), strategy: strategy.clone(), failure, how_often })
            }
            None => numbers::of(session, index, workload, cell, label, court.family)?,
        };
        rows.push(Row { strategy, twin_of: twin.map(|(_, of)| (*of).to_owned()), role, outcome });
    }
    // Control and twin first, the limit last; strategies stay in list order.
    rows.sort_by_key(|row| match row.role {
        Role::Control => 0,
        Role::Twin => 1,
        Role::Strategy(_) => 2,
        Role::Limit => 3,
    });
    Ok(rows)
}

/// Rows without numbers because a check failed.
pub(super) fn failures(workloads: &[WorkloadView]) -> Vec<FailedRow> {
    let rows = workloads.iter().flat_map(|workload| &workload.cells).flat_map(|cell| &cell.rows);
    rows.filter_map(|row| match &row.outcome {
        Outcome::Failed(failed) => Some(failed.clone()),
        Outcome::Measured(_) | Outcome::NotMeasured => None,
    })
    .collect()
}
