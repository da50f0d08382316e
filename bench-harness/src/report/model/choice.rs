//! A choice of the decision table in words: who may be best, and what the control gives up.

use super::{Choice, GivenUp, Objective};
use crate::report::format::percent;

impl Choice {
    /// Whether `strategy` is best or tied.
    pub(crate) fn has(&self, strategy: &str) -> bool {
        self.best.iter().any(|name| name == strategy)
    }

    /// The simplest of those that may be best, and the others: `tokio or flume`.
    pub(crate) fn first_line(&self) -> String {
        let failed = if self.failed > 0 { format!("; {} failed", self.failed) } else { String::new() };
        let choice = match self.best.as_slice() {
            [] if self.failed > 0 => return "failed".to_owned(),
            [] => return "not measured".to_owned(),
            _ if !self.sure => "inconclusive".to_owned(),
            [only] if self.measured == 1 => format!("only {only} measured"),
            [only] => only.clone(),
            [first, ..] if self.best.len() == self.measured => format!("{first} or any other"),
            [first, others @ ..] => format!("{first} or {}", others.join(", ")),
        };
        choice + &failed
    }

    /// The same for a narrow cell: the simplest, and how many others tie with it.
    pub(crate) fn short_first_line(&self) -> String {
        match self.best.as_slice() {
            [first, _, ..] if self.sure && self.failed == 0 => format!("{first} +{}", self.best.len() - 1),
            _ => self.first_line(),
        }
    }

    /// What the control gives up, in words.
    pub(crate) fn second_line(&self, control: &str) -> String {
        let whose = match self.objective {
            Objective::Throughput => format!("{control} gives up"),
            Objective::Latency(q) => format!("{control}'s {}:", q.name()),
            Objective::Held(q) => format!("{control}'s {} in submit:", q.name()),
        };
        match &self.control {
            _ if self.measured == 1 => String::new(),
            GivenUp::Surely(d, bounds) => {
                format!("{whose} {}{}", self.objective.loss_within(*d, *bounds), self.long())
            }
            GivenUp::Enough(floor) => format!("{control} is enough (±{})", percent(*floor)),
            GivenUp::AtMost(high) => {
                format!("cannot tell; {whose} at most {}{}", self.objective.loss(*high), self.long())
            }
            GivenUp::Unknown(why) => why.reason().to_owned(),
        }
    }

    fn long(&self) -> &'static str {
        if self.objective == Objective::Throughput { "" } else { " as long" }
    }

    /// The same for a narrow cell, whose caption says whose loss it is.
    pub(crate) fn short_second_line(&self) -> String {
        match &self.control {
            _ if self.measured == 1 => String::new(),
            GivenUp::Surely(d, bounds) => self.objective.loss_within(*d, *bounds),
            GivenUp::Enough(floor) => format!("enough (±{})", percent(*floor)),
            GivenUp::AtMost(high) => format!("≤ {}", self.objective.loss(*high)),
            GivenUp::Unknown(_) => "loss unknown".to_owned(),
        }
    }
}
