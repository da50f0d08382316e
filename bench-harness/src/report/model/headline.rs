//! The first sentences of a report, made from intervals only: no interval, no claim.

use super::decision::{Choice, Decision, shortened};
use super::{FailedRow, Objective, Role, Row, WorkloadView};
use crate::record::Session;
use crate::report::format::{interval, number, percent, plural, times};
use crate::stats::location::median;
use crate::stats::{Interval, MIN_EFFECT, PER_SIDE, signed_rank};

/// The one sentence to remember; the first of the patterns that applies.
pub(super) fn sentence(control: &str, strategies: &[String], decision: &Decision, rounds: usize) -> String {
    let sure: Vec<&Choice> = decision.choices().filter(|choice| choice.sure).collect();
    if sure.is_empty() {
        return no_interval(rounds);
    }
    if sure.iter().all(|choice| choice.has(control)) {
        return control_everywhere(control, sure.len(), strategies.len());
    }
    let wins = |name: &String| sure.iter().filter(|choice| choice.has(name)).count();
    // Of equals the first in list order is named.
    let best = strategies.iter().map(|name| (wins(name), name)).reduce(|a, b| if b.0 > a.0 { b } else { a });
    let Some((count, champion)) = best else { return no_interval(rounds) };
    let first = if count == sure.len() {
        format!("{champion} is best, or not surely behind, in {}", all_cells(sure.len()))
    } else {
        format!("{champion} is best, or not surely behind, in {count} of {}", plural(sure.len(), "cell"))
    };
    format!("{first}; {}.", what_control_does(control, champion, &sure))
}

fn no_interval(rounds: usize) -> String {
    let fewest = signed_rank::fewest(PER_SIDE);
    if rounds < fewest {
        let rounds = plural(rounds, "complete round");
        return format!("{rounds}: too few for an interval (it takes {fewest}), so no winner is named.");
    }
    "No cell has two strategies with numbers, so no winner is named.".to_owned()
}

fn control_everywhere(control: &str, cells: usize, strategies: usize) -> String {
    if strategies < 2 {
        return format!("Only {control} was measured; there is nothing to compare it with.");
    }
    let floor = percent(MIN_EFFECT);
    format!(
        "{control}, the control, is enough in {}: nothing is surely more than {floor} faster.",
        all_cells(cells)
    )
}

fn all_cells(n: usize) -> String {
    match n {
        1 => "the one cell measured".to_owned(),
        2 => "both cells".to_owned(),
        n => format!("all {n} cells"),
    }
}

fn what_control_does(control: &str, champion: &str, sure: &[&Choice]) -> String {
    let kept: Vec<&&Choice> = sure.iter().filter(|choice| choice.has(control)).collect();
    let behind = sure.iter().filter_map(|choice| Some((choice, choice.shortfall()?)));
    let Some((worst, (share, bounds))) = behind.min_by(|a, b| a.1.0.total_cmp(&b.1.0)) else {
        return format!("{control} has no surely measured loss");
    };
    let loss = loss_in_words(worst, share, bounds);
    match (kept.len(), control == champion) {
        (_, true) => format!("elsewhere its largest loss is in {}: {loss}", worst.place),
        (0, _) => format!("{control} is behind everywhere, furthest in {}: {loss}", worst.place),
        (n, _) => {
            let places: Vec<String> = kept.iter().map(|choice| choice.place.clone()).collect();
            let where_kept = if n <= 3 { format!(" ({})", shortened(&places)) } else { String::new() };
            format!(
                "{control}, the control, in {n}{where_kept}, and the control's largest loss is in {}: {loss}",
                worst.place
            )
        }
    }
}

/// A loss under a half in percent, a larger one as the leader's multiple.
fn loss_in_words(worst: &Choice, share: f64, bounds: Interval) -> String {
    let multiple = Ok(Interval { low: 1.0 / bounds.high, high: 1.0 / bounds.low });
    let times_better = format!("{}{}", times(1.0 / share), interval(&multiple, number));
    match worst.objective {
        Objective::Latency => format!("its p90 is {times_better} as long as that of {}", worst.leader),
        Objective::Throughput if share < 0.5 => {
            format!("{} does {times_better} its updates per second", worst.leader)
        }
        Objective::Throughput => {
            let lost = Ok(Interval { low: 1.0 - bounds.high, high: 1.0 - bounds.low });
            let bounds = interval(&lost, |share| percent(share).replace(" %", ""));
            format!("{}{bounds} of the updates per second", percent(1.0 - share))
        }
    }
}

/// The typical width of the intervals, where there are any: smaller differences are out of this session's sight.
pub(super) fn precision(workloads: &[WorkloadView]) -> Option<String> {
    let rows = workloads.iter().flat_map(|workload| &workload.cells).flat_map(|cell| &cell.rows);
    let compared = rows.filter(|row| matches!(row.role, Role::Strategy(_))).filter_map(Row::numbers);
    let half_widths = compared.filter_map(|numbers| {
        let interval = numbers.merit.as_ref().ok()?.interval.as_ref().ok()?;
        Some((interval.high / interval.low).sqrt() - 1.0)
    });
    let typical = median(&half_widths.collect::<Vec<_>>()).ok()?;
    Some(format!(
        "The typical interval reaches {} to each side; smaller differences cannot be seen here.",
        percent(typical)
    ))
}

/// What a reader must know before believing a number.
pub(super) fn warnings(session: &Session, rounds: usize, failures: &[FailedRow]) -> Vec<String> {
    let mut warnings = Vec::new();
    if !failures.is_empty() {
        let rows = plural(failures.len(), "row");
        warnings.push(format!("{rows} failed verification and show no numbers; each is named below."));
    }
    let planned = session.plan.rounds as usize;
    if !session.complete || rounds < planned {
        let why = session.incomplete_reason.as_deref().unwrap_or("not every planned trial is recorded");
        let left_out = session.trials.iter().any(|trial| trial.round as usize >= rounds);
        let tail = if left_out { "; the round that was cut short is left out" } else { "" };
        let rounds = plural(rounds, "complete round");
        warnings.push(format!("Incomplete session ({why}): {rounds} of {planned} planned{tail}."));
    }
    warnings
}
