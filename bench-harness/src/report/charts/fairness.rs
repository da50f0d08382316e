//! Does somebody starve? Each client's share of the throughput.

use super::{Chart, Grid, Table, drawn, id, measured, row_looks, strategies, strip};
use crate::report::draw::{Domain, Mark, Strip, StripPanel, Strips};
use crate::report::format::{duration, known, number, tick};
use crate::report::model::{CellView, Numbers, WorkloadView};
use crate::stats::Known;

// LIMIT: 11 teeth a row keep a page of forty cells under its budget; more clients show as deciles.
const TICKS: usize = 11;

pub(super) fn chart(workload: &WorkloadView) -> Option<Chart> {
    let cells: Vec<_> = workload.cells.iter().filter(|cell| cell.clients > 1).collect();
    if cells.is_empty() {
        return None;
    }
    let grid = Grid::of(cells);
    let most = |numbers: &Numbers| numbers.fairness.as_ref().ok()?.shares.last().copied();
    let panels =
        grid.scaled_panels(|numbers| Domain::from_zero(numbers.filter_map(most).chain([1.0])), panel);
    let strips = Strips { columns: grid.columns, rows: row_looks(workload), panels, legend: Vec::new() };
    Some(Chart {
        id: id("fairness", workload),
        title: "Does somebody starve?",
        finding: finding(workload),
        caption: format!(
            "A tooth per client: its answers over the mean client's, the median over rounds; 1 is an even share. Over {TICKS} clients \
             the teeth are least, deciles and most. Thick line: the least served client from its worst to its best round. At \
             the right: Jain's index, 1 when all are equal."
        ),
        drawing: strips.draw(),
        table: table(workload),
        leading: false,
    })
}

fn panel(cell: &CellView, domain: Known<Domain>) -> StripPanel {
    let draw = |numbers: &Numbers| match &numbers.fairness {
        Err(_) => Strip { marks: Vec::new(), value: "no answers".to_owned() },
        Ok(even) => {
            let marks = vec![Mark::Comb(thinned(&even.shares)), Mark::Range(even.worst, even.best_worst)];
            Strip { marks, value: number(even.jain) }
        }
    };
    StripPanel {
        title: cell.title.clone(),
        domain,
        tick,
        rule: Some(1.0),
        band: None,
        strips: drawn(cell).map(|row| strip(row, draw)).collect(),
    }
}

/// All shares, or least, deciles and most.
fn thinned(shares: &[f64]) -> Vec<f64> {
    if shares.len() <= TICKS {
        return shares.to_vec();
    }
    (0..=10).map(|decile| shares[decile * (shares.len() - 1) / 10]).collect()
}

fn finding(workload: &WorkloadView) -> String {
    let of_many = || strategies(workload).filter(|(cell, _, _)| cell.clients > 1);
    let even =
        || of_many().filter_map(|(cell, row, numbers)| Some((cell, row, numbers.fairness.as_ref().ok()?)));
    let Some((cell, row, worst)) = even().min_by(|a, b| a.2.worst.total_cmp(&b.2.worst)) else {
        return "No strategy answered every round.".to_owned();
    };
    let starved = if worst.worst == 0.0 {
        format!("With {} at {} one client got no answer at all in a round.", row.strategy, cell.title)
    } else {
        let share = number(worst.worst);
        format!("The least served client got {share} of the mean ({} at {}).", row.strategy, cell.title)
    };
    let gap = even().max_by_key(|(_, _, even)| even.longest_gap_ns);
    let gap = gap.map_or_else(String::new, |(cell, row, even)| {
        let gap = duration(even.longest_gap_ns as f64);
        format!(" The longest silence for one client was {gap} ({} at {}).", row.strategy, cell.title)
    });
    starved + &gap
}

fn table(workload: &WorkloadView) -> Table {
    let rows = measured(workload).filter(|(cell, _, _)| cell.clients > 1).map(|(cell, row, numbers)| {
        let even = &numbers.fairness;
        vec![
            cell.title.clone(),
            row.strategy.clone(),
            known(even, |even| number(even.jain)),
            known(even, |even| number(even.shares.first().copied().unwrap_or(f64::NAN))),
            known(even, |even| number(even.shares.last().copied().unwrap_or(f64::NAN))),
            known(even, |even| format!("{} to {}", number(even.worst), number(even.best_worst))),
            known(even, |even| duration(even.longest_gap_ns as f64)),
        ]
    });
    Table {
        columns: vec!["Cell", "Strategy", "Jain", "Least", "Most", "Least, by round", "Longest silence"],
        rows: rows.collect(),
    }
}
