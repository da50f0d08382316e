//! A session of a usual size stays a file of a usual size, and comes back from it as it was.

#![allow(clippy::unwrap_used, reason = "all of this is tests, helpers included")]

#[allow(dead_code, reason = "other tests make other sessions")]
mod synthetic;

use bench_harness::session::read::parse;
use synthetic::{Recipe, session};

// LIMIT: 600 bytes a trial: the nearly thousand trials of `cargo bench` are then half a megabyte, its samples included.
const BYTES_PER_TRIAL: usize = 600;

#[test]
fn a_session_takes_a_few_hundred_bytes_per_trial() {
    let mut session = session(&Recipe::core());
    session.trials.iter_mut().for_each(|trial| trial.schema.clear());
    let bytes = serde_json::to_vec(&session).unwrap();
    let per_trial = bytes.len() / session.trials.len();
    assert!(per_trial < BYTES_PER_TRIAL, "{per_trial} bytes for each of {} trials", session.trials.len());
    let read = parse(&bytes).unwrap();
    session.trials.sort_by_key(|trial| (trial.round, trial.position));
    assert_eq!(read.trials.len(), session.trials.len());
    assert!(session.trials.iter().all(|trial| read.trials.contains(trial)));
}
