//! Trials in processes of their own.
//!
//! The harness runs itself: the child reads its spec from standard input and prints one line of JSON. Whatever else
//! happens (it dies, it hangs, it prints something else) is a failed trial with the reason, never a missing one.
//!
//! A child is in a process group of its own, so that Ctrl-C in a terminal reaches the parent only, which then decides.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::record::{Failure, TRIAL_SCHEMA, Trial, TrialResult};
use crate::trial::spec::TrialSpec;

// LIMIT: 30 s beyond warm-up and window: a trial's own checks give up after 10 s, so that a child that is still there has
// not even come to its own end.
const GRACE: Duration = Duration::from_secs(30);
// LIMIT: 4 KiB of what the child said before it died: a panic message with a short backtrace.
const TAIL: usize = 4 << 10;
// LIMIT: 1 s for a killed child's last words to arrive.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The user wants no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// Runs trials, one child process at a time.
#[derive(Debug)]
pub struct Children {
    program: PathBuf,
    arguments: Vec<OsString>,
    grace: Duration,
    started: u64,
    sender: Sender<Event>,
    events: Receiver<Event>,
}

/// What a parent waits for.
#[derive(Debug)]
enum Event {
    /// The child with this number has closed its output.
    Ended(u64, Output),
    Interrupted,
}

#[derive(Debug, Default)]
struct Output {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Stops [`Children`] from another thread.
#[derive(Clone, Debug)]
pub struct Stopper(Sender<Event>);

impl Stopper {
    /// Ends the running child, and makes every later call of [`Children::run`] return at once.
    pub fn stop(&self) {
        // Without a receiver there are no children any more.
        drop(self.0.send(Event::Interrupted));
    }
}

impl Children {
    /// Runs trials by `program trial --spec -`.
    pub fn new(program: PathBuf) -> Self {
        let arguments = ["trial", "--spec", "-"].map(OsString::from).to_vec();
        let (sender, events) = channel();
        Self { program, arguments, grace: GRACE, started: 0, sender, events }
    }

    /// How to stop them.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.sender.clone())
    }

    /// Measures what `spec` asks for in a new process and waits for the end.
    ///
    /// # Errors
    /// [`Stopper::stop`] was called; the child is gone then, and the trial with it.
    pub fn run(&mut self, spec: &TrialSpec) -> Result<Trial, Interrupted> {
        self.started += 1;
        let mut child = match self.start(spec) {
            Ok(child) => child,
            Err(reason) => return Ok(failed(spec, "process", reason)),
        };
        let deadline = Instant::now() + spec.warm_up + spec.window + self.grace;
        match self.wait(deadline) {
            Some(Event::Ended(_, output)) => Ok(self.judge(spec, &output, child.wait())),
            Some(Event::Interrupted) => {
                end(&mut child);
                self.stopper().stop();
                Err(Interrupted)
            }
            None => {
                end(&mut child);
                let said = match self.wait(Instant::now() + LAST_WORDS) {
                    Some(Event::Ended(_, output)) => last_words(&output.stderr),
                    _ => String::new(),
                };
                let patience = spec.warm_up + spec.window + self.grace;
                let reason =
                    format!("hang: the trial had not ended after {patience:?} and was stopped{said}");
                Ok(failed(spec, "V9", reason))
            }
        }
    }

    fn start(&self, spec: &TrialSpec) -> Result<Child, String> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(environment());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        apart(&mut command);
        let text =
            serde_json::to_string(spec).map_err(|error| format!("its spec cannot be written: {error}"))?;
        let mut child =
            command.spawn().map_err(|error| format!("the process could not be started: {error}"))?;
        let stdin = child.stdin.take().expect("stdin is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        // A child that dies before it has read its spec is judged by how it died.
        drop({ stdin }.write_all(text.as_bytes()));
        self.listen(stdout, stderr);
        Ok(child)
    }

