//! What a report says: every number, choice and sentence, before anything is laid out.
//!
//! Renderers read it and compute nothing, so the page, the terminal and the README cannot disagree.

mod cards;
mod choice;
mod decision;
mod fitness;
mod headline;
mod index;
mod machine;
mod numbers;
mod objective;
mod open;
mod ranking;
mod verdicts;
mod workload;

pub(crate) use cards::{Card, Counts};
pub(crate) use decision::{Choice, Decision, GivenUp, Goal};
pub(crate) use fitness::{Fitness, RoundEvidence};
pub(crate) use machine::called_different;
pub(crate) use numbers::{Numbers, PARTS};
pub(crate) use objective::{Objective, RoundValues};
pub(crate) use open::OpenLoop;
pub(crate) use ranking::{Ranked, ranking};
pub(crate) use verdicts::{Judged, TwinRatio};

use std::time::Duration;

use super::Error;
use crate::record::{Failure, Session};
use crate::stats::{Family, Sight};
use crate::workload::definition::{Callers, Load};
use index::Index;
use verdicts::Court;

/// A session, understood.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// The strategy that all others are divided by.
    pub(crate) control: String,
    /// Strategies in list order, without twins and the limit.
    pub(crate) strategies: Vec<String>,
    /// The one sentence to remember.
    pub(crate) headline: String,
    /// What a reader must know before believing a number: an incomplete session, failed strategies.
    pub(crate) warnings: Vec<String>,
    /// Which strategy for which write, by each objective that the session has.
    pub(crate) decisions: Vec<Decision>,
    /// The four things to see at once.
    pub(crate) cards: Vec<Card>,
    /// How many comparisons have which verdict.
    pub(crate) counts: Counts,
    /// Whether the machine was fit to measure on, with what each round did.
    pub(crate) fitness: Fitness,
    /// What a sceptic asks first: what was run, how, and what is not known. Name and value.
    pub(crate) honesty: Vec<(&'static str, String)>,
    /// How many comparisons are judged together.
    pub(crate) family: usize,
    /// Rows without numbers because a check failed.
    pub(crate) failures: Vec<FailedRow>,
    /// One per workload, in plan order.
    pub(crate) workloads: Vec<WorkloadView>,
    /// Complete rounds that the numbers come from.
    pub(crate) rounds: usize,
    /// One line: machine, rounds, date, commit.
    pub(crate) provenance: String,
    /// Name and value of everything known about the machine and the run.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// The command that makes such a session again.
    pub(crate) command: String,
    /// The day of the session.
    pub(crate) date: String,
    /// The session's name.
    pub(crate) session: String,
    /// What could not be measured, and why.
    pub(crate) unknown: Vec<String>,
}

/// A workload and its cells.
#[derive(Clone, Debug)]
pub(crate) struct WorkloadView {
    /// Its name.
    pub(crate) name: String,
    /// Its heading.
    pub(crate) title: String,
    /// What a reader learns from it.
    pub(crate) question: String,
    /// How it is run, in words.
    pub(crate) conditions: String,
    /// What makes a strategy good at it.
    pub(crate) objective: Objective,
    /// By what the time that its callers are held is compared.
    pub(crate) held: Objective,
    /// How its clients send.
    pub(crate) load: Load,
    /// Whether several updates share a commit.
    pub(crate) group_commit: bool,
    /// In plan order.
    pub(crate) cells: Vec<CellView>,
}

/// One cell: what every strategy was measured on.
#[derive(Clone, Debug)]
pub(crate) struct CellView {
    /// What the clients are.
    pub(crate) callers: Callers,
    /// How many.
    pub(crate) clients: usize,
    /// Requested cost of a write.
    pub(crate) write: Duration,
    /// Offered load of an open loop, as a share of the slowest strategy's capacity.
    pub(crate) offered: Option<f64>,
    /// `16 threads`, with the write cost and the offered load where the workload sweeps them.
    pub(crate) title: String,
    /// Strategies in list order, the limit last.
    pub(crate) rows: Vec<Row>,
}

