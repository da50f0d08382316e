//! Writes sessions: the folder of results with its lock, and one session's files.
//!
//! What can be known beforehand is checked beforehand: that the folder can be written, that it has room, that no other run
//! is using it. What fails later leaves the session in memory, and [`rescue`] puts it elsewhere.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process;

use crate::record::{Session, Trial, TrialResult};

/// The whole session in one file.
pub const SESSION_FILE: &str = "session.json";
/// A line for each trial, as soon as it ends.
pub const TRIALS_FILE: &str = "trials.jsonl";

const LOCK_FILE: &str = ".lock";
const PROBE_FILE: &str = ".probe";
// LIMIT: 48 KiB per trial: a record is 6 to 12 KiB, and is on disk three times while `session.json` is replaced.
const BYTES_PER_TRIAL: usize = 48 << 10;

/// What could not be stored, and why.
#[derive(Debug)]
pub struct StoreError {
    doing: String,
    cause: Option<io::Error>,
}

impl StoreError {
    fn new(doing: impl Into<String>, cause: io::Error) -> Self {
        Self { doing: doing.into(), cause: Some(cause) }
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

/// The folder of results, held against other runs for as long as this value lives.
#[derive(Debug)]
pub struct Results {
    root: PathBuf,
    _lock: File,
}

impl Results {
    /// Opens the folder, creating it if need be, for a session of about `trials` trials.
    ///
    /// # Errors
    /// The folder cannot be created or written, has no room for the session, or another run holds it.
    pub fn open(root: &Path, trials: usize) -> Result<Self, StoreError> {
        let shown = root.display();
        let mend = "choose another folder with --results";
        fs::create_dir_all(root).map_err(|cause| {
            StoreError::new(format!("cannot create the results folder {shown} ({mend})"), cause)
        })?;
        let root = fs::canonicalize(root)
            .map_err(|cause| StoreError::new(format!("cannot find the results folder {shown}"), cause))?;
        let lock = lock(&root)?;
        let bytes = trials.saturating_mul(BYTES_PER_TRIAL);
        probe(&root, bytes).map_err(|cause| {
            let mib = bytes.div_ceil(1 << 20);
            StoreError::new(format!("cannot write {mib} MiB to the results folder {shown} ({mend})"), cause)
        })?;
        Ok(Self { root, _lock: lock })
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

/// Makes sure that no other run uses the folder, so that two runs never disturb each other's measurements.
fn lock(root: &Path) -> Result<File, StoreError> {
    let path = root.join(LOCK_FILE);
    let failed =
        |cause| StoreError::new(format!("cannot lock the results folder with {}", path.display()), cause);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let known = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
            let holder =
                if known { format!("process {}", holder.trim()) } else { "another process".to_owned() };
            let root = root.display();
            let doing =
                format!("{holder} is measuring into {root}; two runs disturb each other: wait for it to end");
            return Err(StoreError { doing, cause: None });
        }
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", process::id()))
        .map_err(failed)?;
    Ok(file)
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
    /// The disk is full or gone; the old file is still there then.
    pub fn save(&self, session: &Session) -> Result<(), StoreError> {
        let path = self.folder.join(SESSION_FILE);
        replace(&path, session)
            .map_err(|cause| StoreError::new(format!("cannot write {}", path.display()), cause))
    }
}

/// A trial as one line of JSON.
///
/// # Errors
/// A number in it is not finite: JSON has no such number, and no reader should have to guess.
pub fn line(trial: &Trial) -> io::Result<String> {
    if let TrialResult::Measured(measurement) = &trial.result {
        let floats = measurement.mean_ns.values().chain([&measurement.cost.mean_ns, &measurement.cost.cv]);
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
    replace(&path, session)
        .map_err(|cause| StoreError::new(format!("cannot write {}", path.display()), cause))?;
    Ok(path)
}

fn replace(path: &Path, session: &Session) -> io::Result<()> {
    let new = path.with_extension("json.new");
    let written = write_whole(&new, session).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // A part of a file is of no use, and on a full disk it is in the way.
        drop(fs::remove_file(&new));
    }
    written
}

fn write_whole(path: &Path, session: &Session) -> io::Result<()> {
    let session = &session.folded().map_err(io::Error::other)?;
    let mut file = io::BufWriter::new(File::create(path)?);
    serde_json::to_writer(&mut file, session)?;
    file.write_all(b"\n")?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}
