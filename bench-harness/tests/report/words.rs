//! What a report says, and that it says nothing that the data does not carry.

use std::fs;

use bench_harness::record::{Session, TrialResult};
use bench_harness::report;
use bench_harness::workload::definition::Callers;

use super::synthetic::{Recipe, session, unfolded};
use super::{fail, render, tiny};

#[test]
fn a_failed_row_shows_the_check_and_no_number() {
    let mut session = session(&Recipe::small());
    fail(&mut session, "cheap-writes", "tokio", 2);
    let page = render(&session).page;
    let sentence = "failed: V2 (update 17 of client 3 was applied twice), in 1 of 12 rounds";
    assert!(
        page.contains(&format!("<li>✕ <strong>tokio</strong>, cheap-writes, 4 threads: {sentence}</li>"))
    );
    let row = page.split("<tr").find(|row| row.contains("data-v=\"failed\"")).unwrap();
    assert!(row.contains(sentence) && !row.contains("data-k"), "no number: {row}");
    assert!(page.contains("1 row failed verification"));
    let terminal = report::terminal(&session, 120, false);
    let lines: Vec<&str> = terminal.lines().skip_while(|line| !line.contains("cheap-writes")).collect();
    let line = lines.iter().find(|line| line.trim_start().starts_with("tokio")).unwrap();
    assert_eq!(line.trim_start(), format!("tokio              {sentence}"));
}

#[test]
fn a_failed_control_leaves_the_others_without_ratio_but_with_numbers() {
    let mut session = session(&Recipe::small());
    fail(&mut session, "cheap-writes", "std-mutex", 0);
    let rendered = render(&session);
    assert!(rendered.page.contains("std-mutex has no numbers here"));
    assert!(report::terminal(&session, 120, false).contains("/s"));
}

#[test]
fn a_round_that_was_cut_short_is_left_out_and_said() {
    let whole = session(&Recipe::small());
    let mut cut = unfolded(&Recipe { rounds: 13, ..Recipe::small() });
    cut.complete = false;
    cut.incomplete_reason = Some("interrupted".to_owned());
    cut.trials.retain(|trial| trial.round < 12 || trial.position == 0);
    let cut = report::markdown(&cut.folded().unwrap()).unwrap();
    let warning = "> Incomplete session (interrupted): 12 complete rounds of 13 planned; the round that was cut short is left out.\n\n";
    assert!(cut.contains(warning), "{cut}");
    assert_eq!(report::markdown(&whole).unwrap(), cut.replace(warning, ""));
}

#[test]
fn rounds_that_do_not_count_are_left_out_and_replaced() {
    // Two of fourteen are invalid; they were appended for, so twelve of twelve planned count.
    let mut session = unfolded(&Recipe { rounds: 14, invalid: vec![3, 8], ..Recipe::small() });
    session.plan.rounds = 12;
    let session = session.folded().unwrap();
    let markdown = report::markdown(&session).unwrap();
    assert!(markdown.contains("12 rounds, 95 %") && !markdown.contains("Incomplete"), "{markdown}");
    let page = render(&session).page;
    assert!(page.contains("14 complete rounds of 12 planned, 12 count"));
}

#[test]
fn a_verdict_that_hangs_on_a_round_that_does_not_count_is_inconclusive() {
    let mut session = unfolded(&Recipe { rounds: 16, invalid: vec![1, 4, 7, 10], ..Recipe::small() });
    session.plan.rounds = 12;
    let row = |session: &Session| {
        let markdown = report::markdown(session).unwrap();
        markdown
            .lines()
            .find(|line| line.starts_with("| cheap-writes, 4 threads | tokio"))
            .unwrap()
            .to_owned()
    };
    assert!(row(&session.folded().unwrap()).contains("▼ slower"), "{}", row(&session.folded().unwrap()));
    for trial in &mut session.trials {
        if let TrialResult::Measured(measurement) = &mut trial.result
            && trial.strategy == "tokio"
            && [1, 4, 7, 10].contains(&trial.round)
        {
            measurement.done *= 20;
        }
    }
    let changed = row(&session.folded().unwrap());
    assert!(
        changed.contains("? inconclusive")
            && changed.contains("with the rounds that do not count, slower without"),
        "{changed}"
    );
}

