//! The decision table: which strategy for which write, and what the control gives up.

use super::super::draw::{Look, glyph};
use super::super::escape::html as e;
use super::super::model::{Choice, Model};
use super::region;
use crate::workload::definition::Callers;

/// The table, and below it the same in words where it has no room for them.
pub(super) fn table(model: &Model) -> String {
    let groups =
        [(Callers::Threads, "blocking threads"), (Callers::Tasks, "async tasks")].map(|(callers, words)| {
            let n = model.decision.columns.iter().filter(|column| column.0 == callers).count();
            if n == 0 {
                String::new()
            } else {
                format!("<th scope=\"colgroup\" colspan=\"{n}\">{words}</th>")
            }
        });
    let columns: String =
        model.decision.columns.iter().map(|(_, n)| format!("<th scope=\"col\">{n}</th>")).collect();
    let rows: String = model.decision.rows.iter().fold(String::new(), |all, row| {
        let cells: String = row.cells.iter().map(|cell| choice(model, cell.as_ref())).collect();
        format!(
            "{all}<tr><th scope=\"row\">{}<small>{}</small></th>{cells}</tr>",
            e(&row.workload),
            e(&row.cost)
        )
    });
    let body = format!(
        "<table class=\"decision{}\"><caption><span>{}</span></caption><thead><tr><td></td>{}</tr><tr><th scope=\"col\">write</th>{columns}</tr>\
         </thead><tbody>{rows}</tbody></table>",
        if is_narrow(model) { " narrow" } else { "" },
        e(&decision_caption(model)),
        groups.concat()
    );
    let words = if is_narrow(model) { in_words(model) } else { String::new() };
    region("Decision table", &body) + &words
}

// LIMIT: with more than five columns the words of a cell no longer fit beside each other on a laptop's screen.
const WORDY_COLUMNS: usize = 5;

fn is_narrow(model: &Model) -> bool {
    model.decision.columns.len() > WORDY_COLUMNS
}

fn decision_caption(model: &Model) -> String {
    let control = &model.control;
    let what = "Most updates per second, by write (rows) and number of clients (columns).";
    let tied = "Tied: the intervals do not show them apart.";
    if is_narrow(model) {
        format!(
            "{what} {tied} +2: so many tie with the one named, the first in the list. Below: how many percent of the best's \
             updates {control}, the control, loses, or how many times as long its p90 is (95 % interval)."
        )
    } else {
        format!(
            "{what} {tied} Below: what {control}, the control, gives up (95 % interval), and what the best reaches."
        )
    }
}

fn choice(model: &Model, choice: Option<&Choice>) -> String {
    let Some(choice) = choice else { return "<td class=\"none\">–</td>".to_owned() };
    let everyone = choice.best.len() == model.strategies.len();
    let mark = match choice.best.as_slice() {
        [simplest, rest @ ..] if choice.sure && !everyone && (is_narrow(model) || rest.is_empty()) => {
            marker(model, simplest)
        }
        _ => String::new(),
    };
    let class = if choice.shortfall().is_some() { " class=\"loss\"" } else { "" };
    let [first, second] = if is_narrow(model) { &choice.short } else { &choice.lines };
    let reached = if is_narrow(model) {
        String::new()
    } else {
        format!("<small class=\"reached\">{}</small>", e(&choice.value))
    };
    format!("<td{class}>{mark}{}<small>{}</small>{reached}</td>", e(first), e(second))
}

/// The decision table's cells in full.
fn in_words(model: &Model) -> String {
    let rows = model.decision.choices().map(|choice| {
        vec![choice.place.clone(), choice.lines[0].clone(), choice.lines[1].clone(), choice.value.clone()]
    });
    let cells = |row: Vec<String>| {
        row[1..].iter().map(|cell| format!("<td class=\"words\">{}</td>", e(cell))).collect::<String>()
    };
    let rows: String =
        rows.map(|row| format!("<tr><th scope=\"row\">{}</th>{}</tr>", e(&row[0]), cells(row))).collect();
    let heads: String = ["Where", "Best", "The control", "The best reaches"]
        .iter()
        .map(|head| format!("<th scope=\"col\">{head}</th>"))
        .collect();
    let table = format!(
        "<table class=\"words\"><caption><span>Every choice</span></caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    );
    format!(
        "<details class=\"data\"><summary>The same in words, with all ties</summary>{}</details>",
        region("Every choice", &table)
    )
}

fn marker(model: &Model, strategy: &str) -> String {
    let rows = model.workloads.iter().flat_map(|workload| &workload.cells).flat_map(|cell| &cell.rows);
    let row = rows.into_iter().find(|row| row.strategy == strategy);
    row.map_or_else(String::new, |row| {
        let look = Look::of(row.role);
        format!("<span class=\"{}\" aria-hidden=\"true\">{}</span> ", look.class(), glyph(look.shape))
    })
}
