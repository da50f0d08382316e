//! Where does the choice stop mattering? The ratio to the control, and the throughput, over what a write costs.

use super::{Chart, Table, drawn, id, interval_words, measured};
use crate::report::draw::{Curve, Domain, LinePanel, Lines, Look, Rule};
use crate::report::format::{duration, known, plural, rate, tick, tick_duration, times};
use crate::report::model::{CellView, Model, Numbers, Role, Row, WorkloadView};
use crate::workload::definition::Callers;

pub(super) fn chart(model: &Model, workload: &WorkloadView) -> Option<Chart> {
    let groups = groups(workload);
    if groups.is_empty() || workload.is_open() {
        return None;
    }
    let panels =
        groups.iter().flat_map(|group| [ratio_panel(model, workload, group), speed_panel(workload, group)]);
    Some(Chart {
        id: id("throughput-cost", workload),
        title: "Where does the choice stop mattering?",
        finding: groups.iter().map(|group| finding(model, workload, group)).collect::<Vec<_>>().join(" "),
        caption: format!(
            "Left: updates per second over those of {} in the same round; right: updates per second, with the ceiling of \
             one write at a time in grey. Both over what a write really took, logarithmic. Band: {}.",
            model.control,
            interval_words(model)
        ),
        drawing: Lines { columns: 2, panels: panels.map(Some).collect() }.draw(),
        table: table(model, workload, &groups),
        leading: true,
    })
}

/// Cells that differ in the write cost only.
struct Group<'m> {
    callers: Callers,
    clients: usize,
    cells: Vec<&'m CellView>,
}

impl Group<'_> {
    fn name(&self) -> String {
        let one = if self.callers == Callers::Threads { "thread" } else { "task" };
        plural(self.clients, one)
    }
}

fn groups(workload: &WorkloadView) -> Vec<Group<'_>> {
    let mut kinds: Vec<_> = workload.cells.iter().map(|cell| (cell.callers, cell.clients)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let group = |(callers, clients): (Callers, usize)| {
        let mut cells: Vec<_> =
            workload.cells.iter().filter(|cell| (cell.callers, cell.clients) == (callers, clients)).collect();
        cells.sort_by_key(|cell| cell.write);
        Group { callers, clients, cells }
    };
    kinds.into_iter().map(group).filter(|group| group.cells.len() > 1).collect()
}

/// What a write really took, where that has a place on a logarithmic axis.
fn cost(numbers: &Numbers) -> Option<f64> {
    numbers.write_ns.as_ref().ok().copied().filter(|ns| *ns > 0.0)
}

fn costs(group: &Group<'_>) -> Vec<f64> {
    group.cells.iter().flat_map(|cell| cell.rows.iter().filter_map(|row| cost(row.numbers()?))).collect()
}

fn ratio_panel(model: &Model, workload: &WorkloadView, group: &Group<'_>) -> LinePanel {
    let point = |numbers: &Numbers| {
        let ratio = numbers.to_control.as_ref().ok()?;
        let interval = ratio.interval.as_ref().ok().map(|interval| (interval.low, interval.high));
        Some((cost(numbers)?, ratio.estimate, interval))
    };
    let curves = curves(workload, group, |role| matches!(role, Role::Strategy(_)), point);
    let heights = values(&curves).into_iter().chain([1.0]).collect::<Vec<_>>();
    let x = Domain::log(costs(group));
    LinePanel {
        title: format!("× {}, {}", model.control, group.name()),
        x_ticks: x.iter().flat_map(|x| x.ticks(6)).map(|ns| (ns, tick_duration(ns))).collect(),
        x,
        y: Domain::log(heights),
        x_title: "measured cost of a write".to_owned(),
        y_tick: |value| format!("{}×", tick(value)),
        rule: Some(Rule::Level(1.0)),
        curves,
        markers: true,
        shaded: Vec::new(),
    }
}

fn speed_panel(workload: &WorkloadView, group: &Group<'_>) -> LinePanel {
    let point = |numbers: &Numbers| {
        let throughput = numbers.throughput.as_ref().ok()?;
        let interval = throughput.interval.as_ref().ok().map(|interval| (interval.low, interval.high));
        Some((cost(numbers)?, throughput.centre, interval))
    };
    let curves = curves(workload, group, |_| true, point);
    let x = Domain::log(costs(group));
    let y = Domain::log(values(&curves));
    // One write at a time cannot be faster than one over its cost; drawn where that is within the panel.
    let ceiling: Vec<(f64, f64)> = x.iter().flat_map(|x| x.samples(40)).map(|ns| (ns, 1e9 / ns)).collect();
    let ceiling =
        ceiling.into_iter().filter(|(_, speed)| y.as_ref().is_ok_and(|y| y.holds(*speed))).collect();
    LinePanel {
        title: format!("updates/s, {}", group.name()),
        x_ticks: x.iter().flat_map(|x| x.ticks(6)).map(|ns| (ns, tick_duration(ns))).collect(),
        x,
        y,
        x_title: "measured cost of a write".to_owned(),
        y_tick: tick,
        rule: Some(Rule::Through(ceiling)),
        curves,
        markers: true,
        shaded: Vec::new(),
    }
}

