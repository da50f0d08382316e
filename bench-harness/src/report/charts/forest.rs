//! Who wins, and is it real? Ratios to the control with their intervals.

use super::{Chart, Grid, Table, id, simultaneous_words, strip};
use crate::report::draw::{Domain, Look, Mark, Strip, StripPanel, Strips};
use crate::report::format::{known, percent, plural, ratio, tick, times};
use crate::report::model::{CellView, Judged, Model, Numbers, Objective, Role, Row, WorkloadView};
use crate::stats::{Known, Verdict};

pub(super) fn chart(model: &Model, workload: &WorkloadView) -> Option<Chart> {
    let grid = Grid::of(&workload.cells);
    let numbers = rows(workload).filter_map(|(_, row)| row.numbers());
    let domain = Domain::log(numbers.flat_map(ends).chain([1.0]));
    let panels = grid.panels(|cell| panel(cell, &domain));
    let looks = workload.cells.first().into_iter().flat_map(shown);
    let looks = looks.map(|row| (row.strategy.clone(), Look::of(row.role))).collect();
    let strips = Strips { columns: grid.columns, rows: looks, panels, legend: Vec::new() };
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

/// Every row but the limit, which would press all others to one side.
fn shown(cell: &CellView) -> impl Iterator<Item = &Row> {
    cell.rows.iter().filter(|row| row.role != Role::Limit)
}

fn rows(workload: &WorkloadView) -> impl Iterator<Item = (&CellView, &Row)> {
    workload.cells.iter().flat_map(|cell| shown(cell).map(move |row| (cell, row)))
}

/// The rows that are judged, with what was judged.
fn judged(workload: &WorkloadView) -> impl Iterator<Item = (&CellView, &Row, &Judged)> {
    rows(workload).filter_map(|(cell, row)| Some((cell, row, row.numbers()?.judged.as_ref().ok()?)))
}

fn caption(model: &Model, workload: &WorkloadView) -> String {
    let (control, bar) = (&model.control, simultaneous_words(model));
    let what = match workload.objective {
        Objective::Throughput => format!("Updates per second over those of {control} in the same round"),
        Objective::Latency(q) | Objective::Held(q) => format!(
            "{} of the latency of {control} over the strategy's own in the same round, so that 2 is half as long; throughput \
             says nothing here, because the load sets the pace",
            q.name()
        ),
    };
    format!(
        "{what}; logarithmic, to the right is faster. Bar: {bar}. Grey band: the floor; what stays inside makes no difference \
         that counts. The twin is a strategy again under another name and is not judged."
    )
}

fn ends(numbers: &Numbers) -> Vec<f64> {
    let Ok(ratio) = &numbers.merit else { return Vec::new() };
    let interval = ratio.interval.iter().flat_map(|interval| [interval.low, interval.high]);
    interval.chain([ratio.estimate]).collect()
}

fn panel(cell: &CellView, domain: &Known<Domain>) -> StripPanel {
    let draw = |row: &Row, numbers: &Numbers| match &numbers.merit {
        Err(_) => Strip { marks: Vec::new(), value: "no ratio".to_owned() },
        Ok(ratio) => {
            let range = ratio.interval.iter().map(|interval| Mark::Range(interval.low, interval.high));
            let marks = range.chain([Mark::Point(ratio.estimate)]).collect();
            let shape = row.verdict().1;
            Strip { marks, value: format!("{} {shape}", times(ratio.estimate)) }
        }
    };
    let floor = cell.rows.iter().find_map(|row| Some(row.numbers()?.judged.as_ref().ok()?.floor));
    StripPanel {
        title: cell.title.clone(),
        domain: domain.clone(),
        tick: |value| format!("{}×", tick(value)),
        rule: Some(1.0),
        band: floor.map(|floor| (1.0 / (1.0 + floor), 1.0 + floor)),
        strips: shown(cell).map(|row| strip(row, |numbers| draw(row, numbers))).collect(),
    }
}

fn finding(model: &Model, workload: &WorkloadView) -> String {
    let verdicts: Vec<Verdict> = judged(workload).map(|(_, _, judged)| judged.verdict).collect();
    if verdicts.is_empty() {
        return format!("No strategy could be compared with {} here.", model.control);
    }
    let n = |wanted: Verdict| number_of(verdicts.iter().filter(|verdict| **verdict == wanted).count());
    let counts = format!(
        "Of {} with {}, {} faster, {} slower, {} equivalent, {} inconclusive.",
        plural(verdicts.len(), "comparison"),
        model.control,
        n(Verdict::Faster),
        n(Verdict::Slower),
        n(Verdict::Equivalent),
        n(Verdict::Inconclusive)
    );
    let sure =
        judged(workload).filter(|(_, _, judged)| matches!(judged.verdict, Verdict::Faster | Verdict::Slower));
    let largest = sure.max_by(|a, b| a.2.excess.centre.abs().total_cmp(&b.2.excess.centre.abs()));
    let Some((cell, row, _)) = largest else { return counts };
    let merit = row.numbers().map_or_else(String::new, |numbers| known(&numbers.merit, ratio));
    let what = match workload.objective {
        Objective::Throughput => "the control".to_owned(),
        objective => format!("as fast as the control by the {}", objective.measure()),
    };
    format!("{} at {} is {merit} {what}. {counts}", row.strategy, cell.title)
}

fn number_of(n: usize) -> String {
    if n == 0 { "none".to_owned() } else { n.to_string() }
}

fn table(workload: &WorkloadView) -> Table {
    let rows = rows(workload).filter_map(|(cell, row)| {
        let numbers = row.numbers()?;
        let ratio = &numbers.merit;
        let end = |pick: fn(&crate::stats::Interval) -> f64| match ratio {
            Ok(ratio) => known(&ratio.interval, |interval| times(pick(interval))),
            Err(_) => crate::report::format::NONE.to_owned(),
        };
        let judged = &numbers.judged;
        Some(vec![
            cell.title.clone(),
            row.strategy.clone(),
            row.verdict().0.to_owned(),
            known(ratio, |ratio| times(ratio.estimate)),
            end(|interval| interval.low),
            end(|interval| interval.high),
            known(ratio, |ratio| ratio.n.to_string()),
            known(judged, |judged| percent(judged.floor)),
            known(judged, |judged| known(&judged.detectable, |seen| percent(*seen))),
        ])
    });
    Table {
        columns: vec![
            "Cell",
            "Strategy",
            "Verdict",
            "× control",
            "Low",
            "High",
            "Rounds",
            "Floor",
            "Could see",
        ],
        rows: rows.collect(),
    }
}
