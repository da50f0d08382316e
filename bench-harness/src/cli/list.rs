//! `list`: the workloads with their cells, and the strategies.

use std::fmt::Write;

use super::filters::Filters;
use super::{Problem, Verdict, output};
use crate::record::LIMIT;
use crate::strategies;
use crate::workload::definition::Workload;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    filters: Filters,
}

pub(super) fn run(arguments: &Args) -> Result<Verdict, Problem> {
    let workloads = arguments.filters.workloads()?;
    let chosen = arguments.filters.strategies()?;
    let width = output::width();
    let mut text = String::from("Workloads (* = core cell, measured by `cargo bench`)\n");
    workloads.iter().for_each(|workload| describe(&mut text, workload, width));
    text.push_str("\nStrategies\n");
    for strategy in
        strategies::all().iter().filter(|strategy| chosen.iter().any(|name| name == strategy.name))
    {
        let role =
            if strategy.name == strategies::CONTROL { " (the control: every ratio is to it)" } else { "" };
        row(&mut text, strategy.name, &format!("{}{role}", strategy.about));
    }
    row(&mut text, LIMIT, "no strategy: the same writes in a bare loop, as fast as they can be");
    output::print(&text);
    Ok(Verdict::Pass)
}

fn describe(text: &mut String, workload: &Workload, width: usize) {
    let cells = workload.cells.iter().map(|cell| format!("{}{}", cell.id, if cell.core { "*" } else { "" }));
    let cells = format!("cells: {}", cells.collect::<Vec<_>>().join(" "));
    text.push('\n');
    row(text, &workload.name, &workload.title);
    text.push_str(&output::wrap(&workload.question, width, 4));
    text.push_str(&output::wrap(&cells, width, 4));
}

fn row(text: &mut String, name: &str, about: &str) {
    writeln!(text, "  {name:<14}  {about}").expect("a string takes all text");
}
