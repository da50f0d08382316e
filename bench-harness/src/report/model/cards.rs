//! Four things to see at once: the choice, the verdicts, the largest loss, the machine.

use super::decision::{Decision, GivenUp, Goal};
use super::headline::About;
use super::{Choice, Outcome, Role, Row, WorkloadView};
use crate::report::format::plural;
use crate::stats::Verdict;

/// A card: a word, a shape, a number, and where more is.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    /// What it is about.
    pub(crate) head: &'static str,
    /// The word and number to remember, the shape first.
    pub(crate) word: String,
    /// One line more.
    pub(crate) line: String,
    /// The id of the part of the page that has more.
    pub(crate) link: &'static str,
}

/// How many comparisons ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Called faster.
    pub(crate) faster: usize,
    /// Called slower.
    pub(crate) slower: usize,
    /// Called equivalent.
    pub(crate) equivalent: usize,
    /// Called inconclusive.
    pub(crate) inconclusive: usize,
    /// Failed verification.
    pub(crate) failed: usize,
    /// Neither measured nor judged.
    pub(crate) unjudged: usize,
}

impl Counts {
    pub(super) fn of(workloads: &[WorkloadView]) -> Self {
        let mut counts = Self::default();
        let rows = workloads.iter().flat_map(|workload| &workload.cells).flat_map(|cell| &cell.rows);
        for row in rows.filter(|row| matches!(row.role, Role::Strategy(_))) {
            let place = match (&row.outcome, row.numbers().map(|numbers| &numbers.judged)) {
                (Outcome::Failed(_), _) => &mut counts.failed,
                (_, Some(Ok(judged))) => match judged.verdict {
                    Verdict::Faster => &mut counts.faster,
                    Verdict::Slower => &mut counts.slower,
                    Verdict::Equivalent => &mut counts.equivalent,
                    Verdict::Inconclusive => &mut counts.inconclusive,
                },
                _ => &mut counts.unjudged,
            };
            *place += 1;
        }
        counts
    }

    /// All rows that are compared with the control.
    pub(crate) fn all(self) -> usize {
        self.faster + self.slower + self.equivalent + self.inconclusive + self.failed + self.unjudged
    }

    /// Word, shape and number of each kind.
    pub(crate) fn kinds(self) -> [(&'static str, char, usize); 6] {
        [
            ("faster", '▲', self.faster),
            ("slower", '▼', self.slower),
            ("equivalent", '=', self.equivalent),
            ("inconclusive", '?', self.inconclusive),
            ("failed", '✕', self.failed),
            ("not judged", '–', self.unjudged),
        ]
    }
}

impl Row {
    /// Word and shape of what the comparison with the control says; of what is not compared, what it is.
    pub(crate) fn verdict(&self) -> (&'static str, char) {
        match (&self.outcome, self.role) {
            (Outcome::Failed(_), _) => ("failed", '✕'),
            (Outcome::NotMeasured, _) => ("not measured", '–'),
            (_, Role::Control) => ("control", '★'),
            (_, Role::Twin) => ("twin", '☆'),
            (_, Role::Limit) => ("limit", '○'),
            (Outcome::Measured(numbers), Role::Strategy(_)) => match &numbers.judged {
                Err(_) => ("not judged", '–'),
                Ok(judged) => match judged.verdict {
                    Verdict::Faster => ("faster", '▲'),
                    Verdict::Slower => ("slower", '▼'),
                    Verdict::Equivalent => ("equivalent", '='),
                    Verdict::Inconclusive => ("inconclusive", '?'),
                },
            },
        }
    }

