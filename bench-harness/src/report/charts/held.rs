//! How long is the caller stuck? Time inside `submit`.

use super::{Chart, Grid, Table, drawn, id, measured, row_looks, strategies, strip};
use crate::report::draw::{Domain, Mark, Strip, StripPanel, Strips};
use crate::report::format::{duration, known, tick_duration};
use crate::report::model::{CellView, Model, Numbers, WorkloadView};
use crate::stats::Known;

pub(super) fn chart(model: &Model, workload: &WorkloadView) -> Option<Chart> {
    let grid = Grid::of(&workload.cells);
    let ends =
        |numbers: &Numbers| [&numbers.held.p50, &numbers.held.p99].map(|p| p.clone().unwrap_or(f64::NAN));
    let panels = grid.scaled_panels(|numbers| Domain::log(numbers.flat_map(ends)), panel);
    let strips = Strips { columns: grid.columns, rows: row_looks(workload), panels, legend: Vec::new() };
    Some(Chart {
        id: id("held", workload),
        title: "How long is the caller stuck?",
        finding: finding(model, workload),
        caption: "Time inside submit, before the caller is free to do something else; logarithmic. Filled: p50, ring: \
                  p99, of all rounds together. A lock holds its caller while others work and while it works itself."
            .to_owned(),
        drawing: strips.draw(),
        table: table(workload),
        leading: false,
    })
}

fn panel(cell: &CellView, domain: Known<Domain>) -> StripPanel {
    let draw = |numbers: &Numbers| {
        let (p50, p99) = (numbers.held.p50.as_ref().ok(), numbers.held.p99.as_ref().ok());
        let range = p50.zip(p99).map(|(p50, p99)| Mark::Range(*p50, *p99));
        let marks =
            range.into_iter().chain(p99.map(|p| Mark::Hollow(*p))).chain(p50.map(|p| Mark::Point(*p)));
        Strip { marks: marks.collect(), value: value(numbers) }
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

/// p99, or p50 where the samples are too few for it.
fn value(numbers: &Numbers) -> String {
    match (&numbers.held.p99, &numbers.held.p50) {
        (Ok(p99), _) => duration(*p99),
        (Err(_), Ok(p50)) => format!("p50 {}", duration(*p50)),
        (Err(_), Err(_)) => "too few".to_owned(),
    }
}

/// At the cell where the control holds its caller longest: the control, and who holds shortest.
fn finding(model: &Model, workload: &WorkloadView) -> String {
    let p99 = |numbers: &Numbers| numbers.held.p99.as_ref().ok().copied();
    let of_control = strategies(workload)
        .filter(|(_, row, _)| row.strategy == model.control)
        .filter_map(|(cell, _, numbers)| Some((cell, p99(numbers)?)))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let Some((cell, control)) = of_control else {
        return format!("{} has no p99 of the time in submit here.", model.control);
    };
    let others = cell.rows.iter().filter(|row| matches!(row.role, crate::report::model::Role::Strategy(_)));
    let least = others.filter_map(|row| Some((row, p99(row.numbers()?)?))).min_by(|a, b| a.1.total_cmp(&b.1));
    let Some((row, least)) = least else {
        return format!("At p99 {} holds its caller {} ({}).", model.control, duration(control), cell.title);
    };
    format!(
        "At p99 {} holds its caller {}, {} {} ({}).",
        row.strategy,
        duration(least),
        model.control,
        duration(control),
        cell.title
    )
}

fn table(workload: &WorkloadView) -> Table {
    let rows = measured(workload).map(|(cell, row, numbers)| {
        vec![
            cell.title.clone(),
            row.strategy.clone(),
            known(&numbers.held.p50, |ns| duration(*ns)),
            known(&numbers.held.p99, |ns| duration(*ns)),
            crate::report::format::count(numbers.held.count),
        ]
    });
    Table { columns: vec!["Cell", "Strategy", "p50", "p99", "Samples"], rows: rows.collect() }
}
