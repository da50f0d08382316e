use std::collections::BTreeMap;
use std::time::Duration;

use super::super::store::{Results, StoreError, TRIALS_FILE, line};
use super::*;
use crate::record::*;
use crate::workload::definition::{Callers, Cost, CostKind, Load};

fn measurement() -> Measurement {
    Measurement {
        warm_up_ns: 1,
        window_ns: 1_000,
        done: 3,
        refused: 0,
        clients: vec![3],
        longest_gap_ns: 9,
        cost: AchievedCost {
            requested_ns: 0,
            mean_ns: 1.5,
            cv: 0.1,
            p50_ns: 1,
            p99_ns: 2,
            commits: 0,
            busy_ns: None,
        },
        hdr: BTreeMap::new(),
        percentiles: BTreeMap::new(),
        mean_ns: BTreeMap::from([("latency".to_owned(), 12.25)]),
        clamped: 0,
        open: None,
        evidence: None,
    }
}

fn trial(round: u32, strategy: &str) -> Trial {
    Trial {
        schema: TRIAL_SCHEMA.to_owned(),
        round,
        position: 0,
        workload: "w".to_owned(),
        cell: "threads-1".to_owned(),
        strategy: strategy.to_owned(),
        seed: "0xffffffffffffffff".to_owned(),
        result: TrialResult::Measured(Box::new(measurement())),
    }
}

/// Two rounds planned, one and a half done.
fn session() -> Session {
    let write = Cost { requested: Duration::ZERO, kind: CostKind::Spin };
    let cell =
        PlannedCell { id: "threads-1".to_owned(), callers: Callers::Threads, clients: 1, write, load: None };
    let workload = PlannedWorkload {
        name: "w".to_owned(),
        title: "t".to_owned(),
        question: "q".to_owned(),
        hash: "h".to_owned(),
        commit: None,
        load: Load::Steady,
        deadline_ns: None,
        capacity: 1,
        warm_up_ns: 1,
        window_ns: 1,
        cells: vec![cell],
    };
    let failed =
        TrialResult::Failed(Failure { check: "V1".to_owned(), reason: "a reply went astray".to_owned() });
    Session {
        schema: SESSION_SCHEMA.to_owned(),
        id: "id".to_owned(),
        complete: false,
        incomplete_reason: Some("interrupted".to_owned()),
        plan: Plan {
            command: vec!["run".to_owned()],
            master_seed: "0x1".to_owned(),
            rounds: 2,
            control: "a".to_owned(),
            strategies: vec!["a".to_owned(), LIMIT.to_owned()],
            twins: BTreeMap::new(),
            slowed: BTreeMap::new(),
            family: 0,
            workloads: vec![workload],
        },
        environment: crate::environment::read("b".to_owned(), None),
        pilots: Vec::new(),
        rounds: Vec::new(),
        histograms: Vec::new(),
        trials: vec![trial(0, "a"), Trial { result: failed, ..trial(0, LIMIT) }, trial(1, "a")],
    }
}

fn json(session: &Session) -> String {
    serde_json::to_string_pretty(session).unwrap()
}

#[test]
fn a_session_is_read_as_it_was_saved_from_its_folder_and_from_its_file() {
    let root = tempfile::tempdir().unwrap();
    let results = Results::open(root.path(), 1).unwrap();
    let store = results.create("id").unwrap();
    store.save(&session()).unwrap();
    assert_eq!(read(store.folder()).unwrap(), session());
    assert_eq!(read(&store.folder().join(SESSION_FILE)).unwrap(), session());
    let files = fs::read_dir(store.folder()).unwrap().count();
    assert_eq!(files, 2, "nothing but session.json and {TRIALS_FILE}");
}

#[test]
fn a_trial_is_on_disk_when_append_returns() {
    let root = tempfile::tempdir().unwrap();
    let mut store = Results::open(root.path(), 1).unwrap().create("id").unwrap();
    for round in 0..2 {
        store.append(&trial(round, "a")).unwrap();
        let text = fs::read_to_string(store.folder().join(TRIALS_FILE)).unwrap();
        assert_eq!(text.lines().count(), round as usize + 1);
        assert_eq!(serde_json::from_str::<Trial>(text.lines().last().unwrap()).unwrap(), trial(round, "a"));
    }
}

#[test]
fn a_number_that_is_not_finite_is_never_written() {
    for number in [f64::NAN, f64::INFINITY] {
        let mut measurement = measurement();
        measurement.mean_ns.insert("reply".to_owned(), number);
        let trial = Trial { result: TrialResult::Measured(Box::new(measurement)), ..trial(0, "a") };
        assert!(line(&trial).unwrap_err().to_string().contains(&number.to_string()));
    }
}

