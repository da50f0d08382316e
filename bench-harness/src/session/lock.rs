//! One measuring run at a time on a machine, whatever folders the runs write to: two would disturb each other.
//!
//! A file in the folder for temporary files is locked for as long as the run lives, and says who holds it. The lock goes
//! with the process, however that ends; the file may stay.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::process;
use std::time::SystemTime;

use super::store::StoreError;

const LOCK_FILE: &str = "bench-harness.lock";
// LIMIT: 500 characters of what the file says: it is of another process, perhaps of another user.
const LONGEST_HOLDER: usize = 500;

/// The right to measure on this machine, for as long as this value lives.
#[derive(Debug)]
pub struct MachineLock {
    _file: File,
}

impl MachineLock {
    /// Takes the lock in `folder`, to measure into `results`.
    ///
    /// # Errors
    /// Another run has it, or the file cannot be locked.
    pub fn take(folder: &Path, results: &Path) -> Result<Self, StoreError> {
        let path = folder.join(LOCK_FILE);
        let shown = path.display();
        let failed =
            |cause| StoreError::new(format!("cannot lock this machine for measuring with {shown}"), cause);
        let mut file = open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
            Err(TryLockError::WouldBlock) => {
                let holder = said(&mut file).unwrap_or_else(|| "another process is measuring".to_owned());
                return Err(StoreError::refused(format!(
                    "{holder}; two runs on one machine disturb each other: wait for it to end, or stop it"
                )));
            }
        }
        // Another user's file can be locked and not written: then nobody is told who holds it, and that is all.
        drop(introduce(&mut file, results));
        Ok(Self { _file: file })
    }
}

/// Who is measuring on this machine, in words; `None` if nobody is.
///
/// # Errors
/// The lock's file cannot be opened.
pub fn holder(folder: &Path) -> io::Result<Option<String>> {
    let path = folder.join(LOCK_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let mut file = File::open(path)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            Ok(Some(said(&mut file).unwrap_or_else(|| "another process is measuring".to_owned())))
        }
        Err(TryLockError::Error(cause)) => Err(cause),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match options.read(true).write(true).create(true).truncate(false).open(path) {
        // A file of another user in a folder that all may write to.
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => File::open(path),
        opened => opened,
    }
}

fn introduce(file: &mut File, results: &Path) -> io::Result<()> {
    let since = humantime::format_rfc3339_seconds(SystemTime::now());
    let (id, results) = (process::id(), results.display());
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "process {id} is measuring into {results} since {since}")?;
    file.flush()
}

fn said(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.take(4 * LONGEST_HOLDER as u64).read_to_string(&mut text).ok()?;
    let line: String =
        text.lines().next()?.chars().filter(|c| !c.is_control()).take(LONGEST_HOLDER).collect();
    (!line.trim().is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_refused_and_told_who_measures_where_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(holder(folder.path()).unwrap(), None);
        let first = MachineLock::take(folder.path(), Path::new("here/results")).unwrap();
        let message = MachineLock::take(folder.path(), Path::new("there")).unwrap_err().to_string();
        for part in
            [&format!("process {} is", process::id()), "into here/results since 2", "wait for it to end"]
        {
            assert!(message.contains(part), "{message}");
        }
        assert!(holder(folder.path()).unwrap().unwrap().contains("here/results"));
        drop(first);
        assert_eq!(holder(folder.path()).unwrap(), None, "the file stays, the lock does not");
        drop(MachineLock::take(folder.path(), Path::new("there")).unwrap());
    }

    #[test]
    fn a_holder_that_says_nothing_or_rubbish_is_still_a_holder() {
        let folder = tempfile::tempdir().unwrap();
        for said in [&b""[..], b"\n", b"\xff\xfe", b"\x1b[2J"] {
            std::fs::write(folder.path().join(LOCK_FILE), said).unwrap();
            let file = File::open(folder.path().join(LOCK_FILE)).unwrap();
            file.lock().unwrap();
            let message = MachineLock::take(folder.path(), Path::new("r")).unwrap_err().to_string();
            assert!(message.contains("disturb") && !message.contains('\x1b'), "{message}");
        }
    }

    #[test]
    fn a_lock_that_cannot_be_is_named() {
        let error = MachineLock::take(Path::new("no/such/folder"), Path::new("r")).unwrap_err().to_string();
        assert!(error.contains("no/such/folder"), "{error}");
    }
}
