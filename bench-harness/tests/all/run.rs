use std::fs;
use std::path::Path;

use bench_harness::record::{LIMIT, Session, TRIAL_SCHEMA, Trial, TrialResult};
use bench_harness::session;

use super::harness::{Desk, Running, open_workload, workload};

const TINY: &str = "run --workload tiny.toml --strategy flume --results results";

fn desk(warm_up: &str, window: &str) -> Desk {
    let desk = Desk::new();
    desk.write("tiny.toml", &workload(warm_up, window));
    desk
}

fn stored(desk: &Desk) -> (Session, Vec<Trial>) {
    let folder = desk.session();
    let lines = fs::read_to_string(folder.join("trials.jsonl")).unwrap();
    let of_session = |line: &str| {
        let trial: Trial = serde_json::from_str(line).unwrap();
        assert_eq!(trial.schema, TRIAL_SCHEMA);
        Trial { schema: String::new(), ..trial.without_samples() }
    };
    let trials = lines.lines().map(of_session).collect();
    (session::read(&folder).unwrap(), trials)
}

#[test]
fn a_run_measures_every_label_in_every_round_and_ends_with_the_path_of_its_report() {
    let desk = desk("20ms", "200ms");
    let ended = desk.run(&format!("{TINY} --rounds 2 --seed 0x7"));
    ended.check(
        0,
        &["std-mutex is measured too", "2 rounds of 1 cell", "seed 0x7, measuring into ", "round 2 of 2"],
    );
    let page = Path::new(ended.stdout.lines().last().unwrap());
    assert!(page.is_absolute() && page.is_file() && page.ends_with("report.html"), "{}", ended.stdout);
    assert_eq!(page.parent().unwrap(), desk.session().canonicalize().unwrap());

    let (session, trials) = stored(&desk);
    assert!(session.complete && session.incomplete_reason.is_none());
    assert_eq!(session.trials, trials, "line by line and in one file are the same");
    assert_eq!(session.complete_rounds(), [0, 1]);
    assert_eq!(session.plan.twins.get("s2").map(String::as_str), Some("std-mutex"));
    assert!(
        session.rounds.iter().all(|round| round.wall_ns > 0 && round.probe_ns > 0),
        "{:?}",
        session.rounds
    );
    let name = desk.session().file_name().unwrap().to_str().unwrap().to_owned();
    assert!(session.id == name && name.ends_with("Z-nogit"), "{name}");
    assert_eq!(session.plan.command[..2], ["bench-harness", "run"]);
    let seeds: Vec<_> = trials.iter().map(|trial| (trial.round, trial.seed.as_str())).collect();
    assert!(
        seeds.iter().all(|seed| seed.1 == seeds[seed.0 as usize * 4].1),
        "the same updates for all of a round"
    );
    let left: Vec<_> =
        fs::read_dir(desk.path("results")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 1, "the session: {left:?}");
}

#[test]
fn an_open_loop_is_run_at_a_share_of_the_slowest_capacity_that_was_measured_first() {
    let desk = Desk::new();
    desk.write("open.toml", &open_workload());
    desk.run("run --workload open.toml --strategy flume --rounds 1 --results results")
        .check(0, &["round 1 of 1"]);
    let session = stored(&desk).0;
    let pilots: Vec<_> = session.pilots.iter().map(|pilot| (&*pilot.workload, &*pilot.strategy)).collect();
    assert_eq!(pilots, [("open", "std-mutex"), ("open", "flume")]);
    assert_eq!(session.plan.workloads[0].cells[0].load, Some(0.2));
    assert_eq!(session.plan.workloads[0].deadline_ns, Some(1_000_000_000));
    let slowest = session.pilots.iter().map(|pilot| pilot.capacity).fold(f64::MAX, f64::min);
    for trial in &session.trials {
        let TrialResult::Measured(measurement) = &trial.result else { panic!("{trial:?}") };
        let offered = measurement.open.as_ref().expect("an open loop").offered as f64;
        let expected = slowest * 0.2 * 0.2;
        // LIMIT: five standard deviations of a Poisson count.
        assert!(
            (offered - expected).abs() <= 5.0 * expected.sqrt(),
            "{offered} offered, {expected} expected"
        );
    }
}

#[test]
fn a_run_goes_as_planned() {
    let desk = desk("20ms", "200ms");
    let schedule = "--workload tiny.toml --strategy flume --rounds 1 --seed 0x5";
    let plan = desk.run(&format!("plan {schedule}")).stdout;
    desk.run(&format!("run {schedule} --results results")).check(0, &[]);
    let order: Vec<_> = stored(&desk).1.into_iter().map(|trial| trial.strategy).collect();
    assert!(plan.ends_with(&format!("  tiny/threads-2: {}\n", order.join(", "))), "{plan}{order:?}");
    assert!(order.contains(&LIMIT.to_owned()));
}

