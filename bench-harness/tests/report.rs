//! The report of a made-up session: its structure, its honesty, its safety, and its exact text.

#![allow(clippy::unwrap_used, reason = "helpers outside of test functions unwrap too, and a test may")]

mod markup;
mod synthetic;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine as _;
use bench_harness::record::{Failure, Session, TrialResult};
use bench_harness::report;
use bench_harness::workload::definition::Callers;
use markup::{Element, parse};
use proptest::prelude::*;
use sha2::Digest as _;
use synthetic::{Recipe, session, unfolded};

/// What a session renders to.
struct Rendered {
    page: String,
    charts: Vec<(String, String)>,
}

fn render(session: &Session) -> Rendered {
    let folder = tempfile::tempdir().unwrap();
    let page = report::write(session, folder.path()).unwrap();
    assert_eq!(page, folder.path().join("report.html"));
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files, [folder.path().join("charts"), page.clone()], "nothing else is left behind");
    let mut charts: Vec<(String, String)> = fs::read_dir(folder.path().join("charts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    charts.sort();
    Rendered { page: fs::read_to_string(page).unwrap(), charts }
}

/// Nine cells; rendered once, because several tests look at it.
static CORE: LazyLock<Rendered> = LazyLock::new(|| render(&session(&Recipe::core())));

fn fail(session: &mut Session, workload: &str, strategy: &str, round: u32) {
    let trial = session
        .trials
        .iter_mut()
        .find(|trial| {
            (trial.workload.as_str(), trial.strategy.as_str(), trial.round) == (workload, strategy, round)
        })
        .unwrap();
    let reason = "update 17 of client 3 was applied twice".to_owned();
    trial.result = TrialResult::Failed(Failure { check: "V2".to_owned(), reason });
}

fn tiny() -> Recipe {
    Recipe {
        strategies: vec!["std-mutex".to_owned(), "crossbeam".to_owned()],
        workloads: vec![("slow-writes".to_owned(), false, vec![(Callers::Threads, 4, 1_000)])],
        ..Recipe::small()
    }
}

/// Compares with a file under `tests/golden`; `UPDATE_GOLDEN=1` rewrites it.
#[track_caller]
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let differs = expected.lines().zip(text.lines()).position(|(a, b)| a != b);
    assert!(expected == text, "{name} differs from line {differs:?}; UPDATE_GOLDEN=1 rewrites it");
}

#[test]
fn terminal_tables_are_as_approved() {
    golden("report-terminal-80.txt", &report::terminal(&session(&Recipe::small()), 80, false));
    golden("report-terminal-120.txt", &report::terminal(&session(&Recipe::small()), 120, false));
    let mut failed = session(&Recipe::small());
    fail(&mut failed, "cheap-writes", "tokio", 2);
    golden("report-terminal-failed.txt", &report::terminal(&failed, 100, true));
    let quick = session(&Recipe { rounds: 2, ..Recipe::small() });
    golden("report-terminal-two-rounds.txt", &report::terminal(&quick, 100, false));
}

#[test]
fn page_chart_and_markdown_are_as_approved() {
    let rendered = render(&session(&tiny()));
    golden("report.html", &rendered.page);
    let forest = rendered.charts.iter().find(|(name, _)| name == "forest-slow-writes.svg").unwrap();
    golden("report-forest.svg", &forest.1);
    golden("report.md", &report::markdown(&session(&Recipe::small())).unwrap());
}

#[test]
fn the_same_session_gives_the_same_bytes() {
    let again = render(&session(&Recipe::core()));
    assert_eq!(CORE.page, again.page);
    assert_eq!(CORE.charts, again.charts);
}

#[test]
fn pages_keep_their_budget() {
    let (core, full) = (CORE.page.len(), render(&session(&Recipe::full())).page.len());
    assert!(core <= 600_000, "nine cells: {core} bytes");
    // LIMIT: 1.6 MB for forty cells; such a page still opens at once.
    assert!(full <= 1_600_000, "forty cells: {full} bytes");
}

