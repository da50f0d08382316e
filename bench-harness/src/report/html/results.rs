//! The tables of a workload: results, costs, and the raw rounds.

use super::super::escape::html as e;
use super::super::format::{bytes, count, duration, interval, number, percent, plural, rate, ratio};
use super::super::model::{CellView, Evenness, Model, Numbers, Objective, Outcome, Role, Row, WorkloadView};
use super::{name, region};
use crate::stats::{Absent, Known};

/// A column of a table: its heading, and what a row shows there.
struct Column {
    group: &'static str,
    head: &'static str,
    show: fn(&Numbers) -> Known<String>,
}

// LIMIT: up to three cells are read at once; more would push the next workload out of sight.
const OPEN_UP_TO: usize = 3;

/// The results, and the costs in a closed `details`.
pub(super) fn tables(model: &Model, workload: &WorkloadView) -> String {
    let results = table(&format!("{}: results", workload.name), workload, &results(workload), model);
    let costs = table(&format!("{}: costs and fairness", workload.name), workload, &costs(workload), model);
    let open = if workload.cells.len() <= OPEN_UP_TO { " open" } else { "" };
    format!(
        "<details class=\"table\"{open}><summary><h3>All results</h3> <span class=\"finding\">{}: throughput, time held, \
         latency</span></summary>{results}</details><details class=\"table\"><summary><h3>Costs and fairness</h3> <span \
         class=\"finding\">the write itself, CPU, switches, memory, shares</span></summary>{costs}</details>",
        plural(workload.cells.len(), "cell"),
    )
}

fn results(workload: &WorkloadView) -> Vec<Column> {
    let column = |group, head, show| Column { group, head, show };
    let mut columns = vec![
        column("throughput", "updates [95 %]", |n| {
            let t = n.throughput.as_ref().map_err(Clone::clone)?;
            Ok(format!("{}{}", rate(t.centre), interval(&t.interval, number)))
        }),
        column("throughput", "× control [95 %]", |n| n.to_control.as_ref().map(ratio).map_err(Clone::clone)),
        column("throughput", "of the limit", |n| {
            n.of_limit.as_ref().map(|ratio| percent(ratio.estimate)).map_err(Clone::clone)
        }),
        column("held in submit", "p50", |n| n.held.p50.clone().map(duration)),
        column("held in submit", "p99", |n| n.held.p99.clone().map(duration)),
        column("latency", "p50", |n| n.latency.p50.clone().map(duration)),
        column("latency", "p90", |n| n.latency.p90.clone().map(duration)),
        column("latency", "p99", |n| n.latency.p99.clone().map(duration)),
        column("latency", "p99.9", |n| n.latency.p999.clone().map(duration)),
        column("latency", "max", |n| n.latency.max.clone().map(duration)),
    ];
    if workload.objective == Objective::Latency {
        columns.push(column("latency", "p90 faster by [95 %]", |n| {
            n.merit.as_ref().map(ratio).map_err(Clone::clone)
        }));
    }
    columns
}

fn costs(workload: &WorkloadView) -> Vec<Column> {
    let column = |group, head, show| Column { group, head, show };
    let mut columns = vec![
        column("the write", "took ± cv", |n| {
            Ok(format!("{} ± {}", duration(n.write_ns.clone()?), percent(n.write_cv.clone()?)))
        }),
        column("the write", "writer busy", |n| n.utilisation.clone().map(|busy| percent(busy.centre))),
    ];
    if workload.group_commit {
        columns.push(column("the write", "commits", |n| commits(n).0.map(rate)));
        columns.push(column("the write", "updates per commit", |n| commits(n).1.map(number)));
    }
    columns.extend([
        column("CPU per update", "user", |n| n.cpu_ns.clone().map(|(user, _)| duration(user.centre))),
        column("CPU per update", "kernel", |n| n.cpu_ns.clone().map(|(_, kernel)| duration(kernel.centre))),
        column("switches per update", "voluntary", |n| n.switches.clone().map(|(own, _)| number(own.centre))),
        column("switches per update", "involuntary", |n| {
            n.switches.clone().map(|(_, forced)| number(forced.centre))
        }),
        column("memory", "peak", |n| n.peak_memory.clone().map(bytes)),
        column("fairness", "Jain", |n| even(n, |even| number(even.jain))),
        column("fairness", "least share", |n| {
            even(n, |even| number(even.shares.first().copied().unwrap_or(0.0)))
        }),
        column("fairness", "most share", |n| {
            even(n, |even| number(even.shares.last().copied().unwrap_or(0.0)))
        }),
        column("fairness", "longest silence", |n| even(n, |even| duration(even.longest_gap_ns as f64))),
        column("submits", "refused", |n| Ok(count(n.refused))),
        column("submits", "timed", |n| Ok(count(n.latency.count))),
    ]);
    columns
}

fn commits(numbers: &Numbers) -> (Known<f64>, Known<f64>) {
    let none = || Err(Absent::because("there is no commit"));
    numbers.commits.clone().unwrap_or_else(|| (none(), none()))
}

fn even(numbers: &Numbers, show: impl Fn(&Evenness) -> String) -> Known<String> {
    numbers.fairness.as_ref().map(show).map_err(Clone::clone)
}

