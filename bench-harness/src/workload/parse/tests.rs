use proptest::prelude::*;

use super::*;
use crate::workload::definition::Spacing;

const GOOD: &str = r#"title = "A title"
question = "A question."
callers = ["threads", "tasks"]
clients = [1, 16]
core = ["threads-16-10us"]

[write]
cost = ["0us", "10us"]
kind = "spin"

[queue]
capacity = 64
max_batch = 8

[bursts]
every = "50ms"
updates = 3

[time]
warm_up = "200ms"
window = "1s"
"#;

fn good() -> Workload {
    parse("w", "w.toml", GOOD.as_bytes()).unwrap()
}

#[test]
fn a_right_file_becomes_a_workload() {
    let workload = good();
    assert_eq!((workload.name.as_str(), workload.title.as_str()), ("w", "A title"));
    assert_eq!((workload.capacity, workload.max_batch, workload.timed_every), (64, 8, 1));
    assert_eq!(workload.pattern, Pattern::Bursts { every: Duration::from_millis(50), updates: 3 });
    assert_eq!((workload.warm_up, workload.window), (Duration::from_millis(200), Duration::from_secs(1)));
    assert_eq!(workload.commit, None);
    assert_eq!(workload.hash.len(), 64);
}

#[test]
fn cells_are_all_combinations_and_core_marks_those_named() {
    let cells: Vec<_> = good().cells.into_iter().map(|cell| (cell.id, cell.core)).collect();
    let named: Vec<_> = cells.iter().map(|(id, _)| id.as_str()).collect();
    let expected = ["threads-1-0us", "threads-1-10us", "threads-16-0us", "threads-16-10us"];
    assert_eq!(named[..4], expected);
    assert_eq!(named[4..], expected.map(|id| id.replace("threads", "tasks")));
    assert_eq!(cells.iter().filter(|(_, core)| *core).count(), 1);
}

