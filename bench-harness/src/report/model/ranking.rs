//! Every row of a session in one order: what speaks against a strategy first.

use super::{CellView, Model, Row, WorkloadView};
use crate::stats::Ratio;

/// A row with where it belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranked<'m> {
    /// Its workload.
    pub(crate) workload: &'m WorkloadView,
    /// Its cell.
    pub(crate) cell: &'m CellView,
    /// The row.
    pub(crate) row: &'m Row,
}

impl Ranked<'_> {
    /// How many times as good as the control.
    pub(crate) fn merit(&self) -> Option<&Ratio> {
        self.row.numbers()?.merit.as_ref().ok()
    }
}

/// All rows: failed ones, then from the worst ratio to the control up to the best, then those without a ratio.
pub(crate) fn ranking(model: &Model) -> Vec<Ranked<'_>> {
    let mut rows: Vec<Ranked<'_>> = model
        .workloads
        .iter()
        .flat_map(|workload| workload.cells.iter().map(move |cell| (workload, cell)))
        .flat_map(|(workload, cell)| cell.rows.iter().map(move |row| Ranked { workload, cell, row }))
        .collect();
    let key = |ranked: &Ranked<'_>| match (ranked.row.verdict().0, ranked.merit()) {
        ("failed", _) => (0, 0.0),
        (_, Some(ratio)) => (1, ratio.estimate),
        (_, None) => (2, 0.0),
    };
    rows.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    rows
}