#[test]
fn the_page_is_well_formed_and_asks_for_nothing() {
    let Rendered { page, charts } = &*CORE;
    let elements = parse(page).unwrap();
    for element in &elements {
        for (key, value) in &element.attributes {
            let allowed = match key.as_str() {
                "src" | "style" | "srcset" | "action" | "data" => false,
                "href" => value.starts_with('#') || value == "data:,",
                "xmlns" => value == "http://www.w3.org/2000/svg",
                _ => !key.starts_with("on") && !value.contains("http"),
            };
            assert!(allowed, "{key}={value} in <{}>", element.name);
        }
    }
    for forbidden in ["@import", "url(", "<script", "javascript:", "<iframe", "<img"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for (name, svg) in charts {
        let parsed = parse(svg);
        assert!(parsed.is_ok_and(|elements| elements[0].name == "svg"), "{name}");
        assert!(!svg.contains("url(") && !svg.contains("<script"), "{name}");
    }
}

#[test]
fn the_policy_allows_exactly_the_one_stylesheet() {
    let elements = parse(&render(&session(&Recipe::small())).page).unwrap();
    let policy = elements.iter().find_map(|element| match element.attributes.get("http-equiv") {
        Some(_) => element.attributes.get("content"),
        None => None,
    });
    let styles: Vec<&Element> = elements.iter().filter(|element| element.name == "style").collect();
    assert_eq!(styles.len(), 1);
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(&styles[0].text));
    let expected = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'"
    );
    assert_eq!(policy, Some(&expected));
}

#[test]
fn ids_are_unique_and_references_lead_somewhere() {
    let elements = parse(&CORE.page).unwrap();
    let ids: Vec<&String> = elements.iter().filter_map(|element| element.attributes.get("id")).collect();
    let unique: BTreeSet<&String> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id is twice");
    for element in &elements {
        let links = element.attributes.get("href").and_then(|href| href.strip_prefix('#')).into_iter();
        let labels = element.attributes.get("aria-labelledby").into_iter().flat_map(|ids| ids.split(' '));
        for reference in links.chain(labels) {
            assert!(unique.contains(&reference.to_owned()), "nothing has the id {reference}");
        }
    }
}

#[test]
fn headings_tables_and_charts_can_be_read_aloud() {
    let elements = parse(&CORE.page).unwrap();
    let levels: Vec<u8> =
        elements.iter().filter_map(|element| element.name.strip_prefix('h')?.parse().ok()).collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "a level is left out: {levels:?}");
    for (i, element) in elements.iter().enumerate() {
        match element.name.as_str() {
            "table" => assert_eq!(elements[i + 1].name, "caption"),
            "th" => assert!(element.attributes.contains_key("scope")),
            "svg" => {
                assert_eq!((elements[i + 1].name.as_str(), elements[i + 2].name.as_str()), ("title", "desc"));
                assert!(!elements[i + 1].text.is_empty() && !elements[i + 2].text.is_empty());
                assert_eq!(element.attributes.get("role").map(String::as_str), Some("img"));
            }
            _ => {}
        }
    }
    assert_eq!(elements.iter().filter(|element| element.name == "main").count(), 1);
    let wide = |element: &&Element| element.name == "svg" || element.name == "table";
    assert!(elements.iter().filter(wide).all(|element| element.inside.contains(&"div".to_owned())));
}

#[test]
fn every_colour_of_a_chart_has_a_rule() {
    let Rendered { page, charts } = &*CORE;
    let style = &parse(page).unwrap().into_iter().find(|element| element.name == "style").unwrap().text;
    for (name, svg) in charts {
        for element in parse(svg).unwrap() {
            for key in ["fill", "stroke"] {
                let Some(colour) = element.attributes.get(key) else { continue };
                assert!(style.contains(&format!("svg.c [{key}=\"{colour}\"]")), "{name}: {key} {colour}");
                assert!(svg.contains(&format!("svg [{key}=\"{colour}\"]")), "{name}: {key} {colour}");
            }
        }
    }
}

