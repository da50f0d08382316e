//! The table for a terminal: plain words, every number with its unit.

use super::escape::{clean, columns};
use super::format::{NONE, duration, known, percent, rate, ratio};
use super::model::{CellView, Model, Numbers, Objective, Outcome, Role, Row, WorkloadView};

/// Everything, as lines of at most `width` columns where the words allow.
pub(super) fn table(model: &Model, width: usize, colour: bool) -> String {
    // LIMIT: under 40 columns no table is readable; longer lines then wrap.
    let page = Page { width: width.max(40), colour };
    let mut text = String::new();
    for workload in &model.workloads {
        text += &page.workload(workload);
    }
    text += &page.wrapped(&model.headline, "", Style::Bold);
    for warning in &model.warnings {
        text += &page.wrapped(warning, "! ", Style::Bad);
    }
    for row in &model.failures {
        text +=
            &page.wrapped(&format!("{}, {}: {}", row.strategy, row.place, row.sentence()), "✕ ", Style::Bad);
    }
    let short = ["Run", "Fitness", "A/A twin", "Calibration"];
    for (name, value) in model.honesty.iter().filter(|(name, _)| short.contains(name)) {
        text += &page.wrapped(value, &format!("{name}: "), Style::Dim);
    }
    text += &page.wrapped(&model.provenance, "", Style::Dim);
    text
}

#[derive(Clone, Copy)]
enum Style {
    Plain,
    Bold,
    Dim,
    Bad,
}

struct Page {
    width: usize,
    colour: bool,
}

/// A column: its heading, and what a row shows there. From the right, columns go when the terminal is narrow; the verdict
/// stays.
type Column = (&'static str, fn(&Row, &Numbers) -> String);

fn columns_of(workload: &WorkloadView) -> Vec<Column> {
    let mut columns = COLUMNS.to_vec();
    if workload.objective != Objective::Throughput {
        // The load sets the pace: what differs is how long callers wait.
        columns[2] = ("faster by [95 %]", |_, n| known(&n.merit, ratio));
    }
    columns
}

const COLUMNS: [Column; 10] = [
    ("verdict", |row, _| {
        let (word, shape) = row.verdict();
        format!("{shape} {word}")
    }),
    ("updates", |_, n| known(&n.throughput, |t| rate(t.centre))),
    ("× control [95 %]", |_, n| known(&n.to_control, ratio)),
    ("of limit", |_, n| known(&n.of_limit, |ratio| percent(ratio.estimate))),
    ("latency p50", |_, n| known(&n.latency.p50, |ns| duration(*ns))),
    ("p99", |_, n| known(&n.latency.p99, |ns| duration(*ns))),
    ("held p99", |_, n| known(&n.held.p99, |ns| duration(*ns))),
    ("writer busy", |_, n| known(&n.utilisation, |busy| percent(busy.centre))),
    ("CPU/update", |_, n| known(&n.cpu_ns, |(user, kernel)| duration(user.centre + kernel.centre))),
    ("p99.9", |_, n| known(&n.latency.p999, |ns| duration(*ns))),
];

/// Columns that are there at any width.
const ALWAYS: usize = 3;

impl Page {
    fn workload(&self, workload: &WorkloadView) -> String {
        let mut text = self.wrapped(&format!("{}: {}", workload.name, workload.title), "", Style::Bold);
        text += &self.wrapped(&workload.conditions, "", Style::Dim);
        for cell in &workload.cells {
            text += &self.cell(cell, &columns_of(workload));
        }
        text.push('\n');
        text
    }

    fn cell(&self, cell: &CellView, shows: &[Column]) -> String {
        let names: Vec<String> = cell.rows.iter().map(|row| clean(&row.strategy)).collect();
        let name_width = names.iter().map(|name| columns(name)).max().unwrap_or(0).min(self.width / 3);
        let shown: Vec<Vec<String>> = cell.rows.iter().map(|row| texts(row, shows)).collect();
        let widths = self.widths(shows, &shown, name_width);
        let mut text = self.line(&[], &clean(&cell.title), &[], Style::Bold);
        let heads: Vec<String> = shows.iter().map(|(head, _)| (*head).to_owned()).collect();
        text += &self.line(&widths, &pad("strategy", name_width, false), &heads, Style::Dim);
        for ((row, name), cells) in cell.rows.iter().zip(&names).zip(&shown) {
            let name = pad(&cut(name, name_width), name_width, false);
            text += &match &row.outcome {
                Outcome::Failed(failed) => {
                    self.wrapped(&failed.sentence(), &format!("  {name}  "), Style::Bad)
                }
                Outcome::NotMeasured => self.line(&[], &format!("{name}  not measured"), &[], Style::Dim),
                Outcome::Measured(_) => {
                    let style = if row.role == Role::Limit { Style::Dim } else { Style::Plain };
                    self.line(&widths, &name, cells, style)
                }
            };
        }
        text
    }

    /// The widths of the columns that fit; the first of them always do.
    fn widths(&self, shows: &[Column], rows: &[Vec<String>], name_width: usize) -> Vec<usize> {
        let mut used = name_width + 2;
        let mut widths = Vec::new();
        for (i, (head, _)) in shows.iter().enumerate() {
            let cells = rows.iter().filter_map(|row| row.get(i)).map(|cell| columns(cell));
            let width = cells.chain([columns(head)]).max().unwrap_or(0);
            used += width + 2;
            if used > self.width && i >= ALWAYS {
                break;
            }
            widths.push(width);
        }
        widths
    }

    fn line(&self, widths: &[usize], name: &str, cells: &[String], style: Style) -> String {
        let mut line = format!("  {name}");
        for (width, cell) in widths.iter().zip(cells) {
            line += "  ";
            line += &pad(cell, *width, true);
        }
        self.styled(line.trim_end(), style)
    }

    /// Words broken at the width, later lines indented like the first.
    fn wrapped(&self, text: &str, prefix: &str, style: Style) -> String {
        let indent = " ".repeat(columns(prefix));
        let mut lines = vec![prefix.to_owned()];
        for word in clean(text).split_whitespace() {
            let line = lines.last_mut().expect("there is always a line");
            let is_fresh = columns(line) <= columns(prefix);
            if !is_fresh && columns(line) + 1 + columns(word) > self.width {
                lines.push(format!("{indent}{word}"));
            } else {
                if !is_fresh {
                    line.push(' ');
                }
                line.push_str(word);
            }
        }
        lines.iter().map(|line| self.styled(line.trim_end(), style)).collect()
    }

    fn styled(&self, line: &str, style: Style) -> String {
        let code = match style {
            _ if !self.colour => return format!("{line}\n"),
            Style::Plain => return format!("{line}\n"),
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Bad => "31",
        };
        format!("\x1b[{code}m{line}\x1b[0m\n")
    }
}

fn texts(row: &Row, shows: &[Column]) -> Vec<String> {
    let show = |numbers: &Numbers| shows.iter().map(|(_, show)| show(row, numbers)).collect();
    row.numbers().map_or_else(|| vec![NONE.to_owned(); shows.len()], show)
}

fn pad(text: &str, width: usize, right: bool) -> String {
    let spaces = " ".repeat(width.saturating_sub(columns(text)));
    if right { format!("{spaces}{text}") } else { format!("{text}{spaces}") }
}

fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        if columns(&cut) + columns(&c.to_string()) + 1 > width {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}
