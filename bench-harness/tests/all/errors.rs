use std::fmt::Write;

use super::harness::{Desk, check_golden, workload};

/// What the user types, and what the harness must answer, text and exit code: all in one golden file to be read.
#[test]
fn every_mistake_on_the_command_line_is_named_with_its_mend() {
    let desk = Desk::new();
    let good = workload("20ms", "200ms");
    let files = [
        ("unknown-key.toml", good.replace("title", "titel")),
        ("missing-field.toml", good.replace("question = 'Does it run at all?'\n", "")),
        ("zero-clients.toml", good.replace("[2]", "[2, 0]")),
        ("negative-duration.toml", good.replace("'0us'", "'-5us'")),
        ("bare-number.toml", good.replace("'200ms'", "200")),
        ("unknown-unit.toml", good.replace("'200ms'", "'200 beats'")),
        ("zero-capacity.toml", format!("{good}[queue]\ncapacity = 0\n")),
        ("unknown-core.toml", format!("core = ['threads-3']\n{good}")),
        ("not-toml.toml", "title = 'Tiny".to_owned()),
    ];
    let mut report = String::new();
    for (name, text) in &files {
        desk.write(name, text);
        ask(&desk, &format!("plan --workload {name}"), &mut report);
    }
    for line in [
        "",
        "rnu",
        "run --wrokload x",
        "run --workload slow-write",
        "run --workload no/such/file.toml",
        "run --strategy crosbeam",
        "run --cell threads-61",
        "run --callers fibers",
        "run --clients many",
        "run --workload slow-writes --callers tasks --clients 17",
        "run --budget 5",
        "run --budget 1s --core",
        "run --budget 1m --rounds 3",
        "run --rounds 0",
        "run --seed 0xyz",
        "resume",
        "resume no/such/session",
        "report",
        "report no/such/session",
        "report x --workload",
        "trial --workload slow-writes --strategy flume",
        "trial --spec no/such/spec.json",
        "trial --spec zero-clients.toml",
        "trial --spec - --strategy flume",
    ] {
        ask(&desk, line, &mut report);
    }
    check_golden("errors.txt", &report);
    assert!(!desk.path("results").exists(), "nothing was measured");
}

fn ask(desk: &Desk, line: &str, report: &mut String) {
    let ended = desk.run(line);
    assert_ne!(ended.code, 0, "`{line}` is a mistake");
    assert_ne!(ended.code, 101, "`{line}` is no reason to panic: {}", ended.stderr);
    assert_eq!(ended.stdout, "", "`{line}` has no data to tell");
    writeln!(report, "$ bench-harness {line}\n{}exit {}\n", ended.stderr, ended.code).unwrap();
}
