//! The lines of `trials.jsonl`: every trial as soon as it ended, for a session that was not ended itself.
//!
//! A process may die while it writes: the last line may be torn, and is left out. A round that was interrupted is run anew
//! as a whole, so that of two trials of one place the later one counts.

use std::collections::BTreeMap;
use std::path::Path;

use super::check;
use super::read::{ReadError, bytes};
use crate::record::{Round, TRIAL_SCHEMA, Trial};

/// What the lines say.
#[derive(Clone, Debug, PartialEq)]
pub struct Journal {
    trials: Vec<Trial>,
    /// Bytes of whole lines.
    pub whole: u64,
    /// Whether something follows them: a line that was not finished.
    pub is_torn: bool,
}

impl Journal {
    /// Trials of rounds that are not among `rounds`: what an interruption has left over.
    pub fn left_over(&self, rounds: &[Round]) -> usize {
        let ended = |trial: &&Trial| rounds.iter().any(|round| round.round == trial.round);
        self.trials.len() - self.trials.iter().filter(ended).count()
    }

    /// The trials of `rounds`, in the order in which they ran.
    pub(super) fn trials_of(&self, rounds: &[Round]) -> Vec<Trial> {
        let mut latest = BTreeMap::new();
        for trial in self.trials.iter().filter(|trial| rounds.iter().any(|round| round.round == trial.round))
        {
            latest.insert((trial.round, &trial.workload, &trial.cell, &trial.strategy), trial);
        }
        let mut trials: Vec<Trial> =
            latest.into_values().map(|trial| Trial { schema: String::new(), ..trial.clone() }).collect();
        trials.sort_by_key(|trial| (trial.round, trial.position));
        trials
    }
}

/// Reads the lines of trials.
///
/// # Errors
/// The file cannot be read, or a line other than the last is not a trial.
pub fn read(file: &Path) -> Result<Journal, ReadError> {
    let bytes =
        bytes(file).map_err(|cause| ReadError::new(file, format!("cannot read the trials: {cause}")))?;
    parse(&bytes).map_err(|reason| ReadError::new(file, reason))
}

fn parse(bytes: &[u8]) -> Result<Journal, String> {
    let mut journal = Journal { trials: Vec::new(), whole: 0, is_torn: false };
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        match trial(line) {
            // Without its end a line may be a part of a longer one, even if it reads as a trial.
            Ok(trial) if line.ends_with(b"\n") => {
                journal.trials.push(trial);
                journal.whole += line.len() as u64;
            }
            Err(reason) if lines.peek().is_some() => {
                return Err(format!("line {}: damaged: {reason}", index + 1));
            }
            _ => journal.is_torn = true,
        }
    }
    Ok(journal)
}

fn trial(line: &[u8]) -> Result<Trial, String> {
    let trial: Trial = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if trial.schema != TRIAL_SCHEMA {
        return Err(format!("its schema is `{}`, not `{TRIAL_SCHEMA}`", trial.schema.escape_debug()));
    }
    let document = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    check::numbers(&document).map_err(|path| path.trim_start_matches('.').to_owned())?;
    Ok(trial)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Failure, TrialResult};

    fn line(round: u32, strategy: &str, reason: &str) -> String {
        let failure = Failure { check: "V1".to_owned(), reason: reason.to_owned() };
        let trial = Trial {
            schema: TRIAL_SCHEMA.to_owned(),
            round,
            position: 0,
            workload: "w".to_owned(),
            cell: "c".to_owned(),
            strategy: strategy.to_owned(),
            seed: "0x1".to_owned(),
            result: TrialResult::Failed(failure),
        };
        serde_json::to_string(&trial).unwrap() + "\n"
    }

    fn rounds(n: u32) -> Vec<Round> {
        let round = |round| Round {
            round,
            wall_ns: 1,
            steal_ns: None,
            busy_ns: None,
            cpu_pressure_us: None,
            io_pressure_us: None,
            memory_pressure_us: None,
            probe_ns: 1,
            invalid: None,
        };
        (0..n).map(round).collect()
    }

    #[test]
    fn lines_that_are_cut_off_anywhere_lose_the_last_trial_only() {
        let (first, second) = (line(0, "a", "first"), line(0, "b", "second"));
        let both = first.clone() + &second;
        for end in 0..=both.len() {
            let journal = parse(&both.as_bytes()[..end]).unwrap();
            let whole = usize::from(end >= first.len()) + usize::from(end == both.len());
            assert_eq!(journal.trials.len(), whole, "cut at {end}");
            assert_eq!(journal.is_torn, ![0, first.len(), both.len()].contains(&end), "cut at {end}");
            assert_eq!(journal.whole as usize, if whole == 2 { both.len() } else { whole * first.len() });
        }
    }

    #[test]
    fn a_line_in_the_middle_that_is_no_trial_is_named() {
        let good = line(0, "a", "x");
        for bad in [
            "{}\n",
            "\0\0\n",
            "\n",
            &good.replace("trial/1", "trial/9"),
            &good.replace("\"round\":0", "\"round\":-1"),
        ] {
            let error = parse(format!("{good}{bad}{good}").as_bytes()).unwrap_err();
            assert!(error.starts_with("line 2: damaged: "), "{error}");
            assert!(
                parse(format!("{good}{bad}").as_bytes()).unwrap().is_torn,
                "at the end it is torn: {bad}"
            );
        }
    }

    #[test]
    fn a_repeated_round_takes_the_place_of_the_interrupted_one() {
        let text =
            line(0, "a", "x") + &line(1, "a", "interrupted") + &line(1, "a", "whole") + &line(2, "a", "half");
        let journal = parse(text.as_bytes()).unwrap();
        let kept = journal.trials_of(&rounds(2));
        let reasons: Vec<_> = kept
            .iter()
            .map(|trial| match &trial.result {
                TrialResult::Failed(failure) => failure.reason.as_str(),
                TrialResult::Measured(_) => "",
            })
            .collect();
        assert_eq!(reasons, ["x", "whole"]);
        assert_eq!(journal.left_over(&rounds(2)), 1);
    }
}
