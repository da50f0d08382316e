//! Writes sessions: the folder of results, and one session's files.
//!
//! What can be known beforehand is checked beforehand: that the folder can be written, that it has room. What fails later
//! leaves the session in memory, and [`rescue`] puts it elsewhere.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::process;

use super::read::parse;
use crate::record::{Session, Trial, TrialResult};
use crate::workload::definition::Workload;

/// The whole session in one file.
pub const SESSION_FILE: &str = "session.json";
/// A line for each trial, as soon as it ends.
pub const TRIALS_FILE: &str = "trials.jsonl";
/// The workloads as they were read, for a session that is taken up again.
pub const WORKLOADS_FILE: &str = "workloads.json";

const PROBE_FILE: &str = ".probe";
// LIMIT: 16 KiB per trial: a line is 2 to 12 KiB, and `session.json`, old and new, has 1 KiB of it.
const BYTES_PER_TRIAL: usize = 16 << 10;

/// What could not be stored, and why.
#[derive(Debug)]
pub struct StoreError {
    doing: String,
    cause: Option<io::Error>,
}

impl StoreError {
    pub(super) fn new(doing: impl Into<String>, cause: io::Error) -> Self {
        Self { doing: doing.into(), cause: Some(cause) }
    }

    /// Nothing failed; it must not be done.
    pub(super) fn refused(why: String) -> Self {
        Self { doing: why, cause: None }
    }

    /// Something that was measured cannot be read.
    pub(crate) fn unreadable(what: String) -> Self {
        Self { doing: what, cause: None }
    }

    /// What went wrong, fit for a record: paths name users and machines.
    pub fn without_path(&self) -> String {
        self.cause.as_ref().map_or_else(|| "the session could not be stored".to_owned(), io::Error::to_string)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// The folder of results.
#[derive(Debug)]
pub struct Results {
    root: PathBuf,
}

impl Results {
    /// Opens the folder, creating it if need be, for a session of about `trials` trials.
    ///
    /// # Errors
    /// The folder cannot be created or written, or has no room for the session.
    pub fn open(root: &Path, trials: usize) -> Result<Self, StoreError> {
        let shown = root.display();
        let mend = "choose another folder with --results";
        fs::create_dir_all(root).map_err(|cause| {
            StoreError::new(format!("cannot create the results folder {shown} ({mend})"), cause)
        })?;
        let root = fs::canonicalize(root)
            .map_err(|cause| StoreError::new(format!("cannot find the results folder {shown}"), cause))?;
        let bytes = trials.saturating_mul(BYTES_PER_TRIAL);
        probe(&root, bytes).map_err(|cause| {
            let mib = bytes.div_ceil(1 << 20);
            StoreError::new(format!("cannot write {mib} MiB to the results folder {shown} ({mend})"), cause)
        })?;
        Ok(Self { root })
    }

    /// Creates the folder of a session; its name is `id`, with a number if there is such a folder already.
    ///
    /// # Errors
    /// The folder or a file in it cannot be created.
    pub fn create(&self, id: &str) -> Result<Store, StoreError> {
        for n in 1.. {
            let id = if n == 1 { id.to_owned() } else { format!("{id}-{n}") };
            let folder = self.root.join(&id);
            match fs::create_dir(&folder) {
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => {
                    return Err(StoreError::new(format!("cannot create {}", folder.display()), cause));
                }
                Ok(()) => return Store::create(id, folder),
            }
        }
        unreachable!("one of the numbers is free")
    }
}

/// Writes as much as the session will need, and removes it.
fn probe(root: &Path, bytes: usize) -> io::Result<()> {
    let path = root.join(PROBE_FILE);
    let chunk = vec![0xa5_u8; 1 << 16];
    let written = File::create(&path).and_then(|mut file| {
        for _ in 0..bytes.div_ceil(chunk.len()) {
            file.write_all(&chunk)?;
        }
        file.flush()
    });
    let removed = fs::remove_file(&path);
    written.and(removed)
}

/// One session's folder while the session is being measured.
#[derive(Debug)]
pub struct Store {
    id: String,
    folder: PathBuf,
    trials: File,
}

impl Store {
    fn create(id: String, folder: PathBuf) -> Result<Self, StoreError> {
        let path = folder.join(TRIALS_FILE);
        let trials = OpenOptions::new().create(true).append(true).open(&path);
        let trials =
            trials.map_err(|cause| StoreError::new(format!("cannot create {}", path.display()), cause))?;
        Ok(Self { id, folder, trials })
    }

    /// Opens the folder of a session that was not ended, and cuts off what follows the `whole` bytes of its lines.
    ///
    /// # Errors
    /// The file of lines is not there or cannot be written.
    pub fn reopen(folder: &Path, whole: u64) -> Result<Self, StoreError> {
        let path = folder.join(TRIALS_FILE);
        let failed = |cause| StoreError::new(format!("cannot go on writing {}", path.display()), cause);
        let folder = fs::canonicalize(folder).map_err(failed)?;
        let trials = OpenOptions::new().append(true).open(&path).map_err(failed)?;
        trials.set_len(whole).map_err(failed)?;
        let id = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { id, folder, trials })
    }

    /// The session's id: the name of its folder.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The session's folder, absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts a trial on disk before it returns.
    ///
    /// # Errors
    /// The disk is full or gone; the trial is not on it then.
    pub fn append(&mut self, trial: &Trial) -> Result<(), StoreError> {
        let failed = |cause| {
            StoreError::new(format!("cannot write {}", self.folder.join(TRIALS_FILE).display()), cause)
        };
        let mut line = line(trial).map_err(failed)?;
        line.push('\n');
        self.trials.write_all(line.as_bytes()).and_then(|()| self.trials.sync_data()).map_err(failed)
    }

    /// Replaces `session.json` in one step: a reader sees the old one or the new one, never a part.
    ///
    /// # Errors
    /// The disk is full or gone, or what was to be written could not be read back; the old file is still there then.
    pub fn save(&self, session: &Session) -> Result<(), StoreError> {
        let path = self.folder.join(SESSION_FILE);
        let written = checked_bytes(session).and_then(|bytes| replace(&path, &bytes));
        written.map_err(|cause| StoreError::new(format!("cannot write {}", path.display()), cause))
    }

    /// The same without trials: cheap, for a session that goes on. Its trials are in the lines already.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_header(&self, session: &mut Session) -> Result<(), StoreError> {
        let trials = mem::take(&mut session.trials);
        let saved = self.save(session);
        session.trials = trials;
        saved
    }

