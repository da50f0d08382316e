//! `resume`: goes on with a session that was interrupted, from the round in which that happened.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Problem, Verdict, output, run};
use crate::campaign::Campaign;
use crate::environment;
use crate::record::{Environment, Session};
use crate::session::read::read_unfinished;
use crate::session::store::{self, Store};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The session: its folder, or its `session.json`
    #[arg(value_name = "SESSION")]
    session: PathBuf,
}

pub(super) fn run(arguments: &Args) -> Result<Verdict, Problem> {
    let folder = folder_of(&arguments.session);
    let _lock = run::lock_machine(folder)?;
    let (mut session, journal) = read_unfinished(folder).map_err(|error| Problem::error(&error))?;
    if session.complete {
        let done = format!("session {} is complete; `report` renders it", session.id);
        return Err(Problem::Refused(done));
    }
    let binary = run::binary()?;
    let here = environment::read(binary.sha256.clone(), None);
    if let Some((reason, mend)) = unlike(&session.environment, &here) {
        return Err(Problem::Refused(format!("session {} cannot go on here: {reason}; {mend}", session.id)));
    }
    let workloads = store::workloads(folder).map_err(|error| Problem::error(&error))?;
    let campaign = Campaign::again(session.plan.clone(), workloads)
        .map_err(|reason| Problem::Error(format!("{} is damaged: {reason}", folder.display())))?;
    let left_over = journal.left_over(&session.rounds);
    let store = Store::reopen(folder, journal.whole).map_err(|error| Problem::error(&error))?;
    session.resumed.push(humantime::format_rfc3339_seconds(SystemTime::now()).to_string());
    store.save_header(&mut session).map_err(|error| Problem::error(&error))?;
    if journal.is_torn {
        output::say("the last line of trials.jsonl was not finished and is dropped");
    }
    output::say(&announcement(&session, left_over, store.folder()));
    run::carry_out(&campaign, session, store, &binary)
}

/// The folder that a path given by a user means.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if path.is_file() && folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) if path.is_file() => folder,
        _ => path,
    }
}

fn announcement(session: &Session, left_over: usize, folder: &Path) -> String {
    let (id, planned, folder) = (&session.id, session.plan.rounds, folder.display());
    let Some(next) = session.next_round() else {
        return format!("session {id} has all its rounds: measuring into {folder} is over");
    };
    let again = match left_over {
        0 => String::new(),
        1 => ", 1 trial of which is run anew".to_owned(),
        n => format!(", {n} trials of which are run anew"),
    };
    format!("going on with round {} of {planned}{again}, measuring into {folder}", next + 1)
}

/// Why a session that was begun `there` must not go on `here`, and what to do then.
fn unlike(there: &Environment, here: &Environment) -> Option<(String, &'static str)> {
    const ANEW: &str = "measure anew with `run`, or see what there is with `report`";
    if there.binary != here.binary {
        let mend = "resume with the program that began it (of `cargo bench`: `cargo bench --bench campaign -- \
                    resume SESSION`), or measure anew with `run`";
        return Some(("it was begun by another build of the harness".to_owned(), mend));
    }
    if there.boot_id != here.boot_id {
        return Some(("the machine was started anew since, or is another one".to_owned(), ANEW));
    }
    there.unlike_in_hardware(here).map(|unlike| (unlike, ANEW))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_goes_on_only_with_its_own_program_on_its_own_machine_since_its_own_start() {
        let there = environment::read("abc".to_owned(), None);
        assert_eq!(
            unlike(&there, &Environment { started: String::new(), kernel: None, ..there.clone() }),
            None
        );
        let refused = |here: Environment| unlike(&there, &here).unwrap().0;
        assert!(refused(Environment { binary: "x".to_owned(), ..there.clone() }).contains("another build"));
        assert!(
            refused(Environment { boot_id: Some("x".to_owned()), ..there.clone() }).contains("started anew")
        );
        assert!(refused(Environment { cpu: Some("x".to_owned()), ..there.clone() }).contains("CPU model"));
    }
}
