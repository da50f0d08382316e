//! The short form for a README or a summary: headline, decision tables, what is not equivalent, and where it was measured.

use std::fmt::Write as _;

use super::escape::markdown as md;
use super::model::{Choice, Decision, Goal, Model, Ranked, Role, ranking};

/// Headline, honesty, decision tables, everything that is not equivalent, and the command.
pub(super) fn summary(model: &Model) -> String {
    let mut text = headline(model);
    text += &decisions(model);
    let open: Vec<Ranked<'_>> = ranking(model).into_iter().filter(is_notable).collect();
    if !open.is_empty() {
        text += "\n| cell | strategy | verdict | |\n|---|---|---|---|\n";
        for ranked in open {
            let (word, shape) = ranked.row.verdict();
            let cell = format!("{}, {}", ranked.workload.name, ranked.cell.title);
            let (strategy, words) = (&ranked.row.strategy, ranked.row.sentence());
            write_line(
                &mut text,
                &format!("| {} | {} | {shape} {word} | {} |", md(&cell), md(strategy), md(&words)),
            );
        }
    }
    text + &foot(model)
}

/// What stands in a README: headline, decision tables, pictures, session, machine, date, command.
pub(super) fn splice(model: &Model, pictures: &[(String, String)]) -> String {
    let mut text = headline(model);
    text += &decisions(model);
    for (address, finding) in pictures {
        write_line(&mut text, &format!("\n![{}]({address})", md(finding)));
    }
    text + &foot(model)
}

fn headline(model: &Model) -> String {
    let mut text = format!("**{}**\n\n", md(&model.headline));
    for warning in &model.warnings {
        write_line(&mut text, &format!("> {}\n", md(warning)));
    }
    for row in &model.failures {
        let line = format!("{}, {}: {}", row.strategy, row.place, row.sentence());
        write_line(&mut text, &format!("> ✕ **{}**\n", md(&line)));
    }
    for (name, value) in
        model.honesty.iter().filter(|(name, _)| ["Fitness", "A/A twin", "Calibration"].contains(name))
    {
        write_line(&mut text, &format!("{name}: {}.  ", md(value)));
    }
    text
}

fn decisions(model: &Model) -> String {
    model.decisions.iter().map(|decision| table(model, decision)).collect()
}

fn table(model: &Model, decision: &Decision) -> String {
    let what = match decision.goal {
        Goal::Throughput => "Most updates per second",
        Goal::Latency => "Shortest latency under a given load",
        Goal::Held => "Shortest hold on the caller",
    };
    let mut text = format!("\n{what}:\n\n| a write took |");
    for (callers, clients) in &decision.columns {
        text += &format!(" {clients} {callers} |");
    }
    text += "\n|---|";
    text += &"---|".repeat(decision.columns.len());
    text.push('\n');
    for row in &decision.rows {
        text += &format!("| {} ({}, {}) |", md(&row.measured), md(&row.workload), md(&row.asked));
        for cell in &row.cells {
            text +=
                &format!(" {} |", cell.as_ref().map_or_else(|| "–".to_owned(), |cell| choice(model, cell)));
        }
        text.push('\n');
    }
    text
}

fn choice(model: &Model, choice: &Choice) -> String {
    let second = match choice.second_line(&model.control) {
        line if line.is_empty() => line,
        line => format!("<br>{}", md(&line)),
    };
    format!("**{}**{second}<br>{}", md(&choice.first_line()), md(&choice.value))
}

/// A strategy that is not simply as good as the control.
fn is_notable(ranked: &Ranked<'_>) -> bool {
    matches!(ranked.row.role, Role::Strategy(_)) && ranked.row.verdict().0 != "equivalent"
}

fn foot(model: &Model) -> String {
    format!(
        "\n{}\n\nSession {}, {}: `{}`\n",
        md(&model.provenance),
        md(&model.session),
        md(&model.date),
        code(&model.command)
    )
}

/// Text between backticks, in which nothing else is special.
fn code(text: &str) -> String {
    super::escape::clean(text).replace('`', "'").replace(['<', '>'], "")
}

fn write_line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes every write");
}
