use super::harness::Desk;

#[test]
fn list_shows_workloads_with_their_question_and_cells_and_every_strategy() {
    let ended = Desk::new().run("list");
    ended.check(0, &[]);
    for part in ["slow-writes", "Which strategy keeps", "threads-16*", "threads-64", "limit"] {
        assert!(ended.stdout.contains(part), "{part} in:\n{}", ended.stdout);
    }
    for strategy in bench_harness::strategies::all() {
        assert!(
            ended.stdout.contains(strategy.name) && ended.stdout.contains(strategy.about),
            "{}",
            strategy.name
        );
    }
}

#[test]
fn list_shows_a_file_of_the_users_own() {
    let desk = Desk::new();
    desk.write_tiny_workload();
    let ended = desk.run("list --workload tiny.toml --strategy flume");
    ended.check(0, &[]);
    assert!(ended.stdout.contains("Does it run at all?") && ended.stdout.contains("cells: threads-2\n"));
    assert!(!ended.stdout.contains("slow-writes") && !ended.stdout.contains("parking-lot"));
}
