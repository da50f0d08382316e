//! How much each strategy can take, measured before the first round: what the loads of an open loop are shares of.
//!
//! A pilot is a closed-loop trial of its own process with as many clients as keep the writer busy. The slowest strategy's
//! capacity counts for all, so that everybody gets the same arrivals and nobody is overloaded by a share below 1. Nothing but
//! the recorded capacities goes into a rate: a session that is taken up again plans what it planned before.

use std::collections::BTreeSet;

use super::child::{Children, Interrupted};
use super::plan::{Campaign, spec};
use crate::random::derive;
use crate::record::{LIMIT, Pilot, Trial, TrialResult};
use crate::trial::open::is_open;
use crate::trial::spec::TrialSpec;
use crate::workload::definition::{Callers, Cell, Pattern, Workload};

// LIMIT: 16 clients: with one update in flight each there is always one waiting when the writer ends another.
const FEWEST_CLIENTS: usize = 16;

/// The pilots that a campaign needs and `known` does not have, in plan order.
pub fn missing(campaign: &Campaign, known: &[Pilot]) -> Vec<TrialSpec> {
    let is_known = |spec: &TrialSpec| {
        known.iter().any(|pilot| {
            (&pilot.workload, pilot.callers, &pilot.strategy)
                == (&spec.workload, spec.cell.callers, &spec.strategy)
        })
    };
    all(campaign).into_iter().filter(|spec| !is_known(spec)).collect()
}

/// Every pilot of a campaign.
pub fn all(campaign: &Campaign) -> Vec<TrialSpec> {
    let mut strategies: Vec<&String> = campaign
        .plan
        .strategies
        .iter()
        .map(|label| campaign.plan.twins.get(label).unwrap_or(label))
        .collect();
    strategies.retain(|name| *name != LIMIT);
    let mut seen = BTreeSet::new();
    strategies.retain(|name| seen.insert(*name));
    let mut specs = Vec::new();
    for workload in campaign.workloads().iter().filter(|w| matches!(w.pattern, Pattern::Arrivals { .. })) {
        for callers in [Callers::Threads, Callers::Tasks] {
            let Some(cell) = busy_cell(workload, callers) else { continue };
            let seed = derive(campaign.seed(), "pilot", &workload.name, &cell.id, 0);
            specs.extend(strategies.iter().map(|name| closed(spec(workload, &cell, name, seed))));
        }
    }
    specs
}

/// A cell with enough clients of a kind; `None` if the workload has no clients of that kind.
fn busy_cell(workload: &Workload, callers: Callers) -> Option<Cell> {
    let cells = || workload.cells.iter().filter(|cell| cell.callers == callers);
    let most = cells().max_by_key(|cell| cell.clients)?;
    let clients = most.clients.max(FEWEST_CLIENTS);
    Some(Cell { id: format!("pilot-{callers}-{clients}"), clients, load: None, core: false, ..most.clone() })
}

/// The same work, sent as fast as it is answered.
fn closed(spec: TrialSpec) -> TrialSpec {
    TrialSpec { pattern: Pattern::Steady, ..spec }
}

/// The capacity that a pilot found; `None` if it failed, which the strategy's own trials will too, with the reason.
pub fn pilot(spec: &TrialSpec, trial: &Trial) -> Option<Pilot> {
    let TrialResult::Measured(measurement) = &trial.result else { return None };
    Some(Pilot {
        workload: spec.workload.clone(),
        callers: spec.cell.callers,
        strategy: spec.strategy.clone(),
        capacity: measurement.done as f64 * 1e9 / measurement.window_ns as f64,
    })
}

/// Measures what `known` does not have yet, and adds it.
///
/// # Errors
/// The user wants no more.
pub fn measure(
    campaign: &Campaign,
    known: &mut Vec<Pilot>,
    children: &mut Children,
    mut starts: impl FnMut(&TrialSpec),
) -> Result<(), Interrupted> {
    for spec in missing(campaign, known) {
        starts(&spec);
        known.extend(pilot(&spec, &children.run(&spec)?));
    }
    Ok(())
}

