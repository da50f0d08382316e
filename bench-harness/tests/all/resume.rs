use std::fs;
use std::io::Write;

use bench_harness::record::Session;
use bench_harness::session;

use super::harness::{Desk, Ended, Running};

const RUN: &str = "run --workload tiny.toml --strategy flume --results results --seed 0x9";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write_tiny_workload();
    desk
}

fn stored(desk: &Desk) -> Session {
    session::read(&desk.session()).unwrap()
}

fn resume(desk: &Desk) -> String {
    format!("resume {}", desk.session().display())
}

/// Everything about a session that does not depend on what was measured.
fn form(session: &Session) -> impl PartialEq + std::fmt::Debug {
    let trials: Vec<_> = session
        .trials
        .iter()
        .map(|trial| {
            let names = (trial.workload.clone(), trial.cell.clone(), trial.strategy.clone());
            (trial.round, trial.position, names, trial.seed.clone())
        })
        .collect();
    let rounds: Vec<_> = session.rounds.iter().map(|round| round.round).collect();
    let rows: Vec<_> = session.histograms.iter().map(|row| row.strategy.clone()).collect();
    (session.complete, session.incomplete_reason.clone(), session.plan.clone(), trials, rounds, rows)
}

fn check_as_uninterrupted(desk: &Desk, ended: &Ended, rounds: u32, times: usize) {
    ended.check(0, &["measuring into"]);
    assert!(ended.stdout.lines().last().unwrap().ends_with("report.html"), "{}", ended.stdout);
    let other = self::desk();
    other.run(&format!("{RUN} --rounds {rounds}")).check(0, &[]);
    let (resumed, uninterrupted) = (stored(desk), stored(&other));
    assert_eq!((resumed.resumed.len(), uninterrupted.resumed.len()), (times, 0));
    let command = uninterrupted.plan.command.clone();
    let resumed =
        Session { plan: bench_harness::record::Plan { command, ..resumed.plan.clone() }, ..resumed };
    assert_eq!(form(&resumed), form(&uninterrupted));
}

#[test]
fn a_session_that_is_killed_at_any_moment_goes_on_and_ends_as_if_it_had_not_been() {
    let desk = desk();
    let mut first = Running::start(&desk, &format!("{RUN} --rounds 4"));
    first.wait_for("measuring into");
    first.kill();
    desk.run(&format!("report {}", desk.session().display())).check(12, &["no complete round", "`resume`"]);
    for (n, moment) in ["going on with round 1 of 4", "round 1 of 4: ", "round 2 of 4: "].iter().enumerate() {
        let mut again = Running::start(&desk, &resume(&desk));
        again.wait_for(moment);
        again.kill();
        let stopped = stored(&desk);
        assert!(!stopped.complete && stopped.rounds.len() >= n, "{:?}", stopped.rounds);
        assert_eq!(stopped.complete_rounds().len(), stopped.rounds.len(), "half a round is left out");
    }
    let report = desk.run(&format!("report {}", desk.session().display()));
    report.check(0, &[]);
    fs::remove_file(desk.path("tiny.toml")).unwrap();
    let ended = desk.run(&resume(&desk));
    check_as_uninterrupted(&desk, &ended, 4, 4);
}

#[test]
fn a_line_that_was_not_finished_is_dropped_and_its_round_is_run_anew() {
    let desk = desk();
    let mut first = Running::start(&desk, &format!("{RUN} --rounds 2"));
    first.wait_for("round 1 of 2");
    first.kill();
    let lines = desk.session().join("trials.jsonl");
    let whole = fs::read_to_string(&lines).unwrap();
    let half = whole.lines().next().unwrap().replace("\"round\":0", "\"round\":1");
    fs::File::options().append(true).open(&lines).unwrap().write_all(&half.as_bytes()[..200]).unwrap();
    let ended = desk.run(&resume(&desk));
    ended.check(0, &["was not finished and is dropped", "going on with round 2 of 2"]);
    check_as_uninterrupted(&desk, &ended, 2, 1);
}

#[test]
fn after_ctrl_c_a_session_goes_on_too() {
    let desk = desk();
    let mut first = Running::start(&desk, &format!("{RUN} --rounds 3"));
    first.wait_for("round 1 of 3");
    first.interrupt();
    let stopped = first.end();
    stopped.check(1, &["incomplete: interrupted in round ", "goes on with it"]);
    let ended = desk.run(&resume(&desk));
    check_as_uninterrupted(&desk, &ended, 3, 1);
}

#[test]
fn what_cannot_go_on_is_refused_with_the_reason_and_the_mend() {
    let desk = desk();
    desk.run(&format!("{RUN} --rounds 1")).check(0, &[]);
    let file = desk.session().join("session.json");
    for given in [desk.session(), file.clone()] {
        desk.run(&format!("resume {}", given.display())).check(12, &["is complete", "`report`"]);
    }
    let good = fs::read_to_string(&file).unwrap().replacen("\"complete\":true", "\"complete\":false", 1);
    let environment = stored(&desk).environment;
    for (from, to, why, mend) in [
        (environment.binary.clone(), "0".repeat(64), "another build", "the program that began it"),
        (format!("\"cpus\":{}", environment.cpus), "\"cpus\":9999".to_owned(), "number of CPUs", "`run`"),
        (format!("\"os\":\"{}", environment.os), "\"os\":\"Other".to_owned(), "operating system", "`report`"),
    ] {
        let text = good.replacen(&from, &to, 1);
        assert_ne!(text, good, "{why}");
        fs::write(&file, text).unwrap();
        desk.run(&resume(&desk)).check(12, &["cannot go on here", why, mend]);
    }
    if let Some(boot_id) = environment.boot_id {
        fs::write(&file, good.replacen(&boot_id, "another", 1)).unwrap();
        desk.run(&resume(&desk)).check(12, &["started anew", "`run`"]);
    }
    fs::write(&file, &good).unwrap();
    fs::write(desk.session().join("workloads.json"), "[").unwrap();
    desk.run(&resume(&desk)).check(1, &["workloads.json", "EOF"]);
    fs::remove_file(desk.session().join("trials.jsonl")).unwrap();
    desk.run(&resume(&desk)).check(1, &["trials.jsonl", "cannot read the trials"]);
}

#[test]
fn only_one_run_goes_on_with_a_session() {
    let desk = desk();
    let mut first = Running::start(&desk, &format!("{RUN} --rounds 200"));
    first.wait_for("measuring into");
    desk.run(&resume(&desk)).check(1, &["is measuring into", "wait for it to end"]);
}
