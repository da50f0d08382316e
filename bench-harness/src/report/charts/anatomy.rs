//! Where does an update spend its time? The means of its five parts, which add up; percentiles would not.

use super::{Chart, Grid, Table, drawn, id, measured, row_looks, strip};
use crate::report::draw::{Domain, Mark, Strip, StripPanel, Strips};
use crate::report::format::{duration, known, percent, tick_duration};
use crate::report::model::{CellView, Model, Numbers, PARTS, WorkloadView};
use crate::stats::Known;

pub(super) fn chart(model: &Model, workload: &WorkloadView) -> Option<Chart> {
    let grid = Grid::of(&workload.cells);
    let panels = grid.scaled_panels(|numbers| Domain::from_zero(numbers.filter_map(total)), panel);
    let lag = workload.is_open().then(|| (LAG, "lag".to_owned()));
    let parts = PARTS.iter().enumerate().map(|(i, part)| (i, (*part).to_owned()));
    let legend = lag.into_iter().chain(parts).collect();
    let strips = Strips { columns: grid.columns, rows: row_looks(workload), panels, legend };
    let commit =
        if workload.group_commit { " Each update carries the whole commit that it shares." } else { "" };
    Some(Chart {
        id: id("anatomy", workload),
        title: "Where does an update spend its time?",
        finding: finding(model, workload),
        caption: format!(
            "Means over all rounds; the parts add up to the mean latency{}. Waiting for a lock is part of submit, waiting in \
             a queue is queued. {}{commit}",
            if workload.is_open() {
                " of what was answered; lag is from the planned start to submit"
            } else {
                ""
            },
            grid.scale_words()
        ),
        drawing: strips.draw(),
        table: table(workload),
        leading: false,
    })
}

/// The texture of the part that only open loops have: from the planned start to submit.
const LAG: usize = 5;

/// The parts in the order in which they pass, each with its texture.
fn parts(numbers: &Numbers) -> Option<Vec<(usize, f64)>> {
    let parts = numbers.parts.as_ref().ok()?;
    let lag = numbers.open.as_ref().and_then(|open| open.mean_lag.clone().ok()).map(|mean| (LAG, mean));
    Some(lag.into_iter().chain(parts.iter().copied().enumerate()).collect())
}

fn total(numbers: &Numbers) -> Option<f64> {
    Some(parts(numbers)?.iter().map(|(_, mean)| mean).sum())
}

fn panel(cell: &CellView, domain: Known<Domain>) -> StripPanel {
    let draw = |numbers: &Numbers| match parts(numbers) {
        None => Strip { marks: Vec::new(), value: "not timed".to_owned() },
        Some(parts) => {
            let mut from = 0.0;
            let bar = |(part, mean): &(usize, f64)| {
                from += mean;
                Mark::Bar(from - mean, from, *part)
            };
            let marks = parts.iter().filter(|(_, mean)| *mean > 0.0).map(bar).collect();
            Strip { marks, value: duration(parts.iter().map(|(_, mean)| mean).sum()) }
        }
    };
    StripPanel {
        title: cell.title.clone(),
        domain,
        tick: tick_duration,
        rule: None,
        band: None,
        strips: drawn(cell).map(|row| strip(row, draw)).collect(),
    }
}

/// At the cell with most clients: the largest part of the control, and of the strategy with the shortest life.
fn finding(model: &Model, workload: &WorkloadView) -> String {
    let Some(cell) = workload.cells.iter().max_by_key(|cell| (cell.clients, cell.write)) else {
        return String::new();
    };
    let largest = |numbers: &Numbers| {
        let (part, mean) = parts(numbers)?.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let (total, name) = (total(numbers)?, PARTS.get(part).copied().unwrap_or("lag"));
        (total > 0.0).then(|| format!("{} of it {name}", percent(mean / total)))
    };
    let sentence = |name: &str| {
        let numbers = cell.numbers(name)?;
        Some(format!(
            "with {name} an update takes {} on average, {}",
            duration(total(numbers)?),
            largest(numbers)?
        ))
    };
    let others = cell.rows.iter().filter(|row| matches!(row.role, crate::report::model::Role::Strategy(_)));
    let shortest =
        others.filter_map(|row| Some((row, total(row.numbers()?)?))).min_by(|a, b| a.1.total_cmp(&b.1));
    let sentences = [sentence(&model.control), shortest.and_then(|(row, _)| sentence(&row.strategy))];
    let sentences: Vec<String> = sentences.into_iter().flatten().collect();
    if sentences.is_empty() {
        return "The parts were not timed.".to_owned();
    }
    format!("At {} {}.", cell.title, sentences.join("; "))
}

fn table(workload: &WorkloadView) -> Table {
    let rows = measured(workload).filter_map(|(cell, row, numbers)| {
        let parts = numbers.parts.as_ref().ok()?;
        let mut cells = vec![cell.title.clone(), row.strategy.clone()];
        let lag = numbers.open.as_ref().map(|open| known(&open.mean_lag, |ns| duration(*ns)));
        cells.extend(lag);
        cells.extend(parts.iter().map(|mean| duration(*mean)));
        cells.push(duration(total(numbers)?));
        Some(cells)
    });
    let lag = workload.is_open().then_some("lag");
    let columns = ["Cell", "Strategy"].into_iter().chain(lag).chain(PARTS).chain(["Sum"]).collect();
    Table { columns, rows: rows.collect() }
}
