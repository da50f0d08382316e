//! Writing to the user, whoever that is: a terminal, a file, or a pipe that has been closed.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::PROGRAM;

// LIMIT: 100 columns where there is no terminal: what a wide table needs and a log viewer still shows in one line.
const DEFAULT_WIDTH: usize = 100;

/// Writes data to standard output. When nobody reads it any more, the work goes on without.
pub(super) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    drop(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
}

/// Writes a line about the work to standard error.
pub(super) fn say(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Columns of the terminal that standard output goes to.
pub(super) fn width() -> usize {
    terminal_size::terminal_size().map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0))
}

/// Whether standard output wants colour.
pub(super) fn has_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Breaks a text into lines of at most `width` columns, each after `indent` spaces.
pub(super) fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut wrapped = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length <= width {
            wrapped.push(' ');
            column += 1 + length;
        } else {
            if column > 0 {
                wrapped.push('\n');
            }
            wrapped.extend(std::iter::repeat_n(' ', indent));
            column = indent + length;
        }
        wrapped.push_str(word);
    }
    wrapped.push('\n');
    wrapped
}

/// The command line for the record: of a path only its last part, because folders name users and machines.
pub(super) fn command(arguments: &[OsString]) -> Vec<String> {
    let given = arguments.iter().skip(1).map(|argument| without_folders(&argument.to_string_lossy()));
    std::iter::once(PROGRAM.to_owned()).chain(given).collect()
}

fn without_folders(argument: &str) -> String {
    let last =
        |part: &str| part.rsplit(['/', '\\']).find(|name| !name.is_empty()).unwrap_or_default().to_owned();
    let (flag, values) = match argument.split_once('=') {
        Some((flag, values)) => (format!("{flag}="), values),
        None => (String::new(), argument),
    };
    flag + &values.split(',').map(last).collect::<Vec<_>>().join(",")
}

/// The folder that holds the sources: the nearest one above the working directory.
pub(super) fn workspace() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let is_root = |folder: &&Path| {
        folder.join("Cargo.toml").is_file() && folder.join(PROGRAM).join("Cargo.toml").is_file()
    };
    here.ancestors().find(is_root).map(Path::to_owned)
}

/// The folder that sessions are put into: as given, or beside the sources, or in the working directory.
pub(super) fn results(given: Option<&Path>) -> PathBuf {
    given.map_or_else(|| workspace().unwrap_or_default().join("results"), Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_command_names_no_folder() {
        let given =
            ["/somewhere/bin/x", "run", "--workload", "/somewhere/a.toml,slow", "--results=/tmp/r/", "-v"];
        let given: Vec<_> = given.iter().map(OsString::from).collect();
        assert_eq!(
            command(&given),
            ["bench-harness", "run", "--workload", "a.toml,slow", "--results=r", "-v"]
        );
    }

    #[test]
    fn lines_break_between_words_and_long_words_stay_whole() {
        assert_eq!(wrap("one two  three\nfour", 9, 2), "  one two\n  three\n  four\n");
        assert_eq!(wrap("a incomprehensible b", 6, 1), " a\n incomprehensible\n b\n");
        assert_eq!(wrap("", 6, 1), "\n");
    }
}
