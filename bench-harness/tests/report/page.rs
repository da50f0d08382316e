//! The page: well formed, safe, within its budget, and readable aloud.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use bench_harness::report;
use bench_harness::workload::definition::Callers;
use sha2::Digest as _;

use super::markup::{Element, parse};
use super::synthetic::{Recipe, session};
use super::{CORE, Rendered, render};

#[test]
fn over_the_cost_of_a_write_each_strategy_but_the_control_has_a_ratio_and_all_have_a_speed() {
    let name = |name: &str| name.starts_with("throughput-cost-");
    let (_, svg) = CORE.charts.iter().find(|(chart, _)| name(chart)).unwrap();
    let labels = |strategy: &str| svg.matches(&format!(">{strategy}<")).count();
    for strategy in ["parking-lot", "tokio", "crossbeam"] {
        assert_eq!(labels(strategy), 2, "{strategy}");
    }
    assert_eq!((labels("std-mutex"), labels("limit"), labels("aa")), (1, 1, 0));
}

#[test]
fn pages_keep_their_budget() {
    let full = session(&Recipe::full());
    // Left behind for a person, and for scripts/report-screenshots and scripts/report-accessibility.
    let folders = [("core", session(&Recipe::core())), ("full", full.clone())];
    for (name, session) in &folders {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report").join(name);
        report::write(session, &folder).unwrap();
        std::fs::write(folder.join("session.json"), serde_json::to_string(session).unwrap()).unwrap();
    }
    let (core, full) = (CORE.page.len(), render(&full).page.len());
    assert!(core <= 700_000, "{} cells: {core} bytes", 13);
    // LIMIT: 1.5 MB for forty cells of eight labels and twelve rounds; such a page still opens at once.
    assert!(full <= 1_500_000, "forty cells: {full} bytes");
}

#[test]
fn the_page_is_well_formed_and_asks_for_nothing() {
    let Rendered { page, charts, .. } = &*CORE;
    let elements = parse(page).unwrap();
    for element in &elements {
        for (key, value) in &element.attributes {
            let allowed = match key.as_str() {
                "src" | "style" | "srcset" | "action" | "data" => false,
                "href" => {
                    value.starts_with('#') || value == "data:," || value.starts_with("data:text/csv;base64,")
                }
                "xmlns" => value == "http://www.w3.org/2000/svg",
                _ => !key.starts_with("on") && !value.contains("http"),
            };
            assert!(allowed, "{key}={value} in <{}>", element.name);
        }
    }
    for forbidden in ["@import", "url(", "javascript:", "<iframe", "<img", "fetch(", "import("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for (name, svg) in charts {
        let parsed = parse(svg);
        assert!(parsed.is_ok_and(|elements| elements[0].name == "svg"), "{name}");
        assert!(!svg.contains("url(") && !svg.contains("<script"), "{name}");
    }
}

#[test]
fn the_policy_allows_exactly_the_one_stylesheet_and_the_one_script() {
    let elements = parse(&render(&session(&Recipe::small())).page).unwrap();
    let policy = elements.iter().find_map(|element| match element.attributes.get("http-equiv") {
        Some(_) => element.attributes.get("content"),
        None => None,
    });
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text));
    let texts = |name: &str| -> Vec<&Element> {
        elements.iter().filter(|e| e.name == name && !e.attributes.contains_key("type")).collect()
    };
    let (styles, scripts) = (texts("style"), texts("script"));
    assert_eq!((styles.len(), scripts.len()), (1, 1));
    assert!(scripts[0].text.len() <= 6_000, "{} bytes of script", scripts[0].text.len());
    let expected = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(&styles[0].text),
        hash(&scripts[0].text)
    );
    assert_eq!(policy, Some(&expected));
    assert!(!styles[0].text.contains("</") && !scripts[0].text.contains("</"));
}

#[test]
fn the_raw_rounds_are_in_the_page_for_programs() {
    let session = session(&Recipe::small());
    let elements = parse(&render(&session).page).unwrap();
    let block = elements.iter().find(|element| element.attributes.get("id").is_some_and(|id| id == "rounds"));
    let rounds: serde_json::Value = serde_json::from_str(&block.unwrap().text).unwrap();
    let rows = rounds["rows"].as_array().unwrap();
    assert_eq!(rows.len(), session.trials_per_round());
    assert!(rows.iter().all(|row| row["updates_per_second"].as_array().unwrap().len() == 12));
}

#[test]
fn everything_is_there_without_the_script() {
    let elements = parse(&CORE.page).unwrap();
    let rows = || elements.iter().filter(|element| element.attributes.contains_key("data-v"));
    assert_eq!(rows().count(), 13 * 8, "a row for each label and cell");
    assert!(rows().all(|row| !row.attributes.contains_key("hidden")));
    // What the style sheet hides is chosen by a radio button that is there.
    let ids: BTreeSet<&str> =
        elements.iter().filter_map(|e| e.attributes.get("id")).map(String::as_str).collect();
    let style = &elements.iter().find(|element| element.name == "style").unwrap().text;
    for choice in style.split(":has(#").skip(1).map(|rest| rest.split(':').next().unwrap()) {
        assert!(ids.contains(choice), "nothing has the id {choice}");
    }
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
    let Rendered { page, charts, .. } = &*CORE;
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
        for workload in ["slow-writes", "write-cost", "group-commit", "bursts", "cheap-writes", "open-loop"] {
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
        session.plan.master_seed = names[5].to_owned();
        session.id = names[0].to_owned();
        session.incomplete_reason = Some(names[1].to_owned());
        session.complete = false;
        for (round, evidence) in session.rounds.iter_mut().enumerate() {
            evidence.invalid = (round < 2).then(|| names[4].to_owned());
        }
        let environment = &mut session.environment;
        environment.rustc = names[2].to_owned();
        environment.binary = names[4].to_owned();
        environment.os = names[0].to_owned();
        environment.kernel = Some(names[1].to_owned());
        environment.hypervisor = Some(names[3].to_owned());
        environment.started = names[5].to_owned();
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
    let fields = attacked.csv.lines().skip(1).flat_map(|line| line.split(','));
    for field in fields {
        assert!(!field.starts_with(['=', '+', '@']), "a formula: {field}");
    }
    assert!(!attacked.csv.chars().any(|c| c.is_control() && c != '\n'));
    let readme = report::readme(&hostile, "charts").unwrap();
    assert!(!readme.contains("<script") && !readme.contains("@user"), "{readme}");
    assert!(readme.split("](").skip(1).all(|address| address.starts_with("charts/")), "{readme}");
    let terminal = report::terminal(&hostile, 100, false);
    assert!(!terminal.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{terminal:?}");
    let markdown = report::markdown(&hostile).unwrap();
    assert!(
        !markdown.contains("<script") && !markdown.contains("| `code`") && !markdown.contains("@user"),
        "{markdown}"
    );
}