#[test]
fn a_session_whose_rounds_are_all_invalid_is_refused_with_the_reason() {
    let session = unfolded(&Recipe { rounds: 2, invalid: vec![0, 1], ..Recipe::small() }).folded().unwrap();
    let error = report::markdown(&session).unwrap_err();
    assert!(error.is_refusal() && error.to_string().contains("steal is 20 % of the busy time"), "{error}");
}

#[test]
fn a_machine_that_was_taken_away_makes_the_session_inconclusive() {
    let mut session = session(&Recipe::small());
    let cpus = session.environment.cpus as u64;
    for round in &mut session.rounds {
        round.steal_ns = Some(round.wall_ns * cpus / 20);
    }
    let markdown = report::markdown(&session).unwrap();
    let expected = "**Inconclusive on this machine: the hypervisor gave 5 % of the CPU time to others; differences under ";
    assert!(markdown.starts_with(expected), "{markdown}");
}

#[test]
fn a_twin_is_named_judged_by_nobody_and_a_floor_for_all() {
    let mut session = unfolded(&Recipe::small());
    let page = render(&session.folded().unwrap()).page;
    assert!(page.contains("twin of std-mutex") && !page.contains(">aa<"));
    assert!(page.contains("0 of 3 identical pairs called different (≤ 63 %)"), "1 - 0.05^(1/3)");
    // A twin that is surely 9 % faster: everybody's floor in that cell, and a warning.
    for trial in &mut session.trials {
        if let TrialResult::Measured(measurement) = &mut trial.result
            && trial.strategy == super::synthetic::TWIN
            && trial.workload == "cheap-writes"
        {
            measurement.done = measurement.done * 109 / 100;
        }
    }
    let markdown = report::markdown(&session.folded().unwrap()).unwrap();
    assert!(markdown.contains("seemed to differ from itself: std-mutex 1.0"), "{markdown}");
    assert!(markdown.lines().next().unwrap().contains("also seemed to differ from itself"), "{markdown}");
    let floors = markdown.lines().find(|line| line.starts_with("A/A twin")).unwrap();
    assert!(floors.contains("floor 3.0 % to ") && !floors.contains("floor 3.0 % to 3"), "{floors}");
}

#[test]
fn without_a_twin_the_report_says_so() {
    let page = render(&session(&Recipe { has_twin: false, ..Recipe::small() })).page;
    assert!(page.contains("none was run: what this session makes of no difference is not known"));
}

