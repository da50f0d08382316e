//! Does the tool cry wolf? What the session made of the same strategy under two names.

use super::{Chart, Table};
use crate::report::draw::{Domain, Look, Mark, Strip, StripPanel, Strips};
use crate::report::format::{known, number, percent, ratio, tick, times};
use crate::report::model::{CellView, Model, Role, TwinRatio, WorkloadView, called_different};
use crate::stats::Ratio;

pub(super) fn chart(model: &Model) -> Option<Chart> {
    let pairs: Vec<_> = pairs(model).collect();
    if pairs.is_empty() {
        return None;
    }
    let ratio = |twin: &TwinRatio| twin.ratio.as_ref().ok().map(|ratio| ratio.estimate);
    let floors = pairs.iter().filter_map(|(_, cell, _)| floor(cell));
    let floor = floors.fold(0.0, f64::max);
    let workloads = model.workloads.iter().filter(|w| pairs.iter().any(|(of, _, _)| of.name == w.name));
    let names: Vec<&str> = workloads.map(|workload| workload.name.as_str()).collect();
    let strips = names.iter().map(|name| {
        let of = pairs.iter().filter(|(workload, _, _)| workload.name == *name);
        let found: Vec<f64> = of.filter_map(|(_, _, twin)| ratio(twin)).collect();
        let furthest = found.iter().copied().max_by(|a, b| a.ln().abs().total_cmp(&b.ln().abs()));
        let value = furthest.map_or_else(String::new, |ratio| format!("furthest {}", times(ratio)));
        Strip { marks: found.into_iter().map(Mark::Point).collect(), value }
    });
    let ends = [1.0 / (1.0 + floor), 1.0, 1.0 + floor];
    let panel = StripPanel {
        title: "the same strategy under two names".to_owned(),
        domain: Domain::log(pairs.iter().filter_map(|(_, _, twin)| ratio(twin)).chain(ends)),
        tick: |value| format!("{}×", tick(value)),
        rule: Some(1.0),
        band: Some((ends[0], ends[2])),
        strips: strips.collect(),
    };
    let look = Look::of(Role::Twin);
    let rows = names.iter().map(|name| ((*name).to_owned(), look)).collect();
    let strips = Strips { columns: 1, rows, panels: vec![Some(panel)], legend: Vec::new() };
    Some(Chart {
        id: "twin".to_owned(),
        title: "Does the tool cry wolf?",
        finding: format!("{}.", called_different(pairs.iter().map(|(_, _, twin)| *twin))),
        caption: "A star per cell: how much better a strategy looked under its other name, by what its cell is judged by; 1 is \
                  the truth. Grey band: the largest floor of the session. In brackets: how often such pairs may be called \
                  different at most, with 95 %."
            .to_owned(),
        drawing: strips.draw(),
        table: table(&pairs),
        leading: true,
    })
}

type Pair<'m> = (&'m WorkloadView, &'m CellView, &'m TwinRatio);

fn pairs(model: &Model) -> impl Iterator<Item = Pair<'_>> {
    let cells =
        model.workloads.iter().flat_map(|workload| workload.cells.iter().map(move |cell| (workload, cell)));
    let rows = cells.flat_map(|(workload, cell)| cell.rows.iter().map(move |row| (workload, cell, row)));
    rows.filter_map(|(workload, cell, row)| Some((workload, cell, row.numbers()?.twin.as_ref()?)))
}

fn floor(cell: &CellView) -> Option<f64> {
    cell.rows.iter().find_map(|row| Some(row.numbers()?.judged.as_ref().ok()?.floor))
}

fn table(pairs: &[Pair<'_>]) -> Table {
    let rows = pairs.iter().map(|(workload, cell, twin)| {
        vec![
            workload.name.clone(),
            cell.title.clone(),
            format!("{} twice", twin.of),
            known(&twin.ratio, ratio),
            known(&twin.ratio, |ratio: &Ratio| number(ratio.estimate.ln())),
            floor(cell).map_or_else(String::new, percent),
            known(&twin.called, |verdict| verdict.word().to_owned()),
        ]
    });
    Table {
        columns: vec![
            "Workload",
            "Cell",
            "Pair",
            "Ratio [95 %, all pairs]",
            "Logarithm",
            "Floor",
            "Would be called",
        ],
        rows: rows.collect(),
    }
}
