//! Whether a session that can be read also makes sense: names, numbers, and that plan, rounds and trials agree.
//!
//! A file may come from anywhere. Whoever reads a session after this may divide by a window, sum up times and use a name
//! as a heading without asking again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rounds::spare_rounds;
use crate::record::{Calibration, Measurement, Plan, Session, TrialResult};
use crate::stats::Samples;
use crate::trial::measure::KEPT;

// LIMIT: 10^15: eleven days in nanoseconds. No time or count of a trial comes near, and 18 thousand of them can be added up.
const LARGEST: f64 = 1e15;
// LIMIT: 200 bytes: file systems take 255 for a name, and something is put around it.
const LONGEST_NAME: usize = 200;
// LIMIT: what `--rounds` takes at most.
const MOST_ROUNDS: u32 = 100_000;

/// Whether every number in a document is one that a clock or a counter can show.
///
/// # Errors
/// Which one is not.
pub(super) fn numbers(document: &Value) -> Result<(), String> {
    match document {
        Value::Number(number) if !number.as_f64().is_some_and(|value| (0.0..=LARGEST).contains(&value)) => {
            Err(format!(": {number} is neither a time nor a count"))
        }
        Value::Array(entries) => entries
            .iter()
            .enumerate()
            .try_for_each(|(index, entry)| numbers(entry).map_err(|inner| format!("[{index}]{inner}"))),
        Value::Object(entries) => {
            entries.iter().filter(|(key, _)| !is_difference(key)).try_for_each(|(key, entry)| {
                numbers(entry).map_err(|inner| format!(".{}{inner}", key.escape_debug()))
            })
        }
        _ => Ok(()),
    }
}

/// Whether a number is a difference of two, which noise may turn below zero.
fn is_difference(key: &str) -> bool {
    ["timing_ns", "realised"].contains(&key)
}

/// Whether a session contradicts itself. The plan comes first, because trials are judged by it.
///
/// # Errors
/// What does not fit.
pub(super) fn session(session: &Session) -> Result<(), String> {
    name("id", &session.id)?;
    plan(&session.plan)?;
    session.calibration.as_ref().map_or(Ok(()), calibration)?;
    rounds(session)?;
    trials(session)?;
    completeness(session)?;
    rows(session)
}

/// A name that may be shown, and made a file's name, without leading anywhere else.
fn name(what: &str, name: &str) -> Result<(), String> {
    let is_unfit = |c: char| c.is_control() || matches!(c, '/' | '\\');
    let why = match name {
        "" => "is empty",
        "." | ".." => "is a folder",
        _ if name.len() > LONGEST_NAME => "is too long",
        _ if name.contains(is_unfit) => "has a slash or a control character",
        _ => return Ok(()),
    };
    let shown: String = name.chars().take(40).flat_map(char::escape_debug).collect();
    Err(format!("the {what} `{shown}` {why}"))
}

fn names<'a>(what: &str, all: impl IntoIterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for one in all {
        name(what, one)?;
        if !seen.insert(one) {
            return Err(format!("the {what} `{one}` is there twice"));
        }
    }
    Ok(())
}

fn plan(plan: &Plan) -> Result<(), String> {
    names("label", &plan.strategies)?;
    names("workload", plan.workloads.iter().map(|workload| &workload.name))?;
    for workload in &plan.workloads {
        names("cell", workload.cells.iter().map(|cell| &cell.id))
            .map_err(|reason| format!("workload `{}`: {reason}", workload.name))?;
    }
    if !plan.strategies.contains(&plan.control) {
        let control = plan.control.escape_debug();
        return Err(format!("the control `{control}` is not among the strategies"));
    }
    for (label, strategy) in &plan.twins {
        let is_label = plan.strategies.contains(label) && *label != plan.control;
        if !is_label || !plan.strategies.contains(strategy) || plan.twins.contains_key(strategy) {
            let (label, strategy) = (label.escape_debug(), strategy.escape_debug());
            return Err(format!("the twin `{label}` of `{strategy}` is not of the plan"));
        }
    }
    match plan.rounds {
        1..=MOST_ROUNDS => Ok(()),
        n => Err(format!("it plans {n} rounds, not 1 to {MOST_ROUNDS}")),
    }
}

