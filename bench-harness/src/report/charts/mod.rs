//! The charts of a report: each answers one question, says what it found in a sentence, and carries its numbers.
//!
//! A chart is a function from the model; one that the data does not support is `None`, one that cannot be drawn stays,
//! with the reason. To add a chart, write a file and add a line to [`of_workload`].

mod anatomy;
mod cost;
mod fairness;
mod forest;
mod grid;
mod held;
mod latency_load;
mod rounds;
mod spectrum;
mod throughput_clients;
mod throughput_cost;
mod twin;

use sha2::{Digest, Sha256};

use super::draw::{Look, Strip};
use super::escape::slug;
use super::format::plural;
use super::model::{CellView, Model, Numbers, Outcome, Role, Row, WorkloadView};
use crate::stats::Known;
use grid::Grid;

/// One chart, drawn but not yet coloured.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// Unique on a page, and the name of its file.
    pub(crate) id: String,
    /// The question.
    pub(crate) title: &'static str,
    /// The answer, from the data.
    pub(crate) finding: String,
    /// What marks and bars mean, how many rounds, at what level.
    pub(crate) caption: String,
    /// The drawing as plotters wrote it.
    pub(crate) drawing: Known<String>,
    /// The plotted numbers.
    pub(crate) table: Table,
    /// Whether the page shows it without being asked.
    pub(crate) leading: bool,
}

/// Numbers as text, in rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Column headings.
    pub(crate) columns: Vec<&'static str>,
    /// Cells.
    pub(crate) rows: Vec<Vec<String>>,
}

/// The charts that the data of a workload supports, in the order of the page.
pub(crate) fn of_workload(model: &Model, workload: &WorkloadView) -> Vec<Chart> {
    let charts = [
        forest::chart(model, workload),
        throughput_clients::chart(model, workload),
        throughput_cost::chart(model, workload),
        latency_load::chart(model, workload),
        held::chart(model, workload),
        anatomy::chart(model, workload),
        spectrum::chart(workload),
        fairness::chart(workload),
        cost::chart(model, workload),
    ];
    charts.into_iter().flatten().collect()
}

/// The charts of a whole session.
pub(crate) fn of_session(model: &Model) -> Vec<Chart> {
    [twin::chart(model), rounds::chart(model)].into_iter().flatten().collect()
}

/// `kind-workload`; where the name has characters that an id cannot have, a hash keeps it unique.
fn id(kind: &str, workload: &WorkloadView) -> String {
    let slug = slug(&workload.name);
    if slug == workload.name {
        return format!("{kind}-{slug}");
    }
    let hash: String =
        Sha256::digest(&workload.name).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}-{slug}-{hash}")
}

/// The rows that charts draw: all but twins, which have a chart of their own.
fn drawn(cell: &CellView) -> impl Iterator<Item = &Row> {
    cell.rows.iter().filter(|row| row.role != Role::Twin)
}

/// Names and looks of the rows that charts draw, the limit last.
fn row_looks(workload: &WorkloadView) -> Vec<(String, Look)> {
    let rows = workload.cells.first().into_iter().flat_map(drawn);
    rows.map(|row| (row.strategy.clone(), Look::of(row.role))).collect()
}

/// Every drawn row with numbers, with its cell.
fn measured(workload: &WorkloadView) -> impl Iterator<Item = (&CellView, &Row, &Numbers)> {
    let rows = workload.cells.iter().flat_map(|cell| drawn(cell).map(move |row| (cell, row)));
    rows.filter_map(|(cell, row)| Some((cell, row, row.numbers()?)))
}

/// Like [`measured`], without the limit.
fn strategies(workload: &WorkloadView) -> impl Iterator<Item = (&CellView, &Row, &Numbers)> {
    measured(workload).filter(|(_, row, _)| row.role != Role::Limit)
}

/// A row of a strip chart: what `draw` makes of its numbers, or the word for their lack.
fn strip(row: &Row, draw: impl FnOnce(&Numbers) -> Strip) -> Strip {
    let word = match &row.outcome {
        Outcome::Measured(numbers) => return draw(numbers),
        Outcome::Failed(_) => "failed",
        Outcome::NotMeasured => "not measured",
    };
    Strip { marks: Vec::new(), value: word.to_owned() }
}

/// `95 % interval over 8 rounds, for all 36 comparisons together`.
fn simultaneous_words(model: &Model) -> String {
    let (rounds, family) = (plural(model.rounds, "round"), plural(model.family, "comparison"));
    format!("95 % interval over {rounds}, for all {family} of the session together")
}

/// `95 % interval over 8 rounds, each for itself`.
fn interval_words(model: &Model) -> String {
    format!("95 % interval over {}, each for itself", plural(model.rounds, "round"))
}
