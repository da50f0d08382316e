//! Runs the harness in a folder of its own and looks at what it says.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

// LIMIT: 60 s: far beyond what any of these tests waits for, and below the patience of CI.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A folder to work in, gone with the value.
pub(crate) struct Desk {
    folder: TempDir,
}

/// How a run of the harness ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A workload of one cell whose trials are over in a moment, and yet give every thread a turn on a busy machine.
    pub(crate) fn write_tiny_workload(&self) {
        self.write("tiny.toml", &workload("20ms", "200ms"));
    }

    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench-harness"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        command.env("TMPDIR", self.folder.path()).env_remove("COLUMNS").env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the harness to its end.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    /// The only session in `results`.
    pub(crate) fn session(&self) -> PathBuf {
        let folders: Vec<_> = fs::read_dir(self.path("results"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders[0].clone()
    }
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the harness says text");
        let code = output.status.code().expect("the harness ends by itself");
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    #[track_caller]
    pub(crate) fn check(&self, code: i32, expected: &[&str]) {
        let said = format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr);
        assert_eq!(self.code, code, "{said}");
        for part in expected {
            assert!(self.stderr.contains(part), "expected `{part}`:\n{said}");
        }
    }
}

/// A workload file of one cell: two threads, free writes.
pub(crate) fn workload(warm_up: &str, window: &str) -> String {
    format!(
        "title = 'Tiny'\nquestion = 'Does it run at all?'\ncallers = ['threads']\nclients = [2]\n\n\
         [write]\ncost = ['0us']\nkind = 'spin'\n\n[time]\nwarm_up = '{warm_up}'\nwindow = '{window}'\n"
    )
}

/// A workload file of an open loop: two threads, cheap writes, one load.
pub(crate) fn open_workload() -> String {
    let open = "[arrivals]\nkind = 'poisson'\nload = [0.2]\ndeadline = '1s'\n\n[time]";
    workload("20ms", "200ms").replace("['0us']", "['1ms']").replace("[time]", open)
}

/// A run of the harness whose standard error is read line by line while it goes on.
pub(crate) struct Running {
    child: Option<Child>,
    lines: Receiver<String>,
    seen: String,
}

impl Running {
    pub(crate) fn start(desk: &Desk, arguments: &str) -> Self {
        let mut child = desk.command(arguments).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        Self { child: Some(child), lines, seen: String::new() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().expect("not waited for yet").id()
    }

    /// Waits until the harness says something with `part` in it, and returns that line.
    pub(crate) fn wait_for(&mut self, part: &str) -> String {
        loop {
            let line = match self.lines.recv_timeout(WATCHDOG) {
                Ok(line) => line,
                Err(why) => panic!("`{part}` was never said ({why}):\n{}", self.seen),
            };
            self.seen.push_str(&line);
            self.seen.push('\n');
            if line.contains(part) {
                return line;
            }
        }
    }

    /// As Ctrl-C does.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let script = format!("kill -INT {}", self.id());
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    }

    /// As a power cut does.
    pub(crate) fn kill(mut self) {
        let mut child = self.child.take().expect("not waited for yet");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        loop {
            match self.lines.recv_timeout(WATCHDOG) {
                Ok(line) => self.seen.push_str(&(line + "\n")),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the harness does not end:\n{}", self.seen),
            }
        }
        let output = self.child.take().expect("not waited for yet").wait_with_output().unwrap();
        Ended { stderr: std::mem::take(&mut self.seen), ..Ended::of(output) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Compares with `tests/golden/<name>`; `UPDATE_GOLDEN=1` rewrites it.
#[track_caller]
pub(crate) fn check_golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        return fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(actual, expected, "differs from {}; UPDATE_GOLDEN=1 rewrites it", path.display());
}
