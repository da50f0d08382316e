//! Every row of the session in one table: filtered by verdict without a script, sorted and searched with one.

use std::fmt::Write as _;

use super::super::escape::html as e;
use super::super::format::{duration, plural, rate, ratio};
use super::super::model::{Model, Numbers, Objective, Outcome, Ranked, Role, ranking};
use super::first::name;
use super::notes::Notes;
use super::region;
use crate::stats::Known;

/// A column: its heading, what a row shows there, and by what the script sorts.
struct Column {
    head: &'static str,
    show: fn(&Numbers) -> Known<(String, f64)>,
}

const COLUMNS: [Column; 7] = [
    Column { head: "updates/s", show: |n| n.throughput.clone().map(|t| (rate(t.centre), t.centre)) },
    Column {
        head: "× control",
        show: |n| n.merit.as_ref().map(|r| (ratio(r), r.estimate)).map_err(Clone::clone),
    },
    Column { head: "held p99", show: |n| time(&n.held.p99) },
    Column { head: "p50", show: |n| time(&n.latency.p50) },
    Column { head: "p99", show: |n| time(&n.latency.p99) },
    Column { head: "p99.9", show: |n| time(&n.latency.p999) },
    Column {
        head: "CPU/update",
        show: |n| n.cpu_ns.clone().map(|(a, b)| (duration(a.centre + b.centre), a.centre + b.centre)),
    },
];

fn time(ns: &Known<f64>) -> Known<(String, f64)> {
    ns.clone().map(|ns| (duration(ns), ns))
}

/// The words by which rows can be chosen.
pub(super) const VERDICTS: [&str; 5] = ["slower", "inconclusive", "equivalent", "faster", "failed"];

/// The section.
pub(super) fn section(model: &Model) -> String {
    let mut radios = String::from(
        "<fieldset class=\"choose\"><legend>Show</legend><label><input type=\"radio\" name=\"verdict\" id=\"f-all\" checked=\"\"> all</label> ",
    );
    for (word, shape, n) in model.counts.kinds().into_iter().filter(|kind| VERDICTS.contains(&kind.0)) {
        write!(
            radios,
            "<label><input type=\"radio\" name=\"verdict\" id=\"f-{word}\"> {shape} {word} ({n})</label> "
        )
        .expect("a string takes every write");
    }
    radios += "</fieldset>";
    let mut notes = Notes::new();
    let rows: String = ranking(model).iter().map(|ranked| line(ranked, &mut notes)).collect();
    let heads: String = ["cell", "strategy", "verdict"]
        .into_iter()
        .chain(COLUMNS.iter().map(|column| column.head))
        .chain(["in words"])
        .map(|head| format!("<th scope=\"col\">{head}</th>"))
        .collect();
    let control = &model.control;
    let caption = format!(
        "Every row, the worst against {control} first: by updates per second, or where it says so how many times shorter the \
         percentile is. Intervals beside ratios hold with 95 % for all {} together, over {}. \
         Percentiles come from the samples of all rounds together.",
        plural(model.family, "comparison"),
        plural(model.rounds, "round"),
    );
    let table = format!(
        "<table class=\"ranking\" id=\"t-ranking\"><caption><span>{}</span></caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>",
        e(&caption)
    );
    format!(
        "<section id=\"ranking\" aria-labelledby=\"ranking-h\"><h2 id=\"ranking-h\">Every comparison</h2>{radios}{}{}</section>\n",
        region("Every comparison: the table", &table),
        notes.html()
    )
}

fn line(ranked: &Ranked<'_>, notes: &mut Notes) -> String {
    let row = ranked.row;
    let (word, shape) = row.verdict();
    let class = match row.role {
        Role::Limit => " class=\"limit\"",
        Role::Control => " class=\"control\"",
        Role::Strategy(_) | Role::Twin => "",
    };
    let cells: String = match &row.outcome {
        Outcome::Measured(numbers) => {
            COLUMNS.iter().map(|column| cell((column.show)(numbers), notes)).collect()
        }
        Outcome::Failed(_) | Outcome::NotMeasured => {
            COLUMNS.iter().map(|_| "<td>–</td>".to_owned()).collect()
        }
    };
    let measure = match ranked.workload.objective {
        Objective::Throughput => String::new(),
        objective => format!(", by {}", objective.measure()),
    };
    let bad = if word == "failed" { " class=\"bad\"" } else { "" };
    format!(
        "<tr{class} data-v=\"{word}\"><td class=\"words\">{}, {}{measure}</td><th scope=\"row\">{}</th><td{bad}>{shape} {word}</td>{cells}<td class=\"words\">{}</td></tr>",
        e(&ranked.workload.name),
        e(&ranked.cell.title),
        name(&row.strategy, row.role),
        e(&row.sentence())
    )
}

fn cell(value: Known<(String, f64)>, notes: &mut Notes) -> String {
    match value {
        Ok((text, key)) => format!("<td data-k=\"{}\">{}</td>", key_text(key), e(&text)),
        Err(reason) => format!("<td>–{}</td>", notes.mark(&reason)),
    }
}

/// As many digits as it takes to sort what is shown with three.
fn key_text(key: f64) -> String {
    match key {
        x if !x.is_finite() => "0".to_owned(),
        x if x >= 1_000.0 => format!("{x:.0}"),
        x if x >= 1.0 => format!("{x:.2}"),
        x => format!("{x:.2e}"),
    }
}
