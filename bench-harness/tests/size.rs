//! A session of a usual size stays a file of a usual size, and comes back from it as it was.

#![allow(clippy::unwrap_used, reason = "all of this is tests, helpers included")]

#[allow(dead_code, reason = "other tests make other sessions")]
mod synthetic;

use bench_harness::session::read::parse;
use synthetic::{Recipe, session};

// LIMIT: 450 KiB: with its page and its charts, a session that is kept in a repository stays near a megabyte.
const MOST_BYTES: usize = 450 << 10;

/// What `cargo bench` measures: eight labels on eight cells in twelve rounds.
#[test]
fn a_session_of_cargo_bench_fits_into_450_kib() {
    let mut recipe = Recipe { rounds: 12, ..Recipe::core() };
    recipe.strategies.push("another".to_owned());
    recipe.workloads.last_mut().unwrap().2.truncate(2);
    let mut session = session(&recipe);
    session.trials.iter_mut().for_each(|trial| trial.schema.clear());
    let bytes = serde_json::to_vec(&session).unwrap();
    assert_eq!(session.trials.len(), 8 * 8 * 12);
    assert!(bytes.len() < MOST_BYTES, "{} KiB", bytes.len() >> 10);
    let read = parse(&bytes).unwrap();
    session.trials.sort_by_key(|trial| (trial.round, trial.position));
    assert_eq!(read.trials.len(), session.trials.len());
    assert!(session.trials.iter().all(|trial| read.trials.contains(trial)));
}
