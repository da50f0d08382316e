//! Runs a campaign: round after round, each trial stored before the next one starts.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use sha2::{Digest, Sha256};

use super::child::{Children, Interrupted};
use super::pilot;
use super::plan::Campaign;
use super::round::Watched;
use super::timing::timing;
use crate::record::{Environment, Round, SESSION_SCHEMA, Session, Trial};
use crate::session::store::{Store, StoreError};
use crate::trial::spec::TrialSpec;
use crate::workload::parse::hex;

const UNFINISHED: &str = "still running, or ended without a word";
const BUILT_ANEW: &str =
    "the harness was built anew while it ran; the round in which that happened does not count";

/// Told how a campaign goes on.
pub trait Watch {
    /// What the rounds rest on is measured; the next round is about to start.
    fn prepared(&mut self, session: &Session);
    /// A trial is about to start.
    fn starts(&mut self, spec: &TrialSpec);
    /// A trial has ended and is on disk.
    fn ended(&mut self, spec: &TrialSpec, trial: &Trial);
    /// All trials of a round are in.
    fn round_ended(&mut self, round: &Round);
}

/// The program that measures: this one.
#[derive(Clone, Debug)]
pub struct Binary {
    /// Where it is.
    pub path: PathBuf,
    /// sha256 of its bytes, hex.
    pub sha256: String,
    /// When the file was written, and its length.
    stamp: (SystemTime, u64),
}

impl Binary {
    /// The running program.
    ///
    /// # Errors
    /// The platform does not tell where it is, or it cannot be read.
    pub fn current() -> io::Result<Self> {
        let path = std::env::current_exe()?;
        let stamp = stamp(&path)?;
        let sha256 = sha256(&path)?;
        Ok(Self { path, sha256, stamp })
    }

    /// Whether the file is still what it was. Cheap where it was not even written anew.
    pub fn is_unchanged(&self) -> bool {
        stamp(&self.path).is_ok_and(|now| now == self.stamp)
            || sha256(&self.path).is_ok_and(|now| now == self.sha256)
    }
}

fn stamp(path: &Path) -> io::Result<(SystemTime, u64)> {
    let about = fs::metadata(path)?;
    Ok((about.modified()?, about.len()))
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut Hashing(&mut hash))?;
    Ok(hex(&hash.finalize()))
}

/// Everything written is hashed.
struct Hashing<'a>(&'a mut Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A session as it starts: no trials yet.
pub fn begin(campaign: &Campaign, id: &str, environment: Environment) -> Session {
    Session {
        schema: SESSION_SCHEMA.to_owned(),
        id: id.to_owned(),
        complete: false,
        incomplete_reason: Some(UNFINISHED.to_owned()),
        plan: campaign.plan.clone(),
        environment,
        calibration: None,
        timing_ns: None,
        resumed: Vec::new(),
        pilots: Vec::new(),
        rounds: Vec::new(),
        histograms: Vec::new(),
        trials: Vec::with_capacity(campaign.n_trials()),
    }
}

/// Runs the rounds that are left, all of them for a session that has just begun. The session then holds every trial that
/// ended, and says whether it is complete or why it is not.
///
/// # Errors
/// A trial or the session could not be stored. Nothing more is measured then, and `session` has what was.
pub fn run(
    campaign: &Campaign,
    session: &mut Session,
    store: &mut Store,
    children: &mut Children,
    binary: &Binary,
    watch: &mut dyn Watch,
) -> Result<(), StoreError> {
    let started = Instant::now();
    session.incomplete_reason = Some(UNFINISHED.to_owned());
    store.save_header(session)?;
    if let Err(Interrupted) = prepare(campaign, session, children, watch) {
        session.incomplete_reason = Some("interrupted before the first round".to_owned());
        return store.save(session);
    }
    store.save_header(session)?;
    watch.prepared(session);
    while let Some(round) = session.next_round() {
        let is_planned = round < campaign.plan.rounds;
        let has_time = |budget| started.elapsed() + campaign.round_time() <= budget;
        if !is_planned && !campaign.budget.is_none_or(has_time) {
            break;
        }
        let Some(evidence) = run_round(campaign, round, session, store, children, watch)? else {
            session.incomplete_reason = Some(interrupted(campaign, session, round));
            return store.save(session);
        };
        if !binary.is_unchanged() {
            session.trials.retain(|trial| trial.round != round);
            session.incomplete_reason = Some(BUILT_ANEW.to_owned());
            return store.save(session);
        }
        session.rounds.push(evidence.clone());
        store.save_header(session)?;
        watch.round_ended(&evidence);
    }
    *session = session.folded().map_err(StoreError::unreadable)?;
    session.complete = true;
    session.incomplete_reason = None;
    store.save(session)
}

/// Measures what the rounds rest on, as far as it is not known yet.
fn prepare(
    campaign: &Campaign,
    session: &mut Session,
    children: &mut Children,
    watch: &mut dyn Watch,
) -> Result<(), Interrupted> {
    if session.timing_ns.is_none() {
        session.timing_ns = timing(|spec| children.run(spec))?;
    }
    // A pilot that failed is not tried again once a round has ended: all rounds have the same rates.
    match session.rounds.is_empty() {
        true => pilot::measure(campaign, &mut session.pilots, children, |spec| watch.starts(spec)),
        false => Ok(()),
    }
}

/// Runs the trials of a round; `None` if the user wants no more.
fn run_round(
    campaign: &Campaign,
    round: u32,
    session: &mut Session,
    store: &mut Store,
    children: &mut Children,
    watch: &mut dyn Watch,
) -> Result<Option<Round>, StoreError> {
    let watched = Watched::begin();
    for spec in campaign.round(round) {
        let spec = pilot::with_rate(spec, &session.pilots);
        watch.starts(&spec);
        let Ok(trial) = children.run(&spec) else { return Ok(None) };
        session.trials.push(Trial { schema: String::new(), ..trial.clone() });
        store.append(&trial)?;
        watch.ended(&spec, &trial);
    }
    Ok(Some(watched.end(round)))
}

fn interrupted(campaign: &Campaign, session: &Session, round: u32) -> String {
    let (done, all) = (session.trials.len(), campaign.n_trials());
    format!("interrupted in round {} of {}, after {done} of {all} trials", round + 1, campaign.plan.rounds)
}
