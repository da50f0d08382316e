//! Does it scale or collapse? Updates per second over the number of clients.

use super::{Chart, Table, id, interval_words, measured, row_looks};
use crate::report::draw::{Curve, Domain, LinePanel, Lines, Look};
use crate::report::format::{known, percent, rate, tick, times, write_time};
use crate::report::model::{CellView, Model, Numbers, Role, WorkloadView};
use crate::stats::{Known, Location};
use std::time::Duration;

use crate::workload::definition::Callers;

pub(super) fn chart(model: &Model, workload: &WorkloadView) -> Option<Chart> {
    let groups = groups(workload);
    if groups.is_empty() || workload.is_open() {
        return None;
    }
    let mut callers: Vec<Callers> = groups.iter().map(|group| group.callers).collect();
    callers.sort_unstable();
    callers.dedup();
    let panels = groups.iter().map(|group| Some(panel(workload, group, &groups))).collect();
    Some(Chart {
        id: id("throughput-clients", workload),
        title: "Does it scale or collapse?",
        finding: groups.iter().map(|group| finding(workload, group)).collect::<Vec<_>>().join(" "),
        caption: format!(
            "Updates per second over the number of clients, each with one update in flight. Band: {}.{}",
            interval_words(model),
            if shows_limit(workload) { "" } else { " The limit is far above and stands in the table." }
        ),
        drawing: Lines { columns: callers.len(), panels }.draw(),
        table: table(workload),
        leading: true,
    })
}

/// Cells that differ in the number of clients only.
struct Group<'m> {
    callers: Callers,
    write: Duration,
    cells: Vec<&'m CellView>,
}

fn groups(workload: &WorkloadView) -> Vec<Group<'_>> {
    let mut kinds: Vec<_> = workload.cells.iter().map(|cell| (cell.write, cell.callers)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let group = |(write, callers): (Duration, Callers)| {
        let mut cells: Vec<_> =
            workload.cells.iter().filter(|cell| (cell.write, cell.callers) == (write, callers)).collect();
        cells.sort_by_key(|cell| cell.clients);
        Group { callers, write, cells }
    };
    kinds.into_iter().map(group).filter(|group| group.cells.len() > 1).collect()
}

fn is_compared(role: Role) -> bool {
    matches!(role, Role::Control | Role::Strategy(_))
}

// LIMIT: a limit of more than twice the best strategy would press all strategies to the bottom of the chart.
const ROOM_FOR_THE_LIMIT: f64 = 2.0;

/// The highest throughput of the rows of some cells.
fn highest(cells: &[&CellView], wanted: impl Fn(Role) -> bool) -> f64 {
    let rows = cells.iter().flat_map(|cell| &cell.rows).filter(|row| wanted(row.role));
    rows.filter_map(|row| Some(throughput(row.numbers()?)?.centre)).fold(0.0, f64::max)
}

/// Whether the limit has a place in the chart.
fn shows_limit(workload: &WorkloadView) -> bool {
    let cells: Vec<&CellView> = workload.cells.iter().collect();
    highest(&cells, |role| role == Role::Limit) <= ROOM_FOR_THE_LIMIT * highest(&cells, is_compared)
}

fn throughput(numbers: &Numbers) -> Option<&Location> {
    numbers.throughput.as_ref().ok()
}

fn panel(workload: &WorkloadView, group: &Group<'_>, groups: &[Group<'_>]) -> LinePanel {
    // Threads and tasks of one write share their axis.
    let alike = groups.iter().filter(|other| other.write == group.write).flat_map(|other| &other.cells);
    let is_shown = |role: Role| is_compared(role) || (role == Role::Limit && shows_limit(workload));
    let rows = alike.flat_map(|cell| cell.rows.iter().filter(|row| is_shown(row.role)));
    let numbers = rows.filter_map(|row| row.numbers());
    let highest = numbers
        .filter_map(throughput)
        .flat_map(|t| [t.centre].into_iter().chain(t.interval.iter().map(|i| i.high)));
    let clients = || group.cells.iter().map(|cell| cell.clients as f64);
    let several_writes = groups.iter().any(|other| other.write != group.write);
    let write = if several_writes { format!(", {}", write_time(group.write)) } else { String::new() };
    LinePanel {
        title: format!("updates/s, {}{write}", group.callers),
        x_title: format!("clients ({})", group.callers),
        x: Domain::log(clients()),
        y: Domain::from_zero(highest.collect::<Vec<_>>()),
        x_ticks: clients().map(|n| (n, tick(n))).collect(),
        y_tick: tick,
        rule: None,
        curves: curves(workload, group),
        markers: true,
        shaded: Vec::new(),
    }
}

