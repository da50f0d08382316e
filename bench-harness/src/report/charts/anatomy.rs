//! Where does an update spend its time? The means of its five parts, which add up; percentiles would not.

use super::{Chart, Grid, Table, drawn, id, measured, row_looks, strip};
use crate::report::draw::{Domain, Mark, Strip, StripPanel, Strips};
use crate::report::format::{duration, percent, tick_duration};
use crate::report::model::{CellView, Model, Numbers, PARTS, WorkloadView};
use crate::stats::Known;

pub(super) fn chart(model: &Model, workload: &WorkloadView) -> Option<Chart> {
    let grid = Grid::of(&workload.cells);
    let panels = grid.scaled_panels(|numbers| Domain::from_zero(numbers.filter_map(total)), panel);
    let legend = PARTS.iter().enumerate().map(|(i, part)| (i, (*part).to_owned())).collect();
    let strips = Strips { columns: grid.columns, rows: row_looks(workload), panels, legend };
    let commit =
        if workload.group_commit { " Each update carries the whole commit that it shares." } else { "" };
    Some(Chart {
        id: id("anatomy", workload),
        title: "Where does an update spend its time?",
        finding: finding(model, workload),
        caption: format!(
            "Means over all rounds; the parts add up to the mean latency. Waiting for a lock is part of submit, waiting in \
             a queue is queued. {}{commit}",
            grid.scale_words()
        ),
        drawing: strips.draw(),
        table: table(workload),
        leading: false,
    })
}

fn total(numbers: &Numbers) -> Option<f64> {
    numbers.parts.as_ref().ok().map(|parts| parts.iter().sum())
}

fn panel(cell: &CellView, domain: Known<Domain>) -> StripPanel {
    let draw = |numbers: &Numbers| match &numbers.parts {
        Err(_) => Strip { marks: Vec::new(), value: "not timed".to_owned() },
        Ok(parts) => {
            let mut from = 0.0;
            let bar = |(part, mean): (usize, &f64)| {
                from += mean;
                Mark::Bar(from - mean, from, part)
            };
            let marks = parts.iter().enumerate().filter(|(_, mean)| **mean > 0.0).map(bar).collect();
            Strip { marks, value: duration(parts.iter().sum()) }
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
        let parts = numbers.parts.as_ref().ok()?;
        let (part, mean) = parts.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        let total: f64 = parts.iter().sum();
        (total > 0.0).then(|| format!("{} of it {}", percent(mean / total), PARTS[part]))
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
        cells.extend(parts.iter().map(|mean| duration(*mean)));
        cells.push(duration(parts.iter().sum()));
        Some(cells)
    });
    let columns = ["Cell", "Strategy"].into_iter().chain(PARTS).chain(["Sum"]).collect();
    Table { columns, rows: rows.collect() }
}
