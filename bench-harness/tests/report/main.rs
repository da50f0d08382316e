//! The report of a made-up session: its structure, its honesty, its safety, and its exact text.

#![allow(clippy::unwrap_used, reason = "helpers outside of test functions unwrap too, and a test may")]

#[path = "../markup/mod.rs"]
mod markup;
mod page;
#[path = "../synthetic/mod.rs"]
mod synthetic;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bench_harness::record::{Failure, Session, TrialResult};
use bench_harness::report;
use bench_harness::workload::definition::Callers;
use markup::parse;
use proptest::prelude::*;
use synthetic::{Recipe, session};

/// What a session renders to.
struct Rendered {
    page: String,
    charts: Vec<(String, String)>,
    csv: String,
}

fn render(session: &Session) -> Rendered {
    let folder = tempfile::tempdir().unwrap();
    let page = report::write(session, folder.path()).unwrap();
    assert_eq!(page, folder.path().join("report.html"));
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let expected = ["charts", "report.html", "rounds.csv"].map(|name| folder.path().join(name));
    assert_eq!(files, expected, "nothing else is left behind");
    let mut charts: Vec<(String, String)> = fs::read_dir(folder.path().join("charts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    charts.sort();
    let csv = fs::read_to_string(folder.path().join(report::RAW)).unwrap();
    Rendered { page: fs::read_to_string(page).unwrap(), charts, csv }
}

/// Thirteen cells; rendered once, because several tests look at it.
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

/// Sessions in which something is missing or wrong, by name.
fn troubled() -> Vec<(&'static str, Session)> {
    let mut failed = session(&Recipe::small());
    fail(&mut failed, "cheap-writes", "tokio", 2);
    let mut unfit = session(&Recipe::small());
    let cpus = unfit.environment.cpus as u64;
    unfit.rounds.iter_mut().for_each(|round| round.steal_ns = Some(round.wall_ns * cpus / 10));
    let mut unrecorded = session(&Recipe { has_twin: false, ..Recipe::small() });
    unrecorded.rounds.clear();
    let invalid = Recipe { rounds: 13, invalid: vec![4], ..Recipe::small() };
    vec![
        ("failed", failed),
        ("inconclusive", session(&Recipe { rounds: 4, ..Recipe::small() })),
        ("unfit", unfit),
        ("one-round", session(&Recipe { rounds: 1, ..Recipe::small() })),
        ("no-twin", unrecorded),
        ("invalid-round", session(&invalid)),
    ]
}

#[test]
fn troubled_sessions_read_as_approved_and_have_a_page() {
    for (name, session) in troubled() {
        golden(&format!("report-{name}.md"), &report::markdown(&session).unwrap());
        let rendered = render(&session);
        assert!(parse(&rendered.page).is_ok(), "{name}: {:?}", parse(&rendered.page).err());
    }
    let readme = report::readme(&session(&Recipe::core()), "results/charts").unwrap();
    golden("report-readme.md", &readme);
}

#[test]
fn the_same_session_gives_the_same_bytes() {
    let again = render(&session(&Recipe::core()));
    assert_eq!(CORE.page, again.page);
    assert_eq!(CORE.charts, again.charts);
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
        let mut session = session(&Recipe { seed: 3, rounds, strategies, workloads, ..Recipe::small() });
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
