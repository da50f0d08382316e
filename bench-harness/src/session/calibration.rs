//! How often the harness is wrong: what sessions with known truth were told about it.
//!
//! Such a session compares its control with copies of it. A verdict about a copy that does not differ is a false alarm; a copy
//! whose writes were made slower and that is not called slower is a miss.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::record::{Calibration, Environment, Planted, Session, TrialResult};
use crate::stats::location::median;
use crate::stats::steadiness::variation;
use crate::stats::{Absent, Family, Judgement, Known, MIN_EFFECT, Verdict, judge};

/// The folder of such sessions, in the folder of results.
pub const CALIBRATION_FOLDER: &str = "calibration";
const FILE: &str = "calibration.json";
const SCHEMA: &str = "bench-harness.calibration/1";

/// The summary on disk: good for the machine that it was measured on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Summary {
    schema: String,
    environment: Environment,
    calibration: Calibration,
}

/// Puts the summary into the folder of the sessions that it comes from.
///
/// # Errors
/// The file cannot be written.
pub fn save(folder: &Path, calibration: &Calibration, here: &Environment) -> io::Result<()> {
    let summary =
        Summary { schema: SCHEMA.to_owned(), environment: here.clone(), calibration: calibration.clone() };
    let (new, file) = (folder.join("calibration.json.new"), folder.join(FILE));
    fs::write(&new, format!("{}\n", serde_json::to_string_pretty(&summary)?))?;
    fs::rename(new, file)
}

/// What is known in a folder of results about the harness on the machine of `here`; `None` if that was never measured.
pub fn known(results: &Path, here: &Environment) -> Option<Calibration> {
    let text = fs::read(results.join(CALIBRATION_FOLDER).join(FILE)).ok()?;
    let summary: Summary = serde_json::from_slice(&text).ok()?;
    let is_of_here = summary.schema == SCHEMA && summary.environment.unlike_in_hardware(here).is_none();
    is_of_here.then_some(summary.calibration)
}

/// What sessions of copies say about the harness.
///
/// # Errors
/// Absent when there is no session with copies, or one was not measured in every round.
pub fn calibration(sessions: &[Session]) -> Known<Calibration> {
    let mut identical: Vec<Judgement> = Vec::new();
    let mut planted: BTreeMap<(String, String, u64), Vec<Judgement>> = BTreeMap::new();
    for session in sessions {
        for copy in copies(session)? {
            // Shares are told apart by what is written of them.
            match session.plan.slowed.get(copy.label).map(|share| (share * 1e6).round() as u64) {
                None => identical.push(copy.judgement),
                Some(share) => {
                    let place = (copy.workload.to_owned(), copy.cell.to_owned(), share);
                    planted.entry(place).or_default().push(copy.judgement);
                }
            }
        }
    }
    let mut controls: Vec<String> = sessions.iter().map(|session| session.plan.control.clone()).collect();
    controls.sort();
    controls.dedup();
    Ok(Calibration {
        sessions: sessions.iter().map(|session| session.id.clone()).collect(),
        rounds: sessions.iter().map(|session| session.plan.rounds).min().unwrap_or(0),
        controls,
        identical: identical.len() as u64,
        false_alarms: count(&identical, |it| matches!(it.verdict, Verdict::Faster | Verdict::Slower)),
        identical_above: count(&identical, |it| it.excess.centre < 0.0),
        identical_p95: ninety_fifth(&identical)?,
        probe_variation: median(&sessions.iter().map(probe_variation).collect::<Known<Vec<_>>>()?)?,
        planted: planted.into_iter().map(found).collect::<Known<_>>()?,
    })
}

fn probe_variation(session: &Session) -> Known<f64> {
    variation(&session.rounds.iter().map(|round| round.probe_ns as f64).collect::<Vec<_>>())
}

/// A copy of the control on a cell.
struct Copy<'s> {
    workload: &'s str,
    cell: &'s str,
    label: &'s str,
    judgement: Judgement,
}

fn copies(session: &Session) -> Known<Vec<Copy<'_>>> {
    let plan = &session.plan;
    let rounds = session.rounds_that_count();
    let mut costs = BTreeMap::new();
    for trial in session.trials.iter().filter(|trial| rounds.contains(&trial.round)) {
        if let TrialResult::Measured(measured) = &trial.result {
            let cost = measured.window_ns as f64 / measured.done as f64;
            costs.insert((&*trial.workload, &*trial.cell, &*trial.strategy, trial.round), cost);
        }
    }
    let family = Family::of(plan.family as usize);
    let mut copies = Vec::new();
    for (workload, cell) in session.cells() {
        for label in plan.twins.keys().chain(plan.slowed.keys()) {
            let cost = |label: &str, round| {
                costs.get(&(workload, &*cell.id, label, round)).copied().ok_or_else(|| {
                    let place = format!("{workload}/{}, {label}, round {round}", cell.id);
                    Absent::because(format!("{}: {place} was not measured", session.id))
                })
            };
            let pairs = rounds.iter().map(|round| Ok((cost(label, *round)?, cost(&plan.control, *round)?)));
            let judgement = judge(&pairs.collect::<Known<Vec<_>>>()?, family, MIN_EFFECT)?;
            copies.push(Copy { workload, cell: &cell.id, label, judgement });
        }
    }
    match copies.is_empty() {
        true => Err(Absent::because(format!("{} has no copies of its control", session.id))),
        false => Ok(copies),
    }
}

fn count(judgements: &[Judgement], is: impl Fn(&Judgement) -> bool) -> u64 {
    judgements.iter().filter(|judgement| is(judgement)).count() as u64
}

fn ninety_fifth(identical: &[Judgement]) -> Known<f64> {
    let mut sizes: Vec<f64> =
        identical.iter().map(|judgement| judgement.excess.centre.abs().exp_m1()).collect();
    sizes.sort_by(f64::total_cmp);
    let place = (0.95 * sizes.len() as f64).ceil() as usize;
    let known = sizes.get(place.saturating_sub(1)).copied();
    known.ok_or_else(|| Absent::because("there is no session with copies"))
}

fn found(
    ((workload, cell, millionths), judgements): ((String, String, u64), Vec<Judgement>),
) -> Known<Planted> {
    let realised: Vec<f64> = judgements.iter().map(|judgement| judgement.excess.centre).collect();
    Ok(Planted {
        workload,
        cell,
        share: millionths as f64 / 1e6,
        sessions: judgements.len() as u64,
        seen: count(&judgements, |it| it.verdict == Verdict::Slower),
        mistaken: count(&judgements, |it| it.verdict == Verdict::Faster),
        realised: median(&realised)?.exp_m1(),
    })
}
