//! Who wins, and is it real? Ratios to the control with their intervals.

use super::{Chart, Grid, Table, id, interval_words, measured, row_looks, strategies, strip};
use crate::report::draw::{Domain, Mark, Strip, StripPanel, Strips};
use crate::report::format::{known, number, plural, ratio, tick, times};
use crate::report::model::{CellView, Model, Numbers, Objective, Role, WorkloadView};
use crate::stats::Known;

pub(super) fn chart(model: &Model, workload: &WorkloadView) -> Option<Chart> {
    let grid = Grid::of(&workload.cells);
    let domain = Domain::log(measured(workload).flat_map(|(_, _, numbers)| ends(numbers)).chain([1.0]));
    let panels = grid.panels(|cell| panel(cell, &domain));
    let strips = Strips { columns: grid.columns, rows: row_looks(workload), panels, legend: Vec::new() };
    Some(Chart {
        id: id("forest", workload),
        title: "Who wins, and is it real?",
        finding: finding(model, workload),
        caption: caption(model, workload),
        drawing: strips.draw(),
        table: table(workload),
        leading: true,
    })
}

fn caption(model: &Model, workload: &WorkloadView) -> String {
    let (control, bar) = (&model.control, interval_words(model));
    match workload.objective {
        Objective::Throughput => format!(
            "Updates per second over those of {control} in the same round, logarithmic; to the right is faster. Bar: {bar}."
        ),
        Objective::Latency => format!(
            "p90 of the latency of {control} over the strategy's own in the same round, logarithmic; to the right is faster, 2 \
             is half as long. Throughput says nothing here: the bursts set the pace. Bar: {bar}."
        ),
    }
}

fn ends(numbers: &Numbers) -> Vec<f64> {
    let Ok(ratio) = &numbers.merit else { return Vec::new() };
    let interval = ratio.interval.iter().flat_map(|interval| [interval.low, interval.high]);
    interval.chain([ratio.estimate]).collect()
}

fn panel(cell: &CellView, domain: &Known<Domain>) -> StripPanel {
    let draw = |numbers: &Numbers| match &numbers.merit {
        Err(_) => Strip { marks: Vec::new(), value: "no ratio".to_owned() },
        Ok(ratio) => {
            let range = ratio.interval.iter().map(|interval| Mark::Range(interval.low, interval.high));
            let marks = range.chain([Mark::Point(ratio.estimate)]).collect();
            Strip { marks, value: times(ratio.estimate) }
        }
    };
    StripPanel {
        title: cell.title.clone(),
        domain: domain.clone(),
        tick: |value| format!("{}×", tick(value)),
        rule: Some(1.0),
        strips: cell.rows.iter().map(|row| strip(row, draw)).collect(),
    }
}

fn finding(model: &Model, workload: &WorkloadView) -> String {
    let compared: Vec<_> = strategies(workload)
        .filter(|(_, row, _)| row.role != Role::Control)
        .filter_map(|(cell, row, numbers)| Some((cell, row, numbers.merit.as_ref().ok()?)))
        .collect();
    let known: Vec<_> = compared.iter().filter(|(_, _, ratio)| ratio.interval.is_ok()).collect();
    if known.is_empty() {
        return format!("No interval compares a strategy with {} here.", model.control);
    }
    let faster = known.iter().filter(|(_, _, ratio)| ratio.surely_above(1.0)).count();
    let slower = known.iter().filter(|(_, _, ratio)| ratio.surely_below(1.0)).count();
    let counts = format!(
        "Of {} with {}, {} surely faster, {} surely slower, {} too close to tell.",
        plural(known.len(), "comparison"),
        model.control,
        number_of(faster),
        number_of(slower),
        number_of(known.len() - faster - slower)
    );
    let sure = known.iter().filter(|(_, _, ratio)| ratio.surely_above(1.0) || ratio.surely_below(1.0));
    let distance = |ratio: &crate::stats::Ratio| ratio.estimate.ln().abs();
    match sure.max_by(|a, b| distance(a.2).total_cmp(&distance(b.2))) {
        Some((cell, row, largest)) => {
            let what = if workload.objective == Objective::Latency {
                "the speed of the control at p90"
            } else {
                "the control"
            };
            format!("{} at {} is {} {what}. {counts}", row.strategy, cell.title, ratio(largest))
        }
        None => counts,
    }
}

fn number_of(n: usize) -> String {
    if n == 0 { "none".to_owned() } else { n.to_string() }
}

fn table(workload: &WorkloadView) -> Table {
    let rows = measured(workload).map(|(cell, row, numbers)| {
        let ratio = &numbers.merit;
        let end = |pick: fn(&crate::stats::Interval) -> f64| match ratio {
            Ok(ratio) => known(&ratio.interval, |interval| times(pick(interval))),
            Err(_) => crate::report::format::NONE.to_owned(),
        };
        vec![
            cell.title.clone(),
            row.strategy.clone(),
            known(ratio, |ratio| times(ratio.estimate)),
            end(|interval| interval.low),
            end(|interval| interval.high),
            known(ratio, |ratio| number(ratio.n as f64).trim_end_matches(".00").to_owned()),
        ]
    });
    Table { columns: vec!["Cell", "Strategy", "× control", "Low", "High", "Rounds"], rows: rows.collect() }
}
