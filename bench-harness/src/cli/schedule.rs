//! How much to measure, and from which seed.

use std::time::Duration;

use clap::Args;

use super::{Problem, output};
use crate::campaign::plan::FEW_ROUNDS;
use crate::campaign::{Campaign, Choice, Rounds, plan};
use crate::random;
use crate::workload::duration;

/// How much to measure, and from which seed.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Schedule")]
pub(super) struct Schedule {
    /// Rounds: how often every strategy is measured on every cell [default: 8]
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
    #[arg(long, value_name = "SEED", value_parser = seed)]
    seed: Option<u64>,
}

impl Schedule {
    /// Plans a campaign, with a warning if it is a short one.
    pub(super) fn plan(&self, choice: Choice, command: Vec<String>) -> Result<Campaign, Problem> {
        let rounds = match (self.budget, self.rounds) {
            (Some(budget), _) => Rounds::Budget(budget),
            (None, rounds) => Rounds::Count(rounds.unwrap_or(FEW_ROUNDS)),
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

/// Reads a seed: hex after `0x`, or decimal.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "a seed is a number of 64 bits, in hex like 0x1f or in decimal".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_read_in_hex_and_in_decimal() {
        assert_eq!(seed("0x1f"), Ok(31));
        assert_eq!(seed("31"), Ok(31));
        assert_eq!(seed("0xffffffffffffffff"), Ok(u64::MAX));
        for text in ["", "0x", "-1", "1f", "0x1ffffffffffffffff"] {
            assert!(seed(text).is_err(), "`{text}`");
        }
    }
}
