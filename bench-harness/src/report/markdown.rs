//! The short form for a README: headline, decision table, and where it was measured.

use std::fmt::Write as _;

use super::escape::markdown as md;
use super::model::{Choice, Model};

/// Headline, decision table, provenance.
pub(super) fn summary(model: &Model) -> String {
    let mut text = format!("**{}**\n\n", md(&model.headline));
    for warning in &model.warnings {
        writeln!(text, "> {}\n", md(warning)).expect("a string takes every write");
    }
    text += "| write |";
    for (callers, clients) in &model.decision.columns {
        write!(text, " {clients} {callers} |").expect("a string takes every write");
    }
    text += "\n|---|";
    text += &"---|".repeat(model.decision.columns.len());
    text.push('\n');
    for row in &model.decision.rows {
        write!(text, "| {}, {} |", md(&row.workload), md(&row.cost)).expect("a string takes every write");
        for cell in &row.cells {
            write!(text, " {} |", cell.as_ref().map_or_else(|| "–".to_owned(), choice))
                .expect("a string takes every write");
        }
        text.push('\n');
    }
    for row in &model.failures {
        let line = format!("{}, {}: {}", row.strategy, row.place, row.sentence());
        write!(text, "\n- **{}**", md(&line)).expect("a string takes every write");
    }
    write!(text, "\n{}\n", md(&model.provenance)).expect("a string takes every write");
    text
}

fn choice(choice: &Choice) -> String {
    let second =
        if choice.lines[1].is_empty() { String::new() } else { format!("<br>{}", md(&choice.lines[1])) };
    format!("**{}**{second}<br>{}", md(&choice.lines[0]), md(&choice.value))
}
