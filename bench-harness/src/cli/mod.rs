//! The command line: one file per verb, one place for exit codes.
//!
//! Data goes to standard output; progress, warnings and errors to standard error. An error is printed once, here, and says
//! what was given and how to mend it.

mod bench;
mod calibrate;
mod doctor;
mod filters;
mod list;
mod names;
mod output;
mod plan;
mod progress;
mod report;
mod resume;
mod run;
mod schedule;
mod sight;
mod trial;

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

pub use bench::{announce as announce_bench, main as bench_main};

const PROGRAM: &str = "bench-harness";

/// Measures what each way of serialising writes costs and buys, verifies every run, and renders a report.
///
/// A workload is a file that says what is measured and which question it answers; its cells are the points of its sweep
/// (callers, number of clients, cost of a write). A trial is one strategy on one cell in a process of its own. A round is
/// every strategy on every cell once, in random order; a session is several rounds. Throughput is compared with the
/// control of the same round, a plain lock, and with `limit`, the same writes in a bare loop.
#[derive(Parser)]
#[command(name = PROGRAM, version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "Durations need a unit: 200us, 1ms, 5s, 10m, 1h.\n\
    Exit codes: 0 all is well, 1 error or a failed trial, 2 usage, 11 this machine is not fit (`doctor`), 12 refused: a \
    session without a complete round, or one that cannot go on.";

#[derive(Subcommand)]
enum Verb {
    /// Show the workloads with their cells, and the strategies
    List(list::Args),
    /// Show what `run` would do, in which order and how long; measure nothing
    Plan(plan::Args),
    /// Measure, store a session, and render its report
    Run(run::Args),
    /// Go on with a session that was interrupted
    Resume(resume::Args),
    /// Render the report of a session anew
    Report(report::Args),
    /// Measure how often this harness is wrong on this machine
    ///
    /// Runs sessions in which a strategy is compared with copies of itself: some identical, of which none should be called
    /// different, and some with writes that are 5, 10 and 20 % longer, which should be called slower. The summary goes into every
    /// later report of this machine.
    Calibrate(calibrate::Args),
    /// Say whether this machine is fit to measure on, and what to do about it
    Doctor(doctor::Args),
    /// Measure one strategy on one cell in this process and print the record
    ///
    /// Give one workload, one cell and one strategy, or a spec.
    Trial(trial::Args),
}

/// How a verb ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing to complain about.
    Pass,
    /// Something was measured, but a trial failed or some are missing; it has been said.
    Flawed,
    /// This machine is not fit to measure on; it has been said.
    Unfit,
}

/// Why a verb could not do its work.
#[derive(Debug)]
enum Problem {
    /// The command line asks for something that is not there or makes no sense.
    Usage(String),
    /// Something failed.
    Error(String),
    /// The data does not support what was asked for.
    Refused(String),
}

impl Problem {
    fn error(cause: &dyn fmt::Display) -> Self {
        Self::Error(cause.to_string())
    }

    fn usage(cause: &dyn fmt::Display) -> Self {
        Self::Usage(cause.to_string())
    }
}

/// Runs the harness with a command line, program name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    match Cli::try_parse_from(&arguments) {
        Ok(cli) => exit(cli.verb.run(output::command(&arguments))),
        Err(error) if error.kind() == ErrorKind::InvalidSubcommand => exit(Err(unknown_verb(&error))),
        Err(error) => {
            // Nobody reads any more if this fails.
            drop(error.print());
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
        }
    }
}

impl Verb {
    fn run(self, command: Vec<String>) -> Result<Verdict, Problem> {
        match self {
            Self::List(arguments) => list::run(&arguments),
            Self::Plan(arguments) => plan::run(&arguments, command),
            Self::Run(arguments) => run::run(&arguments, command),
            Self::Resume(arguments) => resume::run(&arguments),
            Self::Report(arguments) => report::run(&arguments),
            Self::Calibrate(arguments) => calibrate::run(&arguments, &command),
            Self::Doctor(arguments) => doctor::run(&arguments),
            Self::Trial(arguments) => trial::run(&arguments),
        }
    }
}

fn unknown_verb(error: &clap::Error) -> Problem {
    let given = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(given)) => given.as_str(),
        _ => "",
    };
    let cli = Cli::command();
    let known: Vec<_> = cli.get_subcommands().map(clap::Command::get_name).chain(["help"]).collect();
    Problem::Usage(names::unknown("verb", given, &known))
}

/// The one place where an outcome becomes an exit code.
fn exit(outcome: Result<Verdict, Problem>) -> ExitCode {
    let (code, message) = match outcome {
        Ok(Verdict::Pass) => (0, None),
        Ok(Verdict::Flawed) => (1, None),
        Ok(Verdict::Unfit) => (11, None),
        Err(Problem::Error(message)) => (1, Some(message)),
        Err(Problem::Usage(message)) => (2, Some(message)),
        Err(Problem::Refused(message)) => (12, Some(message)),
    };
    if let Some(message) = message {
        output::say(&format!("error: {message}"));
    }
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