fn table(caption: &str, workload: &WorkloadView, columns: &[Column], model: &Model) -> String {
    let mut notes = Notes::default();
    let bodies: String = workload.cells.iter().map(|cell| body(cell, columns, &mut notes)).collect();
    let heads: String =
        columns.iter().map(|column| format!("<th scope=\"col\">{}</th>", e(column.head))).collect();
    let groups: String = columns
        .chunk_by(|a, b| a.group == b.group)
        .map(|group| format!("<th scope=\"colgroup\" colspan=\"{}\">{}</th>", group.len(), e(group[0].group)))
        .collect();
    let table = format!(
        "<table class=\"rows\"><caption><span>{}, over {}</span></caption><thead><tr><td></td>{groups}</tr><tr><th scope=\"col\">strategy</th>{heads}</tr>\
         </thead>{bodies}</table>",
        e(caption),
        plural(model.rounds, "round"),
    );
    region(caption, &table) + &notes.html()
}

fn body(cell: &CellView, columns: &[Column], notes: &mut Notes) -> String {
    let width = columns.len() + 1;
    let rows: String = cell.rows.iter().map(|row| line(row, columns, notes)).collect();
    format!(
        "<tbody><tr><th class=\"cell\" scope=\"rowgroup\" colspan=\"{width}\">{}</th></tr>{rows}</tbody>",
        e(&cell.title)
    )
}

fn line(row: &Row, columns: &[Column], notes: &mut Notes) -> String {
    let class = match row.role {
        Role::Limit => " class=\"limit\"",
        Role::Control => " class=\"control\"",
        Role::Strategy(_) => "",
    };
    let cells = match &row.outcome {
        Outcome::Measured(numbers) => {
            columns.iter().map(|column| shown((column.show)(numbers), notes)).collect()
        }
        Outcome::Failed(failed) => {
            format!("<td class=\"bad words\" colspan=\"{}\">✕ {}</td>", columns.len(), e(&failed.sentence()))
        }
        Outcome::NotMeasured => {
            format!("<td class=\"words\" colspan=\"{}\">not measured</td>", columns.len())
        }
    };
    format!("<tr{class}><th scope=\"row\">{}</th>{cells}</tr>", name(&row.strategy, row.role))
}

fn shown(value: Known<String>, notes: &mut Notes) -> String {
    match value {
        Ok(text) => format!("<td>{}</td>", e(&text)),
        Err(reason) => format!("<td>–<sup>{}</sup></td>", notes.number(&reason)),
    }
}

/// Reasons for missing numbers, each said once below its table.
#[derive(Debug, Default)]
struct Notes(Vec<String>);

impl Notes {
    fn number(&mut self, reason: &Absent) -> usize {
        let known = self.0.iter().position(|note| note == reason.reason());
        known.unwrap_or_else(|| {
            self.0.push(reason.reason().to_owned());
            self.0.len() - 1
        }) + 1
    }

    fn html(&self) -> String {
        let items: String = self.0.iter().map(|note| format!("<li>{}</li>", e(note))).collect();
        if items.is_empty() { items } else { format!("<ol class=\"notes\">{items}</ol>") }
    }
}

/// The raw rounds: updates per second and p99 of the latency, as measured.
pub(super) fn rounds(workload: &WorkloadView) -> String {
    let first = workload.cells.iter().flat_map(|cell| &cell.rows).find_map(Row::numbers);
    let Some(first) = first else { return String::new() };
    let heads: String =
        first.per_round.iter().map(|values| format!("<th scope=\"col\">{}</th>", values.round + 1)).collect();
    let bodies: String = workload.cells.iter().map(|cell| raw_body(cell, first.per_round.len())).collect();
    let table = format!(
        "<table class=\"rows\"><caption><span>{}, raw: updates per second, p99 latency in µs</span></caption><thead><tr><th scope=\"col\">round</th>\
         <td></td>{heads}</tr></thead>{bodies}</table>",
        e(&workload.name)
    );
    format!(
        "<details class=\"table\"><summary><h3>Raw rounds</h3> <span class=\"finding\">every round's throughput and p99</span></summary>{}</details>",
        region(&format!("{}: raw rounds", workload.name), &table)
    )
}

fn raw_body(cell: &CellView, rounds: usize) -> String {
    let rows: String = cell
        .rows
        .iter()
        .filter_map(|row| Some((row, row.numbers()?)))
        .map(|(row, numbers)| {
            let speeds: String = numbers.per_round.iter().map(|values| format!("<td>{}</td>", plain(values.speed))).collect();
            let tails: String = numbers
                .per_round
                .iter()
                .map(|values| values.p99.as_ref().map_or("<td>–</td>".to_owned(), |ns| format!("<td>{}</td>", plain(ns / 1e3))))
                .collect();
            format!(
                "<tr><th scope=\"row\" rowspan=\"2\">{}</th><td>updates/s</td>{speeds}</tr><tr><td>p99 µs</td>{tails}</tr>",
                e(&row.strategy)
            )
        })
        .collect();
    let width = rounds + 2;
    format!(
        "<tbody><tr><th class=\"cell\" scope=\"rowgroup\" colspan=\"{width}\">{}</th></tr>{rows}</tbody>",
        e(&cell.title)
    )
}

/// Five significant digits, no separators: to be copied.
fn plain(value: f64) -> String {
    let digits = 4 - value.abs().max(1e-3).log10().floor() as i32;
    format!("{value:.*}", usize::try_from(digits).unwrap_or(0))
}
