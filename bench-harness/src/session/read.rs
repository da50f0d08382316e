//! Reads a session back: all of it or nothing.
//!
//! A file that is damaged, cut off, of another kind or of a newer harness is refused by name, before anything is made from
//! it. Of a session that was not ended, its `session.json` has no trials yet: they are read from the lines beside it.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::error::Category;

use super::check;
use super::journal::{self, Journal};
use super::store::{SESSION_FILE, TRIALS_FILE};
use crate::record::{SESSION_SCHEMA, Session};

// LIMIT: 256 MiB: a hundred times a session of everything that `list` shows.
const MOST_BYTES: u64 = 256 << 20;

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

impl ReadError {
    pub(super) fn new(file: &Path, reason: impl Into<String>) -> Self {
        Self { file: file.to_owned(), reason: reason.into() }
    }
}

/// Reads a session from its folder or from its `session.json`.
///
/// # Errors
/// The file is missing or unreadable, is not JSON or ends too early, is not a session, was written by a newer harness, or
/// contradicts itself.
pub fn read(path: &Path) -> Result<Session, ReadError> {
    let file = file_of(path);
    let session = header(&file)?;
    let lines = file.with_file_name(TRIALS_FILE);
    if is_running(&session) && file.file_name().is_some_and(|name| name == SESSION_FILE) && lines.is_file() {
        return Ok(with_lines(session, &lines)?.0);
    }
    Ok(session)
}

/// Reads a session that was not ended from its folder: what is in its `session.json`, and the trials of the rounds that
/// have ended, with their samples.
///
/// # Errors
/// As [`read()`], or there are no lines of trials.
pub fn read_unfinished(folder: &Path) -> Result<(Session, Journal), ReadError> {
    let mut session = header(&folder.join(SESSION_FILE))?;
    session.trials.clear();
    session.histograms.clear();
    with_lines(session, &folder.join(TRIALS_FILE))
}

fn header(file: &Path) -> Result<Session, ReadError> {
    let refused = |reason| ReadError::new(file, reason);
    let bytes = bytes(file).map_err(|cause| refused(format!("cannot read the session: {cause}")))?;
    parse(&bytes).map_err(refused)
}

/// What a file has, if that is not unreasonably much.
pub(super) fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let length = fs::metadata(file)?.len();
    if length > MOST_BYTES {
        let (length, most) = (length >> 20, MOST_BYTES >> 20);
        return Err(io::Error::other(format!("it has {length} MiB; no session has more than {most}")));
    }
    fs::read(file)
}

/// Whether a session was not ended: its trials are in the lines beside it.
fn is_running(session: &Session) -> bool {
    !session.complete && session.trials.is_empty()
}

/// Adds the trials of the rounds that have ended.
fn with_lines(mut session: Session, lines: &Path) -> Result<(Session, Journal), ReadError> {
    let journal = journal::read(lines)?;
    session.trials = journal.trials_of(&session.rounds);
    check::session(&session).map_err(|reason| ReadError::new(lines, format!("damaged: {reason}")))?;
    Ok((session, journal))
}

/// The `session.json` that a path given by a user means.
pub fn file_of(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(SESSION_FILE) } else { path.to_owned() }
}

/// Reads a session from the bytes of its file.
///
/// # Errors
/// What is wrong with them.
pub fn parse(bytes: &[u8]) -> Result<Session, String> {
    check_schema(bytes)?;
    let session = serde_json::from_slice(bytes).map_err(|error| describe(&error))?;
    let document = serde_json::from_slice(bytes).map_err(|error| describe(&error))?;
    check::numbers(&document).map_err(|path| format!("damaged: {}", path.trim_start_matches('.')))?;
    check::session(&session).map_err(|reason| format!("damaged: {reason}"))?;
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

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
#[path = "hostile.rs"]
mod hostile;
