use super::harness::{Desk, Running};

const DOCTOR: &str = "doctor --time 1ms";

#[test]
fn a_debug_build_is_no_instrument_and_the_mend_is_told() {
    let desk = Desk::new();
    let ended = desk.run(DOCTOR);
    for part in ["CPU", "reading the clock takes", "the same work took", "MiB of free space"] {
        assert!(ended.stdout.contains(part), "{part} in:\n{}", ended.stdout);
    }
    assert_eq!(ended.stderr, "");
    if cfg!(debug_assertions) {
        ended.check(11, &[]);
        assert!(
            ended.stdout.contains("UNFIT  this program is a debug build\n       -> build it with --release")
        );
        assert!(ended.stdout.lines().last().unwrap().starts_with("This machine is not fit"));
    }
    assert!(!desk.path("results").exists(), "nothing was written");
}

#[cfg(unix)]
#[test]
fn a_run_that_goes_on_is_told_and_not_disturbed() {
    let desk = Desk::new();
    desk.write_tiny_workload();
    let mut run = Running::start(&desk, "run --workload tiny.toml --rounds 200 --results results");
    run.wait_for("measuring into");
    let ended = desk.run(DOCTOR);
    ended.check(11, &[]);
    let holder = format!("UNFIT  process {} is measuring into", run.id());
    assert!(ended.stdout.contains(&holder), "{}", ended.stdout);
    assert!(!ended.stdout.contains("the same work"), "no probe runs beside it:\n{}", ended.stdout);
}
