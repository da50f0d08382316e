//! The first sentences of a report, made from verdicts and simultaneous intervals only: no interval, no claim.

use super::cards::{champion, choices, largest_loss};
use super::decision::{Decision, GivenUp, Goal};
use super::verdicts::Court;
use super::{Choice, FailedRow, Fitness, Objective, Row, WorkloadView};
use crate::record::Session;
use crate::report::format::{duration, list, percent, plural, ratio};
use crate::stats::location::median;

/// What all first sentences need to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    /// The session.
    pub(super) session: &'a Session,
    /// How it is judged.
    pub(super) court: &'a Court,
    /// Rounds that count.
    pub(super) rounds: usize,
    /// Strategies in list order, the control first.
    pub(super) strategies: &'a [String],
    /// Whether the machine was fit.
    pub(super) fitness: &'a Fitness,
}

/// The one sentence to remember; the first of the patterns that applies.
pub(super) fn sentence(about: &About<'_>, workloads: &[WorkloadView], decisions: &[Decision]) -> String {
    let all: Vec<&Choice> = choices(decisions).collect();
    let sure: Vec<&Choice> = all.iter().copied().filter(|choice| choice.sure).collect();
    let control = &about.court.control;
    let claim = if about.strategies.len() < 2 {
        format!("Only {control} was measured; there is nothing to compare it with")
    } else if let Some(why) = inconclusive(about, workloads, &sure) {
        why
    } else if all.iter().all(|choice| matches!(choice.control, GivenUp::Enough(_))) {
        control_is_enough(control, &all)
    } else {
        let (name, wins) = champion(about.strategies, &sure).unwrap_or((control, 0));
        if wins == all.len() {
            best_everywhere(about, name, &all, decisions)
        } else if let Some(split) = split(about, decisions) {
            format!("{split}; {}", gives_up_at_most(about, &all, decisions))
        } else {
            let cells = plural(all.len(), "cell");
            format!(
                "{name} is best or tied in {wins} of {cells}; {}",
                gives_up_at_most(about, &all, decisions)
            )
        }
    };
    let twins = if off(workloads).next().is_some() {
        " But a strategy also seemed to differ from itself: see the warning."
    } else {
        ""
    };
    format!("{claim}. {}.{twins}", conditions(about))
}

/// Machine, rounds and level.
fn conditions(about: &About<'_>) -> String {
    let env = &about.session.environment;
    let cpu = env.cpu.clone().unwrap_or_else(|| env.os.clone());
    format!(
        "{} of {cpu}, {}, 95 % for all of it together",
        plural(env.cpus, "CPU"),
        plural(about.rounds, "round")
    )
}

/// Pattern: nothing can be said, and why.
fn inconclusive(about: &About<'_>, workloads: &[WorkloadView], sure: &[&Choice]) -> Option<String> {
    let seen = || {
        let judged = judged(workloads).filter_map(|(_, judged)| judged.detectable.as_ref().ok().copied());
        let seen = median(&judged.collect::<Vec<_>>()).ok();
        seen.map_or_else(String::new, |seen| {
            format!("; differences under {} could not be seen", percent(seen))
        })
    };
    if !about.fitness.unfit.is_empty() {
        return Some(format!("Inconclusive on this machine: {}{}", about.fitness.unfit.join("; "), seen()));
    }
    if sure.is_empty() {
        let mut absent = judged(workloads).filter_map(|(_, judged)| judged.excess.interval.as_ref().err());
        let why = absent.next().map_or_else(
            || "no cell has two strategies with numbers".to_owned(),
            |why| {
                format!(
                    "{why}, because {} are judged together",
                    plural(about.court.family.rows(), "comparison")
                )
            },
        );
        return Some(format!("Inconclusive on this machine: {why}"));
    }
    let mut verdicts = judged(workloads).map(|(_, judged)| judged.verdict);
    let is_open = verdicts.all(|verdict| verdict == crate::stats::Verdict::Inconclusive);
    is_open.then(|| format!("Inconclusive on this machine: no difference is clear of the floor{}", seen()))
}

