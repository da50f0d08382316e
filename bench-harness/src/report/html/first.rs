//! The first screen: the sentence, the choice, four cards, and what a sceptic asks.

use super::super::draw::{Look, glyph};
use super::super::escape::html as e;
use super::super::model::{Model, Role};
use super::decision;

/// Headline, warnings, decision table, cards and the honesty box.
pub(super) fn screen(model: &Model) -> String {
    let warnings: String = model
        .warnings
        .iter()
        .map(|text| format!("<p class=\"bad\"><strong>! {}</strong></p>", e(text)))
        .collect();
    format!(
        "<section aria-labelledby=\"answer\"><h2 id=\"answer\" class=\"headline\">{}</h2>{warnings}{}{}{}{}{}</section>\n",
        e(&model.headline),
        failures(model),
        decision::tables(model),
        cards(model),
        honesty(model),
        key(model),
    )
}

fn failures(model: &Model) -> String {
    if model.failures.is_empty() {
        return String::new();
    }
    let items: String = model.failures.iter().fold(String::new(), |all, row| {
        format!(
            "{all}<li>✕ <strong>{}</strong>, {}: {}</li>",
            e(&row.strategy),
            e(&row.place),
            e(&row.sentence())
        )
    });
    format!("<ul class=\"bad\">{items}</ul>")
}

fn cards(model: &Model) -> String {
    let cards: String = model.cards.iter().fold(String::new(), |all, card| {
        format!(
            "{all}<li><a href=\"#{}\"><span class=\"head\">{}</span> <strong>{}</strong> <small>{}</small></a></li>",
            card.link,
            e(card.head),
            e(&card.word),
            e(&card.line)
        )
    });
    format!("<ul class=\"cards\" aria-label=\"At a glance\">{cards}</ul>")
}

fn honesty(model: &Model) -> String {
    let facts: String = model
        .honesty
        .iter()
        .fold(String::new(), |all, (name, value)| format!("{all}<dt>{}</dt><dd>{}</dd>", e(name), e(value)));
    format!(
        "<aside id=\"honesty\" aria-label=\"What was run, and what is not known\"><dl>{facts}</dl></aside>"
    )
}

/// Which marker is which strategy.
fn key(model: &Model) -> String {
    let rows = model.workloads.iter().flat_map(|workload| workload.cells.first()).next();
    let items: String = rows.map_or(&[][..], |cell| &cell.rows).iter().fold(String::new(), |all, row| {
        let role = match row.role {
            Role::Control => " (control)",
            Role::Limit => " (one bare loop, no queue)",
            Role::Strategy(_) | Role::Twin => "",
        };
        format!("{all}<span class=\"who\">{}{role}</span> ", name(&row.strategy, row.role))
    });
    format!("<p class=\"key\">{items}</p>")
}

/// A strategy with its marker.
pub(super) fn name(strategy: &str, role: Role) -> String {
    let look = Look::of(role);
    format!(
        "<span class=\"{}\" aria-hidden=\"true\">{}</span> {}",
        look.class(),
        glyph(look.shape),
        e(strategy)
    )
}
