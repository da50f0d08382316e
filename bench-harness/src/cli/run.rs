//! `run`: measures, stores a session, renders its report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use super::filters::Filters;
use super::progress::Progress;
use super::schedule::Schedule;
use super::{Problem, Verdict, output, plan, report, sight};
use crate::campaign::Campaign;
use crate::campaign::child::{Children, Stopper};
use crate::campaign::run::{self as campaign_run, Binary};
use crate::environment;
use crate::record::{Environment, Session, TrialResult};
use crate::session::calibration;
use crate::session::lock::MachineLock;
use crate::session::store::{Results, Store, StoreError, rescue};
use crate::trial::evidence::most_memory;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    schedule: Schedule,
    /// The folder that gets the session's folder [default: `results` of the workspace, or of the working directory]
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
}

pub(super) fn run(arguments: &Args, command: Vec<String>) -> Result<Verdict, Problem> {
    let (choice, note) = arguments.filters.choice()?;
    note.iter().for_each(|note| output::say(note));
    let campaign = arguments.schedule.plan(choice, command)?;
    output::say(&plan::summary(&campaign));
    measure(&campaign, &output::results(arguments.results.as_deref()))
}

/// Runs a campaign from end to end: folder, trials, table, page. The page's path is the last line.
pub(super) fn measure(campaign: &Campaign, root: &Path) -> Result<Verdict, Problem> {
    let _lock = lock_machine(root)?;
    sight::announce(campaign, root);
    let results = Results::open(root, campaign.n_trials()).map_err(|error| Problem::error(&error))?;
    let binary = binary()?;
    let environment = environment::read(binary.sha256.clone(), output::workspace().as_deref());
    let store = results.create(&session_id(&environment)).map_err(|error| Problem::error(&error))?;
    store.save_workloads(campaign.workloads()).map_err(|error| Problem::error(&error))?;
    let calibration = calibration::known(root, &environment);
    let session = campaign_run::begin(campaign, store.id(), environment);
    let mut session = Session { calibration, ..session };
    store.save_header(&mut session).map_err(|error| Problem::error(&error))?;
    output::say(&format!("seed {}, measuring into {}", campaign.plan.master_seed, store.folder().display()));
    carry_out(campaign, session, store, &binary)
}

/// The right to measure on this machine.
pub(super) fn lock_machine(results: &Path) -> Result<MachineLock, Problem> {
    let results = std::path::absolute(results).unwrap_or_else(|_| results.to_owned());
    MachineLock::take(&std::env::temp_dir(), &results).map_err(|error| Problem::error(&error))
}

/// The program that measures: this one.
pub(super) fn binary() -> Result<Binary, Problem> {
    Binary::current().map_err(|error| Problem::Error(format!("cannot read this program: {error}")))
}

/// Runs what is left of a session, and renders it.
pub(super) fn carry_out(
    campaign: &Campaign,
    mut session: Session,
    mut store: Store,
    binary: &Binary,
) -> Result<Verdict, Problem> {
    let mut children = Children::new(binary.path.clone());
    on_interrupt(children.stopper())?;
    let mut progress = Progress::new(campaign, u32::try_from(session.rounds.len()).unwrap_or(u32::MAX));
    let stored = campaign_run::run(campaign, &mut session, &mut store, &mut children, binary, &mut progress);
    progress.finish();
    match stored {
        Ok(()) => conclude(&session, &store),
        Err(error) => Err(save_elsewhere(&mut session, &error)),
    }
}

/// `<UTC time>-<commit>`, sortable and fit for a folder's name.
pub(super) fn session_id(environment: &Environment) -> String {
    let time = environment.started.replace(':', "-");
    let commit = environment.commit.as_deref().map_or("nogit", |sha| sha.get(..7).unwrap_or(sha));
    format!("{time}-{commit}")
}

/// The first interrupt stops the campaign, the second one the program.
pub(super) fn on_interrupt(stopper: Stopper) -> Result<(), Problem> {
    let is_second = AtomicBool::new(false);
    let handler = move || {
        // ORDERING: one flag that carries no other data; the swap itself decides who was first.
        if is_second.swap(true, Ordering::Relaxed) {
            process::exit(1);
        }
        output::say("interrupted: finished trials are kept; once more to leave at once");
        stopper.stop();
    };
    ctrlc::set_handler(handler).map_err(|error| Problem::Error(format!("cannot listen for Ctrl-C: {error}")))
}

fn conclude(session: &Session, store: &Store) -> Result<Verdict, Problem> {
    if session.complete_rounds().is_empty() {
        let why = session.incomplete_reason.as_deref().unwrap_or("no trial ended");
        let folder = store.folder().display();
        return Err(Problem::Error(format!(
            "{why}: no round is complete, so there is no report; `resume {folder}` goes on with it"
        )));
    }
    session.incomplete_reason.iter().for_each(|why| output::say(&format!("incomplete: {why}")));
    if !session.complete {
        output::say(&format!("`resume {}` goes on with it", store.folder().display()));
    }
    let fitness = session.fitness();
    if !fitness.fit {
        let why = fitness.why.join("; ");
        output::say(&format!("warning: this machine was not fit to measure on: {why}; see `doctor`"));
    }
    let failures = say_failures(session);
    say_memory();
    report::render(session, store.folder())?;
    Ok(if session.complete && failures == 0 { Verdict::Pass } else { Verdict::Flawed })
}

fn say_memory() {
    if let Some((own, trial)) = most_memory() {
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        output::say(&format!(
            "memory: at most {} MiB in the harness, {} MiB in a trial",
            mib(own),
            mib(trial)
        ));
    }
}

/// Names each strategy that failed on a cell once, and counts.
fn say_failures(session: &Session) -> usize {
    let mut failures = BTreeMap::new();
    for trial in &session.trials {
        if let TrialResult::Failed(failure) = &trial.result {
            let row = format!("{} on {}/{}", trial.strategy, trial.workload, trial.cell);
            failures.entry(row).or_insert_with(|| (0, failure)).0 += 1;
        }
    }
    for (row, (times, failure)) in &failures {
        output::say(&format!("failed {times}x: {row}: {} {}", failure.check, failure.reason));
    }
    failures.len()
}

/// What was measured is not lost with the disk that it was meant for.
fn save_elsewhere(session: &mut Session, error: &StoreError) -> Problem {
    session.complete = false;
    session.incomplete_reason = Some(format!("stopped: {}", error.without_path()));
    let measured = format!("{error}; stopped after {} trials", session.trials.len());
    match rescue(session) {
        Ok(path) => {
            Problem::Error(format!("{measured}, which are in {}; `report` takes that file", path.display()))
        }
        Err(second) => {
            for line in session.trials.iter().filter_map(|trial| serde_json::to_string(trial).ok()) {
                output::print(&format!("{line}\n"));
            }
            Problem::Error(format!("{measured}, printed above because {second}"))
        }
    }
}