#[test]
fn a_results_folder_that_cannot_be_is_said_before_measuring() {
    let desk = desk("20ms", "200ms");
    desk.write("file", "in the way");
    let ended = desk.run("run --workload tiny.toml --results file/results");
    ended.check(1, &["file/results", "--results"]);
    assert!(!ended.stderr.contains("measuring into"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn two_runs_never_measure_on_one_machine_at_a_time() {
    let desk = desk("1m", "1m");
    let mut first = Running::start(&desk, TINY);
    first.wait_for("measuring into");
    let elsewhere = TINY.replace("--results results", "--results elsewhere");
    let refused = [&format!("process {} is measuring into", first.id()), "wait for it to end"];
    desk.run(&elsewhere).check(1, &refused);
    first.interrupt();
    first.end().check(1, &["interrupted"]);
    desk.write_tiny_workload();
    desk.run(&format!("{elsewhere} --rounds 1")).check(0, &[]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_finished_rounds_and_renders_them() {
    let desk = desk("20ms", "200ms");
    let mut run = Running::start(&desk, &format!("{TINY} --rounds 200"));
    run.wait_for("round 1 of 200");
    run.interrupt();
    let ended = run.end();
    ended.check(1, &["interrupted: finished trials are kept", "incomplete: interrupted in round "]);
    assert!(Path::new(ended.stdout.lines().last().unwrap()).ends_with("report.html"), "{}", ended.stdout);
    let (session, trials) = stored(&desk);
    assert!(!session.complete && session.complete_rounds().contains(&0));
    assert!(session.incomplete_reason.as_deref().unwrap().starts_with("interrupted in round "));
    assert_eq!(session.trials, trials);
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_the_first_round_leaves_a_session_without_a_report() {
    let desk = desk("1m", "1m");
    let mut run = Running::start(&desk, TINY);
    run.wait_for("timing makes an update");
    run.interrupt();
    let ended = run.end();
    ended.check(1, &["interrupted in round 1 of 12, after 0 of 48 trials", "no report", "`resume "]);
    assert_eq!(ended.stdout, "");
    let (session, trials) = stored(&desk);
    assert!(!session.complete && trials.is_empty());
    assert!(!desk.session().join("report.html").exists());
    desk.run(&format!("report {}", desk.session().display())).check(12, &["no complete round"]);
}

#[test]
fn what_was_measured_is_not_lost_with_its_folder() {
    let desk = desk("20ms", "200ms");
    let mut run = Running::start(&desk, &format!("{TINY} --rounds 200"));
    run.wait_for("round 1 of 200");
    fs::remove_dir_all(desk.session()).unwrap();
    let ended = run.end();
    ended.check(1, &["session.json", "; stopped after ", " trials, which are in "]);
    let (before, after) = ended.stderr.rsplit_once(" trials, which are in ").unwrap();
    let (path, _) = after.split_once(';').unwrap();
    let measured: usize = before.rsplit(' ').next().unwrap().parse().unwrap();
    let rescued = session::read(Path::new(path)).unwrap();
    assert_eq!(rescued.trials.len(), measured);
    assert!(measured >= 3 && !rescued.complete);
    assert!(rescued.incomplete_reason.unwrap().starts_with("stopped: "));
}

/// A child of the run, as soon as there is one.
#[cfg(target_os = "linux")]
fn child_of(parent: u32) -> String {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let started = std::time::Instant::now();
    loop {
        let children = fs::read_to_string(&path).expect("the run goes on");
        if let Some(child) = children.split_whitespace().next() {
            return child.to_owned();
        }
        assert!(started.elapsed().as_secs() < 10, "no child was started");
        std::thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_killed_takes_its_trial_along() {
    let desk = desk("1m", "1m");
    let mut run = Running::start(&desk, TINY);
    run.wait_for("timing makes an update");
    let child = child_of(run.id());
    // It has asked to end with its parent once it has read its spec and has threads of clients.
    let threads = format!("/proc/{child}/task");
    wait_until("the trial has clients", || fs::read_dir(&threads).is_ok_and(|threads| threads.count() > 1));
    run.kill();
    let state = format!("/proc/{child}/stat");
    let is_over = || fs::read_to_string(&state).map_or(true, |stat| stat.contains(") Z "));
    wait_until("the trial is over", is_over);
}

/// Looks again and again, for ten seconds.
#[cfg(target_os = "linux")]
fn wait_until(what: &str, is: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !is() {
        assert!(started.elapsed().as_secs() < 10, "{what}: not after ten seconds");
        std::thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_trial_whose_process_dies_is_a_failed_row_with_the_reason_and_exit_1() {
    let desk = desk("300ms", "1s");
    let mut run = Running::start(&desk, &format!("{TINY} --rounds 1"));
    run.wait_for("timing makes an update");
    let child = child_of(run.id());
    assert!(
        std::process::Command::new("sh")
            .args(["-c", &format!("kill -KILL {child}")])
            .status()
            .unwrap()
            .success()
    );
    let ended = run.end();
    ended.check(1, &["failed 1x: ", "process", "signal: 9"]);
    let (session, trials) = stored(&desk);
    assert!(session.complete, "a failed trial is a trial");
    let failed: Vec<_> =
        trials.iter().filter(|trial| matches!(trial.result, TrialResult::Failed(_))).collect();
    assert_eq!(failed.len(), 1);
    assert!(desk.session().join("report.html").is_file());
}