#[test]
fn a_second_run_in_the_same_folder_is_refused_and_told_who_is_there() {
    let root = tempfile::tempdir().unwrap();
    let first = Results::open(root.path(), 1).unwrap();
    let refused = |result: Result<Results, StoreError>| result.map(drop).unwrap_err().to_string();
    let message = refused(Results::open(root.path(), 1));
    assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    drop(first);
    Results::open(root.path(), 1).unwrap();
}

#[test]
fn two_sessions_of_one_second_get_folders_of_their_own() {
    let root = tempfile::tempdir().unwrap();
    let results = Results::open(root.path(), 1).unwrap();
    let ids: Vec<_> = (0..3).map(|_| results.create("id").unwrap().id().to_owned()).collect();
    assert_eq!(ids, ["id", "id-2", "id-3"]);
}

#[test]
fn a_folder_that_cannot_be_is_named_with_the_mend() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = Results::open(&file.join("results"), 1).unwrap_err().to_string();
    assert!(error.contains("file/results") && error.contains("--results"), "{error}");
}

#[test]
fn only_whole_rounds_count_and_a_failed_trial_is_part_of_one() {
    let session = session();
    assert_eq!(session.complete_rounds(), [0]);
    assert_eq!(session.of_complete_rounds().trials, session.trials[..2]);
}

#[track_caller]
fn check_refused(text: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(SESSION_FILE), text).unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("session.json: "), "the file is named: {error}");
    for part in expected {
        assert!(error.contains(part), "expected `{part}`: {error}");
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let whole = json(&session());
    for end in (0..whole.len() - 1).step_by(7) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.json");
        fs::write(&file, &whole.as_bytes()[..end]).unwrap();
        let error = read(&file).unwrap_err().to_string();
        // A number that ends in its point is damaged rather than cut off.
        assert!(error.contains("cut off") || error.contains("invalid number"), "cut at {end}: {error}");
    }
}

#[test]
fn what_is_not_a_session_of_this_version_is_refused_by_name() {
    let good = json(&session());
    let cases: &[(&str, String, &[&str])] = &[
        ("empty", String::new(), &["cut off"]),
        ("no JSON", good.replacen("\"id\":", "\"id\";", 1), &["damaged", "line 3", "column"]),
        ("other JSON", "[1, 2]".to_owned(), &["not a session"]),
        ("no schema", "{\"a\": 1}".to_owned(), &["not a session", "`schema`"]),
        (
            "newer",
            good.replacen("session/1", "session/2", 1),
            &["newer harness", "session/2", "session/1", "update"],
        ),
        ("foreign", good.replacen(SESSION_SCHEMA, "other/1", 1), &["not a session", "`other/1`"]),
        ("a trial", line(&trial(0, "a")).unwrap(), &["not a session", "bench-harness.trial/1"]),
        (
            "unknown key",
            good.replacen("\"id\":", "\"ID\": 1, \"id\":", 1),
            &["damaged", "unknown field `ID`", "line 3"],
        ),
        ("no plan", good.replacen("\"plan\":", "\"plane\":", 1), &["damaged", "plane"]),
        ("null", good.replacen("12.25", "null", 1), &["damaged", "null"]),
    ];
    for (name, text, expected) in cases {
        assert_ne!(text, &good, "{name}");
        check_refused(text, expected);
    }
}

#[test]
fn a_session_that_contradicts_itself_is_refused() {
    let changed = |change: fn(&mut Session)| {
        let mut session = session();
        change(&mut session);
        json(&session)
    };
    check_refused(&changed(|s| s.complete = true), &["says complete", "3 of 4"]);
    check_refused(&changed(|s| s.trials.push(trial(1, "a"))), &["trial 3", "twice"]);
    check_refused(&changed(|s| s.trials[2].round = 2), &["trial 2", "not in the plan"]);
    check_refused(
        &changed(|s| s.trials[0].strategy = "x".to_owned()),
        &["trial 0", "w/threads-1/x", "not in the plan"],
    );
    check_refused(&changed(|s| s.plan.control = "x".to_owned()), &["control `x`"]);
}

#[test]
fn a_missing_file_is_named() {
    let error = read(Path::new("no/such/session")).unwrap_err().to_string();
    assert!(error.starts_with("no/such/session: cannot read"), "{error}");
}
