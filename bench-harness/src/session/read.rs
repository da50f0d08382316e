//! Reads a session back: all of it or nothing.
//!
//! A file that is damaged, cut off, of another kind or of a newer harness is refused by name, before anything is made from
//! it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::error::Category;

use super::store::SESSION_FILE;
use crate::record::{SESSION_SCHEMA, Session};

/// Why a session cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    file: PathBuf,
    reason: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.reason)
    }
}

impl std::error::Error for ReadError {}

/// Reads a session from its folder or from its `session.json`.
///
/// # Errors
/// The file is missing or unreadable, is not JSON or ends too early, is not a session, was written by a newer harness, or
/// contradicts itself.
pub fn read(path: &Path) -> Result<Session, ReadError> {
    let file = file_of(path);
    match fs::read(&file) {
        Ok(bytes) => parse(&bytes).map_err(|reason| ReadError { file, reason }),
        Err(cause) => Err(ReadError { file, reason: format!("cannot read the session: {cause}") }),
    }
}

/// The `session.json` that a path given by a user means.
pub fn file_of(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(SESSION_FILE) } else { path.to_owned() }
}

fn parse(bytes: &[u8]) -> Result<Session, String> {
    check_schema(bytes)?;
    let session = serde_json::from_slice(bytes).map_err(|error| describe(&error))?;
    check(&session)?;
    Ok(session)
}

fn check_schema(bytes: &[u8]) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Header {
        schema: Option<String>,
    }
    const NO_SESSION: &str = "not a session of this harness";
    let header: Header = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Data => format!("{NO_SESSION}: {error}"),
        _ => describe(&error),
    })?;
    let schema = header.schema.ok_or_else(|| format!("{NO_SESSION}: it has no `schema`"))?;
    if schema == SESSION_SCHEMA {
        return Ok(());
    }
    match (version(&schema), version(SESSION_SCHEMA)) {
        (Some(theirs), Some(ours)) if theirs > ours => Err(format!(
            "written by a newer harness (`{schema}`); this one reads up to `{SESSION_SCHEMA}`: update it"
        )),
        _ => Err(format!("{NO_SESSION}: its schema is `{schema}`, not `{SESSION_SCHEMA}`")),
    }
}

/// The version of a session schema; `None` if it is of something else.
fn version(schema: &str) -> Option<u32> {
    let (family, version) = schema.rsplit_once('/')?;
    let (ours, _) = SESSION_SCHEMA.rsplit_once('/')?;
    (family == ours).then(|| version.parse().ok())?
}

fn describe(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof => {
            format!("cut off: the file ends at line {line}, column {column}, in the middle of a value")
        }
        _ => format!("damaged: {error}"),
    }
}

/// Whether trials and plan agree. The plan comes first, because trials are judged by it.
fn check(session: &Session) -> Result<(), String> {
    let plan = &session.plan;
    if !plan.strategies.contains(&plan.control) {
        return Err(format!("damaged: the control `{}` is not among the strategies", plan.control));
    }
    let cells: BTreeSet<_> = session.cells().map(|(workload, cell)| (workload, &*cell.id)).collect();
    let mut seen = BTreeSet::new();
    for (index, trial) in session.trials.iter().enumerate() {
        let (workload, cell, strategy) = (&*trial.workload, &*trial.cell, &*trial.strategy);
        let named = format!("trial {index} ({workload}/{cell}/{strategy}, round {})", trial.round);
        let is_planned = cells.contains(&(workload, cell)) && plan.strategies.contains(&trial.strategy);
        if !is_planned || trial.round >= plan.rounds {
            return Err(format!("damaged: {named} is not in the plan"));
        }
        if !seen.insert((trial.round, workload, cell, strategy)) {
            return Err(format!("damaged: {named} is there twice"));
        }
    }
    let planned = session.trials_per_round() * plan.rounds as usize;
    if session.complete && session.trials.len() != planned {
        return Err(format!("damaged: it says complete, with {} of {planned} trials", session.trials.len()));
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