    /// Keeps the workloads as they were read.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn save_workloads(&self, workloads: &[Workload]) -> Result<(), StoreError> {
        let path = self.folder.join(WORKLOADS_FILE);
        let written =
            serde_json::to_vec(workloads).map_err(io::Error::from).and_then(|bytes| replace(&path, &bytes));
        written.map_err(|cause| StoreError::new(format!("cannot write {}", path.display()), cause))
    }
}

/// The workloads that a session was begun with.
///
/// # Errors
/// The file is missing or damaged.
pub fn workloads(folder: &Path) -> Result<Vec<Workload>, StoreError> {
    let path = folder.join(WORKLOADS_FILE);
    let read = fs::read(&path).and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::from));
    read.map_err(|cause| StoreError::new(format!("cannot read {}", path.display()), cause))
}

/// A trial as one line of JSON.
///
/// # Errors
/// A number in it is not finite: JSON has no such number, and no reader should have to guess.
pub fn line(trial: &Trial) -> io::Result<String> {
    if let TrialResult::Measured(measurement) = &trial.result {
        let depths = measurement.open.iter().flat_map(|open| [&open.depth_at_first, &open.depth_at_last]);
        let cost = [&measurement.cost.mean_ns, &measurement.cost.cv];
        let floats = measurement.mean_ns.values().chain(cost).chain(depths);
        if let Some(number) = floats.copied().find(|number| !number.is_finite()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a trial with the number {number}"),
            ));
        }
    }
    serde_json::to_string(trial).map_err(io::Error::from)
}

/// Puts a session that cannot be stored where it belongs into the folder for temporary files, and says where.
///
/// # Errors
/// That folder cannot be written either.
pub fn rescue(session: &Session) -> Result<PathBuf, StoreError> {
    let name = format!("bench-harness-{}-{}.json", session.id, process::id());
    let path = std::env::temp_dir().join(name);
    write(&path, session)?;
    Ok(path)
}

/// Writes a session to a file of its own, in one step.
///
/// # Errors
/// The file cannot be written; what was there before is still there then.
pub fn write(path: &Path, session: &Session) -> Result<(), StoreError> {
    let bytes = session.folded().map_err(io::Error::other).and_then(|folded| bytes_of(&folded));
    bytes
        .and_then(|bytes| replace(path, &bytes))
        .map_err(|cause| StoreError::new(format!("cannot write {}", path.display()), cause))
}

/// The bytes of a session's file.
fn bytes_of(folded: &Session) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(folded)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The same, if a reader will read from them what was written.
fn checked_bytes(session: &Session) -> io::Result<Vec<u8>> {
    let folded = session.folded().map_err(io::Error::other)?;
    let bytes = bytes_of(&folded)?;
    let read = parse(&bytes).map_err(|why| io::Error::other(format!("it could not be read back: {why}")))?;
    if read == folded { Ok(bytes) } else { Err(io::Error::other("it would be read back as another session")) }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("json.new");
    let written = write_whole(&new, bytes).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // A part of a file is of no use, and on a full disk it is in the way.
        drop(fs::remove_file(&new));
    }
    written
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
