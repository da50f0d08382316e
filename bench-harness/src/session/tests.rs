use super::super::made_up::{measurement, round, row, session, trial};
use super::super::store::{Results, TRIALS_FILE, line};
use super::*;
use crate::record::*;

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
fn a_histogram_of_a_part_that_no_trial_keeps_is_refused() {
    let mut session = session();
    session.histograms = vec![row("a", "")];
    session.histograms[0].hdr = [("extra".to_owned(), String::new())].into();
    let error = parse(json(&session).as_bytes()).unwrap_err();
    assert!(error.contains("a histogram of `extra`"), "{error}");
}

#[test]
fn differences_may_be_below_zero_and_a_calibration_counts_no_more_than_there_was() {
    let calibration = |false_alarms| Calibration {
        sessions: vec!["one".to_owned()],
        rounds: 12,
        controls: vec!["a".to_owned()],
        identical: 6,
        false_alarms,
        identical_above: 3,
        identical_p95: 0.01,
        probe_variation: 0.01,
        planted: vec![Planted {
            workload: "w".to_owned(),
            cell: "threads-1".to_owned(),
            share: 0.05,
            sessions: 1,
            seen: 0,
            mistaken: 0,
            realised: -0.01,
        }],
    };
    let with = |false_alarms| Session {
        calibration: Some(calibration(false_alarms)),
        timing_ns: Some(-3.0),
        ..session()
    };
    assert_eq!(parse(json(&with(1)).as_bytes()).unwrap(), with(1));
    assert!(parse(json(&with(7)).as_bytes()).unwrap_err().contains("counts 7 of 6"));
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
    let whole = serde_json::to_string(&session()).unwrap();
    for end in 0..whole.len() {
        let error = parse(&whole.as_bytes()[..end]).unwrap_err();
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
    check_refused(&changed(|s| s.plan.rounds = 0), &["plans 0 rounds"]);
    check_refused(&changed(|s| s.plan.rounds = u32::MAX), &["plans 4294967295 rounds"]);
    check_refused(&changed(|s| s.plan.strategies.push("a".to_owned())), &["label `a`", "twice"]);
    check_refused(
        &changed(|s| s.plan.workloads.push(s.plan.workloads[0].clone())),
        &["workload `w`", "twice"],
    );
    check_refused(
        &changed(|s| s.plan.workloads[0].cells.extend_from_within(..)),
        &["workload `w`: the cell `threads-1`", "twice"],
    );
    check_refused(&changed(|s| drop(s.plan.twins.insert("s2".to_owned(), "a".to_owned()))), &["twin `s2`"]);
    check_refused(&changed(|s| s.rounds = vec![round(1)]), &["round 1 is at place 0"]);
    check_refused(
        &changed(|s| s.rounds = (0..3).map(round).collect()),
        &["round 2 is at place 2 of at most 2"],
    );
    check_refused(
        &changed(|s| s.histograms = vec![row("a", "AAAA")]),
        &["samples of w/threads-1/a", "`latency`"],
    );
    check_refused(&changed(|s| s.histograms = vec![row("x", "")]), &["samples of w/threads-1/x", "plan"]);
}

#[test]
fn names_that_lead_elsewhere_or_hide_something_are_refused() {
    for (hostile, why) in [
        ("../../etc/x", "slash"),
        ("a\\b", "slash"),
        ("..", "folder"),
        ("", "empty"),
        ("a\u{1b}[2Jb", "control character"),
        (&"x".repeat(300), "too long"),
    ] {
        let changed = |change: fn(&mut Session, String)| {
            let mut session = session();
            change(&mut session, hostile.to_owned());
            json(&session)
        };
        check_refused(&changed(|s, name| s.id = name), &["the id `", why]);
        check_refused(&changed(|s, name| s.plan.workloads[0].name = name), &["the workload `", why]);
        check_refused(&changed(|s, name| s.plan.workloads[0].cells[0].id = name), &["the cell `", why]);
        check_refused(&changed(|s, name| s.plan.strategies.push(name)), &["the label `", why]);
    }
}

#[test]
fn numbers_that_nothing_can_have_measured_are_refused() {
    let good = serde_json::to_string(&session()).unwrap();
    let cases = [
        ("negative time", "\"warm_up_ns\":1,", "\"warm_up_ns\":-1,", "expected u64"),
        ("negative mean", "12.25", "-12.25", "-12.25 is neither"),
        ("a billion years", "12.25", "1e30", "mean_ns.latency[0]: 1e+30 is neither"),
        ("infinity", "12.25", "1e999", "number out of range"),
        ("NaN", "12.25", "NaN", "damaged"),
        ("a count beyond all", "[3]", "[18446744073709551615]", "neither"),
        ("a text", "12.25", "\"12.25\"", "expected f64"),
        ("no window", "\"window_ns\":[1000,1000]", "\"window_ns\":[0,1000]", "window has no length"),
        ("no update", "\"done\":[3,3]", "\"done\":[3,0]", "has no update"),
        ("a short column", "\"done\":[3,3]", "\"done\":[3]", "column `done` has 1 entries"),
        ("a missing column", "\"done\":[3,3],", "", "missing field `done`"),
        ("a long column", "\"round\":[0,1]", "\"round\":[0,1,1]", "entries"),
        ("a count for a column", "\"done\":[3,3]", "\"done\":1000000000", "column `done`: expected a list"),
    ];
    for (name, from, to, expected) in cases {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{name}");
        let error = parse(text.as_bytes()).unwrap_err();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn a_session_that_goes_on_has_its_trials_in_the_lines_beside_it() {
    let root = tempfile::tempdir().unwrap();
    let mut store = Results::open(root.path(), 1).unwrap().create("id").unwrap();
    let mut running = session();
    running.trials.iter_mut().for_each(|trial| trial.schema = TRIAL_SCHEMA.to_owned());
    for trial in &running.trials {
        store.append(trial).unwrap();
    }
    running.rounds = vec![round(0)];
    store.save_header(&mut running).unwrap();
    assert_eq!(running.trials.len(), 3, "nothing is lost in memory");
    let lines = store.folder().join(TRIALS_FILE);
    let (whole, file) = (fs::read(&lines).unwrap(), store.folder().join(SESSION_FILE));
    assert!(!fs::read_to_string(&file).unwrap().contains("threads-1\",\"strategy"), "no row is in it");
    for torn in [&b""[..], &whole[..40]] {
        fs::write(&lines, [&whole[..], torn].concat()).unwrap();
        let read = read(store.folder()).unwrap();
        assert_eq!(read.trials.len(), 2, "the second round has not ended");
        assert_eq!((read.complete_rounds(), read.rounds.len()), (vec![0], 1));
        assert!(read.trials.iter().all(|trial| trial.schema.is_empty()));
    }
    fs::write(&lines, String::from_utf8(whole).unwrap().replacen("\"done\":3", "\"done\":0", 1)).unwrap();
    let error = read(store.folder()).unwrap_err().to_string();
    assert!(error.contains("trials.jsonl: damaged: trial 0") && error.contains("no update"), "{error}");
}

#[test]
fn what_could_not_be_read_back_is_not_saved_and_the_old_file_stays() {
    let root = tempfile::tempdir().unwrap();
    let store = Results::open(root.path(), 1).unwrap().create("id").unwrap();
    store.save(&session()).unwrap();
    let broken = |change: fn(&mut Session)| {
        let mut session = session();
        change(&mut session);
        store.save(&session).unwrap_err().to_string()
    };
    assert!(broken(|s| s.environment.cpu_quota = Some(f64::NAN)).contains("another session"));
    assert!(broken(|s| s.id = "a/b".to_owned()).contains("read back"));
    assert_eq!(read(store.folder()).unwrap(), session());
}

#[test]
fn trials_of_one_place_come_back_in_one_order() {
    let mut session = session();
    session.trials.iter_mut().for_each(|trial| trial.position = 0);
    let read = parse(json(&session).as_bytes()).unwrap();
    assert_eq!(parse(json(&read).as_bytes()), Ok(read));
}

#[test]
fn rounds_follow_each_other_and_an_invalid_one_is_made_up_for_as_long_as_the_plan_allows() {
    let mut session = session();
    session.plan.rounds = 8;
    let next = |session: &mut Session, invalid: &[u32], ended: u32| {
        session.rounds = (0..ended)
            .map(|n| Round { invalid: invalid.contains(&n).then(|| "x".to_owned()), ..round(n) })
            .collect();
        session.next_round()
    };
    assert_eq!(next(&mut session, &[], 0), Some(0));
    assert_eq!(next(&mut session, &[1, 2], 7), Some(7), "the planned ones come first");
    assert_eq!(next(&mut session, &[], 8), None);
    assert_eq!(next(&mut session, &[3], 8), Some(8));
    assert_eq!(next(&mut session, &[3], 9), None);
    assert_eq!(next(&mut session, &[3, 8], 9), Some(9), "one more for the one in its place");
    assert_eq!(next(&mut session, &[3, 8, 9], 10), None, "two are a quarter of eight");
    assert!(!session.fitness().fit);
    session.plan.rounds = 3;
    assert_eq!(next(&mut session, &[0], 3), None, "a quarter of three is none");
}

#[test]
fn rounds_in_place_of_invalid_ones_are_of_the_session() {
    let mut session = session();
    session.plan.rounds = 4;
    session.rounds = (0..5).map(round).collect();
    session.rounds[1].invalid = Some("the clock jumped".to_owned());
    session.trials = (0..5)
        .flat_map(|round| [trial(round, "a"), Trial { position: 1, ..trial(round, LIMIT) }])
        .map(|trial| Trial { schema: String::new(), ..trial })
        .collect();
    session.complete = true;
    let read = parse(json(&session).as_bytes()).unwrap();
    assert_eq!(read, session);
    assert_eq!(read.rounds_that_count(), [0, 2, 3, 4]);
    assert!(read.fitness().fit, "it was made up for");
    session.trials.truncate(8);
    assert!(parse(json(&session).as_bytes()).unwrap_err().contains("says complete, with 8 of 10 trials"));
}

#[test]
fn a_missing_file_is_named() {
    let error = read(Path::new("no/such/session")).unwrap_err().to_string();
    assert!(error.starts_with("no/such/session: cannot read"), "{error}");
}