#[test]
fn every_chart_that_the_data_supports_is_there() {
    let names: Vec<&str> = CORE.charts.iter().map(|(name, _)| name.as_str()).collect();
    for kind in ["forest", "held", "anatomy", "spectrum", "fairness", "cost"] {
        for workload in ["slow-writes", "write-cost", "group-commit", "bursts", "cheap-writes"] {
            assert!(names.contains(&format!("{kind}-{workload}.svg").as_str()), "{kind} of {workload}");
        }
    }
    let sweeps: Vec<_> = names.iter().filter(|name| name.starts_with("throughput")).collect();
    assert_eq!(sweeps, [&"throughput-clients-cheap-writes.svg", &"throughput-cost-write-cost.svg"]);
}

#[test]
fn names_that_are_markup_stay_names() {
    let hostile = [
        "<script>alert(1)</script>",
        "\"onload=alert(1) x=\"",
        "</svg></style>",
        "../../etc/passwd",
        "line\nbreak \u{1b}[2J \u{202e}turned",
        "=1+1 | `code` @user",
    ];
    let tame = ["a", "b", "c", "d", "e", "f"];
    let with = |names: [&str; 6]| {
        let strategies = names[..5].iter().map(ToString::to_string).collect();
        let cells = vec![(Callers::Threads, 4, 0), (Callers::Threads, 8, 10), (Callers::Threads, 4, 10)];
        let mut session = session(&Recipe {
            strategies,
            workloads: vec![(names[5].to_owned(), false, cells)],
            ..Recipe::small()
        });
        session.plan.workloads[0].question = names[0].to_owned();
        session.plan.workloads[0].title = names[2].to_owned();
        session.environment.cpu = Some(names[4].to_owned());
        session.environment.commit = Some(names[1].to_owned());
        session.plan.command = vec![names[3].to_owned()];
        session
    };
    let (tame, hostile) = (with(tame), with(hostile));
    let (plain, attacked) = (render(&tame), render(&hostile));
    let tree = |page: &str| -> Vec<(String, Vec<String>)> {
        let elements = parse(page).unwrap().into_iter();
        // How many ticks an axis has follows from how long the names beside it are.
        let outside_charts = elements.filter(|element| !element.inside.contains(&"svg".to_owned()));
        outside_charts.map(|element| (element.name, element.inside)).collect()
    };
    assert_eq!(tree(&plain.page), tree(&attacked.page));
    for (name, svg) in &attacked.charts {
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)), "{name}");
        parse(svg).unwrap();
    }
    let terminal = report::terminal(&hostile, 100, false);
    assert!(!terminal.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{terminal:?}");
    let markdown = report::markdown(&hostile).unwrap();
    assert!(
        !markdown.contains("<script") && !markdown.contains("| `code`") && !markdown.contains("@user"),
        "{markdown}"
    );
}

#[test]
fn a_failed_row_shows_the_check_and_no_number() {
    let mut session = session(&Recipe::small());
    fail(&mut session, "cheap-writes", "tokio", 2);
    let page = render(&session).page;
    let sentence = "failed: V2 (update 17 of client 3 was applied twice), in 1 of 8 rounds";
    assert!(page.contains(&format!("✕ {sentence}")));
    let row = format!("</span> tokio</th><td class=\"bad words\" colspan=\"10\">✕ {sentence}</td></tr>");
    assert!(page.contains(&row), "the row is one cell of words");
    assert!(page.contains("1 row failed verification"));
    let terminal = report::terminal(&session, 120, false);
    let lines: Vec<&str> = terminal.lines().skip_while(|line| !line.contains("cheap-writes")).collect();
    let line = lines.iter().find(|line| line.trim_start().starts_with("tokio")).unwrap();
    assert_eq!(line.trim_start(), format!("tokio        {sentence}"));
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
    let whole = session(&Recipe { rounds: 6, ..Recipe::small() });
    let mut cut = unfolded(&Recipe { rounds: 7, ..Recipe::small() });
    cut.complete = false;
    cut.incomplete_reason = Some("interrupted".to_owned());
    cut.trials.retain(|trial| trial.round < 6 || trial.position == 0);
    let cut = cut.folded().unwrap();
    let (whole, cut) = (report::terminal(&whole, 120, false), report::terminal(&cut, 120, false));
    let warning = "! Incomplete session (interrupted): 6 complete rounds of 7 planned; the round that was cut short is left out.\n";
    assert!(cut.contains(warning), "{cut}");
    assert_eq!(whole, cut.replace(warning, ""));
}

