//! From a session to something to read: one model, and a page, a terminal table and Markdown that lay it out.
//!
//! Nothing is measured here and no renderer computes: `model` holds every number and sentence. The same session gives the
//! same bytes. A session without a complete round is refused; nothing is rendered from half data.

mod charts;
mod draw;
mod escape;
mod format;
mod html;
mod markdown;
mod model;
pub mod splice;
mod terminal;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::record::{Session, Trial};
use model::Model;

/// The page's file name.
pub const PAGE: &str = "report.html";
/// The raw rounds as comma-separated values.
pub const RAW: &str = html::RAW_FILE;
/// The folder of the charts as files of their own.
pub const CHARTS: &str = "charts";

/// Writes `report.html`, `rounds.csv` and `charts/*.svg` into `dir` and returns the path of the page.
///
/// Each file is written under another name first and then renamed, so that a reader never sees half of one.
///
/// # Errors
/// The session cannot be rendered, or a file cannot be written. Nothing is written in the first case.
pub fn write(session: &Session, dir: &Path) -> Result<PathBuf, Error> {
    let model = Model::new(session)?;
    let page = html::page(session, &model);
    let charts = dir.join(CHARTS);
    fs::create_dir_all(&charts).map_err(|source| Error::Write { path: charts.clone(), source })?;
    for (name, svg) in &page.charts {
        replace(&charts.join(name), svg)?;
    }
    replace(&dir.join(RAW), &html::csv(&model))?;
    let path = dir.join(PAGE);
    replace(&path, &page.html)?;
    Ok(path)
}

/// The table for a terminal of `width` columns, in plain words; what went wrong, if the session cannot be rendered.
///
/// Ends with a line break. Colours only where `colour` says so; no meaning hangs on them.
pub fn terminal(session: &Session, width: usize, colour: bool) -> String {
    match Model::new(session) {
        Ok(model) => terminal::table(&model, width, colour),
        Err(error) => format!("{}\n", escape::clean(&error.to_string())),
    }
}

/// Headline, decision tables and everything that is not equivalent, for a summary.
///
/// # Errors
/// The session cannot be rendered.
pub fn markdown(session: &Session) -> Result<String, Error> {
    Ok(markdown::summary(&Model::new(session)?))
}

/// Headline, decision tables, two charts, session, machine, date and command, for a README.
///
/// `charts` is the address of the session's [`CHARTS`] as the README sees it: relative, with `/`.
///
/// # Errors
/// The session cannot be rendered.
pub fn readme(session: &Session, charts: &str) -> Result<String, Error> {
    let model = Model::new(session)?;
    let pictures = html::pictures(&model);
    let pictures: Vec<(String, String)> =
        pictures.into_iter().map(|(file, finding)| (format!("{charts}/{file}"), finding)).collect();
    Ok(markdown::splice(&model, &pictures))
}

/// Writes a file under another name first and then renames it, so that a reader never sees half of it.
///
/// # Errors
/// It cannot be written; what was there stays.
pub fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = fs::write(&part, text).and_then(|()| fs::rename(&part, path));
    written.map_err(|source| {
        // What is left of a failed write is of no use; the error that matters is the first.
        let _ = fs::remove_file(&part);
        Error::Write { path: path.to_owned(), source }
    })
}

/// Why a session cannot be rendered.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No round has all its trials, so there is nothing to compare. A refusal, not a defect.
    NoCompleteRound {
        /// The session's id.
        session: String,
        /// Trials that a round has.
        planned: usize,
        /// Trials on record.
        recorded: usize,
    },
    /// All complete rounds were made invalid by what the machine did in them. A refusal, not a defect.
    NoValidRound {
        /// The session's id.
        session: String,
        /// Complete rounds.
        complete: usize,
        /// Why the first of them does not count.
        why: String,
    },
    /// The record contradicts itself or cannot be understood.
    Record {
        /// Which trial.
        place: String,
        /// What is wrong with it.
        what: String,
    },
    /// A file cannot be written.
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    fn no_complete_round(session: &Session, planned: usize) -> Self {
        Self::NoCompleteRound { session: session.id.clone(), planned, recorded: session.trials.len() }
    }

    fn no_valid_round(session: &Session, complete: usize) -> Self {
        let why = session.rounds.iter().find_map(|round| round.invalid.clone()).unwrap_or_default();
        Self::NoValidRound { session: session.id.clone(), complete, why }
    }

    /// Whether the data does not support a report; otherwise something is broken.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::NoCompleteRound { .. } | Self::NoValidRound { .. })
    }

    fn unplanned(trial: &Trial) -> Self {
        Self::Record { place: trial.place(), what: "the session's plan has no such row".to_owned() }
    }

    fn row(workload: &str, cell: &str, strategy: &str, what: &str) -> Self {
        Self::Record { place: format!("{workload}/{cell}, {strategy}"), what: what.to_owned() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCompleteRound { session, planned, recorded } => write!(
                f,
                "session {session} has no complete round: a round has {planned} trials, {recorded} are recorded in all; \
                 run it again with more time"
            ),
            Self::NoValidRound { session, complete, why } => write!(
                f,
                "session {session} has no round that counts: all {complete} complete ones are invalid, the first because: \
                 {why}; run it again on a quieter machine"
            ),
            Self::Record { place, what } => write!(f, "the record of {place} cannot be used: {what}"),
            Self::Write { path, .. } => write!(f, "cannot write {}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Write { source, .. } => Some(source),
            Self::NoCompleteRound { .. } | Self::NoValidRound { .. } | Self::Record { .. } => None,
        }
    }
}
