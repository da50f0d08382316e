//! `calibrate`: how often this harness is wrong on this machine.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::bench::{USUAL, shorten};
use super::filters::Filters;
use super::progress::Progress;
use super::run::{binary, lock_machine, on_interrupt, session_id};
use super::schedule::Schedule;
use super::{Problem, Verdict, output};
use crate::campaign::child::Children;
use crate::campaign::run::{self as campaign_run, Binary};
use crate::campaign::{Campaign, Choice, Copies};
use crate::environment;
use crate::record::{Calibration, Environment, Planted, Session};
use crate::session;
use crate::session::calibration::{CALIBRATION_FOLDER, calibration, save};
use crate::session::store::Results;
use crate::stats::{Interval, proportion};

// LIMIT: 3 twins: with 3 cells and 10 sessions 90 comparisons, of which none may be called different to bound the rate of false
// alarms by 3.3 %.
const TWINS: usize = 3;
// LIMIT: 5 % is what a quiet machine may just see, 20 % what any must.
const SLOWDOWNS: [f64; 3] = [0.05, 0.1, 0.2];
const ERROR: f64 = 0.05;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Sessions to run, with warm-ups and windows as short as those of `cargo bench`; 0 only counts those that are there
    #[arg(long, value_name = "N", default_value_t = 10)]
    sessions: u32,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    schedule: Schedule,
    /// The folder of results; sessions and summary go to `calibration` in it [default: `results` of the workspace, or of the
    /// working directory]
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
}

pub(super) fn run(arguments: &Args, command: &[String]) -> Result<Verdict, Problem> {
    let root = output::results(arguments.results.as_deref()).join(CALIBRATION_FOLDER);
    let _lock = lock_machine(&root)?;
    let binary = binary()?;
    let here = environment::read(binary.sha256.clone(), output::workspace().as_deref());
    if arguments.sessions > 0 {
        measure(arguments, command, &root, &binary)?;
    }
    let sessions = sessions(&root, &here)?;
    let known = calibration(&sessions).map_err(|absent| Problem::Refused(absent.to_string()))?;
    save(&root, &known, &here).map_err(|error| Problem::error(&error))?;
    output::print(&words(&known));
    Ok(Verdict::Pass)
}

fn measure(arguments: &Args, command: &[String], root: &Path, binary: &Binary) -> Result<(), Problem> {
    let mut workloads = arguments.filters.workloads()?;
    workloads.iter_mut().for_each(|workload| shorten(workload, USUAL));
    let controls = arguments.filters.strategies()?;
    let mut children = Children::new(binary.path.clone());
    on_interrupt(children.stopper())?;
    for n in 0..arguments.sessions {
        let control = &controls[n as usize % controls.len()];
        let choice = Choice {
            workloads: workloads.clone(),
            strategies: vec![control.clone()],
            control: control.clone(),
            copies: Copies { twins: TWINS, slowed: SLOWDOWNS.to_vec() },
        };
        let campaign = arguments.schedule.plan(choice, command.to_vec())?;
        let (of, time) = (arguments.sessions, crate::campaign::plan::about(campaign.time()));
        output::say(&format!("session {} of {of}: {control} and copies of it, about {time}", n + 1));
        one_session(&campaign, root, binary, &mut children)?;
    }
    Ok(())
}

fn one_session(
    campaign: &Campaign,
    root: &Path,
    binary: &Binary,
    children: &mut Children,
) -> Result<(), Problem> {
    let problem = |error: &dyn std::fmt::Display| Problem::error(error);
    let results = Results::open(root, campaign.n_trials()).map_err(|error| problem(&error))?;
    let environment = environment::read(binary.sha256.clone(), output::workspace().as_deref());
    let mut store = results.create(&session_id(&environment)).map_err(|error| problem(&error))?;
    store.save_workloads(campaign.workloads()).map_err(|error| problem(&error))?;
    let mut session = campaign_run::begin(campaign, store.id(), environment);
    store.save_header(&mut session).map_err(|error| problem(&error))?;
    let mut progress = Progress::new(campaign, 0);
    let stored = campaign_run::run(campaign, &mut session, &mut store, children, binary, &mut progress);
    progress.finish();
    stored.map_err(|error| problem(&error))?;
    match session.incomplete_reason {
        None => Ok(()),
        Some(why) => {
            let folder = store.folder().display();
            Err(Problem::Error(format!(
                "{why}; `resume {folder}` completes it, and `--sessions 0` counts it"
            )))
        }
    }
}

/// The complete sessions of this machine with copies in them, oldest first.
fn sessions(root: &Path, here: &Environment) -> Result<Vec<Session>, Problem> {
    let unreadable = |error| Problem::Error(format!("cannot read {}: {error}", root.display()));
    let entries = fs::read_dir(root).map_err(unreadable)?;
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| session::read::file_of(path).is_file() && path.is_dir())
        .collect();
    folders.sort();
    let mut sessions = Vec::new();
    for folder in folders {
        let session = session::read(&folder).map_err(|error| Problem::error(&error))?;
        let left_out = if !session.complete {
            Some("it is not complete".to_owned())
        } else {
            session.environment.unlike_in_hardware(here)
        };
        match left_out {
            None => sessions.push(session),
            Some(why) => output::say(&format!("{} is left out: {why}", session.id)),
        }
    }
    Ok(sessions)
}

fn words(known: &Calibration) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let mut text = String::new();
    let Interval { high, .. } = proportion(known.false_alarms, known.identical, ERROR);
    let lines = [
        format!(
            "{} sessions of {} rounds, each {} against copies of itself\n",
            known.sessions.len(),
            known.rounds,
            known.controls.join(" or ")
        ),
        format!(
            "identical: {} of {} comparisons called different; the true rate is below {} (95 %)",
            known.false_alarms,
            known.identical,
            percent(high)
        ),
        format!(
            "           {} of {} estimates were above 1, and 95 % of them within {} of it\n",
            known.identical_above,
            known.identical,
            percent(known.identical_p95)
        ),
        format!("{:<10}{:<36}{:>10}{:>14}{:>18}", "slowdown", "on", "measured", "called slower", "true rate"),
    ];
    lines.iter().for_each(|line| writeln!(text, "{line}").expect("a string takes all text"));
    for Planted { workload, cell, share, sessions, seen, realised, .. } in &known.planted {
        let Interval { low, high } = proportion(*seen, *sessions, ERROR);
        let place = format!("{workload}/{cell}");
        let (share, realised) = (percent(*share), percent(*realised));
        let (seen, rate) =
            (format!("{seen} of {sessions}"), format!("{:.0} to {:.0} %", 100.0 * low, 100.0 * high));
        writeln!(text, "{share:<10}{place:<36}{realised:>10}{seen:>14}{rate:>18}")
            .expect("a string takes all text");
    }
    text
}
