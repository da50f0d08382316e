//! What `cargo bench` and `cargo test --all-targets` start: the campaign over the core cells, or a smoke test.
//!
//! `cargo bench` runs the micro-benches of criterion before it, with the same arguments. Together they keep to ten minutes,
//! and with `--quick` to ninety seconds.

mod arguments;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use super::filters::Filters;
use super::schedule::warn_if_short;
use super::{Problem, Verdict, exit, output, plan as plan_verb, run};
use crate::campaign::child::Children;
use crate::campaign::plan::spec;
use crate::campaign::{Campaign, Choice, Rounds, plan};
use crate::random;
use crate::record::{LIMIT, TrialResult};
use crate::strategies;
use crate::workload::definition::{Callers, Cell, Cost, CostKind, Pattern, Variation, Workload};
use arguments::{Arguments, Mode};

/// How the target is called: what `--list` prints, and the first part of every name that a filter sees.
const TARGET: &str = "campaign";

/// How much `cargo bench` measures.
struct Amount {
    budget: Duration,
    /// Rounds that are worth shorter trials.
    least: u32,
    /// Rounds at most, however few cells a filter leaves.
    most: u32,
    /// Longest warm-up and window of a trial: the first pair with which the least number of rounds fits into the budget.
    times: &'static [(Duration, Duration)],
}

const fn millis(warm_up: u64, window: u64) -> (Duration, Duration) {
    (Duration::from_millis(warm_up), Duration::from_millis(window))
}

// LIMIT: 8 minutes and a half of ten, which leaves criterion one and a half. 12 rounds still judge 60 comparisons; 16 are
// two Williams squares of the six strategies, the twin and the limit.
const FULL: Amount = Amount {
    budget: Duration::from_secs(510),
    least: 12,
    most: 16,
    times: &[millis(250, 600), millis(200, 450), millis(150, 350), millis(120, 300), millis(100, 250)],
};
/// What all core cells get, of [`FULL`]'s times.
pub(super) const USUAL: (Duration, Duration) = FULL.times[3];
// LIMIT: 60 s of ninety. Two rounds: a look at everything, with nothing to judge by.
const QUICK: Amount = Amount {
    budget: Duration::from_secs(60),
    least: 1,
    most: 2,
    times: &[millis(100, 250), millis(60, 150)],
};

/// The main function of the bench target.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    // What a trial's parent calls, and how a session of `cargo bench` goes on: only the program that began it may.
    if arguments.get(1).is_some_and(|verb| verb == "trial" || verb == "resume") {
        // Cargo adds its own flag to the arguments of every bench.
        return super::main(arguments.into_iter().filter(|argument| argument != "--bench"));
    }
    let given = arguments.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let parsed = Arguments::parse(given);
    parsed.unknown.iter().for_each(|flag| output::say(&format!("{TARGET}: `{flag}` means nothing here")));
    exit(match parsed.mode() {
        Mode::Nothing(why) => {
            output::say(&format!("{TARGET}: skipped, {why}"));
            Ok(Verdict::Pass)
        }
        Mode::List => {
            output::print(&if parsed.has(TARGET) { format!("{TARGET}: benchmark\n") } else { String::new() });
            Ok(Verdict::Pass)
        }
        Mode::Smoke => smoke(&parsed),
        Mode::Measure => measure(&parsed, command(&arguments)),
    })
}

/// What a user typed, for the record: Cargo starts the target with a flag of its own.
fn command(arguments: &[OsString]) -> Vec<String> {
    let mut given = output::command(arguments);
    given.retain(|argument| argument != "--bench");
    let own = given.split_off(1);
    let dashes = if own.is_empty() { None } else { Some("--".to_owned()) };
    ["cargo", "bench"].map(str::to_owned).into_iter().chain(dashes).chain(own).collect()
}

/// Says what all of `cargo bench` is going to take, for the bench target that comes first.
pub fn announce(arguments: impl IntoIterator<Item = OsString>) {
    let given = arguments.into_iter().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let parsed = Arguments::parse(given);
    if matches!(parsed.mode(), Mode::Measure) {
        let most = if parsed.is_quick { "90 seconds" } else { "10 minutes" };
        output::say(&format!("at most {most} in all: single calls first, then the campaign and its report"));
    }
}