#[test]
fn a_single_cost_is_not_part_of_the_cell_id() {
    let text = GOOD.replace(r#"["0us", "10us"]"#, r#"["10us"]"#).replace("threads-16-10us", "threads-16");
    assert_eq!(parse("w", "w.toml", text.as_bytes()).unwrap().cells[0].id, "threads-1");
}

#[test]
fn what_is_left_out_has_the_defaults_of_a_queue() {
    let text = GOOD.replace("capacity = 64\nmax_batch = 8\n", "");
    let workload = parse("w", "w.toml", text.as_bytes()).unwrap();
    assert_eq!(workload.capacity, update_queue::DEFAULT_CAPACITY);
    assert_eq!(workload.max_batch, update_queue::DEFAULT_MAX_BATCH);
}

/// Replaces `old` by `new` in the good file and expects an error at the line of `new` that contains all of `expected`.
#[track_caller]
fn check(old: &str, new: &str, expected: &[&str]) {
    check_in(GOOD, old, new, expected);
}

#[track_caller]
fn check_in(file: &str, old: &str, new: &str, expected: &[&str]) {
    assert!(file.contains(old), "`{old}` is in the file");
    let text = file.replacen(old, new, 1);
    let line = 1 + file[..file.find(old).unwrap()].matches('\n').count();
    let error = parse("w", "w.toml", text.as_bytes()).expect_err(new).to_string();
    assert!(error.starts_with(&format!("w.toml:{line}: ")), "`{new}` is in line {line}: {error}");
    for part in expected {
        assert!(error.contains(part), "`{new}` should be answered with `{part}`: {error}");
    }
}

#[test]
fn every_mistake_is_answered_with_its_line_and_the_mend() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("title =", "titel =", &["unknown field `titel`", "title", "mend its spelling"]),
        ("title = \"A title\"", "title = \"\"", &["empty"]),
        ("kind = \"spin\"", "kind = \"burn\"", &["burn", "spin", "sleep"]),
        ("[1, 16]", "[1, 0]", &["0 is out of range", "from 1", "(in `clients = [1, 0]`)"]),
        ("[1, 16]", "[1, -4]", &["-4 is out of range"]),
        ("[1, 16]", "[]", &["`clients` is empty"]),
        ("[1, 16]", "[16, 16]", &["`clients` has 16 twice"]),
        ("[1, 16]", "[1, 9999]", &["9999 clients", "4096"]),
        ("[1, 16]", "[1, \"16\"]", &["whole number"]),
        ("[\"threads\", \"tasks\"]", "[\"threads\", \"fibers\"]", &["fibers", "threads", "tasks"]),
        ("[\"threads\", \"tasks\"]", "[]", &["`callers` is empty"]),
        ("[\"threads\", \"tasks\"]", "[\"tasks\", \"tasks\"]", &["tasks twice"]),
        ("[\"0us\", \"10us\"]", "[\"10us\", \"-1us\"]", &["`-1us`", "not negative"]),
        ("[\"0us\", \"10us\"]", "[\"10us\", \"10000ns\"]", &["10us twice"]),
        ("[\"0us\", \"10us\"]", "[10]", &["with a unit", "200us"]),
        ("[\"0us\", \"10us\"]", "[\"10\"]", &["`10` has no unit", "10ms"]),
        ("[\"0us\", \"10us\"]", "[\"10 parsecs\"]", &["10 parsecs", "200us"]),
        ("[\"0us\", \"10us\"]", "[\"2h\"]", &["2h is too long", "1h"]),
        ("capacity = 64", "capacity = 0", &["0 is out of range"]),
        ("capacity = 64", "capacity = 4000000000", &["too large", "16777216"]),
        ("updates = 3", "updates = 0", &["0 is out of range"]),
        ("every = \"50ms\"", "every = \"0ms\"", &["no bursts"]),
        ("window = \"1s\"", "window = \"0s\"", &["measures nothing"]),
        ("window = \"1s\"", "window = 1", &["with a unit"]),
        ("warm_up = \"200ms\"", "warm_up = \"61m\"", &["1h1m is too long"]),
        ("window = \"1s\"", "windows = \"1s\"", &["unknown field `windows`", "window"]),
        ("threads-16-10us", "threads-17-10us", &["no cell `threads-17-10us`", "threads-16-10us"]),
        ("[\"threads-16-10us\"]", "[\"tasks-1-0us\", \"tasks-1-0us\"]", &["twice"]),
        ("clients = [1, 16]", "clients = [1, 16", &[]),
    ];
    for (old, new, expected) in cases {
        if expected.is_empty() {
            let text = GOOD.replacen(old, new, 1);
            assert!(parse("w", "w.toml", text.as_bytes()).is_err(), "{new}");
        } else {
            check(old, new, expected);
        }
    }
}

const OPEN: &str = r#"title = "A title"
question = "A question."
callers = ["threads"]
clients = [4, 16]
core = ["threads-16-load50"]

[write]
cost = ["10us"]
kind = "spin"
cv = 2.0
stall = { one_in = 1000, takes = "50ms" }

[arrivals]
kind = "poisson"
load = [0.05, 0.5, 1, 2.25]
deadline = "20ms"

[time]
warm_up = "200ms"
window = "1s"
"#;

#[test]
fn an_open_loop_sweeps_its_loads() {
    let workload = parse("w", "w.toml", OPEN.as_bytes()).unwrap();
    let deadline = Some(Duration::from_millis(20));
    assert_eq!(workload.pattern, Pattern::Arrivals { kind: Spacing::Poisson, deadline });
    let cells: Vec<_> = workload.cells.iter().map(|cell| (cell.id.as_str(), cell.load.unwrap())).collect();
    let loads = [("load5", 0.05), ("load50", 0.5), ("load100", 1.0), ("load225", 2.25)];
    assert_eq!(cells.len(), 8);
    for (i, (id, load)) in loads.into_iter().enumerate() {
        assert_eq!(cells[i], (format!("threads-4-{id}").as_str(), load));
        assert_eq!(cells[4 + i], (format!("threads-16-{id}").as_str(), load));
    }
    assert_eq!(
        workload.cells.iter().filter(|cell| cell.core).map(|cell| &*cell.id).collect::<Vec<_>>(),
        ["threads-16-load50"]
    );
}

