//! What can I promise? Latency over the offered load, beside what theory says of a writer that loses no time.

use super::{Chart, Table, drawn, id, row_looks};
use crate::report::draw::{Curve, Domain, LinePanel, Lines, Look, Rule, Shape};
use crate::report::format::{
    NONE, count, duration, known, number, percent, plural, rate, tick, tick_duration, write_time,
};
use crate::report::model::{CellView, Model, Numbers, OpenLoop, Role, Row, WorkloadView};
use crate::stats::{EqualWrites, Known, Quantile, knee};
use crate::workload::definition::{Callers, Load};
use std::time::Duration;

pub(super) fn chart(model: &Model, workload: &WorkloadView) -> Option<Chart> {
    if !workload.is_open() {
        return None;
    }
    let groups = groups(workload);
    let panels = groups.iter().flat_map(|group| {
        [(Quantile::P50, "p50"), (Quantile::P99, "p99")].map(|(quantile, name)| {
            panel(model, workload, group, quantile, &format!("{name} of the latency, {}", group.name()))
        })
    });
    Some(Chart {
        id: id("latency-load", workload),
        title: "What can I promise?",
        finding: groups.iter().map(|group| finding(workload, group)).collect::<Vec<_>>().join(" "),
        caption: caption(model, workload, &groups),
        drawing: Lines { columns: 2, panels: panels.map(Some).collect() }.draw(),
        table: table(workload),
        leading: true,
    })
}

/// Cells that differ in the offered load only, the lightest first.
struct Group<'m> {
    callers: Callers,
    clients: usize,
    write: Duration,
    cells: Vec<&'m CellView>,
}

impl Group<'_> {
    fn name(&self) -> String {
        let one = if self.callers == Callers::Threads { "thread" } else { "task" };
        format!("{}, {}", plural(self.clients, one), write_time(self.write))
    }

    /// What a write and its commit really take when nothing else is in the way: the control's.
    fn service(&self, model: &Model) -> Option<(f64, f64)> {
        let numbers = self.cells.iter().find_map(|cell| cell.numbers(&model.control))?;
        let [_, _, apply, commit, _] = numbers.parts.clone().ok()?;
        Some((apply + commit, numbers.write_cv.clone().unwrap_or(0.0)))
    }
}

fn groups(workload: &WorkloadView) -> Vec<Group<'_>> {
    let mut kinds: Vec<_> =
        workload.cells.iter().map(|cell| (cell.callers, cell.clients, cell.write)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let group = |(callers, clients, write): (Callers, usize, Duration)| {
        let is_of = |cell: &&CellView| (cell.callers, cell.clients, cell.write) == (callers, clients, write);
        let mut cells: Vec<_> = workload.cells.iter().filter(is_of).collect();
        cells.sort_by(|a, b| a.offered.unwrap_or(0.0).total_cmp(&b.offered.unwrap_or(0.0)));
        Group { callers, clients, write, cells }
    };
    kinds.into_iter().map(group).collect()
}

fn open(row: &Row) -> Option<(&Numbers, &OpenLoop)> {
    let numbers = row.numbers()?;
    Some((numbers, numbers.open.as_ref()?))
}

fn percentile(numbers: &Numbers, quantile: Quantile) -> &Known<f64> {
    match quantile {
        Quantile::P50 => &numbers.latency.p50,
        Quantile::P90 => &numbers.latency.p90,
        Quantile::P99 => &numbers.latency.p99,
        Quantile::P999 => &numbers.latency.p999,
    }
}

