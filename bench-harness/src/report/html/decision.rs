//! The decision tables: which strategy for which write, and what the control gives up; one for each objective.

use std::fmt::Write as _;

use super::super::draw::{Look, glyph};
use super::super::escape::html as e;
use super::super::format::plural;
use super::super::model::{Choice, Decision, GivenUp, Goal, Model};
use super::region;
use crate::workload::definition::Callers;

/// All tables; where there are several, one is shown at a time, chosen by radio buttons.
pub(super) fn tables(model: &Model) -> String {
    let mut text = String::from("<div id=\"decision\">");
    if model.decisions.len() > 1 {
        text += "<fieldset class=\"choose\"><legend>Best by</legend>";
        for (i, decision) in model.decisions.iter().enumerate() {
            let (id, checked) = (id(decision.goal), if i == 0 { " checked=\"\"" } else { "" });
            write!(
                text,
                "<label><input type=\"radio\" name=\"goal\" id=\"o-{id}\"{checked}> {}</label> ",
                words(decision.goal)
            )
            .expect("a string takes every write");
        }
        text += "</fieldset>";
    }
    for decision in &model.decisions {
        write!(text, "<div class=\"goal\" data-o=\"{}\">{}</div>", id(decision.goal), table(model, decision))
            .expect("a string takes every write");
    }
    text + "</div>"
}

/// The goal in ids and data attributes.
pub(super) fn id(goal: Goal) -> &'static str {
    match goal {
        Goal::Throughput => "throughput",
        Goal::Latency => "latency",
        Goal::Held => "held",
    }
}

fn words(goal: Goal) -> &'static str {
    match goal {
        Goal::Throughput => "most updates per second",
        Goal::Latency => "shortest latency under a given load",
        Goal::Held => "shortest hold on the caller",
    }
}

fn table(model: &Model, decision: &Decision) -> String {
    let groups =
        [(Callers::Threads, "blocking threads"), (Callers::Tasks, "async tasks")].map(|(callers, words)| {
            let n = decision.columns.iter().filter(|column| column.0 == callers).count();
            if n == 0 {
                String::new()
            } else {
                format!("<th scope=\"colgroup\" colspan=\"{n}\">{words}</th>")
            }
        });
    let columns: String =
        decision.columns.iter().map(|(_, n)| format!("<th scope=\"col\">{n}</th>")).collect();
    let narrow = is_narrow(decision);
    let rows: String = decision.rows.iter().fold(String::new(), |all, row| {
        let cells: String = row.cells.iter().map(|cell| choice(model, narrow, cell.as_ref())).collect();
        format!(
            "{all}<tr><th scope=\"row\">{}<small>{}, {}</small></th>{cells}</tr>",
            e(&row.measured),
            e(&row.workload),
            e(&row.asked)
        )
    });
    let body = format!(
        "<table class=\"decision{}\"><caption><span>{}</span></caption><thead><tr><td></td>{}</tr><tr><th scope=\"col\">write took</th>{columns}</tr>\
         </thead><tbody>{rows}</tbody></table>",
        if narrow { " narrow" } else { "" },
        e(&caption(model, decision)),
        groups.concat()
    );
    let words = if narrow { in_words(model, decision) } else { String::new() };
    region(&format!("Decision table: {}", self::words(decision.goal)), &body) + &words
}

// LIMIT: with more than five columns the words of a cell no longer fit beside each other on a laptop's screen.
const WORDY_COLUMNS: usize = 5;

fn is_narrow(decision: &Decision) -> bool {
    decision.columns.len() > WORDY_COLUMNS
}

fn caption(model: &Model, decision: &Decision) -> String {
    let control = &model.control;
    let what = match decision.goal {
        Goal::Throughput => "Most updates per second",
        Goal::Latency => "Shortest latency at the same offered load",
        Goal::Held => "Shortest time in submit, before the caller is free again",
    };
    let loss = match decision.goal {
        Goal::Throughput => "the share of the best's updates per second that it gives up",
        Goal::Latency | Goal::Held => "how many times as long as the best's its percentile is",
    };
    let family = plural(model.family, "comparison");
    let short = if is_narrow(decision) { " +2: so many others tie." } else { "" };
    format!(
        "{what}, by what a write took (rows) and how many clients (columns): the simplest strategy that is not surely behind, then \
         who ties with it. Below, {control}, the control: {loss} [95 % for all {family} together].{short}"
    )
}

fn choice(model: &Model, narrow: bool, choice: Option<&Choice>) -> String {
    let Some(choice) = choice else { return "<td class=\"none\">–</td>".to_owned() };
    let everyone = choice.best.len() == choice.measured;
    let mark = match choice.best.as_slice() {
        [simplest, ..] if choice.sure && !everyone => marker(model, simplest),
        _ => String::new(),
    };
    let class = if matches!(choice.control, GivenUp::Surely(..)) { " class=\"loss\"" } else { "" };
    let (first, second) = if narrow {
        (choice.short_first_line(), choice.short_second_line())
    } else {
        (choice.first_line(), choice.second_line(&model.control))
    };
    let reached =
        if narrow { String::new() } else { format!(" <span class=\"reached\">{}</span>", e(&choice.value)) };
    format!("<td{class}>{mark}{}{reached}<small>{}</small></td>", e(&first), e(&second))
}

/// The decision table's cells in full.
fn in_words(model: &Model, decision: &Decision) -> String {
    let rows: String = decision.choices().fold(String::new(), |all, choice| {
        format!(
            "{all}<tr><th scope=\"row\">{}</th><td class=\"words\">{}</td><td class=\"words\">{}</td><td class=\"words\">{}</td></tr>",
            e(&choice.place),
            e(&choice.first_line()),
            e(&choice.second_line(&model.control)),
            e(&choice.value)
        )
    });
    let heads: String = ["Where", "Best", "The control", "The best reaches"]
        .iter()
        .map(|head| format!("<th scope=\"col\">{head}</th>"))
        .collect();
    let table = format!(
        "<table class=\"words\"><caption><span>Every choice</span></caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    );
    let what = words(decision.goal);
    format!(
        "<details class=\"data\"><summary>The same in words, with all ties</summary>{}</details>",
        region(&format!("Every choice: {what}"), &table)
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
