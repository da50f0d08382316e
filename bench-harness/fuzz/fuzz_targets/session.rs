//! Whatever bytes a session's file has: it is read or refused, and what is read can be asked and written again.

#![no_main]

use bench_harness::session::read::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(session) = parse(bytes) else { return };
    drop((session.rounds_that_count(), session.next_round(), session.fitness(), session.typical_scatter()));
    let folded = session.of_complete_rounds().folded();
    let written = serde_json::to_vec(&session).expect("what was read can be written");
    assert_eq!(parse(&written).as_ref(), Ok(&session), "what is written is read as it was");
    drop(folded);
});
