//! How small a difference a session can see, said before it starts.
//!
//! What a round scatters is known from the newest session of this machine; without one it is assumed, and said so.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::output;
use crate::campaign::Campaign;
use crate::environment;
use crate::record::Session;
use crate::session;
use crate::stats::{Family, MIN_EFFECT, detectable};

// LIMIT: 3 % per round: what a quiet virtual machine of two cores shows.
const ASSUMED_SCATTER: f64 = 0.03;
// LIMIT: 30 rounds are simulated at most: beyond, the width of an interval falls with the root of the rounds.
const MOST_SIMULATED: u32 = 30;
// LIMIT: the 20 newest sessions are looked at: a folder of results may be shared by many machines.
const MOST_LOOKED_AT: usize = 20;

/// Says the smallest difference that `campaign` can see, by what the sessions in `results` say about this machine.
pub(super) fn announce(campaign: &Campaign, results: &Path) {
    let known = newest(results);
    output::say(&sentence(campaign.plan.rounds, campaign.plan.family, known.as_ref()));
}

/// What a session says about the scatter of a round.
struct Scatter {
    session: String,
    share: f64,
}

fn sentence(rounds: u32, family: u32, known: Option<&Scatter>) -> String {
    let scatter = known.map_or(ASSUMED_SCATTER, |known| known.share);
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let source = match known {
        Some(known) => format!("a round scatters by {}, as in {}", percent(scatter), known.session),
        None => format!("assuming that a round scatters by {}", percent(scatter)),
    };
    let simulated = rounds.min(MOST_SIMULATED);
    let narrowed = scatter * (f64::from(simulated) / f64::from(rounds.max(1))).sqrt();
    let comparisons = Family::of(family as usize);
    let n = comparisons.rows();
    let s = if n == 1 { "" } else { "s" };
    match detectable(simulated as usize, comparisons, narrowed, MIN_EFFECT) {
        Ok(effect) => format!(
            "can tell strategies apart that differ by {} or more from the control ({n} comparison{s}; {source})",
            percent(effect)
        ),
        Err(absent) => {
            format!(
                "cannot tell strategies apart: {n} comparison{s}, {absent}; give more --rounds or ask for less"
            )
        }
    }
}

/// The newest session in a folder that was taken on this machine and says how much a round scatters.
fn newest(results: &Path) -> Option<Scatter> {
    let here = environment::read(String::new(), None);
    let mut files: Vec<_> = fs::read_dir(results)
        .ok()?
        .filter_map(|entry| {
            let file = session::read::file_of(&entry.ok()?.path());
            let changed: SystemTime = fs::metadata(&file).and_then(|about| about.modified()).ok()?;
            Some((changed, file))
        })
        .collect();
    files.sort();
    let newest_first = files.into_iter().rev().take(MOST_LOOKED_AT);
    let sessions = newest_first.filter_map(|(_, file)| session::read(&file).ok());
    sessions.filter(|session| session.environment.unlike_in_hardware(&here).is_none()).find_map(
        |session: Session| Some(Scatter { share: session.typical_scatter().ok()?, session: session.id }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_assumed_is_said() {
        let text = sentence(12, 40, None);
        assert!(text.contains("40 comparisons; assuming that a round scatters by 3.0 %"), "{text}");
        let known = Scatter { session: "2026-01-02".to_owned(), share: 0.011 };
        let text = sentence(12, 1, Some(&known));
        assert!(text.contains("1 comparison; a round scatters by 1.1 %, as in 2026-01-02"), "{text}");
    }

    #[test]
    fn too_few_rounds_tell_nothing_apart_and_the_mend_is_said() {
        let text = sentence(2, 5, None);
        assert!(text.starts_with("cannot tell strategies apart: 5 comparisons, 2 rounds: "), "{text}");
        assert!(text.contains("--rounds"), "{text}");
    }

    #[test]
    fn a_hundred_thousand_rounds_are_answered_at_once() {
        assert!(sentence(100_000, 5, None).contains("differ by 3.0 %"));
    }
}