impl WorkloadView {
    /// Whether its updates arrive whatever the answers do.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.load, Load::Poisson | Load::Constant)
    }
}

impl CellView {
    /// The numbers of a strategy, if it has any.
    pub(crate) fn numbers(&self, strategy: &str) -> Option<&Numbers> {
        self.rows.iter().find(|row| row.strategy == strategy).and_then(Row::numbers)
    }
}

/// One strategy on one cell.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its name; of a twin, `twin of` the strategy that it is.
    pub(crate) strategy: String,
    /// Of a twin: which strategy it is.
    pub(crate) twin_of: Option<String>,
    /// What it is in the comparison.
    pub(crate) role: Role,
    /// Its numbers, or why there are none.
    pub(crate) outcome: Outcome,
}

impl Row {
    /// Its numbers, if it has any.
    pub(crate) fn numbers(&self) -> Option<&Numbers> {
        match &self.outcome {
            Outcome::Measured(numbers) => Some(numbers),
            Outcome::Failed(_) | Outcome::NotMeasured => None,
        }
    }
}

/// What a row is in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The denominator.
    Control,
    /// A strategy again, under another name.
    Twin,
    /// A strategy, by its place among those that are not the control.
    Strategy(usize),
    /// The bare loop.
    Limit,
}

/// Numbers, or the lack of them.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Verified in every round.
    Measured(Box<Numbers>),
    /// A check failed in at least one round; there are no numbers then.
    Failed(FailedRow),
    /// The plan has it, no complete round does.
    NotMeasured,
}

/// A strategy that failed on a cell.
#[derive(Clone, Debug)]
pub(crate) struct FailedRow {
    /// Where: `slow-writes, 16 threads`.
    pub(crate) place: String,
    /// Who.
    pub(crate) strategy: String,
    /// The first failure.
    pub(crate) failure: Failure,
    /// In how many of how many trials.
    pub(crate) how_often: String,
}

impl FailedRow {
    /// `failed: V2 (lost update 17), in 3 of 8 rounds`.
    pub(crate) fn sentence(&self) -> String {
        format!("failed: {} ({}), {}", self.failure.check, self.failure.reason, self.how_often)
    }
}

impl Model {
    /// Understands a session.
    ///
    /// # Errors
    /// No round is complete, or a record cannot be understood; nothing is half understood.
    pub(crate) fn new(session: &Session) -> Result<Self, Error> {
        let index = Index::new(session)?;
        let plan = &session.plan;
        let names = workload::Names::of(plan);
        let family = Family::of(if plan.family > 0 { plan.family as usize } else { names.judged_rows(plan) });
        let court = Court {
            control: plan.control.clone(),
            family,
            twins: Family::of(plan.twins.len() * session.cells().count()),
            sight: Sight::new(index.rounds.len(), family),
        };
        let workloads = plan.workloads.iter().map(|w| workload::view(session, &index, &names, &court, w));
        let workloads: Vec<WorkloadView> = workloads.collect::<Result<_, _>>()?;
        let strategies = names.strategies(plan);
        let decisions = Decision::all(&court, &strategies, &workloads);
        let failures = workload::failures(&workloads);
        let rounds = index.rounds.len();
        let fitness = Fitness::of(session, &index);
        let counts = Counts::of(&workloads);
        let about =
            headline::About { session, court: &court, rounds, strategies: &strategies, fitness: &fitness };
        Ok(Self {
            headline: headline::sentence(&about, &workloads, &decisions),
            warnings: headline::warnings(&about, &workloads, &failures),
            cards: cards::of(&about, &workloads, &decisions, &counts),
            provenance: machine::provenance(session, rounds),
            honesty: machine::honesty(&about, &workloads),
            facts: machine::facts(session, rounds),
            unknown: machine::unknown(session, &workloads),
            command: plan.command.join(" "),
            date: machine::date(&session.environment.started),
            session: session.id.clone(),
            control: plan.control.clone(),
            family: family.rows(),
            rounds,
            strategies,
            decisions,
            counts,
            fitness,
            failures,
            workloads,
        })
    }
}
