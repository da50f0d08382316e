//! The page: one file, no request, no script.
//!
//! A content security policy that allows nothing but the one stylesheet, by its hash, is the proof. What is long stands in
//! `details`, closed on the screen and open on paper.

mod decision;
mod results;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::charts::{Chart, Table, of_workload};
use super::draw::{Look, colour_rules, glyph, inline, shape_rules, standalone};
use super::escape::html as e;
use super::format::plural;
use super::model::{Model, Role, WorkloadView};
use crate::record::Session;

/// A page and its charts.
#[derive(Debug)]
pub(super) struct Page {
    /// The page.
    pub(super) html: String,
    /// File name and content of each chart that could be drawn.
    pub(super) charts: Vec<(String, String)>,
}

/// Lays out a session.
pub(super) fn page(session: &Session, model: &Model) -> Page {
    let charts: Vec<Vec<Chart>> =
        model.workloads.iter().map(|workload| of_workload(model, workload)).collect();
    let style =
        [colour_rules(":root", "svg.c"), shape_rules("svg.c"), include_str!("style.css").to_owned()].concat();
    let sections = model.workloads.iter().zip(&charts).enumerate();
    let sections: String =
        sections.map(|(i, (workload, charts))| section(model, workload, charts, i)).collect();
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>Which strategy for one writer? {id}</title>\n<style>{style}</style>\n\
         </head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the results</a>\n{top}\n<main id=\"main\">\n{first}{sections}\
         {method}</main>\n<footer>{foot}</footer>\n</body>\n</html>\n",
        hash = STANDARD.encode(Sha256::digest(&style)),
        id = e(&session.id),
        top = top(model),
        first = first_screen(model),
        method = method(model),
        foot = e(&format!("Session {}, bench-harness {}.", session.id, session.environment.version)),
    );
    let files = charts.iter().flatten().filter_map(|chart| {
        let drawn = chart.drawing.as_ref().ok()?;
        Some((format!("{}.svg", chart.id), standalone(drawn, &chart.id, chart.title, &chart.finding)))
    });
    Page { html, charts: files.collect() }
}

fn top(model: &Model) -> String {
    let links: String = model.workloads.iter().enumerate().fold(String::new(), |mut links, (i, workload)| {
        write!(links, "<a href=\"#w{i}\">{}</a> ", e(&workload.name)).expect("a string takes every write");
        links
    });
    format!(
        "<header><h1>Which strategy for one writer?</h1><p class=\"about\">Many clients hand their updates to one writer that \
         applies them in order. This page compares {} of doing so, measured and verified on this machine.</p>\
         <nav aria-label=\"Workloads\">{links}<a href=\"#method\">method and glossary</a></nav></header>",
        plural(model.strategies.len(), "way")
    )
}

fn first_screen(model: &Model) -> String {
    let warnings: String = model
        .warnings
        .iter()
        .map(|text| format!("<p class=\"bad\"><strong>! {}</strong></p>", e(text)))
        .collect();
    format!(
        "<section aria-labelledby=\"answer\"><h2 id=\"answer\" class=\"headline\">{}</h2>{warnings}{}{}<p class=\"machine\">{} {}</p>{}</section>\n",
        e(&model.headline),
        failures(model),
        decision::table(model),
        e(model.precision.as_deref().unwrap_or_default()),
        e(&model.provenance),
        key(model),
    )
}

fn failures(model: &Model) -> String {
    if model.failures.is_empty() {
        return String::new();
    }
    let items: String = model.failures.iter().fold(String::new(), |all, row| {
        format!(
            "{all}<li>✕ <strong>{}</strong>, {}: {}</li>",
            e(&row.strategy),
            e(&row.place),
            e(&row.sentence())
        )
    });
    format!("<ul class=\"bad\">{items}</ul>")
}

/// Which marker is which strategy.
fn key(model: &Model) -> String {
    let rows = model.workloads.iter().flat_map(|workload| workload.cells.first()).next();
    let items: String = rows.map_or(&[][..], |cell| &cell.rows).iter().fold(String::new(), |all, row| {
        let role = match row.role {
            Role::Control => " (control)",
            Role::Limit => " (one bare loop, no queue)",
            Role::Strategy(_) => "",
        };
        format!("{all}<span class=\"who\">{}{role}</span> ", name(&row.strategy, row.role))
    });
    format!("<p class=\"key\">{items}</p>")
}

fn name(strategy: &str, role: Role) -> String {
    let look = Look::of(role);
    format!(
        "<span class=\"{}\" aria-hidden=\"true\">{}</span> {}",
        look.class(),
        glyph(look.shape),
        e(strategy)
    )
}

fn section(model: &Model, workload: &WorkloadView, charts: &[Chart], place: usize) -> String {
    let (leading, more): (Vec<_>, Vec<_>) = charts.iter().partition(|chart| chart.leading);
    let leading: String = leading.iter().map(|chart| figure(chart, 3)).collect();
    let more: String = more.iter().map(|chart| folded(chart)).collect();
    format!(
        "<section id=\"w{place}\" aria-labelledby=\"h{place}\"><h2 id=\"h{place}\">{}<small>{}</small></h2><p class=\"question\">{}</p>\
         <p class=\"conditions\">{}</p>{leading}{}{more}{}</section>\n",
        e(&workload.title),
        e(&workload.name),
        e(&workload.question),
        e(&workload.conditions),
        results::tables(model, workload),
        results::rounds(workload),
    )
}