#[test]
fn nothing_is_written_without_a_complete_round() {
    let mut session = session(&Recipe { rounds: 1, ..Recipe::small() });
    session.trials.pop();
    let folder = tempfile::tempdir().unwrap();
    let error = report::write(&session, folder.path()).unwrap_err();
    assert!(matches!(error, report::Error::NoCompleteRound { planned: 18, recorded: 17, .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(report::terminal(&session, 80, false).contains("has no complete round"));
    session.plan.workloads.clear();
    session.trials.clear();
    assert!(report::markdown(&session).is_err());
}

#[test]
fn a_record_that_cannot_be_used_is_named() {
    let mut unplanned = session(&Recipe::small());
    unplanned.trials[3].strategy = "nobody".to_owned();
    let error = report::markdown(&unplanned).unwrap_err().to_string();
    assert!(error.contains("slow-writes/threads-4-1000us, nobody, round 0"), "{error}");

    let mut broken = session(&Recipe::small());
    let row = broken.histograms.iter_mut().find(|row| row.strategy == "crossbeam").unwrap();
    row.hdr.insert("latency".to_owned(), "AAAA".to_owned());
    let error = report::markdown(&broken).unwrap_err().to_string();
    assert!(error.contains("crossbeam cannot be used: histogram `latency`: not a histogram"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = report::write(&session(&tiny()), &file).unwrap_err();
    assert!(error.to_string().contains("charts"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn too_few_rounds_name_no_winner() {
    let markdown = report::markdown(&session(&Recipe { rounds: 5, ..Recipe::core() })).unwrap();
    let expected = "**Inconclusive on this machine: 5 rounds: a 99.92 % interval needs at least 12, because 65 comparisons are judged together.";
    assert!(markdown.starts_with(expected), "{markdown}");
    assert!(!markdown.contains("faster") && !markdown.contains("best or tied"), "{markdown}");
}

fn headline(recipe: &Recipe) -> String {
    let markdown = report::markdown(&session(recipe)).unwrap();
    markdown.lines().next().unwrap().trim_matches('*').replace(['\u{200b}', '\\'], "")
}

/// A recipe of one workload.
fn only(name: &str, group_commit: bool, cells: Vec<(Callers, usize, u64)>) -> Recipe {
    Recipe { workloads: vec![(name.to_owned(), group_commit, cells)], ..Recipe::core() }
}

#[test]
fn the_headline_is_the_first_pattern_that_applies() {
    let threads = Callers::Threads;
    let table = [
        (
            only("w", false, vec![(threads, 16, 1_000)]),
            "For writes of 1.06 ms std-mutex is within ±3.0 % of the best strategy.",
        ),
        (
            only("group-commit", true, vec![(threads, 64, 0), (Callers::Tasks, 64, 0)]),
            "tokio is best or tied everywhere; std-mutex gives up 98.5 % [98.4, 98.5] of the updates per second.",
        ),
        (
            only("w", false, vec![(threads, 64, 0), (threads, 64, 1)]),
            "For writes of 35.0 ns to 1.04 µs std-mutex is within ±3.0 % of the best strategy.",
        ),
        (
            Recipe::core(),
            "For writes up to 1.03 µs use std-mutex, from 162 µs on tokio; at worst std-mutex gives up 98.5 % [98.4, 98.6] of the",
        ),
    ];
    for (recipe, expected) in table {
        let said = headline(&recipe);
        assert!(said.starts_with(expected), "{said}\n{expected}");
        assert!(
            said.contains("2 CPUs of Example CPU @ 3.00GHz, 12 rounds, 95 % for all of it together."),
            "{said}"
        );
    }
}

#[test]
fn every_verdict_has_its_sentence() {
    let markdown = report::markdown(&session(&Recipe::core())).unwrap();
    let sentence = |cell: &str, strategy: &str| {
        let start = format!("| {cell} | {strategy} |");
        let line = markdown.lines().find(|line| line.starts_with(&start));
        line.unwrap_or_else(|| panic!("{start} in\n{markdown}")).to_owned()
    };
    let faster = sentence("group-commit, 64 threads", "tokio");
    assert!(
        faster.contains("▲ faster")
            && faster.contains("the throughput of std-mutex (95 % simultaneous, 12 rounds, floor 3.0 %)"),
        "{faster}"
    );
    let slower = sentence("cheap-writes, 16 threads", "flume");
    assert!(
        slower.contains("▼ slower") && slower.contains("× the throughput of std-mutex (95 %"),
        "{slower}"
    );
    let open = sentence("slow-writes, 16 tasks", "flume");
    assert!(open.contains("? inconclusive | cannot tell: ") && open.contains("could have seen "), "{open}");
    assert!(open.contains(" rounds would see 5.0 %"), "{open}");
}

#[test]
fn strategies_of_a_burst_are_compared_by_their_latency() {
    let markdown = report::markdown(&session(&Recipe::core())).unwrap();
    let row = markdown.lines().find(|line| line.contains("bursts, asked")).unwrap();
    assert!(row.contains("p90") && row.contains("std-mutex's p90: 1.5") && !row.contains("/s"), "{row}");
}

#[test]
fn a_saturated_row_of_an_open_loop_is_drawn_and_not_ranked() {
    let page = render(&session(&Recipe::core())).page;
    let row = page.split("<tr").find(|row| {
        row.contains("open-loop, 16 tasks, 90 % load, by p90") && row.contains("</span> parking-lot")
    });
    let row = row.unwrap();
    assert!(
        row.contains("not judged")
            && row.contains(
                "saturated: 97.5 % of what was offered was answered in the window, in 12 of 12 rounds"
            ),
        "{row}"
    );
}

#[test]
fn numbers_carry_their_unit_in_a_terminal_of_any_width() {
    for width in [0, 40, 80, 120, 10_000] {
        let table = report::terminal(&session(&Recipe::core()), width, false);
        let rows = table.lines().filter(|line| line.trim_start().starts_with("crossbeam  "));
        for row in rows {
            assert!(row.contains("/s") && row.contains('×'), "{width}: {row}");
            assert!(width < 60 || row.chars().count() <= width, "{width}: {row}");
        }
    }
}
