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
    /// Rounds at most, however few cells a filter leaves.
    rounds: u32,
    /// Longest warm-up and window of a trial.
    time: Option<(Duration, Duration)>,
}

// LIMIT: 8 minutes and a half of ten, which leaves criterion one and a half. 14 rounds are a whole Williams square of the
// six strategies and the limit; more would not be told apart by eye.
const FULL: Amount = Amount { budget: Duration::from_secs(510), rounds: 14, time: None };
// LIMIT: 60 s of ninety. Two rounds: a look at everything, with nothing to judge by.
const QUICK: Amount = Amount {
    budget: Duration::from_secs(60),
    rounds: 2,
    time: Some((Duration::from_millis(100), Duration::from_millis(250))),
};

/// The main function of the bench target.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|verb| verb == "trial") {
        return super::main(arguments);
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
        Mode::Measure => measure(&parsed, output::command(&arguments)),
    })
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
    if let Some(time) = amount.time {
        choice.workloads.iter_mut().for_each(|workload| shorten(workload, time));
    }
    let campaign = within(choice, amount, command)?;
    output::say(&format!("{TARGET}: {}", plan_verb::summary(&campaign)));
    if let Some((warm_up, window)) = amount.time {
        output::say(&format!(
            "{TARGET}: --quick cuts warm-ups to {warm_up:?} and windows to about {window:?}"
        ));
    }
    warn_if_short(&campaign);
    run::measure(&campaign, None)
}

fn within(choice: Choice, amount: &Amount, command: Vec<String>) -> Result<Campaign, Problem> {
    let seed = random::fresh_seed();
    let rounds =
        |rounds| plan(choice.clone(), rounds, seed, command.clone()).map_err(|error| Problem::usage(&error));
    let campaign = rounds(Rounds::Budget(amount.budget))?;
    if campaign.plan.rounds <= amount.rounds { Ok(campaign) } else { rounds(Rounds::Count(amount.rounds)) }
}

fn shorten(workload: &mut Workload, (warm_up, window): (Duration, Duration)) {
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
        let full = within(choice.clone(), &FULL, Vec::new()).unwrap();
        assert!(full.plan.rounds >= 8 && full.time() <= FULL.budget, "{} rounds", full.plan.rounds);
        let mut choice = choice;
        choice.workloads.iter_mut().for_each(|workload| shorten(workload, QUICK.time.unwrap()));
        let quick = within(choice, &QUICK, Vec::new()).unwrap();
        assert!(quick.plan.rounds >= 1 && quick.time() <= QUICK.budget, "{} rounds", quick.plan.rounds);
    }

    #[test]
    fn one_cell_alone_does_not_take_the_whole_budget() {
        let (mut choice, _) = Filters { core: true, ..Filters::default() }.choice().unwrap();
        choice.workloads.truncate(1);
        choice.workloads[0].cells.truncate(1);
        assert_eq!(within(choice, &FULL, Vec::new()).unwrap().plan.rounds, FULL.rounds);
    }
}