fn judged(workloads: &[WorkloadView]) -> impl Iterator<Item = (&Row, &super::Judged)> {
    let rows = workloads.iter().flat_map(|workload| &workload.cells).flat_map(|cell| &cell.rows);
    rows.filter_map(|row| Some((row, row.numbers()?.judged.as_ref().ok()?)))
}

/// Pattern: the control is equivalent to the best everywhere.
fn control_is_enough(control: &str, all: &[&Choice]) -> String {
    let floor = all.iter().map(|choice| match choice.control {
        GivenUp::Enough(floor) => floor,
        _ => 0.0,
    });
    let within = percent(floor.fold(0.0, f64::max));
    format!("{}{control} is within ±{within} of the best strategy", for_writes(all))
}

/// `For writes of 100 µs to 1.06 ms `, or nothing where the cost is not known.
fn for_writes(all: &[&Choice]) -> String {
    let costs = || all.iter().filter_map(|choice| choice.cost_ns);
    let ends = (costs().reduce(f64::min), costs().reduce(f64::max));
    match ends {
        (Some(low), Some(high)) if duration(low) == duration(high) => {
            format!("For writes of {} ", duration(low))
        }
        (Some(low), Some(high)) => format!("For writes of {} to {} ", duration(low), duration(high)),
        _ => String::new(),
    }
}

/// Pattern: one strategy is best or tied everywhere.
fn best_everywhere(about: &About<'_>, name: &str, all: &[&Choice], decisions: &[Decision]) -> String {
    let control = &about.court.control;
    if name == control {
        let loss =
            gives_up_at_most(about, all, decisions).replacen(&format!("{control} gives"), "it gives", 1);
        return format!("{name} is best or tied everywhere; {loss}");
    }
    let Some((worst, d, bounds)) = largest_loss(decisions) else {
        return format!("{name} is best or tied everywhere; {}", gives_up_at_most(about, all, decisions));
    };
    let same = all.iter().filter(|choice| choice.objective == worst.objective);
    let least = same.map(|choice| if let GivenUp::Surely(d, _) = choice.control { d } else { 0.0 });
    let least = worst.objective.loss(least.fold(d, f64::min));
    let most = worst.objective.loss_within(d, bounds);
    let range = if most.starts_with(&least) { most } else { format!("{least} to {most}") };
    format!("{name} is best or tied everywhere; {}", in_words(control, worst, &range))
}

fn in_words(control: &str, choice: &Choice, loss: &str) -> String {
    match choice.objective {
        Objective::Throughput => format!("{control} gives up {loss} of the updates per second"),
        objective => format!("the {} of {control} is {loss} as long", objective.measure()),
    }
}

/// The largest loss that is proven, with its place; else the largest that is possible.
fn gives_up_at_most(about: &About<'_>, all: &[&Choice], decisions: &[Decision]) -> String {
    let control = &about.court.control;
    if let Some((worst, d, bounds)) = largest_loss(decisions) {
        let loss = in_words(control, worst, &worst.objective.loss_within(d, bounds));
        return format!("at worst {loss} ({})", worst.place);
    }
    let possible = all.iter().filter_map(|choice| match choice.control {
        GivenUp::AtMost(high) => Some((choice, high)),
        _ => None,
    });
    possible.reduce(|a, b| if b.1 > a.1 { b } else { a }).map_or_else(
        || format!("what {control} gives up is not known"),
        |(choice, high)| in_words(control, choice, &format!("at most {}", choice.objective.loss(high))),
    )
}