type Point = (f64, f64, Option<(f64, f64)>);

fn curves(
    workload: &WorkloadView,
    group: &Group<'_>,
    wanted: impl Fn(Role) -> bool,
    point: impl Fn(&Numbers) -> Option<Point>,
) -> Vec<Curve> {
    let rows = workload.cells.first().into_iter().flat_map(drawn).filter(|row| wanted(row.role));
    let curve = |row: &Row| {
        let (name, look) = (row.strategy.clone(), Look::of(row.role));
        let found: Vec<Point> = group.cells.iter().filter_map(|cell| point(cell.numbers(&name)?)).collect();
        let points: Vec<_> = found.iter().map(|(x, y, _)| (*x, *y)).collect();
        let band = found.iter().filter_map(|(x, _, ends)| ends.map(|(low, high)| (*x, low, high))).collect();
        (!points.is_empty()).then_some(Curve { name, look, points, band, thin: false, special: Vec::new() })
    };
    rows.filter_map(curve).collect()
}

fn values(curves: &[Curve]) -> Vec<f64> {
    let of = |curve: &Curve| {
        let band = curve.band.iter().flat_map(|(_, low, high)| [*low, *high]);
        curve.points.iter().map(|point| point.1).chain(band).collect::<Vec<_>>()
    };
    curves.iter().flat_map(of).collect()
}

/// Where a strategy and the control change places.
struct Crossover {
    /// The neighbours on which the intervals point to opposite sides.
    between: (f64, f64),
    /// Where a straight line between their logarithms is level.
    about: f64,
    /// Whether the strategy is ahead above it.
    overtakes: bool,
}

/// Crossovers between write costs whose intervals exclude no difference; never beyond what was measured.
fn crossovers(group: &Group<'_>, strategy: &str) -> Vec<Crossover> {
    let sure: Vec<(f64, f64)> = group
        .cells
        .iter()
        .filter_map(|cell| {
            let numbers = cell.numbers(strategy)?;
            let ratio = numbers.to_control.as_ref().ok()?;
            let differs = ratio.surely_above(1.0) || ratio.surely_below(1.0);
            differs.then(|| Some((cost(numbers)?, ratio.estimate.ln())))?
        })
        .collect();
    let between = |pair: &[(f64, f64)]| {
        let ((c1, d1), (c2, d2)) = (pair[0], pair[1]);
        let about = c1 * (c2 / c1).powf(d1 / (d1 - d2));
        (d1 * d2 < 0.0).then_some(Crossover { between: (c1, c2), about, overtakes: d2 > 0.0 })
    };
    sure.windows(2).filter_map(between).collect()
}

fn finding(model: &Model, workload: &WorkloadView, group: &Group<'_>) -> String {
    let rows = workload.cells.first().map_or(&[][..], |cell| &cell.rows);
    let names =
        rows.iter().filter(|row| matches!(row.role, Role::Strategy(_))).map(|row| row.strategy.as_str());
    let crossing: Vec<String> = names
        .filter_map(|name| Some((name, crossovers(group, name).into_iter().next()?)))
        .map(|(name, crossover)| {
            let verb = if crossover.overtakes { "overtakes" } else { "falls behind" };
            let (low, high) = crossover.between;
            format!(
                "{name} {verb} {} between {} and {} per write",
                model.control,
                duration(low),
                duration(high)
            )
        })
        .collect();
    let costs = costs(group);
    let ends = (costs.iter().copied().reduce(f64::min), costs.iter().copied().reduce(f64::max));
    match ends {
        _ if !crossing.is_empty() => format!("With {} {}.", group.name(), crossing.join("; ")),
        (Some(low), Some(high)) => format!(
            "With {} no strategy surely changes places with {} between {} and {} per write.",
            group.name(),
            model.control,
            duration(low),
            duration(high)
        ),
        _ => format!("With {} no write cost could be placed.", group.name()),
    }
}

fn table(model: &Model, workload: &WorkloadView, groups: &[Group<'_>]) -> Table {
    let crossing = |cell: &CellView, strategy: &str| {
        let group =
            groups.iter().find(|group| (group.callers, group.clients) == (cell.callers, cell.clients));
        let costs = group.map_or_else(Vec::new, |group| crossovers(group, strategy));
        costs
            .iter()
            .map(|crossover| format!("about {}", duration(crossover.about)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let rows = measured(workload).map(|(cell, row, numbers)| {
        let crossing =
            if row.strategy == model.control { String::new() } else { crossing(cell, &row.strategy) };
        vec![
            cell.title.clone(),
            row.strategy.clone(),
            known(&numbers.write_ns, |ns| duration(*ns)),
            known(&numbers.to_control, |ratio| times(ratio.estimate)),
            known(&numbers.throughput, |t| rate(t.centre)),
            crossing,
        ]
    });
    let columns = vec!["Cell", "Strategy", "A write took", "× control", "Updates", "Changes places at"];
    Table { columns, rows: rows.collect() }
}
