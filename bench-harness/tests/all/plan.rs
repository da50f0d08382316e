use super::harness::Desk;

#[test]
fn the_same_seed_gives_the_same_plan_and_nothing_is_measured() {
    let desk = Desk::new();
    let plan = |seed| desk.run(&format!("plan --core --seed {seed}"));
    let first = plan("0x1f");
    first.check(0, &[]);
    assert_eq!(first.stdout, plan("31").stdout, "decimal or hex");
    assert_ne!(first.stdout, plan("0x20").stdout);
    assert!(!desk.path("results").exists());
}

#[test]
fn two_plans_without_a_seed_differ() {
    let desk = Desk::new();
    assert_ne!(desk.run("plan --core").stdout, desk.run("plan --core").stdout);
}

#[test]
fn a_plan_says_rounds_trials_time_seed_and_order() {
    let desk = Desk::new();
    desk.write_tiny_workload();
    let ended = desk.run("plan --workload tiny.toml --strategy flume --rounds 9 --seed 7");
    ended.check(0, &["std-mutex is measured too"]);
    let text = &ended.stdout;
    assert!(
        text.starts_with(
            "9 rounds of 1 cell with 2 strategies, a twin of the control and the limit: 36 trials, about "
        ),
        "{text}"
    );
    assert!(text.contains("\nseed 0x7, control std-mutex\n"), "{text}");
    let rounds: Vec<_> = text.lines().filter(|line| line.starts_with("  tiny/threads-2: ")).collect();
    assert_eq!(rounds.len(), 9);
    for round in rounds {
        assert!(["std-mutex", "flume", "s2", "limit"].iter().all(|label| round.contains(label)), "{round}");
    }
}

#[test]
fn few_rounds_are_warned_about() {
    Desk::new()
        .run("plan --core --rounds 3")
        .check(0, &["warning", "fewer than 8 rounds (3)", "wide or absent"]);
}

#[test]
fn a_budget_is_a_total() {
    let text = Desk::new().run("plan --core --budget 3m").stdout;
    let rounds: u32 = text.split_whitespace().next().unwrap().parse().unwrap();
    assert!((1..8).contains(&rounds), "{text}");
}
