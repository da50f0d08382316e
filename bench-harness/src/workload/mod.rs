//! What is measured: workload files and their cells.
//!
//! The files that ship with the harness are part of the binary, so that it measures the same thing wherever it runs.

use std::path::Path;

use include_dir::{Dir, include_dir};

pub mod definition;
pub mod duration;
mod form;
pub mod parse;

use definition::Workload;

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/workloads");

/// In what order a reader meets the shipped workloads, a name on each line: from the question that most people come with
/// to the special case.
const ORDER: &str = include_str!("../../workloads/order.txt");

/// The workloads that ship with the harness, in reading order.
///
/// # Errors
/// A file of this build does not parse; a test keeps that from happening.
pub fn shipped() -> Result<Vec<Workload>, parse::Error> {
    let mut files: Vec<_> = SHIPPED.files().filter(|file| is_workload(file.path())).collect();
    files.sort_by_key(|file| ORDER.lines().position(|listed| listed == name(file.path())));
    files
        .into_iter()
        .map(|file| {
            let path = file.path();
            parse::parse(&name(path), &format!("bench-harness/workloads/{}", path.display()), file.contents())
        })
        .collect()
}

/// Reads a workload file of the user's own.
///
/// # Errors
/// The file cannot be read, or says something that makes no sense: see [`parse::Error`].
pub fn read(path: &Path) -> Result<Workload, parse::Error> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| parse::Error::unreadable(&shown, &error))?;
    parse::parse(&name(path), &shown, &bytes)
}

/// Whether a path looks like a workload file.
pub fn is_workload(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_file_parses_and_every_closed_loop_has_core_cells() {
        let workloads = shipped().expect("shipped workload files are right");
        assert!(
            workloads.iter().map(|workload| &*workload.name).eq(ORDER.lines()),
            "every file has its place"
        );
        for workload in &workloads {
            assert!(workload.question.len() > 80, "{} says what it answers", workload.name);
            // The windows of an open loop are too long for `cargo bench`.
            assert!(
                workload.cells.iter().any(|cell| cell.core || cell.load.is_some()),
                "{} is part of `cargo bench`",
                workload.name
            );
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("no/such/file.toml")).unwrap_err();
        assert!(error.to_string().starts_with("no/such/file.toml: "), "{error}");
    }
}