fn curves(workload: &WorkloadView, group: &Group<'_>) -> Vec<Curve> {
    let curve = |(name, look): (String, _)| {
        let found = || {
            group
                .cells
                .iter()
                .filter_map(|cell| Some((cell.clients as f64, throughput(cell.numbers(&name)?)?)))
        };
        let points: Vec<_> = found().map(|(x, t)| (x, t.centre)).collect();
        let band =
            found().filter_map(|(x, t)| t.interval.as_ref().ok().map(|i| (x, i.low, i.high))).collect();
        (!points.is_empty()).then_some(Curve { name, look, points, band, thin: false, special: Vec::new() })
    };
    let looks = row_looks(workload).into_iter();
    let limit = Look::of(Role::Limit);
    looks.filter(|(_, look)| *look != limit || shows_limit(workload)).filter_map(curve).collect()
}

/// The highest point, and the surest and largest loss from a peak to the most clients.
fn finding(workload: &WorkloadView, group: &Group<'_>) -> String {
    let strategies = || {
        let rows = workload.cells.first().map_or(&[][..], |cell| &cell.rows);
        rows.iter().filter(|row| is_compared(row.role)).map(|row| row.strategy.as_str())
    };
    let points = |name: &str| -> Vec<(usize, &Location)> {
        group.cells.iter().filter_map(|cell| Some((cell.clients, throughput(cell.numbers(name)?)?))).collect()
    };
    let peak = |name: &str| points(name).into_iter().max_by(|a, b| a.1.centre.total_cmp(&b.1.centre));
    let best = strategies()
        .filter_map(|name| Some((name, peak(name)?)))
        .max_by(|a, b| a.1.1.centre.total_cmp(&b.1.1.centre));
    let Some((name, (clients, highest))) = best else {
        return format!("With {}: no strategy has numbers.", group.callers);
    };
    let (speed, who) = (rate(highest.centre), group.callers);
    let mut sentence = format!("With {who} the peak is {speed} ({name}, {}).", client_count(clients));
    let losses = strategies().filter_map(|name| {
        let (at, peak) = peak(name)?;
        let (_, last) = points(name).pop()?;
        let surely = last.interval.as_ref().ok()?.high < peak.interval.as_ref().ok()?.low;
        surely.then_some((name, at, 1.0 - last.centre / peak.centre))
    });
    let most = group.cells.last().map_or(0, |cell| cell.clients);
    if let Some((name, at, loss)) =
        losses.max_by(|a, b| a.2.total_cmp(&b.2)).filter(|(_, _, loss)| *loss > 0.1)
    {
        sentence +=
            &format!(" {name} loses {} from its peak at {} to {most}.", percent(loss), client_count(at));
    }
    sentence
}

fn client_count(n: usize) -> String {
    crate::report::format::plural(n, "client")
}

fn table(workload: &WorkloadView) -> Table {
    let end = |t: &Known<Location>, pick: fn(&crate::stats::Interval) -> f64| match t {
        Ok(t) => known(&t.interval, |interval| rate(pick(interval))),
        Err(_) => crate::report::format::NONE.to_owned(),
    };
    let rows = measured(workload).map(|(cell, row, numbers)| {
        vec![
            cell.title.clone(),
            row.strategy.clone(),
            known(&numbers.throughput, |t| rate(t.centre)),
            end(&numbers.throughput, |interval| interval.low),
            end(&numbers.throughput, |interval| interval.high),
            known(&numbers.to_control, |ratio| times(ratio.estimate)),
        ]
    });
    Table { columns: vec!["Cell", "Strategy", "Updates", "Low", "High", "× control"], rows: rows.collect() }
}
