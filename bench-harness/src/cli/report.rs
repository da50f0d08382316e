//! `report`: renders a session, new or old.

use std::path::{Component, Path, PathBuf};

use super::filters::Part;
use super::{Problem, Verdict, output};
use crate::record::Session;
use crate::report::splice::spliced;
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
    /// Also write the session, or the part of it that the filters choose, as a session of its own
    #[arg(long, value_name = "FILE")]
    extract: Option<PathBuf>,
    /// Also write headline, decision tables and all that is not equivalent as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Also write headline, decision tables and two charts into a README, between its markers
    /// `<!-- update-queue-bench:begin -->` and `<!-- update-queue-bench:end -->`
    #[arg(long, value_name = "README")]
    splice: Option<PathBuf>,
    /// Write nothing; exit 1 if the README is not what --splice would make of it
    #[arg(long, requires = "splice")]
    check: bool,
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
    let readme =
        arguments.splice.as_deref().map(|readme| Readme::new(&session, &folder, readme)).transpose()?;
    if arguments.check {
        let is_current = readme.is_none_or(|readme| readme.is_current());
        return Ok(if is_current { Verdict::Pass } else { Verdict::Flawed });
    }
    render(&session, &folder)?;
    if let Some(file) = &arguments.extract {
        session::store::write(file, &session).map_err(|error| Problem::error(&error))?;
        output::say(&format!("wrote {}", absolute(file).display()));
    }
    if let Some(file) = &arguments.markdown {
        let text = report::markdown(&usable(&session)?).map_err(refused)?;
        report::replace(file, &text).map_err(refused)?;
        output::say(&format!("wrote {}", absolute(file).display()));
    }
    if let Some(readme) = readme {
        report::replace(&readme.path, &readme.new).map_err(refused)?;
        output::say(&format!("wrote {}", absolute(&readme.path).display()));
    }
    Ok(Verdict::Pass)
}

/// A README and what becomes of it.
struct Readme {
    path: PathBuf,
    old: String,
    new: String,
}

impl Readme {
    fn new(session: &Session, folder: &Path, path: &Path) -> Result<Self, Problem> {
        let failed = |why: &dyn std::fmt::Display| Problem::Error(format!("{}: {why}", path.display()));
        let old = std::fs::read_to_string(path).map_err(|why| failed(&format!("cannot read it: {why}")))?;
        let charts = address(path, &folder.join(report::CHARTS)).ok_or_else(|| {
            failed(&format!(
                "the report in {} is not in the README's folder or below it; choose one with --output",
                folder.display()
            ))
        })?;
        let part = report::readme(&usable(session)?, &charts).map_err(refused)?;
        let new = spliced(&old, &part).map_err(|why| failed(&why))?;
        Ok(Self { path: path.to_owned(), old, new })
    }

    fn is_current(&self) -> bool {
        let is_current = self.old == self.new;
        if !is_current {
            output::say(&format!("{} is stale: run again without --check", self.path.display()));
        }
        is_current
    }
}

/// How a file at `from` names the folder `to`, if that is below its own folder.
fn address(from: &Path, to: &Path) -> Option<String> {
    let (from, to) = (absolute(from), absolute(to));
    let below = to.strip_prefix(from.parent()?).ok()?;
    let names = below.components().map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    Some(names.collect::<Option<Vec<_>>>()?.join("/"))
}

/// The whole path, links followed as far as it exists.
fn absolute(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let known = whole.ancestors().find_map(|known| Some((known, known.canonicalize().ok()?)));
    match known {
        Some((known, real)) => match whole.strip_prefix(known) {
            Ok(rest) if rest != Path::new("") => real.join(rest),
            _ => real,
        },
        None => whole,
    }
}

/// The session as reports need it, or why there is none.
fn usable(session: &Session) -> Result<Session, Problem> {
    let whole = session.of_complete_rounds();
    if whole.trials.is_empty() {
        let why = whole.incomplete_reason.as_deref().unwrap_or("it has no trials");
        let next = "go on with `resume`, or measure again with `run`";
        return Err(Problem::Refused(format!("session {} has no complete round ({why}); {next}", whole.id)));
    }
    whole.folded().map_err(Problem::Error)
}

fn refused(error: report::Error) -> Problem {
    if error.is_refusal() { Problem::Refused(error.to_string()) } else { Problem::error(&error) }
}

/// Writes the page, prints the table, and prints the page's full path last.
///
/// A session without a complete round is refused: nothing is rendered from half data.
pub(super) fn render(session: &Session, folder: &Path) -> Result<(), Problem> {
    let session = &usable(session)?;
    let failed =
        |cause: &dyn std::fmt::Display| Problem::Error(format!("no report in {}: {cause}", folder.display()));
    std::fs::create_dir_all(folder).map_err(|cause| failed(&cause))?;
    let page = report::write(session, folder).map_err(|cause| match cause {
        cause if cause.is_refusal() => refused(cause),
        cause => failed(&cause),
    })?;
    output::print(&report::terminal(session, output::width(), output::has_colour()));
    output::print(&format!("{}\n", absolute(&page).display()));
    Ok(())
}