    /// The verdict in a sentence, or why there is none.
    pub(crate) fn sentence(&self) -> String {
        match &self.outcome {
            Outcome::Failed(failed) => failed.sentence(),
            Outcome::NotMeasured => String::new(),
            Outcome::Measured(numbers) => match (&numbers.judged, &numbers.twin) {
                (Ok(judged), _) => judged.sentence.clone(),
                (Err(_), Some(twin)) => twin.sentence(),
                (Err(_), None) if self.role == Role::Control || self.role == Role::Limit => String::new(),
                (Err(why), None) => why.reason().to_owned(),
            },
        }
    }
}

pub(super) fn of(
    about: &About<'_>,
    workloads: &[WorkloadView],
    decisions: &[Decision],
    counts: &Counts,
) -> Vec<Card> {
    vec![decision(about, decisions), verdicts(counts, workloads), loss(about, decisions), fitness(about)]
}

/// The choices of the goals that verdicts are about.
pub(super) fn choices(decisions: &[Decision]) -> impl Iterator<Item = &Choice> {
    decisions.iter().filter(|table| table.goal != Goal::Held).flat_map(Decision::choices)
}

/// Who may be best in most cells; of equals the first in list order.
pub(super) fn champion<'s>(strategies: &'s [String], choices: &[&Choice]) -> Option<(&'s String, usize)> {
    let wins = |name: &String| choices.iter().filter(|choice| choice.has(name)).count();
    strategies.iter().map(|name| (name, wins(name))).reduce(|a, b| if b.1 > a.1 { b } else { a })
}

fn decision(about: &About<'_>, decisions: &[Decision]) -> Card {
    let sure: Vec<&Choice> = choices(decisions).filter(|choice| choice.sure).collect();
    let all = choices(decisions).count();
    let (word, line) = match champion(about.strategies, &sure) {
        Some((name, wins)) if wins > 0 => {
            (format!("✓ {name}"), format!("best or tied in {wins} of {}", plural(all, "cell")))
        }
        _ => ("? inconclusive".to_owned(), "no cell has a proven choice".to_owned()),
    };
    Card { head: "Choice", word, line, link: "decision" }
}

fn verdicts(counts: &Counts, workloads: &[WorkloadView]) -> Card {
    let known = counts.kinds().into_iter().filter(|(_, _, n)| *n > 0);
    let word = known.clone().map(|(_, shape, n)| format!("{shape} {n}")).collect::<Vec<_>>().join(" · ");
    let words = known.map(|(word, _, n)| format!("{n} {word}")).collect::<Vec<_>>().join(", ");
    let cells: usize = workloads.iter().map(|workload| workload.cells.len()).sum();
    let (word, line) = if counts.all() == 0 {
        ("– none".to_owned(), "nothing to compare".to_owned())
    } else {
        (word, format!("{words}; {}", plural(cells, "cell")))
    };
    Card { head: "Verdicts against the control", word, line, link: "ranking" }
}

/// The choice in which the control surely loses most, the loss, and its bounds.
pub(super) fn largest_loss(decisions: &[Decision]) -> Option<(&Choice, f64, (f64, f64))> {
    let losses = choices(decisions).filter_map(|choice| match &choice.control {
        GivenUp::Surely(d, bounds) => Some((choice, *d, *bounds)),
        _ => None,
    });
    losses.reduce(|a, b| if b.1 > a.1 { b } else { a })
}

fn loss(about: &About<'_>, decisions: &[Decision]) -> Card {
    let control = &about.court.control;
    let enough = choices(decisions).filter(|choice| matches!(choice.control, GivenUp::Enough(_))).count();
    let all = choices(decisions).count();
    let (word, line) = match largest_loss(decisions) {
        Some((choice, d, bounds)) => {
            let objective = choice.objective;
            (
                format!("▼ {}", objective.loss_within(d, bounds)),
                format!("{} ({})", objective.measure(), choice.place),
            )
        }
        None if enough == all && all > 0 => ("= none".to_owned(), format!("{control} is enough everywhere")),
        None => ("? none proven".to_owned(), format!("{control} may still lose; see the table")),
    };
    Card { head: "Largest loss of the control", word, line, link: "decision" }
}

fn fitness(about: &About<'_>) -> Card {
    let fitness = about.fitness;
    let shape = match fitness.word() {
        "fit" => '=',
        "unfit" => '✕',
        _ => '?',
    };
    let line = fitness.unfit.first().cloned().unwrap_or_else(|| {
        let steal = fitness.steal.map_or_else(
            || "steal unknown".to_owned(),
            |steal| format!("steal {}", crate::report::format::percent(steal)),
        );
        format!("{} count; {steal}", plural(about.rounds, "round"))
    });
    Card { head: "This machine", word: format!("{shape} {}", fitness.word()), line, link: "honesty" }
}