#[test]
fn nothing_is_written_without_a_complete_round() {
    let mut session = session(&Recipe { rounds: 1, ..Recipe::small() });
    session.trials.pop();
    let folder = tempfile::tempdir().unwrap();
    let error = report::write(&session, folder.path()).unwrap_err();
    assert!(matches!(error, report::Error::NoCompleteRound { planned: 15, recorded: 14, .. }), "{error}");
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
    let session = session(&Recipe { rounds: 5, ..Recipe::core() });
    let page = render(&session).page;
    assert!(page.contains("5 complete rounds: too few for an interval (it takes 6), so no winner is named."));
    assert!(!page.contains("not surely behind, in"));
}

#[test]
fn the_headline_names_the_winner_and_what_the_control_gives_up() {
    let terminal = report::terminal(&session(&Recipe::core()), 10_000, false);
    let headline = terminal.lines().find(|line| line.contains("not surely behind, in")).unwrap();
    assert!(headline.starts_with("std-mutex is best, or not surely behind, in 7 of 9 cells; elsewhere it gives up most in group-commit, 64 threads: tokio does 64.7× ["), "{headline}");
}

#[test]
fn a_control_that_is_behind_everywhere_is_said_to_be() {
    let workloads =
        vec![("group-commit".to_owned(), true, vec![(Callers::Threads, 64, 0), (Callers::Tasks, 64, 0)])];
    let terminal = report::terminal(&session(&Recipe { workloads, ..Recipe::core() }), 10_000, false);
    let headline = terminal.lines().find(|line| line.contains("not surely behind, in")).unwrap();
    let expected = "tokio is best, or not surely behind, in both cells; std-mutex is behind everywhere, most in group-commit, 64";
    assert!(headline.starts_with(expected), "{headline}");
}

#[test]
fn strategies_of_a_burst_are_compared_by_their_latency() {
    let markdown = report::markdown(&session(&Recipe::core())).unwrap();
    let row = markdown.lines().find(|line| line.contains("bursts")).unwrap();
    assert!(row.contains("by p90") && row.contains("std-mutex's p90 is 1.5") && !row.contains("/s"), "{row}");
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

fn wild_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(-1.0),
        Just(0.0),
        Just(1e-12),
        Just(1e12),
        0.0..1e9_f64
    ]
}

fn wild_count() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0_u64), Just(1), Just(u64::MAX), 0..10_000_000_u64]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_measurement_renders_without_panic_or_nonsense(
        wild in proptest::collection::vec((0..24_usize, wild_number(), wild_count()), 1..12),
        strategies in proptest::collection::vec("[a-z]{1,8}|.{0,300}", 1..16),
        rounds in 1..8_u32,
    ) {
        let strategies: Vec<String> = strategies.iter().enumerate().map(|(i, name)| format!("{name}{i}")).collect();
        let cells = vec![(Callers::Threads, 2, 0), (Callers::Tasks, 2, 5), (Callers::Tasks, 4, 5)];
        let workloads = vec![("w".to_owned(), true, cells)];
        let mut session = session(&Recipe { seed: 3, rounds, strategies, workloads });
        for (which, number, count) in wild {
            let n = session.trials.len();
            let TrialResult::Measured(m) = &mut session.trials[which % n].result else { continue };
            m.done = count;
            m.clients = vec![count, 0];
            m.longest_gap_ns = count;
            m.cost.mean_ns = number;
            m.cost.cv = number;
            m.cost.commits = count;
            m.cost.busy_ns = Some(count);
            m.mean_ns.insert("queued".to_owned(), number);
            if let Some(evidence) = &mut m.evidence {
                evidence.user_ns = count;
            }
        }
        let rendered = render(&session);
        prop_assert!(parse(&rendered.page).is_ok(), "{:?}", parse(&rendered.page).err());
        for (name, svg) in &rendered.charts {
            prop_assert!(parse(svg).is_ok(), "{}: {:?}", name, parse(svg).err());
        }
        let words = report::terminal(&session, 100, false);
        prop_assert!(!words.contains(" NaN") && !words.contains(" inf"), "{}", words);
    }
}
