//! Was the run clean? Each round's ratio to the control, and what the machine did meanwhile.

use super::{Chart, Table};
use crate::report::draw::{Curve, Domain, LinePanel, Lines, Look, Rule};
use crate::report::format::{NONE, duration, list, number, percent, plural, tick};
use crate::report::model::{CellView, Fitness, Model, Numbers, Role, RoundEvidence, Row, WorkloadView};
use crate::stats::Known;

/// One workload's share of the question: the cell in which the control's rounds scatter most stands for all.
pub(super) fn chart(model: &Model) -> Option<Chart> {
    let first =
        model.workloads.iter().flat_map(|w| &w.cells).flat_map(|cell| &cell.rows).find_map(Row::numbers)?;
    let rounds: Vec<u32> = first.every_round.iter().map(|values| values.round).collect();
    if rounds.len() < 2 {
        return None;
    }
    let places = || rounds.iter().map(|round| f64::from(round + 1));
    let x = Domain::linear(places());
    let x_ticks: Vec<(f64, String)> = places().map(|round| (round, tick(round))).collect();
    let shaded = invalid(&model.fitness);
    let panel = |title: String, y: Known<Domain>, y_tick: fn(f64) -> String, rule, curves| LinePanel {
        title,
        x_title: "round".to_owned(),
        x: x.clone(),
        y,
        x_ticks: x_ticks.clone(),
        y_tick,
        rule,
        curves,
        markers: true,
        shaded: shaded.clone(),
    };
    let ratios = worst_cells(model).into_iter().map(|(workload, cell)| {
        let curves = ratios(model, workload, cell);
        let heights = curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1)).chain([1.0]);
        let y = Domain::log(heights.collect::<Vec<_>>());
        let title = format!("× {}, {}, {}", model.control, workload.name, cell.title);
        panel(title, y, |value| format!("{}×", tick(value)), Some(Rule::Level(1.0)), curves)
    });
    let mut panels: Vec<LinePanel> = ratios.collect();
    let evidence = evidence(&model.fitness);
    if !evidence.is_empty() {
        let heights = evidence.iter().flat_map(|curve| curve.points.iter().map(|point| point.1));
        let y = Domain::from_zero(heights.chain([0.01]).collect::<Vec<_>>());
        panels.push(panel("what the machine did".to_owned(), y, percent, None, evidence));
    }
    Some(Chart {
        id: "rounds".to_owned(),
        title: "Which rounds count, and what did they do?",
        finding: finding(model),
        caption: format!(
            "Above: in each workload the cell whose ratios scatter most, each strategy's over {} in the same round, logarithmic. \
             Last: steal as a share of the busy time, and the share of the round in which something waited for a CPU. Grey \
             columns do not count. Memory from round to round: {}.",
            model.control,
            memory(model)
        ),
        drawing: Lines { columns: 2, panels: panels.into_iter().map(Some).collect() }.draw(),
        table: table(&model.fitness),
        leading: true,
    })
}

// LIMIT: three cells and the evidence fill two rows of panels; the raw rounds of all cells are in the page as data.
const CELLS: usize = 3;

/// The cells in which a judged strategy scatters most, one for each of at most [`CELLS`] workloads.
fn worst_cells(model: &Model) -> Vec<(&WorkloadView, &CellView)> {
    let scatter = |cell: &CellView| {
        let judged = cell.rows.iter().filter_map(|row| row.numbers()?.judged.as_ref().ok());
        judged.map(|judged| judged.scatter).fold(0.0, f64::max)
    };
    let worst = |workload: &'_ WorkloadView| {
        workload.cells.iter().map(scatter).enumerate().max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let mut all: Vec<_> = model
        .workloads
        .iter()
        .filter_map(|workload| {
            worst(workload).map(|(place, scatter)| (scatter, workload, &workload.cells[place]))
        })
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.into_iter().take(CELLS).map(|(_, workload, cell)| (workload, cell)).collect()
}

fn ratios(model: &Model, workload: &WorkloadView, cell: &CellView) -> Vec<Curve> {
    let Some(control) = cell.numbers(&model.control) else { return Vec::new() };
    let of = |numbers: &Numbers| -> Vec<(f64, f64)> {
        let costs = workload.objective.costs(&numbers.every_round, &control.every_round).unwrap_or_default();
        let rounds = numbers.every_round.iter().map(|values| f64::from(values.round + 1));
        rounds.zip(costs).map(|(round, (own, reference))| (round, reference / own)).collect()
    };
    let wanted = cell.rows.iter().filter(|row| matches!(row.role, Role::Strategy(_) | Role::Twin));
    let curve = |row: &Row| {
        let points = of(row.numbers()?);
        let name = row.strategy.clone();
        (!points.is_empty()).then(|| Curve {
            name,
            look: Look::of(row.role),
            points,
            band: Vec::new(),
            thin: false,
            special: Vec::new(),
        })
    };
    wanted.filter_map(curve).collect()
}