fn panel(
    model: &Model,
    workload: &WorkloadView,
    group: &Group<'_>,
    quantile: Quantile,
    title: &str,
) -> LinePanel {
    let curves: Vec<Curve> = row_looks(workload)
        .into_iter()
        .filter(|(_, look)| *look != Look::of(Role::Limit))
        .filter_map(|(name, look)| curve(group, quantile, name, look))
        .collect();
    let values = curves.iter().flat_map(|curve| {
        let band = curve.band.iter().flat_map(|(_, low, high)| [*low, *high]);
        curve.points.iter().map(|point| point.1).chain(band)
    });
    let offered =
        || group.cells.iter().filter_map(|cell| drawn(cell).find_map(open).map(|(_, open)| open.offered));
    let service = group.service(model);
    let least = service.map(|(service, _)| service);
    let (x, y) = (Domain::log(offered()), Domain::log(values.chain(least).collect::<Vec<_>>()));
    let theory = match (service, &x, &y) {
        (Some((service, _)), Ok(x), Ok(y)) => theory(workload, service, quantile, x)
            .into_iter()
            .filter(|(_, latency)| y.holds(*latency))
            .collect(),
        _ => Vec::new(),
    };
    let utilisation = |offered: f64| service.map(|(service, _)| offered * service / 1e9);
    let busy = offered().filter_map(utilisation).map(|rho| format!("{rho:.2}")).collect::<Vec<_>>();
    let busy = match busy.as_slice() {
        [low, .., high] => format!(", ρ {low} to {high}"),
        [one] => format!(", ρ {one}"),
        [] => String::new(),
    };
    LinePanel {
        title: title.to_owned(),
        x_title: format!("offered/s{busy}"),
        x_ticks: offered().map(|offered| (offered, tick(offered.round()))).collect(),
        x,
        y,
        y_tick: tick_duration,
        rule: Some(Rule::Through(theory)),
        curves,
        markers: true,
        shaded: Vec::new(),
    }
}

fn curve(group: &Group<'_>, quantile: Quantile, name: String, look: Look) -> Option<Curve> {
    let found: Vec<(f64, f64, &OpenLoop)> = group
        .cells
        .iter()
        .filter_map(|cell| {
            let (numbers, open) = open(drawn(cell).find(|row| row.strategy == name)?)?;
            Some((open.offered, *percentile(numbers, quantile).as_ref().ok()?, open))
        })
        .collect();
    let bar = |open: &OpenLoop| open.bars[usize::from(quantile != Quantile::P50)].clone();
    let band = found.iter().filter_map(|(x, _, open)| bar(open).ok().map(|i| (*x, i.low, i.high))).collect();
    let special = found.iter().enumerate().filter_map(|(place, (_, _, open))| {
        if open.is_at_least(quantile) {
            Some((place, Shape::Arrow))
        } else {
            open.is_generator_limited.then_some((place, Shape::Ring))
        }
    });
    let special = special.collect();
    let points: Vec<_> = found.iter().map(|(x, y, _)| (*x, *y)).collect();
    (!points.is_empty()).then_some(Curve { name, look, points, band, thin: false, special })
}

/// What a writer would show that loses no time between two updates, as far as there is a lasting wait.
fn theory(workload: &WorkloadView, service: f64, quantile: Quantile, x: &Domain) -> Vec<(f64, f64)> {
    // LIMIT: 40 points along the axis draw the bend before the writer is full.
    let at = |offered: f64| match workload.load {
        Load::Constant => (offered * service < 1e9).then_some((offered, service)),
        _ => {
            let wait = EqualWrites::at(offered * service / 1e9).ok()?.quantile(quantile.share());
            Some((offered, service * (1.0 + wait)))
        }
    };
    x.samples(40).into_iter().filter_map(at).collect()
}

/// The highest offered load that a strategy keeps up with, and its p99 there.
fn keeps_up(group: &Group<'_>, strategy: &str) -> Option<(f64, Option<f64>, bool)> {
    let found: Vec<(&Numbers, &OpenLoop)> = group
        .cells
        .iter()
        .filter_map(|cell| open(cell.rows.iter().find(|row| row.strategy == strategy)?))
        .collect();
    let loads: Vec<f64> = found.iter().map(|(_, open)| open.offered).collect();
    let rounds: Vec<Vec<bool>> = found.iter().map(|(_, open)| open.saturated_rounds.clone()).collect();
    let knee = knee(&loads, &rounds);
    let kept = found.iter().rev().find(|(_, open)| knee.is_none_or(|knee| open.offered < knee))?;
    Some((kept.1.offered, kept.0.latency.p99.as_ref().ok().copied(), knee.is_some()))
}

