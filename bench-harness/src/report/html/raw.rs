//! The raw rounds: for the eye in a `details`, for programs as JSON, and to take away.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::super::escape::html as e;
use super::super::format::{bytes, count};
use super::super::model::{CellView, Model, RoundEvidence, RoundValues, Row, WorkloadView};
use crate::stats::{Known, Quantile};

/// Rows with numbers, with where they belong.
fn rows(model: &Model) -> impl Iterator<Item = (&WorkloadView, &CellView, &Row)> {
    let cells =
        model.workloads.iter().flat_map(|workload| workload.cells.iter().map(move |cell| (workload, cell)));
    let rows = cells.flat_map(|(workload, cell)| cell.rows.iter().map(move |row| (workload, cell, row)));
    rows.filter(|(_, _, row)| row.numbers().is_some())
}

/// Every complete round of every row as comma-separated values; rounds that do not count say so.
pub(crate) fn csv(model: &Model) -> String {
    let mut text = String::from(
        "workload,cell,strategy,round,counts,updates_per_second,latency_p50_ns,latency_p99_ns,submit_p99_ns\n",
    );
    for (workload, cell, row) in rows(model) {
        let Some(numbers) = row.numbers() else { continue };
        for values in &numbers.every_round {
            let counts = numbers.per_round.iter().any(|counted| counted.round == values.round);
            let ns = |value: Known<f64>| value.map_or_else(|_| String::new(), |ns| format!("{ns:.0}"));
            text += &format!(
                "{},{},{},{},{},{},{},{},{}\n",
                field(&workload.name),
                field(&cell.title),
                field(&row.strategy),
                values.round + 1,
                if counts { "yes" } else { "no" },
                plain(values.speed),
                ns(values.latency(Quantile::P50)),
                ns(values.latency(Quantile::P99)),
                ns(values.held(Quantile::P99)),
            );
        }
    }
    text
}

/// A field that no spreadsheet takes for a formula and no name can end.
fn field(text: &str) -> String {
    let text = super::super::escape::clean(text);
    let is_formula = text.starts_with(['=', '+', '-', '@']);
    let text = if is_formula { format!("'{text}") } else { text };
    if text.contains([',', '"', '\'']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Five significant digits, no separators: to be copied.
fn plain(value: f64) -> String {
    let digits = 4 - value.abs().max(1e-3).log10().floor() as i32;
    format!("{value:.*}", usize::try_from(digits).unwrap_or(0))
}

/// The same for programs, row by row; safe inside a page.
fn json(model: &Model) -> String {
    let rows = rows(model).filter_map(|(workload, cell, row)| {
        let numbers = row.numbers()?;
        let each = |value: &dyn Fn(&RoundValues) -> Option<f64>| -> Vec<Option<u64>> {
            // A number that is not finite has no JSON; no trial measures one.
            let whole =
                |round| value(round).filter(|value| value.is_finite()).map(|value| value.round() as u64);
            numbers.every_round.iter().map(whole).collect()
        };
        Some(serde_json::json!({
            "workload": workload.name,
            "cell": cell.title,
            "strategy": row.strategy,
            "updates_per_second": each(&|round| Some(round.speed)),
            "latency_p99_ns": each(&|round| round.latency(Quantile::P99).ok()),
        }))
    });
    let round = |evidence: &RoundEvidence| serde_json::json!({ "round": evidence.round + 1, "invalid": evidence.invalid });
    let rounds: Vec<_> = model.fitness.rounds.iter().map(round).collect();
    let value =
        serde_json::json!({ "session": model.session, "rounds": rounds, "rows": rows.collect::<Vec<_>>() });
    let mut safe = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => safe += &format!("\\u{:04x}", u32::from(c)),
            c if (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) => {
                safe += &format!("\\u{:04x}", u32::from(c));
            }
            other => safe.push(other),
        }
    }
    safe
}

// LIMIT: 48 kB of comma-separated values, which stand in the page twice, to be read and to be taken away; more stays in the
// file beside it, so that pages keep their budget.
const EMBEDDED: usize = 48_000;

/// The section of raw data.
pub(super) fn section(model: &Model) -> String {
    let csv = csv(model);
    let lines = csv.lines().count().saturating_sub(1) as u64;
    let (shown, download) = if csv.len() <= EMBEDDED {
        let address = format!("data:text/csv;base64,{}", STANDARD.encode(&csv));
        let link = format!(
            "<a download=\"{FILE}\" href=\"{address}\">Download {FILE} ({})</a>",
            bytes(csv.len() as u64)
        );
        let pre = super::region("Raw rounds", &format!("<pre>{}</pre>", lines_of(&csv)));
        (
            format!(
                "<details class=\"table\"><summary><h3>Raw rounds</h3> <span class=\"finding\">{} lines, as measured</span></summary>{pre}</details>",
                count(lines)
            ),
            link,
        )
    } else {
        let hash: String = Sha256::digest(&csv).iter().map(|byte| format!("{byte:02x}")).collect();
        (
            String::new(),
            format!("{FILE}, {} ({} lines), sha256 {hash}", bytes(csv.len() as u64), count(lines)),
        )
    };
    format!(
        "<section id=\"raw\" aria-labelledby=\"raw-h\"><h2 id=\"raw-h\">Raw data</h2><p>Beside this page: {download}; session.json, \
         the whole session, from which this page is made anew with <code>bench-harness report</code>.</p>{shown}\
         <script type=\"application/json\" id=\"rounds\">{}</script></section>\n",
        json(model)
    )
}

/// The name of the file beside the page.
pub(crate) const FILE: &str = "rounds.csv";

fn lines_of(csv: &str) -> String {
    csv.lines().map(|line| e(line) + "\n").collect()
}
