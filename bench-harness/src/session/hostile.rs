//! Sessions that somebody has tampered with: read or refused, whatever is in them.

use proptest::prelude::*;
use serde_json::Value;

use super::super::made_up::{round, row, session};
use super::*;
use crate::stats::Samples;

fn samples() -> Samples {
    let mut samples =
        hdrhistogram::Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3).expect("right bounds");
    samples.saturating_record_n(1_000, 7);
    samples.into()
}

/// A file with a row of samples and everything else that a session can have.
fn whole() -> Value {
    let mut session = session();
    session.complete = true;
    session.trials.push(crate::record::Trial { round: 1, ..session.trials[1].clone() });
    session.rounds = (0..2).map(round).collect();
    session.histograms = vec![row("a", &samples().encode())];
    serde_json::to_value(&session).unwrap()
}

/// What a value may be made into.
fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::collection::vec(any::<u8>().prop_map(Value::from), 0..4).prop_map(Value::from),
        Just(Value::Object(serde_json::Map::new())),
        (1_usize..200).prop_map(|depth| (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]))),
    ]
}

/// The `n`th of all values in a document, itself included.
fn nth<'a>(value: &'a mut Value, n: &mut usize) -> Option<&'a mut Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Array(entries) => entries.iter_mut().find_map(|entry| nth(entry, n)),
        Value::Object(entries) => entries.values_mut().find_map(|entry| nth(entry, n)),
        _ => None,
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(entries) => entries.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// Reads it, and asks of what was read what every report asks.
fn look(bytes: &[u8]) {
    if let Ok(session) = parse(bytes) {
        drop((
            session.rounds_that_count(),
            session.fitness(),
            session.typical_scatter(),
            session.next_round(),
        ));
        drop(session.of_complete_rounds().folded());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 512 }))]

    #[test]
    fn a_value_in_place_of_another_is_read_or_refused(at in any::<prop::sample::Index>(), value in anything()) {
        let mut document = whole();
        let mut n = at.index(count(&document));
        *nth(&mut document, &mut n).expect("there are so many") = value;
        look(&serde_json::to_vec(&document).expect("a document is JSON"));
    }

    #[test]
    fn bytes_in_place_of_others_are_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = serde_json::to_vec(&whole()).expect("a document is JSON");
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        look(&bytes);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        look(&bytes);
    }
}

#[test]
fn what_is_tampered_with_is_a_good_session() {
    assert_eq!(parse(&serde_json::to_vec(&whole()).unwrap()).map(|session| session.trials.len()), Ok(4));
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close, expected) in [("[", "]", "not a session"), ("{\"a\":", "}", "no `schema`")] {
        let text = open.repeat(200_000) + "1" + &close.repeat(200_000);
        let error = parse(text.as_bytes()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let deep = "[".repeat(200_000);
    let hidden =
        serde_json::to_string(&whole()).unwrap().replacen("\"pilots\":[]", &format!("\"pilots\":{deep}"), 1);
    assert!(parse(hidden.as_bytes()).unwrap_err().contains("damaged"));
}