    /// Tells the parent when the child has said all it will say.
    fn listen(&self, mut stdout: impl Read + Send + 'static, mut stderr: impl Read + Send + 'static) {
        let (sender, number) = (self.sender.clone(), self.started);
        thread::spawn(move || {
            let errors = thread::spawn(move || {
                let mut bytes = Vec::new();
                drop(stderr.read_to_end(&mut bytes));
                bytes
            });
            let mut output = Output::default();
            drop(stdout.read_to_end(&mut output.stdout));
            output.stderr = errors.join().unwrap_or_default();
            // Nobody listens if the parent is gone.
            drop(sender.send(Event::Ended(number, output)));
        });
    }

    /// The next event that concerns the running child; `None` when `deadline` has passed.
    fn wait(&self, deadline: Instant) -> Option<Event> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                // A child that was stopped earlier ends late.
                Ok(Event::Ended(number, _)) if number != self.started => {}
                Ok(event) => return Some(event),
                Err(_) => return None,
            }
        }
    }

    fn judge(&self, spec: &TrialSpec, output: &Output, status: std::io::Result<ExitStatus>) -> Trial {
        let text = String::from_utf8_lossy(&output.stdout);
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let said = last_words(&output.stderr);
        let ended_well = status.as_ref().is_ok_and(ExitStatus::success);
        let ended = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let Some(line) = lines.next_back() else {
            return failed(spec, "process", format!("the process printed no record ({ended}){said}"));
        };
        match serde_json::from_str::<Trial>(line) {
            Ok(Trial { result: TrialResult::Measured(_), .. }) if !ended_well => {
                failed(spec, "process", format!("the process failed after its record ({ended}){said}"))
            }
            Ok(trial) if is_of(&trial, spec) => trial,
            Ok(_) => {
                failed(spec, "process", format!("the process printed the record of another trial{said}"))
            }
            Err(error) => {
                failed(spec, "process", format!("the process printed no record but {error} ({ended}){said}"))
            }
        }
    }
}

fn is_of(trial: &Trial, spec: &TrialSpec) -> bool {
    let Trial { schema, round, position, workload, cell, strategy, seed, result: _ } = trial;
    schema == TRIAL_SCHEMA
        && (*round, *position) == (spec.round, spec.position)
        && (workload, cell, strategy) == (&spec.workload, &spec.cell.id, &spec.label)
        && *seed == format!("{:#x}", spec.seed)
}

fn failed(spec: &TrialSpec, check: &str, reason: String) -> Trial {
    Trial {
        schema: TRIAL_SCHEMA.to_owned(),
        round: spec.round,
        position: spec.position,
        workload: spec.workload.clone(),
        cell: spec.cell.id.clone(),
        strategy: spec.label.clone(),
        seed: format!("{:#x}", spec.seed),
        result: TrialResult::Failed(Failure { check: check.to_owned(), reason }),
    }
}

/// The end of what a child wrote to standard error, as the end of a sentence.
fn last_words(stderr: &[u8]) -> String {
    let tail = &stderr[stderr.len().saturating_sub(TAIL)..];
    let text = String::from_utf8_lossy(tail);
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { String::new() } else { format!("; it said: {}", lines.join(" | ")) }
}

fn end(child: &mut Child) {
    // Both fail only if the child has ended already.
    drop(child.kill());
    drop(child.wait());
}

