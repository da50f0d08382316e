//! `report`: renders a session, new or old.

use std::path::{Path, PathBuf};

use super::filters::Part;
use super::{Problem, Verdict, output};
use crate::record::Session;
use crate::{report, session};

#[derive(clap::Args)]
#[command(mut_arg("workload", |workload| workload.help("Workloads of the session, by name [default: all]")))]
pub(super) struct Args {
    /// The session: its folder, or its `session.json`
    #[arg(value_name = "SESSION")]
    session: PathBuf,
    /// Where to write the page and its charts [default: beside the session; with filters, in `selection` there]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    part: Part,
}

pub(super) fn run(arguments: &Args) -> Result<Verdict, Problem> {
    let mut session = session::read(&arguments.session).map_err(|error| Problem::error(&error))?;
    let is_whole = arguments.part == Part::default();
    if !is_whole {
        arguments.part.narrow(&mut session)?;
    }
    let file = session::read::file_of(&arguments.session);
    let beside = file.parent().unwrap_or(Path::new("."));
    let folder = match &arguments.output {
        Some(folder) => folder.clone(),
        None if is_whole => beside.to_owned(),
        None => beside.join("selection"),
    };
    render(&session, &folder)?;
    Ok(Verdict::Pass)
}

/// Writes the page, prints the table, and prints the page's full path last.
///
/// A session without a complete round is refused: nothing is rendered from half data.
pub(super) fn render(session: &Session, folder: &Path) -> Result<(), Problem> {
    let session = &session.of_complete_rounds();
    if session.trials.is_empty() {
        let why = session.incomplete_reason.as_deref().unwrap_or("it has no trials");
        let next = "go on with `resume`, or measure again with `run`";
        return Err(Problem::Refused(format!(
            "session {} has no complete round ({why}); {next}",
            session.id
        )));
    }
    let failed =
        |cause: &dyn std::fmt::Display| Problem::Error(format!("no report in {}: {cause}", folder.display()));
    let session = &session.folded().map_err(|cause| failed(&cause))?;
    std::fs::create_dir_all(folder).map_err(|cause| failed(&cause))?;
    let page = report::write(session, folder).map_err(|cause| failed(&cause))?;
    output::print(&report::terminal(session, output::width(), output::has_colour()));
    let page = std::path::absolute(&page).unwrap_or(page);
    output::print(&format!("{}\n", page.display()));
    Ok(())
}