fn measure(arguments: &Arguments, command: Vec<String>) -> Result<Verdict, Problem> {
    let amount = if arguments.is_quick { &QUICK } else { &FULL };
    let core = Filters { core: true, ..Filters::default() };
    let (mut choice, _) = core.choice()?;
    if !narrow(&mut choice, arguments) {
        output::say(&format!(
            "{TARGET}: skipped, no workload, cell or strategy has `{}`",
            arguments.filters.join(" ")
        ));
        return Ok(Verdict::Pass);
    }
    let (campaign, (warm_up, window)) = within(&choice, amount, &command)?;
    output::say(&format!("{TARGET}: {}", plan_verb::summary(&campaign)));
    output::say(&format!(
        "{TARGET}: warm-ups of {warm_up:?} and windows of about {window:?} at most, to keep the time"
    ));
    warn_if_short(&campaign);
    run::measure(&campaign, &output::results(None))
}

/// The campaign that fits, and the longest warm-up and window that it came to.
fn within(
    choice: &Choice,
    amount: &Amount,
    command: &[String],
) -> Result<(Campaign, (Duration, Duration)), Problem> {
    let seed = random::fresh_seed();
    let mut fitting = Err(Problem::Usage("no time is left to measure in".to_owned()));
    for time in amount.times {
        let mut choice = choice.clone();
        choice.workloads.iter_mut().for_each(|workload| shorten(workload, *time));
        let rounds = |rounds| {
            plan(choice.clone(), rounds, seed, command.to_vec()).map_err(|error| Problem::usage(&error))
        };
        let whole = rounds(Rounds::Budget(amount.budget));
        fitting = match whole {
            Ok(campaign) if campaign.plan.rounds > amount.most => {
                rounds(Rounds::Count(amount.most)).map(|campaign| (campaign, *time))
            }
            whole => whole.map(|campaign| (campaign, *time)),
        };
        if fitting.as_ref().is_ok_and(|(campaign, _)| campaign.plan.rounds >= amount.least) {
            break;
        }
    }
    fitting.map(|(mut campaign, time)| {
        campaign.budget = Some(amount.budget);
        (campaign, time)
    })
}

/// Cuts a workload's warm-up and window.
pub(super) fn shorten(workload: &mut Workload, (warm_up, window): (Duration, Duration)) {
    // Whole bursts only, or the number of updates would depend on where the window happens to end.
    let window = match workload.pattern {
        Pattern::Steady | Pattern::Arrivals { .. } => window,
        Pattern::Bursts { every, .. } => {
            every * u32::try_from(window.as_nanos().div_ceil(every.as_nanos())).unwrap_or(1)
        }
    };
    workload.warm_up = workload.warm_up.min(warm_up);
    workload.window = workload.window.min(window);
}

/// Leaves what the filters ask for, and the control. False if that is nothing.
fn narrow(choice: &mut Choice, arguments: &Arguments) -> bool {
    let labels = choice.strategies.clone();
    let is_asked = |workload: &str, cell: &str, strategy: &str| {
        arguments.has(&format!("{TARGET}/{workload}/{cell}/{strategy}"))
    };
    let mut asked = vec![false; labels.len()];
    for workload in &mut choice.workloads {
        let name = workload.name.clone();
        workload.cells.retain(|cell| {
            let hits: Vec<_> = labels.iter().map(|label| is_asked(&name, &cell.id, label)).collect();
            asked.iter_mut().zip(&hits).for_each(|(asked, hit)| *asked |= hit);
            hits.contains(&true)
        });
    }
    choice.workloads.retain(|workload| !workload.cells.is_empty());
    let control = choice.control.clone();
    let mut keep = labels.iter().zip(asked).map(|(label, asked)| asked || *label == control);
    choice.strategies.retain(|_| keep.next().unwrap_or(false));
    !choice.workloads.is_empty()
}