/// The same trial with the rate that the pilots give it; a closed loop stays as it is.
#[must_use]
pub fn with_rate(spec: TrialSpec, pilots: &[Pilot]) -> TrialSpec {
    let rate = if is_open(&spec) { rate(&spec, pilots) } else { None };
    TrialSpec { rate, ..spec }
}

fn rate(spec: &TrialSpec, pilots: &[Pilot]) -> Option<f64> {
    let of_this = |pilot: &&Pilot| (&pilot.workload, pilot.callers) == (&spec.workload, spec.cell.callers);
    let slowest = pilots.iter().filter(of_this).map(|pilot| pilot.capacity).min_by(f64::total_cmp)?;
    Some(slowest * spec.cell.load?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::plan::{Choice, Rounds, plan};
    use crate::workload::parse::parse;

    const OPEN: &str = "title = 't'\nquestion = 'q'\ncallers = ['threads', 'tasks']\nclients = [2, 64]\n[write]\n\
                        cost = ['1ms']\nkind = 'spin'\n[arrivals]\nkind = 'poisson'\nload = [0.5, 1.2]\n[time]\n\
                        warm_up = '100ms'\nwindow = '500ms'\n";

    fn campaign() -> Campaign {
        let closed = OPEN.replace("[arrivals]\nkind = 'poisson'\nload = [0.5, 1.2]\n", "");
        let workloads = [("closed", &*closed), ("open", OPEN)]
            .map(|(name, text)| parse(name, "w.toml", text.as_bytes()).unwrap())
            .to_vec();
        let strategies = ["a", "b"].map(str::to_owned).to_vec();
        plan(Choice { workloads, strategies, control: "a".to_owned() }, Rounds::Count(1), 5, Vec::new())
            .unwrap()
    }

    fn found(spec: &TrialSpec, capacity: f64) -> Pilot {
        let (workload, strategy) = (spec.workload.clone(), spec.strategy.clone());
        Pilot { workload, callers: spec.cell.callers, strategy, capacity }
    }

    #[test]
    fn each_strategy_has_a_pilot_for_each_kind_of_callers_of_an_open_loop() {
        let named: Vec<_> =
            all(&campaign()).iter().map(|s| format!("{}/{} {}", s.workload, s.cell.id, s.strategy)).collect();
        let expected = [
            "open/pilot-threads-64 a",
            "open/pilot-threads-64 b",
            "open/pilot-tasks-64 a",
            "open/pilot-tasks-64 b",
        ];
        assert_eq!(named, expected);
        assert!(
            all(&campaign()).iter().all(|spec| spec.pattern == Pattern::Steady && spec.cell.load.is_none())
        );
    }

    #[test]
    fn every_label_gets_the_share_of_the_slowest_strategys_capacity() {
        let campaign = campaign();
        let pilots: Vec<_> =
            (1_u32..).zip(all(&campaign)).map(|(i, spec)| found(&spec, f64::from(i) * 100.0)).collect();
        for spec in campaign.round(0) {
            let rate = with_rate(spec.clone(), &pilots).rate;
            let slowest = if spec.cell.callers == Callers::Threads { 100.0 } else { 300.0 };
            assert_eq!(rate, spec.cell.load.map(|load| slowest * load), "{}", spec.cell.id);
        }
    }

    #[test]
    fn pilots_that_are_known_are_not_measured_again() {
        let campaign = campaign();
        let mut specs = all(&campaign);
        let last = specs.pop().unwrap();
        let known: Vec<_> = specs.iter().map(|spec| found(spec, 1.0)).collect();
        assert_eq!(missing(&campaign, &known), [last]);
    }

    #[test]
    fn without_a_pilot_there_is_no_rate() {
        let open = campaign().round(0).into_iter().find(is_open).unwrap();
        assert_eq!(with_rate(open, &[]).rate, None);
    }
}