fn rounds(session: &Session) -> Result<(), String> {
    let most = most_rounds(&session.plan);
    for (index, round) in session.rounds.iter().enumerate() {
        if u32::try_from(index) != Ok(round.round) || round.round >= most {
            return Err(format!("round {} is at place {index} of at most {most}", round.round));
        }
    }
    Ok(())
}

fn most_rounds(plan: &Plan) -> u32 {
    plan.rounds.saturating_add(spare_rounds(plan.rounds))
}

fn trials(session: &Session) -> Result<(), String> {
    let plan = &session.plan;
    let cells: BTreeSet<_> = session.cells().map(|(workload, cell)| (workload, &*cell.id)).collect();
    let mut seen = BTreeSet::new();
    for (index, trial) in session.trials.iter().enumerate() {
        let (workload, cell, strategy) = (&*trial.workload, &*trial.cell, &*trial.strategy);
        let named = || {
            let place = format!("{workload}/{cell}/{strategy}");
            format!("trial {index} ({}, round {})", place.escape_debug(), trial.round)
        };
        let is_planned = cells.contains(&(workload, cell)) && plan.strategies.contains(&trial.strategy);
        if !is_planned || trial.round >= most_rounds(plan) {
            return Err(format!("{} is not in the plan", named()));
        }
        if !seen.insert((trial.round, workload, cell, strategy)) {
            return Err(format!("{} is there twice", named()));
        }
        if let TrialResult::Measured(measured) = &trial.result {
            measurement(measured).map_err(|reason| format!("{}: {reason}", named()))?;
        }
    }
    Ok(())
}

fn measurement(measured: &Measurement) -> Result<(), String> {
    match measured {
        Measurement { window_ns: 0, .. } => Err("its window has no length".to_owned()),
        // All updates of an open loop may have been given up.
        Measurement { done: 0, open: None, .. } => Err("it is measured and has no update".to_owned()),
        Measurement { clients, .. } if clients.is_empty() => Err("it has no clients".to_owned()),
        Measurement { hdr, .. } => known_parts(hdr),
    }
}

/// Whether all histograms are of parts that trials keep: each part costs memory, however short its text is.
fn known_parts(hdr: &BTreeMap<String, String>) -> Result<(), String> {
    match hdr.keys().find(|part| !KEPT.contains(&part.as_str())) {
        Some(part) => Err(format!("it has a histogram of `{}`, which no trial keeps", part.escape_debug())),
        None => Ok(()),
    }
}

// LIMIT: a million comparisons: no machine measures more, and the bounds of their share are computed at once.
const MOST_COMPARISONS: u64 = 1_000_000;

fn calibration(known: &Calibration) -> Result<(), String> {
    let shares = known.planted.iter().map(|planted| (planted.seen.max(planted.mistaken), planted.sessions));
    let mut shares = shares.chain([(known.false_alarms.max(known.identical_above), known.identical)]);
    match shares.find(|(part, whole)| part > whole || *whole > MOST_COMPARISONS) {
        Some((part, whole)) => Err(format!("its calibration counts {part} of {whole}")),
        None => Ok(()),
    }
}

fn completeness(session: &Session) -> Result<(), String> {
    let rounds = session.rounds.len().max(session.plan.rounds as usize);
    let planned = session.trials_per_round().saturating_mul(rounds);
    if session.complete && session.trials.len() != planned {
        return Err(format!("it says complete, with {} of {planned} trials", session.trials.len()));
    }
    Ok(())
}

/// Whether the samples of each row can be read, once each.
fn rows(session: &Session) -> Result<(), String> {
    let cells: BTreeSet<_> = session.cells().map(|(workload, cell)| (workload, &*cell.id)).collect();
    let mut seen = BTreeSet::new();
    for row in &session.histograms {
        let (workload, cell, strategy) = (&*row.workload, &*row.cell, &*row.strategy);
        let place = format!("{workload}/{cell}/{strategy}");
        let named = format!("the samples of {}", place.escape_debug());
        if !cells.contains(&(workload, cell)) || !session.plan.strategies.contains(&row.strategy) {
            return Err(format!("{named} are not in the plan"));
        }
        if !seen.insert((workload, cell, strategy)) {
            return Err(format!("{named} are there twice"));
        }
        known_parts(&row.hdr).map_err(|reason| format!("{named}: {reason}"))?;
        for (part, text) in &row.hdr {
            Samples::decode(text)
                .map_err(|reason| format!("{named}, `{}`: {reason}", part.escape_debug()))?;
        }
    }
    Ok(())
}