/// Who keeps up with how much, the one with the shortest p99 there first.
fn finding(workload: &WorkloadView, group: &Group<'_>) -> String {
    let rows = workload.cells.first().map_or(&[][..], |cell| &cell.rows);
    let names = rows.iter().filter(|row| matches!(row.role, Role::Control | Role::Strategy(_)));
    let mut kept: Vec<_> =
        names.filter_map(|row| Some((row.strategy.as_str(), keeps_up(group, &row.strategy)?))).collect();
    if kept.is_empty() {
        return format!("With {} no strategy keeps up with any load.", group.name());
    }
    kept.sort_by(|a, b| {
        let p99 = |kept: &(f64, Option<f64>, bool)| kept.1.unwrap_or(f64::INFINITY);
        b.1.0.total_cmp(&a.1.0).then(p99(&a.1).total_cmp(&p99(&b.1)))
    });
    let words = |(name, (offered, p99, is_knee)): &(&str, (f64, Option<f64>, bool))| {
        let p99 = p99.map_or_else(|| "p99 unknown".to_owned(), |p99| format!("p99 {}", duration(p99)));
        let beyond = if *is_knee { "not beyond" } else { "the highest offered" };
        format!("{name} keeps up with {} ({p99}; {beyond})", rate(*offered))
    };
    match kept.as_slice() {
        [only] => format!("With {} {}.", group.name(), words(only)),
        [best, .., worst] => format!("With {} {}; {}.", group.name(), words(best), words(worst)),
        [] => String::new(),
    }
}

fn caption(model: &Model, workload: &WorkloadView, groups: &[Group<'_>]) -> String {
    let scatter =
        groups.iter().filter_map(|group| group.service(model)).map(|(_, cv)| cv).fold(0.0, f64::max);
    let mut text = format!(
        "Open loop, {}: latency from the planned start, over what was offered, both logarithmic; all rounds together. Band: 95 % \
         interval over {} of the rounds' own percentiles, each for itself. Arrow: at least, because some had not ended. Ring: \
         limited by the generator. ρ: the share of the time that the writes alone keep the writer busy. Grey: a writer that loses no time between two updates ({}).",
        if workload.load == Load::Constant {
            "updates at equal distances"
        } else {
            "updates at random times"
        },
        plural(model.rounds, "round"),
        if workload.load == Load::Constant { "D/D/1" } else { "M/D/1" },
    );
    // LIMIT: writes that vary by more than a tenth make longer waits than equal ones.
    if scatter > 0.1 {
        text += &format!(" The writes vary (cv {}), so it is a lower reference.", number(scatter));
    }
    if workload.group_commit {
        text += " It is for a writer that commits every update alone.";
    }
    text
}

fn table(workload: &WorkloadView) -> Table {
    let rows = workload.cells.iter().flat_map(|cell| drawn(cell).map(move |row| (cell, row)));
    let rows = rows.filter_map(|(cell, row)| {
        let (numbers, open) = open(row)?;
        let time = |quantile: Quantile| {
            let sign = if open.is_at_least(quantile) { "≥ " } else { "" };
            known(percentile(numbers, quantile), |ns| format!("{sign}{}", duration(*ns)))
        };
        let state = match (&open.saturated, open.is_generator_limited) {
            (_, true) => "limited by the generator",
            (Some(_), false) => "saturated",
            (None, false) => "keeps up",
        };
        Some(vec![
            cell.title.clone(),
            row.strategy.clone(),
            rate(open.offered),
            rate(open.achieved),
            time(Quantile::P50),
            time(Quantile::P99),
            time(Quantile::P999),
            known(&open.lag.p99, |ns| duration(*ns)),
            count(open.censored),
            count(open.given_up),
            if open.in_time.is_finite() { percent(open.in_time) } else { NONE.to_owned() },
            state.to_owned(),
        ])
    });
    Table {
        columns: vec![
            "Cell",
            "Strategy",
            "Offered",
            "Answered",
            "p50",
            "p99",
            "p99.9",
            "Lag p99",
            "Not ended",
            "Given up",
            "In time",
            "State",
        ],
        rows: rows.collect(),
    }
}
