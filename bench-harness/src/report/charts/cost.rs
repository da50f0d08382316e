//! What does it burn? CPU time and context switches per update.

use super::{Chart, Table, drawn, id, interval_words, measured, row_looks, strategies, strip};
use crate::report::draw::{Domain, Mark, Strip, StripPanel, Strips};
use crate::report::format::{duration, interval, known, number, tick, tick_duration, times};
use crate::report::model::{CellView, Model, Numbers, Role, WorkloadView};
use crate::stats::{Known, Location};

pub(super) fn chart(model: &Model, workload: &WorkloadView) -> Option<Chart> {
    let panels = workload.cells.iter().flat_map(|cell| {
        let cpu = panel(cell, "CPU per update", tick_duration, duration, |numbers| &numbers.cpu_ns);
        let switches = panel(cell, "switches per update", tick, number, |numbers| &numbers.switches);
        [Some(cpu), Some(switches)]
    });
    let legend =
        vec![(FIRST, "user mode / voluntary".to_owned()), (SECOND, "kernel / involuntary".to_owned())];
    let strips = Strips { columns: 2, rows: row_looks(workload), panels: panels.collect(), legend };
    Some(Chart {
        id: id("cost", workload),
        title: "What does it burn?",
        finding: finding(model, workload),
        caption: format!(
            "Left: CPU time per update, in user mode and in the kernel. Right: context switches per update, voluntary (a thread \
             waits) and involuntary. Whole process, so the clients that make the load are part of it. The table has the {}.",
            interval_words(model)
        ),
        drawing: strips.draw(),
        table: table(workload),
        leading: false,
    })
}

/// Fills of the two halves of a bar, borrowed from the parts.
const FIRST: usize = 0;
const SECOND: usize = 2;

type Pair = Known<(Location, Location)>;

fn panel(
    cell: &CellView,
    what: &str,
    tick: fn(f64) -> String,
    show: fn(f64) -> String,
    pair: fn(&Numbers) -> &Pair,
) -> StripPanel {
    let sum = |numbers: &Numbers| pair(numbers).as_ref().ok().map(|(a, b)| a.centre + b.centre);
    let draw = |numbers: &Numbers| match pair(numbers) {
        Err(_) => Strip { marks: Vec::new(), value: "no answers".to_owned() },
        Ok((a, b)) => Strip {
            marks: vec![Mark::Bar(0.0, a.centre, FIRST), Mark::Bar(a.centre, a.centre + b.centre, SECOND)],
            value: show(a.centre + b.centre),
        },
    };
    StripPanel {
        title: format!("{what}, {}", cell.title),
        domain: Domain::from_zero(cell.rows.iter().filter_map(|row| sum(row.numbers()?)).chain([0.0])),
        tick,
        rule: None,
        band: None,
        strips: drawn(cell).map(|row| strip(row, draw)).collect(),
    }
}

/// The cell where a strategy's CPU time per update differs most from the control's.
fn finding(model: &Model, workload: &WorkloadView) -> String {
    let cpu = |numbers: &Numbers| numbers.cpu_ns.as_ref().ok().map(|(user, sys)| user.centre + sys.centre);
    let ratios = strategies(workload).filter(|(_, row, _)| row.role != Role::Control).filter_map(
        |(cell, row, numbers)| {
            let (own, control) = (cpu(numbers)?, cpu(cell.numbers(&model.control)?)?);
            (own > 0.0 && control > 0.0).then(|| (own / control, cell, row))
        },
    );
    let Some((ratio, cell, row)) = ratios.max_by(|a, b| a.0.ln().abs().total_cmp(&b.0.ln().abs())) else {
        return "No strategy's CPU time can be compared with the control's.".to_owned();
    };
    format!(
        "{} uses {} the CPU time of {} per update at {}.",
        row.strategy,
        times(ratio),
        model.control,
        cell.title
    )
}

fn table(workload: &WorkloadView) -> Table {
    let with_interval = |location: &Location, show: fn(f64) -> String| {
        format!("{}{}", show(location.centre), interval(&location.interval, show))
    };
    let rows = measured(workload).map(|(cell, row, numbers)| {
        vec![
            cell.title.clone(),
            row.strategy.clone(),
            known(&numbers.cpu_ns, |pair| with_interval(&pair.0, duration)),
            known(&numbers.cpu_ns, |pair| with_interval(&pair.1, duration)),
            known(&numbers.switches, |pair| with_interval(&pair.0, number)),
            known(&numbers.switches, |pair| with_interval(&pair.1, number)),
        ]
    });
    Table {
        columns: vec![
            "Cell",
            "Strategy",
            "CPU, user",
            "CPU, kernel",
            "Voluntary switches",
            "Involuntary switches",
        ],
        rows: rows.collect(),
    }
}