/// What a child may know: the same for every trial, and nothing of what a user has set.
fn environment() -> impl Iterator<Item = (&'static str, OsString)> {
    // `SystemRoot` is what Windows needs to start a process at all.
    ["PATH", "SystemRoot"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

#[cfg(unix)]
fn apart(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(windows)]
fn apart(command: &mut Command) {
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    std::os::windows::process::CommandExt::creation_flags(command, CREATE_NEW_PROCESS_GROUP);
}

#[cfg(not(any(unix, windows)))]
fn apart(_: &mut Command) {}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::record::PlannedCell;
    use crate::workload::definition::{Callers, Cost, CostKind, Pattern, Variation};

    fn spec() -> TrialSpec {
        let write = Cost { requested: Duration::ZERO, kind: CostKind::Spin };
        TrialSpec {
            round: 1,
            position: 2,
            workload: "w".to_owned(),
            cell: PlannedCell {
                id: "threads-1".to_owned(),
                callers: Callers::Threads,
                clients: 1,
                write,
                load: None,
            },
            label: "s".to_owned(),
            strategy: "s".to_owned(),
            seed: u64::MAX,
            pattern: Pattern::Steady,
            rate: None,
            variation: Variation::default(),
            capacity: 1,
            max_batch: 1,
            commit: None,
            timed_every: 1,
            warm_up: Duration::ZERO,
            window: Duration::ZERO,
        }
    }

    /// Children that run a shell script instead of the harness.
    fn children(script: &str, grace: Duration) -> Children {
        let arguments = ["-c", script].map(OsString::from).to_vec();
        Children { arguments, grace, ..Children::new("sh".into()) }
    }

    #[track_caller]
    fn check_failure(script: &str, check: &str, expected: &[&str]) {
        let trial = children(script, GRACE).run(&spec()).unwrap();
        assert_eq!((trial.round, trial.position, &*trial.strategy), (1, 2, "s"));
        let TrialResult::Failed(failure) = trial.result else { panic!("`{script}` measured something") };
        assert_eq!(failure.check, check);
        for part in expected {
            assert!(
                failure.reason.contains(part),
                "`{script}` should be answered with `{part}`: {}",
                failure.reason
            );
        }
    }

    #[test]
    fn a_child_that_dies_or_prints_rubbish_is_a_failed_trial_with_the_reason() {
        check_failure("cat >&2; exit 7", "process", &["no record", "7", "it said: {\"round\":1"]);
        check_failure("echo 'thread panicked' >&2; kill -9 $$", "process", &["signal: 9", "thread panicked"]);
        check_failure("echo '{\"half\": '", "process", &["no record but", "EOF"]);
        check_failure("echo hello", "process", &["no record but", "line 1"]);
    }

    #[test]
    fn a_record_is_taken_as_it_is_and_only_if_it_is_of_this_trial() {
        let mine = failed(&spec(), "V3", "out of order".to_owned());
        let print = |trial: &Trial| format!("echo '{}'", serde_json::to_string(trial).unwrap());
        assert_eq!(children(&print(&mine), GRACE).run(&spec()).unwrap(), mine);
        check_failure(&print(&Trial { seed: "0x1".to_owned(), ..mine }), "process", &["another trial"]);
    }

    #[test]
    fn a_program_that_cannot_be_started_is_a_failed_trial() {
        let trial = Children::new("/no/such/program".into()).run(&spec()).unwrap();
        let TrialResult::Failed(failure) = trial.result else { panic!("measured something") };
        assert!(failure.reason.contains("could not be started"), "{}", failure.reason);
    }

    #[test]
    fn a_child_that_hangs_is_stopped_and_reported_as_a_hang() {
        let mut children = children("echo stuck >&2; exec sleep 1000", Duration::from_millis(200));
        let TrialResult::Failed(failure) = children.run(&spec()).unwrap().result else {
            panic!("measured something")
        };
        assert_eq!(failure.check, "V9");
        assert!(failure.reason.starts_with("hang") && failure.reason.contains("stuck"), "{}", failure.reason);
    }

    #[test]
    fn a_stop_ends_the_running_child_and_all_that_would_follow() {
        let mut children = children("exec sleep 1000", GRACE);
        children.stopper().stop();
        assert_eq!(children.run(&spec()), Err(Interrupted));
        assert_eq!(children.run(&spec()), Err(Interrupted));
    }

    #[test]
    fn a_child_sees_nothing_of_the_users_environment() {
        check_failure("env | cut -d= -f1 | sort | tr '\\n' ' ' >&2", "process", &["it said: PATH PWD"]);
    }
}
