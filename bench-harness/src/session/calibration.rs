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

#[cfg(test)]
mod tests {
    use super::super::made_up;
    use super::*;
    use crate::record::{Measurement, Trial};

    /// A session of the control `a`, its twins `s1` and `s2`, and `s3`, whose writes were made 10 % longer; `cost_of` gives
    /// the cost of an update of a label in a round.
    fn session(rounds: u32, cost_of: impl Fn(&str, u32) -> f64) -> Session {
        let mut session = made_up::session();
        let plan = &mut session.plan;
        plan.twins = ["s1", "s2"].map(|label| (label.to_owned(), "a".to_owned())).into();
        plan.slowed = [("s3".to_owned(), 0.1)].into();
        plan.strategies = ["a", "s1", "s2", "s3"].map(str::to_owned).to_vec();
        (plan.rounds, plan.family) = (rounds, 3);
        let measured = |label: &str, round| {
            let done = (1e9 / cost_of(label, round)) as u64;
            let measurement = Measurement { window_ns: 1_000_000_000, done, ..made_up::measurement() };
            let result = TrialResult::Measured(Box::new(measurement));
            Trial { result, ..made_up::trial(round, label) }
        };
        session.trials = (0..rounds)
            .flat_map(|round| ["a", "s1", "s2", "s3"].map(|label| measured(label, round)))
            .collect();
        session.rounds = (0..rounds).map(made_up::round).collect();
        session
    }

    /// Costs that scatter by a per cent from round to round, differently for each label.
    fn scatter(label: &str, round: u32) -> f64 {
        let n = u64::from(round) * 7 + label.bytes().map(u64::from).sum::<u64>();
        1_000.0 * (1.0 + 0.01 * ((n % 5) as f64 / 2.0 - 1.0))
    }

    #[test]
    fn identical_copies_are_counted_and_a_slowdown_that_is_there_is_found() {
        let slowed = |label: &str, round| scatter(label, round) * if label == "s3" { 1.1 } else { 1.0 };
        let known = calibration(&[session(12, slowed), session(12, slowed)]).unwrap();
        assert_eq!((known.identical, known.false_alarms, known.rounds), (4, 0, 12));
        assert_eq!((known.sessions.len(), known.controls), (2, vec!["a".to_owned()]));
        assert!(known.identical_p95 < 0.02 && known.probe_variation == 0.0);
        let [planted] = &known.planted[..] else { panic!("{:?}", known.planted) };
        assert_eq!((planted.share, planted.sessions, planted.seen, planted.mistaken), (0.1, 2, 2, 0));
        assert!((planted.realised - 0.1).abs() < 0.01, "{}", planted.realised);
    }

    #[test]
    fn a_copy_that_differs_is_a_false_alarm_and_a_slowdown_that_is_not_there_a_miss() {
        let wrong = |label: &str, round| scatter(label, round) * if label == "s1" { 0.8 } else { 1.0 };
        let known = calibration(&[session(12, wrong)]).unwrap();
        assert_eq!((known.identical, known.false_alarms), (2, 1));
        assert_eq!((known.planted[0].seen, known.planted[0].mistaken), (0, 0));
    }

    #[test]
    fn a_session_without_copies_or_with_a_hole_is_named() {
        let mut plain = session(12, scatter);
        (plain.plan.twins, plain.plan.slowed) = Default::default();
        assert!(calibration(&[plain]).unwrap_err().reason().contains("no copies"));
        let mut holed = session(12, scatter);
        let failed = crate::record::Failure { check: "V1".to_owned(), reason: "astray".to_owned() };
        holed.trials[5].result = TrialResult::Failed(failed);
        let reason = calibration(&[holed]).unwrap_err();
        assert!(reason.reason().contains("w/threads-1, s1, round 1 was not measured"), "{reason}");
        assert!(calibration(&[]).is_err());
    }

    #[test]
    fn a_summary_is_known_on_the_machine_that_it_was_measured_on_only() {
        let results = tempfile::tempdir().unwrap();
        let folder = results.path().join(CALIBRATION_FOLDER);
        fs::create_dir(&folder).unwrap();
        let here = made_up::session().environment;
        assert_eq!(known(results.path(), &here), None);
        let measured = calibration(&[session(12, scatter)]).unwrap();
        save(&folder, &measured, &here).unwrap();
        assert_eq!(known(results.path(), &here), Some(measured));
        let elsewhere = Environment { cpus: here.cpus + 1, ..here };
        assert_eq!(known(results.path(), &elsewhere), None);
        fs::write(folder.join(FILE), "{").unwrap();
        assert_eq!(known(results.path(), &elsewhere), None);
    }
}
