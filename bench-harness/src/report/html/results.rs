//! A table of a workload: what a write really took, and what else no chart shows.

use super::super::escape::html as e;
use super::super::format::{bytes, count, duration, number, percent, plural, rate};
use super::super::model::{CellView, Model, Numbers, Outcome, Role, Row, WorkloadView};
use super::first::name;
use super::notes::Notes;
use super::region;
use crate::stats::{Absent, Known};

/// A column of a table: its heading, and what a row shows there.
struct Column {
    group: &'static str,
    head: &'static str,
    show: fn(&Numbers) -> Known<String>,
}

/// What the charts do not show already, in a closed `details`.
pub(super) fn costs(model: &Model, workload: &WorkloadView) -> String {
    let costs = table(
        &format!("{}: the write, memory and submits", workload.name),
        workload,
        &columns(workload),
        model,
    );
    format!(
        "<details class=\"table\"><summary><h3>The write, memory and submits</h3> <span class=\"finding\">what a write really \
         took, how busy the writer was, memory, refusals</span></summary>{costs}</details>"
    )
}

fn columns(workload: &WorkloadView) -> Vec<Column> {
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
        column("memory", "peak", |n| n.peak_memory.clone().map(bytes)),
        column("submits", "refused", |n| Ok(count(n.refused))),
        column("submits", "timed", |n| Ok(count(n.latency.count))),
        column("latency", "longest", |n| n.latency.max.clone().map(duration)),
    ]);
    columns
}

fn commits(numbers: &Numbers) -> (Known<f64>, Known<f64>) {
    let none = || Err(Absent::because("there is no commit"));
    numbers.commits.clone().unwrap_or_else(|| (none(), none()))
}

fn table(caption: &str, workload: &WorkloadView, columns: &[Column], model: &Model) -> String {
    let mut notes = Notes::new();
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
        Role::Strategy(_) | Role::Twin => "",
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
        Err(reason) => format!("<td>–{}</td>", notes.mark(&reason)),
    }
}
