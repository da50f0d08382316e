//! The workspace's manifests keep what the design promises: who depends on whom, and which targets Cargo benches.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// What takes the place of threads and atomics in model checks; no user ever builds with it.
const MODEL_CHECKERS: &[&str] = &["cfg(loom)", "cfg(shuttle)"];

/// A member of the workspace.
struct Member {
    folder: PathBuf,
    name: String,
    manifest: Table,
}

fn parse(path: &Path) -> Table {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn members() -> Vec<Member> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member is inside of the workspace");
    let workspace = parse(&root.join("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().expect("a list").iter();
    members
        .map(|name| {
            let folder = root.join(name.as_str().expect("a folder"));
            let manifest = parse(&folder.join("Cargo.toml"));
            let name = manifest["package"]["name"].as_str().expect("a name").to_owned();
            Member { folder, name, manifest }
        })
        .collect()
}

impl Member {
    /// The targets of a kind, as they are written.
    fn targets(&self, kind: &str) -> Vec<&Table> {
        match self.manifest.get(kind) {
            Some(Value::Table(one)) => vec![one],
            Some(Value::Array(many)) => {
                many.iter().map(|target| target.as_table().expect("a table")).collect()
            }
            _ => Vec::new(),
        }
    }

    fn dependencies(&self, kind: &str) -> BTreeSet<&str> {
        let of_platforms = match self.manifest.get("target") {
            Some(Value::Table(platforms)) => {
                let real =
                    platforms.iter().filter(|(platform, _)| !MODEL_CHECKERS.contains(&platform.as_str()));
                real.flat_map(|(_, platform)| keys(platform.get(kind))).collect()
            }
            _ => Vec::new(),
        };
        keys(self.manifest.get(kind)).into_iter().chain(of_platforms).collect()
    }
}

fn keys(table: Option<&Value>) -> Vec<&str> {
    table
        .and_then(Value::as_table)
        .map(|table| table.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

fn is_false(target: &Table, key: &str) -> bool {
    target.get(key).and_then(Value::as_bool) == Some(false)
}

#[test]
fn cargo_bench_reaches_no_libtest() {
    for member in members() {
        let name = &member.name;
        let has_library = member.folder.join("src/lib.rs").exists();
        assert_eq!(member.targets("lib").len(), usize::from(has_library), "{name}: [lib] is written out");
        let has_binary = member.folder.join("src/main.rs").exists() || member.folder.join("src/bin").exists();
        assert_eq!(!member.targets("bin").is_empty(), has_binary, "{name}: [[bin]] is written out");
        for target in member.targets("lib").into_iter().chain(member.targets("bin")) {
            assert!(is_false(target, "bench"), "{name}: bench = false on every library and binary");
        }
    }
}

#[test]
fn every_bench_has_a_main_of_its_own() {
    for member in members() {
        let written = member.targets("bench");
        let files = fs::read_dir(member.folder.join("benches")).map_or(0, |entries| {
            entries
                .filter(|entry| entry.as_ref().is_ok_and(|e| e.path().extension().is_some_and(|x| x == "rs")))
                .count()
        });
        assert_eq!(written.len(), files, "{}: every bench is written out", member.name);
        for bench in written {
            assert!(is_false(bench, "harness"), "{}: harness = false on every bench", member.name);
        }
    }
}

#[test]
fn the_pattern_depends_on_nothing() {
    let members = members();
    let pattern = members.iter().find(|member| member.name == "update-queue").expect("a member");
    assert_eq!(pattern.dependencies("dependencies"), BTreeSet::new());
}

#[test]
fn arrows_point_one_way() {
    let members = members();
    let names: BTreeSet<_> = members.iter().map(|member| member.name.as_str()).collect();
    for member in &members {
        let inside: BTreeSet<_> = member.dependencies("dependencies").intersection(&names).copied().collect();
        assert!(!inside.contains("bench-harness"), "{} uses the harness", member.name);
        let is_strategy = member.name.starts_with("queue-") || member.name == "baseline-mutex";
        if is_strategy {
            assert_eq!(
                inside,
                BTreeSet::from(["update-queue"]),
                "{} is one transport on the engine",
                member.name
            );
        }
    }
}

#[test]
fn every_crate_forbids_unsafe_code_and_takes_the_workspaces_lints() {
    for member in members() {
        assert_eq!(member.manifest["lints"]["workspace"].as_bool(), Some(true), "{}", member.name);
        let library =
            fs::read_to_string(member.folder.join("src/lib.rs")).expect("every member has a library");
        assert!(library.contains("#![forbid(unsafe_code)]"), "{}", member.name);
    }
}
