//! How bad is the tail? Latency from the median to as far as the samples reach.

use super::{Chart, Grid, Table, id, measured, row_looks, strategies};
use crate::report::draw::{Curve, Domain, LinePanel, Lines, Look};
use crate::report::format::{count, duration, known, number, tick_duration};
use crate::report::model::{CellView, Numbers, WorkloadView};
use crate::stats::Known;

pub(super) fn chart(workload: &WorkloadView) -> Option<Chart> {
    let grid = Grid::of(&workload.cells);
    let odds = strategies(workload).flat_map(|(_, _, numbers)| numbers.spectrum.iter().map(|point| point.0));
    let x = Domain::log(odds);
    let heights = |numbers: &mut dyn Iterator<Item = &Numbers>| {
        let points = numbers.filter(|numbers| !numbers.is_limit).flat_map(|numbers| {
            let service = numbers.open.iter().flat_map(|open| open.service_spectrum.clone());
            numbers.spectrum.iter().copied().chain(service).collect::<Vec<_>>()
        });
        Domain::log(points.map(|point| point.1))
    };
    let panels = grid.scaled_panels(heights, |cell, y| panel(workload, cell, &x, y));
    Some(Chart {
        id: id("spectrum", workload),
        title: "How bad is the tail?",
        finding: finding(workload) + &omission(workload),
        caption: caption(workload),
        drawing: Lines { columns: grid.columns, panels }.draw(),
        table: table(workload),
        leading: false,
    })
}

fn caption(workload: &WorkloadView) -> String {
    let (from, loop_type) = if workload.is_open() {
        (
            "Latency from the planned start to the answer; dashed: from submit really called. Both",
            "Open loop: what waits before it can be sent counts.",
        )
    } else {
        (
            "Latency from submit called to answer received, over the percentile; both",
            "Closed loop: this is the service time under so many clients, not what a user would wait whose arrival does not \
             depend on earlier answers.",
        )
    };
    format!(
        "{from} logarithmic, all rounds together. A curve ends where fewer than ten samples lie above it. {loop_type}"
    )
}

/// How much better an open loop would look to somebody who starts the clock at the send.
fn omission(workload: &WorkloadView) -> String {
    let factors = strategies(workload).filter_map(|(cell, row, numbers)| {
        let (full, sent) =
            (numbers.latency.p99.as_ref().ok()?, numbers.open.as_ref()?.service.p99.as_ref().ok()?);
        Some((full / sent, row.strategy.clone(), cell.title.clone()))
    });
    let most = factors.filter(|factor| factor.0.is_finite()).max_by(|a, b| a.0.total_cmp(&b.0));
    most.map_or_else(String::new, |(factor, strategy, cell)| {
        format!(
            " Timed from the send, p99 looks up to {} times better ({strategy} at {cell}).",
            number(factor)
        )
    })
}

fn panel(workload: &WorkloadView, cell: &CellView, x: &Known<Domain>, y: Known<Domain>) -> LinePanel {
    let curve = |name: &str, look: Look, points: &[(f64, f64)], thin: bool| {
        let (name, points) = (name.to_owned(), points.to_vec());
        let drawn = Curve { name, look, points, band: Vec::new(), thin, special: Vec::new() };
        (!drawn.points.is_empty()).then_some(drawn)
    };
    // Of an open loop also what somebody would see who starts the clock at the send.
    let curves = |(name, look): (String, Look)| {
        let numbers = cell.numbers(&name).filter(|numbers| !numbers.is_limit);
        let service = numbers.and_then(|numbers| numbers.open.as_ref());
        let service = service.and_then(|open| curve(&name, look, &open.service_spectrum, true));
        numbers.and_then(|numbers| curve(&name, look, &numbers.spectrum, false)).into_iter().chain(service)
    };
    let ticks =
        [(2.0, "50 %"), (10.0, "90 %"), (1e2, "99 %"), (1e3, "99.9 %"), (1e4, "99.99 %"), (1e5, "99.999 %")];
    let in_reach = |odds: &f64| x.as_ref().is_ok_and(|x| x.holds(*odds));
    LinePanel {
        title: format!("latency, {}", cell.title),
        x_title: "percentile of updates".to_owned(),
        x: x.clone(),
        y,
        x_ticks: ticks
            .iter()
            .filter(|(odds, _)| in_reach(odds))
            .map(|(odds, text)| (*odds, (*text).to_owned()))
            .collect(),
        y_tick: tick_duration,
        rule: None,
        curves: row_looks(workload).into_iter().flat_map(curves).collect(),
        markers: false,
        shaded: Vec::new(),
    }
}

/// The widest spread of p99 between strategies on one cell.
fn finding(workload: &WorkloadView) -> String {
    let p99 = |numbers: &Numbers| numbers.latency.p99.as_ref().ok().copied();
    let spread = |cell: &CellView| {
        let all: Vec<(f64, String)> = strategies(workload)
            .filter(|(other, _, _)| std::ptr::eq(*other, cell))
            .filter_map(|(_, row, numbers)| Some((p99(numbers)?, row.strategy.clone())))
            .collect();
        let low = all.iter().min_by(|a, b| a.0.total_cmp(&b.0))?.clone();
        let high = all.iter().max_by(|a, b| a.0.total_cmp(&b.0))?.clone();
        (low.1 != high.1).then(|| (high.0 / low.0, low, high, cell.title.clone()))
    };
    let widest = workload.cells.iter().filter_map(spread).max_by(|a, b| a.0.total_cmp(&b.0));
    let Some((_, low, high, cell)) = widest else {
        return "Too few samples to compare a p99.".to_owned();
    };
    format!(
        "At {cell} the p99 goes from {} ({}) to {} ({}).",
        duration(low.0),
        low.1,
        duration(high.0),
        high.1
    )
}

fn table(workload: &WorkloadView) -> Table {
    let rows = measured(workload).map(|(cell, row, numbers)| {
        let mut cells = vec![cell.title.clone(), row.strategy.clone()];
        let latency = &numbers.latency;
        cells.extend(
            [&latency.p50, &latency.p90, &latency.p99, &latency.p999, &latency.max]
                .map(|p| known(p, |ns| duration(*ns))),
        );
        cells.push(count(latency.count));
        cells
    });
    Table {
        columns: vec!["Cell", "Strategy", "p50", "p90", "p99", "p99.9", "Max", "Samples"],
        rows: rows.collect(),
    }
}
