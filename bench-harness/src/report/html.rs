//! The page: one file, no request.
//!
//! A content security policy that allows nothing but the one stylesheet and the one script, by their hashes, is the proof.
//! The script adds sorting and a text filter; without it everything is there. What is long stands in `details`, closed on
//! the screen and open on paper.

mod decision;
mod first;
mod method;
mod notes;
mod ranking;
mod raw;
mod results;

pub(super) use raw::{FILE as RAW_FILE, csv};

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::charts::{Chart, Table, of_session, of_workload};
use super::draw::{colour_rules, inline, shape_rules, standalone, theme_rules};
use super::escape::html as e;
use super::format::plural;
use super::model::{Model, WorkloadView};
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
    let of_all = of_session(model);
    let style = style();
    let sections = model.workloads.iter().zip(&charts).enumerate();
    let sections: String =
        sections.map(|(i, (workload, charts))| section(model, workload, charts, i)).collect();
    let whole: String = of_all.iter().map(|chart| figure(chart, 3)).collect();
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; img-src data:; base-uri \
         'none'; form-action 'none'\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>Which strategy for one writer? {id}</title>\n<style>{style}</style>\n\
         </head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the results</a>\n{top}\n<main id=\"main\">\n{first}{sections}\
         {ranking}<section aria-labelledby=\"clean\"><h2 id=\"clean\">Was the run clean?</h2>{whole}</section>\n\
         {raw}{method}</main>\n<footer>{foot}</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        style_hash = STANDARD.encode(Sha256::digest(&style)),
        script_hash = STANDARD.encode(Sha256::digest(SCRIPT)),
        id = e(&session.id),
        top = top(model),
        first = first::screen(model),
        ranking = ranking::section(model),
        raw = raw::section(model),
        method = method::section(model),
        foot = e(&format!("Session {}, bench-harness {}.", session.id, session.environment.version)),
    );
    let files = charts.iter().flatten().chain(&of_all).filter_map(|chart| {
        let drawn = chart.drawing.as_ref().ok()?;
        Some((format!("{}.svg", chart.id), standalone(drawn, &chart.id, chart.title, &chart.finding)))
    });
    Page { html, charts: files.collect() }
}

/// The two charts that say most, as file names with what they found: the answer by cost or load where there is one, then who
/// wins.
pub(super) fn pictures(model: &Model) -> Vec<(String, String)> {
    let charts: Vec<Chart> =
        model.workloads.iter().flat_map(|workload| of_workload(model, workload)).collect();
    let mut found: Vec<&Chart> = ["throughput-cost-", "latency-load-", "throughput-clients-", "forest-"]
        .iter()
        .filter_map(|kind| charts.iter().find(|chart| chart.id.starts_with(kind) && chart.drawing.is_ok()))
        .collect();
    found.truncate(2);
    found.iter().map(|chart| (format!("{}.svg", chart.id), chart.finding.clone())).collect()
}

/// Light or dark, without a script.
const THEME: &str = "<fieldset class=\"theme\"><legend>Theme</legend><label><input type=\"radio\" name=\"theme\" id=\"t-auto\" \
                     checked=\"\"> system</label> <label><input type=\"radio\" name=\"theme\" id=\"t-light\"> light</label> \
                     <label><input type=\"radio\" name=\"theme\" id=\"t-dark\"> dark</label></fieldset>";

const SCRIPT: &str = include_str!("html/script.js");

fn style() -> String {
    let rules = [colour_rules(":root", "svg.c"), theme_rules(), shape_rules("svg.c")].concat();
    let verdicts = ranking::VERDICTS.iter().fold(String::new(), |all, word| {
        format!("{all}main:has(#f-{word}:checked) tr[data-v]:not([data-v={word}]){{display:none}}\n")
    });
    let goals = super::model::Goal::ALL.iter().fold(String::new(), |all, goal| {
        let id = decision::id(*goal);
        format!("{all}main:has(#o-{id}:checked) .goal:not([data-o={id}]){{display:none}}\n")
    });
    [rules, include_str!("style.css").to_owned(), format!("@media screen{{\n{verdicts}{goals}}}\n")].concat()
}

fn top(model: &Model) -> String {
    let links: String = model.workloads.iter().enumerate().fold(String::new(), |mut links, (i, workload)| {
        write!(links, "<a href=\"#w{i}\">{}</a> ", e(&workload.name)).expect("a string takes every write");
        links
    });
    format!(
        "<header><h1>Which strategy for one writer?</h1><p class=\"about\">Many clients, one writer that applies their updates in \
         order: {} of doing so, measured and verified on this machine.</p>\
         <nav aria-label=\"Workloads\">{links}<a href=\"#ranking\">every comparison</a> <a href=\"#raw\">raw data</a> <a href=\"#method\">method and glossary</a></nav>{THEME}</header>",
        plural(model.strategies.len(), "way")
    )
}

fn section(model: &Model, workload: &WorkloadView, charts: &[Chart], place: usize) -> String {
    let (leading, more): (Vec<_>, Vec<_>) = charts.iter().partition(|chart| chart.leading);
    let leading: String = leading.iter().map(|chart| figure(chart, 3)).collect();
    let more: String = more.iter().map(|chart| folded(chart)).collect();
    format!(
        "<section id=\"w{place}\" aria-labelledby=\"h{place}\"><h2 id=\"h{place}\">{}<small>{}</small></h2><p class=\"question\">{}</p>\
         <p class=\"conditions\">{}</p>{leading}{more}{}</section>\n",
        e(&workload.title),
        e(&workload.name),
        e(&workload.question),
        e(&workload.conditions),
        results::costs(model, workload),
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
    // No two regions of a page may have the same name.
    let label = format!("{} ({})", chart.title, chart.id);
    let svg = match &chart.drawing {
        Ok(drawn) => region(&label, &inline(drawn, &chart.id, chart.title, &chart.finding)),
        Err(reason) => format!("<p>Not drawn: {}.</p>", e(reason.reason())),
    };
    let table = region(&format!("{label}: numbers"), &data_table(chart.title, &chart.table));
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
