//! Where the cells of a workload stand in a chart of panels, and which of them share a scale.

use super::super::draw::Domain;
use super::super::model::{CellView, Numbers, Row};
use crate::stats::Known;

/// Cells in rows of panels.
#[derive(Clone, Debug)]
pub(super) struct Grid<'m> {
    /// Panels side by side.
    pub(super) columns: usize,
    cells: Vec<Option<&'m CellView>>,
    /// Whether a row has the same clients and write with different callers.
    is_paired: bool,
}

impl<'m> Grid<'m> {
    /// Threads beside tasks where every cell has its counterpart, else two in a row as they come.
    pub(super) fn of(cells: impl IntoIterator<Item = &'m CellView>) -> Self {
        let cells: Vec<&CellView> = cells.into_iter().collect();
        let callers = distinct(cells.iter().map(|cell| cell.callers));
        let kinds = distinct(cells.iter().map(|cell| (cell.write, cell.clients)));
        if callers.len() < 2 || kinds.len() * callers.len() > cells.len() {
            let columns = cells.len().clamp(1, 2);
            return Self { columns, cells: cells.into_iter().map(Some).collect(), is_paired: false };
        }
        let find = |kind: &_, who: &_| {
            cells.iter().copied().find(|cell| (cell.write, cell.clients) == *kind && cell.callers == *who)
        };
        let cells = kinds.iter().flat_map(|kind| callers.iter().map(move |who| find(kind, who))).collect();
        Self { columns: callers.len(), cells, is_paired: true }
    }

    /// A panel for each cell.
    pub(super) fn panels<P>(&self, panel: impl Fn(&'m CellView) -> P) -> Vec<Option<P>> {
        self.cells.iter().map(|cell| cell.map(&panel)).collect()
    }

    /// A panel for each cell, with a domain that pairs share.
    pub(super) fn scaled_panels<P>(
        &self,
        domain: impl Fn(&mut dyn Iterator<Item = &'m Numbers>) -> Known<Domain>,
        panel: impl Fn(&'m CellView, Known<Domain>) -> P,
    ) -> Vec<Option<P>> {
        let shared = if self.is_paired { self.columns } else { 1 };
        let group = |cells: &[Option<&'m CellView>]| {
            let mut numbers =
                cells.iter().flatten().flat_map(|cell| cell.rows.iter().filter_map(Row::numbers));
            let domain = domain(&mut numbers);
            cells.iter().map(|cell| cell.map(|cell| panel(cell, domain.clone()))).collect::<Vec<_>>()
        };
        self.cells.chunks(shared).flat_map(group).collect()
    }

    /// What a caption says about the scales.
    pub(super) fn scale_words(&self) -> &'static str {
        if self.is_paired {
            "Panels side by side share their scale."
        } else {
            "Each panel has its own scale."
        }
    }
}

fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}
