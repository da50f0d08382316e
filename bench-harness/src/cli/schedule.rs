//! How much to measure, and from which seed.

use std::time::Duration;

use clap::Args;

use super::{Problem, output};
use crate::campaign::plan::FEW_ROUNDS;
use crate::campaign::{Campaign, Choice, Rounds, plan};
use crate::random;
use crate::workload::duration;

// LIMIT: 12 rounds: the fewest that still judge a family of 60 comparisons; everything that `list` shows takes about an hour.
const ROUNDS: u32 = 12;

/// How much to measure, and from which seed.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Schedule")]
pub(super) struct Schedule {
    /// Rounds: how often every strategy is measured on every cell [default: 12]
    ///
    /// With fewer than 8 rounds a ratio has a wide interval, or none.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000), conflicts_with = "budget")]
    rounds: Option<u32>,
    /// As many rounds as fit into this much time in total, for example 90s, 10m or 1h
    #[arg(long, value_name = "TIME", value_parser = duration::read)]
    budget: Option<Duration>,
    /// The seed of order and data, for example 0x1f [default: a new one]
    ///
    /// The same seed gives the same order of trials and the same updates.
    #[arg(long, value_name = "SEED", value_parser = random::seed)]
    seed: Option<u64>,
}

impl Schedule {
    /// Plans a campaign, with a warning if it is a short one.
    pub(super) fn plan(&self, choice: Choice, command: Vec<String>) -> Result<Campaign, Problem> {
        let rounds = match (self.budget, self.rounds) {
            (Some(budget), _) => Rounds::Budget(budget),
            (None, rounds) => Rounds::Count(rounds.unwrap_or(ROUNDS)),
        };
        let seed = self.seed.unwrap_or_else(random::fresh_seed);
        let campaign = plan(choice, rounds, seed, command).map_err(|error| Problem::usage(&error))?;
        warn_if_short(&campaign);
        Ok(campaign)
    }
}

/// Says what is lost with few rounds.
pub(super) fn warn_if_short(campaign: &Campaign) {
    let rounds = campaign.plan.rounds;
    if rounds < FEW_ROUNDS {
        let lost = "intervals of ratios will be wide or absent";
        output::say(&format!("warning: with fewer than {FEW_ROUNDS} rounds ({rounds}) {lost}"));
    }
}
