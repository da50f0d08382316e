//! Runs a campaign: round after round, each trial stored before the next one starts.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::child::{Children, Interrupted};
use super::pilot;
use super::plan::Campaign;
use crate::record::{Environment, SESSION_SCHEMA, Session, Trial};
use crate::session::store::{Store, StoreError};
use crate::trial::spec::TrialSpec;
use crate::workload::parse::hex;

/// Told how a campaign goes on.
pub trait Watch {
    /// A trial is about to start.
    fn starts(&mut self, spec: &TrialSpec);
    /// A trial has ended and is on disk.
    fn ended(&mut self, spec: &TrialSpec, trial: &Trial);
    /// All trials of a round are in.
    fn round_ended(&mut self, round: u32);
}

/// The program that measures: this one.
#[derive(Clone, Debug)]
pub struct Binary {
    /// Where it is.
    pub path: PathBuf,
    /// sha256 of its bytes, hex.
    pub sha256: String,
}

impl Binary {
    /// The running program.
    ///
    /// # Errors
    /// The platform does not tell where it is, or it cannot be read.
    pub fn current() -> io::Result<Self> {
        let path = std::env::current_exe()?;
        let sha256 = sha256(&path)?;
        Ok(Self { path, sha256 })
    }

    /// Whether the file is still what it was.
    pub fn is_unchanged(&self) -> bool {
        sha256(&self.path).is_ok_and(|now| now == self.sha256)
    }
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
        incomplete_reason: Some("still running, or ended without a word".to_owned()),
        plan: campaign.plan.clone(),
        environment,
        pilots: Vec::new(),
        rounds: Vec::new(),
        histograms: Vec::new(),
        trials: Vec::with_capacity(campaign.n_trials()),
    }
}

/// Runs all rounds. The session then holds every trial that ended, and says whether it is complete or why it is not.
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
    store.save(session)?;
    if let Err(Interrupted) =
        pilot::measure(campaign, &mut session.pilots, children, |spec| watch.starts(spec))
    {
        session.incomplete_reason = Some("interrupted before the first round".to_owned());
        return store.save(session);
    }
    for round in 0..campaign.plan.rounds {
        for spec in campaign.round(round) {
            let spec = pilot::with_rate(spec, &session.pilots);
            watch.starts(&spec);
            match children.run(&spec) {
                Ok(trial) => {
                    session.trials.push(Trial { schema: String::new(), ..trial.clone() });
                    store.append(&trial)?;
                    watch.ended(&spec, &trial);
                }
                Err(Interrupted) => {
                    session.incomplete_reason = Some(interrupted(campaign, session, round));
                    return store.save(session);
                }
            }
        }
        store.save(session)?;
        watch.round_ended(round);
    }
    finish(session, store, binary)
}

fn interrupted(campaign: &Campaign, session: &Session, round: u32) -> String {
    let (done, all) = (session.trials.len(), campaign.n_trials());
    format!("interrupted in round {} of {}, after {done} of {all} trials", round + 1, campaign.plan.rounds)
}

/// Marks a session whose trials are all in as complete, unless the program changed while it ran.
fn finish(session: &mut Session, store: &Store, binary: &Binary) -> Result<(), StoreError> {
    session.complete = binary.is_unchanged();
    session.incomplete_reason = (!session.complete)
        .then(|| "the harness was built anew while it ran: its trials may be of two builds".to_owned());
    store.save(session)
}
