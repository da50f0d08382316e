use std::io::Write;
use std::process::Stdio;

use bench_harness::record::{Trial, TrialResult};

use super::harness::Desk;

fn record(stdout: &str) -> Trial {
    assert_eq!(stdout.lines().count(), 1, "one line: {stdout}");
    serde_json::from_str(stdout).expect("a record")
}

#[test]
fn a_trial_by_hand_prints_one_record() {
    let desk = Desk::new();
    desk.write_tiny_workload();
    for strategy in ["flume", "limit"] {
        let ended = desk.run(&format!("trial --workload tiny.toml --strategy {strategy} --seed 0x2a"));
        ended.check(0, &[]);
        let trial = record(&ended.stdout);
        assert_eq!((&*trial.workload, &*trial.cell, &*trial.strategy), ("tiny", "threads-2", strategy));
        assert_eq!(trial.seed, "0x2a");
        let TrialResult::Measured(measured) = trial.result else { panic!("{}", ended.stdout) };
        assert!(measured.done > 0);
    }
}

#[test]
fn a_spec_comes_through_standard_input_and_a_failed_trial_is_a_record_and_exit_1() {
    let desk = Desk::new();
    let spec = r#"{"round":4,"position":2,"workload":"w","cell":{"id":"c","callers":"threads","clients":1,"load":null,
        "write":{"requested":{"secs":0,"nanos":0},"kind":"spin"}},"label":"x","strategy":"no-such","seed":9,"pattern":"steady",
        "rate":null,"capacity":4,"max_batch":4,"variation":{"cv":null,"stall":null},"commit":null,"timed_every":1,"warm_up":{"secs":0,"nanos":0},
        "window":{"secs":0,"nanos":1000000}}"#;
    let mut child = desk.command("trial --spec -").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(spec.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let trial = record(&String::from_utf8(output.stdout).unwrap());
    assert_eq!((trial.round, trial.position), (4, 2));
    let TrialResult::Failed(failure) = trial.result else { panic!("measured an unknown strategy") };
    assert!(failure.reason.contains("no-such"), "{}", failure.reason);
}