fn figure(chart: &Chart, level: u8) -> String {
    format!(
        "<figure><h{level}>{}</h{level}><p class=\"finding\">{}</p>{}</figure>",
        e(chart.title),
        e(&chart.finding),
        drawing(chart)
    )
}

fn folded(chart: &Chart) -> String {
    format!(
        "<details class=\"chart\"><summary><h3>{}</h3> <span class=\"finding\">{}</span></summary><figure>{}</figure></details>",
        e(chart.title),
        e(&chart.finding),
        drawing(chart)
    )
}

fn drawing(chart: &Chart) -> String {
    let svg = match &chart.drawing {
        Ok(drawn) => region(chart.title, &inline(drawn, &chart.id, chart.title, &chart.finding)),
        Err(reason) => format!("<p>Not drawn: {}.</p>", e(reason.reason())),
    };
    let table = region(&format!("{}: numbers", chart.title), &data_table(chart.title, &chart.table));
    format!(
        "{svg}<figcaption>{}</figcaption><details class=\"data\"><summary>Data</summary>{table}</details>",
        e(&chart.caption)
    )
}

/// The first column names the cell; it heads a group of rows instead of standing in each.
fn data_table(caption: &str, table: &Table) -> String {
    let heads: String =
        table.columns.iter().skip(1).map(|column| format!("<th scope=\"col\">{}</th>", e(column))).collect();
    let bodies: String = table
        .rows
        .chunk_by(|a, b| a[0] == b[0])
        .map(|group| data_group(group, table.columns.len()))
        .collect();
    format!(
        "<table><caption><span>{}</span></caption><thead><tr>{heads}</tr></thead>{bodies}</table>",
        e(caption)
    )
}

fn data_group(rows: &[Vec<String>], columns: usize) -> String {
    let lines: String = rows.iter().fold(String::new(), |all, row| {
        let cells: String = row[2..].iter().map(|cell| format!("<td>{}</td>", e(cell))).collect();
        format!("{all}<tr><th scope=\"row\">{}</th>{cells}</tr>", e(&row[1]))
    });
    let width = columns - 1;
    format!(
        "<tbody><tr><th class=\"cell\" scope=\"rowgroup\" colspan=\"{width}\">{}</th></tr>{lines}</tbody>",
        e(&rows[0][0])
    )
}

/// Something wide that scrolls by itself, so that the page does not; reachable by keyboard.
fn region(label: &str, content: &str) -> String {
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">{content}</div>",
        e(label)
    )
}

fn method(model: &Model) -> String {
    let facts: String = model.facts.iter().fold(String::new(), |all, (name, value)| {
        format!("{all}<tr><th scope=\"row\">{}</th><td>{}</td></tr>", e(name), e(value))
    });
    let unknown: String = model.unknown.iter().map(|text| format!("<li>{}</li>", e(text))).collect();
    let glossary: String = GLOSSARY
        .iter()
        .map(|(word, meaning)| format!("<dt>{}</dt><dd>{}</dd>", e(word), e(meaning)))
        .collect();
    let control = e(&model.control);
    format!(
        "<section id=\"method\" aria-labelledby=\"method-h\"><h2 id=\"method-h\">Method</h2>\
         <p>A trial is a fresh process that runs one strategy on one cell, warms up, measures one window and then checks every \
         answer: each caller got its own, each update was applied exactly once, in order, by one writer at a time. A row that \
         fails a check shows no numbers. A round runs every strategy on every cell once, in an order drawn at random.</p>\
         <p>Only numbers of the same round are divided. A ratio is to {control}, the control; the estimate is the median of all \
         pairwise averages of the rounds' logarithms (Hodges and Lehmann), the interval is the exact signed-rank interval at \
         95 %. It holds for each comparison by itself: of a hundred such intervals about five miss. In the decision table a \
         strategy counts as behind only where its whole interval lies more than 3 % below the best. Percentiles come from the \
         samples of all rounds together and are left out where these are too few.</p>\
         <h3>Could not be measured</h3><ul>{unknown}</ul>\
         <h3>Machine and run</h3>{}\
         <h3>Glossary</h3><dl>{glossary}</dl></section>\n",
        region(
            "Machine and run",
            &format!(
                "<table class=\"facts\"><caption><span>Machine and run</span></caption><tbody>{facts}</tbody></table>"
            )
        ),
    )
}

const GLOSSARY: [(&str, &str); 12] = [
    ("update", "One change that a client wants made to the state."),
    ("strategy", "A way to bring updates to the one writer: a lock, or a queue over some channel."),
    ("control", "The strategy by which all others are divided, in every round."),
    ("limit", "The same writes by one bare loop without clients or queue: what is possible at all."),
    ("cell", "One combination of callers, number of clients and write cost."),
    ("held", "Time inside submit, before the caller may do something else."),
    ("latency", "From submit called to answer received."),
    (
        "submit, queued, apply, commit, reply",
        "The five parts of an update's life; together they are its latency.",
    ),
    ("group commit", "Several updates made durable by one commit; their answers wait for it."),
    ("writer busy", "Share of the window in which the writer was applying or committing."),
    ("Jain's index", "1 when all clients got equally many answers, 1/N when one got all."),
    ("refused", "Submits that found the queue full and were tried again."),
];