#[test]
fn writes_may_differ_and_a_few_may_stall() {
    let variation = |text: &str| parse("w", "w.toml", text.as_bytes()).unwrap().variation;
    let stall = Stall { one_in: 1000, takes: Duration::from_millis(50) };
    assert_eq!(variation(OPEN), Variation { cv: Some(2.0), stall: Some(stall) });
    assert_eq!(variation(&OPEN.replace("cv = 2.0", "cv = 0")).cv, None, "no scatter is no variation");
    assert_eq!(variation(GOOD), Variation::default());
}

#[test]
fn a_mistake_of_an_open_loop_is_answered_with_its_line_and_the_mend() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("kind = \"poisson\"", "kind = \"random\"", &["random", "poisson", "constant"]),
        ("load = [0.05, ", "load = [0, ", &["0 is out of range", "from 0.01 to 20"]),
        ("load = [0.05, ", "load = [-1, ", &["-1 is out of range"]),
        ("load = [0.05, ", "load = [nan, ", &["NaN is out of range"]),
        ("load = [0.05, ", "load = [inf, ", &["inf is out of range"]),
        ("load = [0.05, ", "load = [0.505, ", &["more than two decimals"]),
        ("load = [0.05, ", "load = [50, ", &["50 is out of range"]),
        ("load = [0.05, ", "load = [\"50%\", ", &["string", "(in `load = "]),
        ("load = [0.05, ", "load = [0.5, ", &["`load` has 0.5 twice"]),
        ("load = [0.05, 0.5, 1, 2.25]", "load = []", &["`load` is empty"]),
        ("deadline = \"20ms\"", "deadline = \"0ms\"", &["has always passed"]),
        ("deadline = \"20ms\"", "deadline = \"2h\"", &["2h is too long"]),
        ("cost = [\"10us\"]", "cost = [\"10us\", \"1ms\"]", &["one cost", "one capacity"]),
        ("cv = 2.0", "cv = -1.0", &["-1 is out of range"]),
        ("cv = 2.0", "cv = nan", &["NaN is out of range"]),
        ("cv = 2.0", "cv = 11", &["11 is out of range", "10"]),
        ("one_in = 1000", "one_in = 0", &["0 is out of range"]),
        ("takes = \"50ms\"", "takes = \"61m\"", &["1h1m is too long"]),
        ("core = [\"threads-16-load50\"]", "timed_every = 8", &["every update is timed", "remove"]),
    ];
    for (old, new, expected) in cases {
        check_in(OPEN, old, new, expected);
    }
    let both = OPEN.replace("[time]", "[bursts]\nevery = \"50ms\"\nupdates = 3\n\n[time]");
    let error = parse("w", "w.toml", both.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("w.toml:13: ") && error.contains("not both"), "{error}");
}

#[test]
fn a_missing_field_is_named_with_its_table() {
    for (line, field, table) in [
        ("title = \"A title\"\n", "title", 1),
        ("kind = \"spin\"\n", "kind", 7),
        ("window = \"1s\"\n", "window", 19),
    ] {
        let text = GOOD.replace(line, "");
        let error = parse("w", "w.toml", text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(&format!("missing field `{field}`; add it")), "{error}");
        assert!(error.starts_with(&format!("w.toml:{table}: ")), "{error}");
    }
}

#[test]
fn bytes_that_are_no_text_are_answered_with_their_line() {
    let error = parse("w", "w.toml", b"title = \"a\"\nquestion = \"\xff\"").unwrap_err();
    assert!(error.to_string().starts_with("w.toml:2: not UTF-8"), "{error}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        drop(parse("w", "w.toml", &bytes));
    }

    #[test]
    fn a_file_with_a_piece_replaced_never_panics_and_errors_are_in_the_file(
        at in 0..GOOD.len(), length in 0..40_usize, new in "[\\[\\]\"'=a-z0-9 \n.,-]{0,12}",
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, new.into_bytes());
        if let Err(error) = parse("w", "w.toml", &bytes) {
            let line = error.line.expect("a file that was read has lines");
            prop_assert!(line <= 1 + bytes.iter().filter(|byte| **byte == b'\n').count());
        }
    }
}