fn evidence(fitness: &Fitness) -> Vec<Curve> {
    let of = |name: &str, look: Look, share: fn(&RoundEvidence) -> Option<f64>| {
        let point = |round: &RoundEvidence| Some((f64::from(round.round + 1), share(round)?));
        let points: Vec<(f64, f64)> = fitness.rounds.iter().filter_map(point).collect();
        (!points.is_empty()).then(|| Curve {
            name: name.to_owned(),
            look,
            points,
            band: Vec::new(),
            thin: false,
            special: Vec::new(),
        })
    };
    let (steal, pressure) = (Look::of(Role::Control), Look::of(Role::Limit));
    [of("steal", steal, |round| round.steal), of("waited for a CPU", pressure, |round| round.pressure)]
        .into_iter()
        .flatten()
        .collect()
}

/// Half a round to each side of those that do not count.
fn invalid(fitness: &Fitness) -> Vec<(f64, f64)> {
    let of = fitness.rounds.iter().filter(|round| round.invalid.is_some());
    of.map(|round| (f64::from(round.round) + 0.5, f64::from(round.round) + 1.5)).collect()
}

fn finding(model: &Model) -> String {
    let fitness = &model.fitness;
    let all = model.rounds + fitness.invalid;
    let mut reasons: Vec<String> = fitness.rounds.iter().filter_map(|round| round.invalid.clone()).collect();
    reasons.sort();
    reasons.dedup();
    let changed = model.workloads.iter().flat_map(|w| &w.cells).flat_map(|cell| &cell.rows).filter(|row| {
        row.numbers().is_some_and(|n| n.judged.as_ref().is_ok_and(|judged| judged.with_every_round.is_some()))
    });
    match (fitness.invalid, changed.count()) {
        (0, _) if fitness.rounds.is_empty() => {
            format!("What the machine did in the {} was not recorded.", plural(all, "round"))
        }
        (0, _) => format!("All {} count.", plural(all, "round")),
        (n, 0) => format!(
            "{n} of {} do not count ({}); no verdict hangs on them.",
            plural(all, "round"),
            list(&reasons)
        ),
        (n, changed) => format!(
            "{n} of {} do not count ({}); {} would be others with them, and are inconclusive.",
            plural(all, "round"),
            list(&reasons),
            plural(changed, "verdict")
        ),
    }
}

/// The strongest lag-1 autocorrelation of any judged row, and how strong chance makes it.
fn memory(model: &Model) -> String {
    let cells = model.workloads.iter().flat_map(|w| w.cells.iter().map(move |cell| (w, cell)));
    let rows = cells.flat_map(|(workload, cell)| cell.rows.iter().map(move |row| (workload, cell, row)));
    let known: Vec<_> = rows
        .filter_map(|(workload, cell, row)| {
            let memory = *row.numbers()?.judged.as_ref().ok()?.memory.as_ref().ok()?;
            Some((memory, format!("{}, {}, {}", row.strategy, workload.name, cell.title)))
        })
        .collect();
    let chance = 2.0 / (model.rounds as f64).sqrt();
    let beyond = known.iter().filter(|(memory, _)| *memory > chance).count();
    match known.iter().max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((memory, place)) => format!(
            "lag-1 correlation at most {} ({place}), above {} in {beyond} of {}, as chance makes it in about one of fifty",
            number(*memory),
            number(chance),
            plural(known.len(), "comparison")
        ),
        None => "too few rounds to tell".to_owned(),
    }
}

fn table(fitness: &Fitness) -> Table {
    let share = |share: Option<f64>| share.map_or_else(|| NONE.to_owned(), percent);
    let rows = fitness.rounds.iter().map(|round| {
        vec![
            "All cells".to_owned(),
            format!("Round {}", round.round + 1),
            share(round.steal),
            share(round.pressure),
            duration(round.probe_ns),
            round.invalid.clone().unwrap_or_else(|| "counts".to_owned()),
        ]
    });
    Table {
        columns: vec!["Where", "Round", "Steal", "Waited for a CPU", "Fixed work", "Counts"],
        rows: rows.collect(),
    }
}