/// Pattern: one strategy for cheap writes and another for dear ones, where the throughput table splits like that.
fn split(about: &About<'_>, decisions: &[Decision]) -> Option<String> {
    let table = decisions.iter().find(|table| table.goal == Goal::Throughput)?;
    let mut choices: Vec<(f64, &Choice)> =
        table.choices().map(|choice| Some((choice.cost_ns?, choice))).collect::<Option<_>>()?;
    choices.sort_by(|a, b| a.0.total_cmp(&b.0));
    let common = |choices: &[(f64, &Choice)]| {
        about.strategies.iter().find(|name| choices.iter().all(|(_, choice)| choice.sure && choice.has(name)))
    };
    let at = |place: &usize| {
        let (below, above) = choices.split_at(*place);
        // Costs of one row differ by noise; a threshold lies between two rows.
        let (low, high) = (below.last()?.0, above.first()?.0);
        let (cheap, dear) = (common(below)?, common(above)?);
        (high > low * 1.5 && cheap != dear).then(|| {
            format!("For writes up to {} use {cheap}, from {} on {dear}", duration(low), duration(high))
        })
    };
    (1..choices.len()).collect::<Vec<_>>().iter().find_map(at)
}

/// Twins whose interval shows a difference where there is none.
pub(super) fn off(workloads: &[WorkloadView]) -> impl Iterator<Item = (String, &super::TwinRatio)> {
    let cells = workloads.iter().flat_map(|workload| workload.cells.iter().map(move |cell| (workload, cell)));
    let rows = cells.flat_map(|(workload, cell)| {
        cell.rows.iter().map(move |row| (format!("{}, {}", workload.name, cell.title), row))
    });
    rows.filter_map(|(place, row)| Some((place, row.numbers()?.twin.as_ref().filter(|twin| twin.is_off())?)))
}

/// What a reader must know before believing a number.
pub(super) fn warnings(about: &About<'_>, workloads: &[WorkloadView], failures: &[FailedRow]) -> Vec<String> {
    let session = about.session;
    let mut warnings = Vec::new();
    if !failures.is_empty() {
        let rows = plural(failures.len(), "row");
        warnings.push(format!("{rows} failed verification and show no numbers; each is named below."));
    }
    let twins: Vec<String> = off(workloads)
        .filter_map(|(place, twin)| {
            Some(format!("{} {} ({place})", twin.of, ratio(twin.ratio.as_ref().ok()?)))
        })
        .collect();
    if !twins.is_empty() {
        warnings.push(format!(
            "The same strategy under two names seemed to differ from itself: {}. Do not trust differences of that size here.",
            list(&twins)
        ));
    }
    let changed: Vec<String> = judged(workloads)
        .filter(|(_, judged)| judged.with_every_round.is_some())
        .map(|(row, _)| row.strategy.clone())
        .collect();
    if !changed.is_empty() {
        warnings.push(format!(
            "{} would change with the rounds that do not count, and are inconclusive for that.",
            plural(changed.len(), "verdict")
        ));
    }
    let planned = session.plan.rounds as usize;
    if !session.complete || about.rounds < planned {
        if session.complete {
            let why =
                about.fitness.rounds.iter().find_map(|round| round.invalid.as_deref()).unwrap_or("invalid");
            warnings.push(format!(
                "Only {} of {planned} planned rounds count; {} did not: {why}.",
                about.rounds,
                plural(about.fitness.invalid, "round")
            ));
            return warnings;
        }
        let why = session.incomplete_reason.as_deref().unwrap_or("not every planned trial is recorded");
        let rounds = plural(about.rounds, "complete round");
        let complete = session.complete_rounds();
        let cut = session.trials.iter().any(|trial| !complete.contains(&trial.round));
        let cut = if cut { "; the round that was cut short is left out" } else { "" };
        let invalid = match about.fitness.invalid {
            0 => String::new(),
            n => format!("; {} more did not count", plural(n, "round")),
        };
        warnings.push(format!("Incomplete session ({why}): {rounds} of {planned} planned{cut}{invalid}."));
    }
    warnings
}
