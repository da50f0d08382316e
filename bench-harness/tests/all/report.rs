use std::fs;
use std::path::Path;

use super::harness::Desk;

/// A desk with a session of two rounds.
fn measured() -> Desk {
    let desk = Desk::new();
    desk.write_tiny_workload();
    desk.run("run --workload tiny.toml --strategy flume --rounds 2 --results results").check(0, &[]);
    desk
}

fn last_line(stdout: &str) -> &Path {
    Path::new(stdout.lines().last().expect("something is printed"))
}

#[test]
fn a_session_is_rendered_again_from_its_folder_or_its_file() {
    let desk = measured();
    let session = desk.session();
    let page = session.join("report.html");
    for given in [session.clone(), session.join("session.json")] {
        fs::remove_file(&page).unwrap();
        let ended = desk.run(&format!("report {}", given.display()));
        ended.check(0, &[]);
        assert_eq!(last_line(&ended.stdout).canonicalize().unwrap(), page.canonicalize().unwrap());
        assert!(ended.stdout.contains("flume"), "the table comes first:\n{}", ended.stdout);
    }
}

#[test]
fn a_selection_leaves_the_whole_report_alone() {
    let desk = measured();
    let whole = fs::read(desk.session().join("report.html")).unwrap();
    let ended = desk.run(&format!("report {} --strategy std-mutex", desk.session().display()));
    ended.check(0, &[]);
    assert!(last_line(&ended.stdout).ends_with("selection/report.html"));
    assert!(!ended.stdout.contains("flume"), "{}", ended.stdout);
    assert_eq!(fs::read(desk.session().join("report.html")).unwrap(), whole);
    let wrong = desk.run(&format!("report {} --strategy flum", desk.session().display()));
    wrong.check(2, &["`flum`", "did you mean `flume`?", "std-mutex, flume, s2, limit"]);
}

#[test]
fn a_part_of_a_session_is_a_session_of_its_own() {
    let desk = measured();
    let ended =
        desk.run(&format!("report {} --strategy std-mutex --extract part.json", desk.session().display()));
    ended.check(0, &["part.json"]);
    let part = desk.run("report part.json --output again");
    part.check(0, &[]);
    assert!(!part.stdout.contains("flume") && part.stdout.contains("std-mutex"), "{}", part.stdout);
    let nowhere = desk.run(&format!("report {} --extract none/part.json", desk.session().display()));
    nowhere.check(1, &["cannot write none/part.json"]);
}

#[test]
fn nothing_is_rendered_from_a_file_that_is_not_a_whole_session() {
    let desk = measured();
    let good = fs::read_to_string(desk.session().join("session.json")).unwrap();
    let cases = [
        ("cut", good[..good.len() / 2].to_owned(), "cut off"),
        ("corrupt", good.replacen("\"plan\":", "\"plan\";", 1), "damaged"),
        ("newer", good.replacen("session/1", "session/7", 1), "newer harness"),
        ("other", "{\"schema\": \"something else\"}".to_owned(), "not a session"),
        ("twice", good.replacen("\"round\":[[0,1]", "\"round\":[[0,0]", 1), "twice"),
    ];
    for (name, text, expected) in cases {
        assert_ne!(text, good, "{name}");
        fs::create_dir(desk.path(name)).unwrap();
        desk.write(&format!("{name}/session.json"), &text);
        let ended = desk.run(&format!("report {name}"));
        ended.check(1, &[&format!("error: {name}/session.json: "), expected]);
        assert_eq!(ended.stdout, "", "{name}");
        assert_eq!(fs::read_dir(desk.path(name)).unwrap().count(), 1, "{name}: nothing was written");
    }
    desk.run("report nowhere").check(1, &["nowhere", "cannot read the session"]);
}

#[test]
fn a_session_without_a_complete_round_is_refused() {
    let desk = measured();
    let mut session = bench_harness::session::read(&desk.session()).unwrap();
    session.complete = false;
    session.incomplete_reason = Some("interrupted early".to_owned());
    session.trials.truncate(2);
    fs::create_dir(desk.path("half")).unwrap();
    desk.write("half/session.json", &serde_json::to_string(&session).unwrap());
    let ended = desk.run("report half");
    ended.check(12, &["no complete round", "interrupted early", "`run`"]);
    assert_eq!(ended.stdout, "");
    assert!(!desk.path("half/report.html").exists());
}

#[test]
fn a_summary_is_written_as_markdown() {
    let desk = measured();
    let ended = desk.run(&format!("report {} --markdown summary.md", desk.session().display()));
    ended.check(0, &["wrote ", "summary.md"]);
    let text = fs::read_to_string(desk.path("summary.md")).unwrap();
    assert!(text.starts_with("**") && text.contains("| a write took |"), "{text}");
}

#[test]
fn a_readme_gets_its_part_once_and_a_stale_one_is_found() {
    let desk = measured();
    let report =
        |options: &str| desk.run(&format!("report {} --splice README.md{options}", desk.session().display()));
    report("").check(1, &["README.md", "cannot read it"]);
    desk.write("README.md", "# Title\n");
    report("").check(1, &["README.md", "has no `<!-- update-queue-bench:begin -->`"]);

    desk.write(
        "README.md",
        "# Title\n\n<!-- update-queue-bench:begin -->\n<!-- update-queue-bench:end -->\n\nmore\n",
    );
    report(" --check").check(1, &["README.md is stale"]);
    report("").check(0, &["wrote "]);
    let text = fs::read_to_string(desk.path("README.md")).unwrap();
    assert!(
        text.starts_with("# Title\n\n<!-- update-queue-bench:begin -->\n\n**")
            && text.ends_with("\n\nmore\n"),
        "{text}"
    );
    for line in text.lines().filter(|line| line.starts_with("![")) {
        let address = line.rsplit_once("](").unwrap().1.trim_end_matches(')');
        assert!(address.starts_with("results/") && desk.path(address).is_file(), "{address}");
    }
    assert!(text.contains("!["), "{text}");
    report(" --check").check(0, &[]);
    report("").check(0, &[]);
    assert_eq!(fs::read_to_string(desk.path("README.md")).unwrap(), text, "the same again");

    let elsewhere = tempfile::tempdir().unwrap();
    let ended = report(&format!(" --output {}", elsewhere.path().display()));
    ended.check(1, &["is not in the README's folder", "--output"]);
}