/// Each strategy once on one small cell, verified; nothing is written.
fn smoke(arguments: &Arguments) -> Result<Verdict, Problem> {
    if !arguments.has(TARGET) {
        return Ok(Verdict::Pass);
    }
    let program = std::env::current_exe()
        .map_err(|error| Problem::Error(format!("cannot find this program: {error}")))?;
    let mut children = Children::new(program);
    let (workload, cell) = small();
    let mut verdict = Verdict::Pass;
    for label in strategies::names().into_iter().chain([LIMIT]) {
        let trial = children.run(&spec(&workload, &cell, label, random::fresh_seed()));
        let result = trial.map_err(|_| Problem::Error("interrupted".to_owned()))?.result;
        let answer = match result {
            TrialResult::Measured(measurement) => format!("ok, {} updates", measurement.done),
            TrialResult::Failed(failure) => {
                verdict = Verdict::Flawed;
                format!("FAILED, {} {}", failure.check, failure.reason)
            }
        };
        output::print(&format!("{TARGET}: {label} ... {answer}\n"));
    }
    Ok(verdict)
}

/// About 200 updates: 4 clients, writes of 300 us, 60 ms.
fn small() -> (Workload, Cell) {
    let write = Cost { requested: Duration::from_micros(300), kind: CostKind::Spin };
    let cell = Cell {
        id: "threads-4".to_owned(),
        callers: Callers::Threads,
        clients: 4,
        write,
        load: None,
        core: false,
    };
    let workload = Workload {
        name: "smoke".to_owned(),
        title: "Smoke test".to_owned(),
        question: "Does every strategy keep its promises at all?".to_owned(),
        hash: String::new(),
        pattern: Pattern::Steady,
        capacity: 16,
        max_batch: 16,
        variation: Variation::default(),
        commit: None,
        timed_every: 1,
        warm_up: Duration::from_millis(5),
        window: Duration::from_millis(60),
        cells: vec![cell.clone()],
    };
    (workload, cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrowed(filters: &[&str]) -> Option<Choice> {
        let (mut choice, _) = Filters { core: true, ..Filters::default() }.choice().unwrap();
        let arguments = Arguments::parse(filters.iter().map(|filter| (*filter).to_owned()));
        narrow(&mut choice, &arguments).then_some(choice)
    }

    #[test]
    fn a_strategy_leaves_all_cells_with_it_and_the_control() {
        let all = narrowed(&[]).unwrap();
        let other = all.strategies.iter().find(|name| **name != all.control).unwrap();
        let choice = narrowed(&[&format!("/{other}")]).unwrap();
        assert_eq!(choice.workloads, all.workloads);
        assert!(choice.strategies.contains(other) && choice.strategies.contains(&all.control));
        assert!(choice.strategies.len() < all.strategies.len());
    }

    #[test]
    fn a_workload_leaves_its_cells_with_all_strategies() {
        let all = narrowed(&[]).unwrap();
        let choice = narrowed(&[&all.workloads[0].name]).unwrap();
        assert_eq!(choice.workloads, all.workloads[..1]);
        assert_eq!(choice.strategies, all.strategies);
    }

    #[test]
    fn what_nothing_is_called_leaves_nothing() {
        assert!(narrowed(&["no such thing"]).is_none());
        assert!(narrowed(&[TARGET]).is_some());
    }

    #[test]
    fn the_budgets_are_kept_and_give_enough_rounds() {
        let (choice, _) = Filters { core: true, ..Filters::default() }.choice().unwrap();
        for amount in [FULL, QUICK] {
            let (campaign, time) = within(&choice, &amount, &[]).unwrap();
            let (rounds, least) = (campaign.plan.rounds, amount.least);
            assert!(rounds >= least && campaign.time() <= amount.budget, "{rounds} rounds, {time:?}");
        }
    }

    #[test]
    fn one_cell_alone_does_not_take_the_whole_budget_and_keeps_its_own_times() {
        let (mut choice, _) = Filters { core: true, ..Filters::default() }.choice().unwrap();
        choice.workloads.truncate(1);
        choice.workloads[0].cells.truncate(1);
        let (campaign, time) = within(&choice, &FULL, &[]).unwrap();
        assert_eq!((campaign.plan.rounds, time), (FULL.most, FULL.times[0]));
        assert_eq!(campaign.workloads()[0].window, choice.workloads[0].window);
    }
}
