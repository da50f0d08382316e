//! `trial`: one strategy on one cell, in this process. What `run` starts for each trial, and useful by hand.

use std::io::Read;
use std::path::PathBuf;

use super::filters::Filters;
use super::{Problem, Verdict, output, schedule};
use crate::campaign::plan;
use crate::random;
use crate::record::{LIMIT, TrialResult};
use crate::session::store::line;
use crate::trial;
use crate::trial::open::is_open;
use crate::trial::spec::TrialSpec;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Read everything from a file with the JSON of a spec, `-` for standard input, instead of filters
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "rate", "workload", "strategy", "cell", "callers", "clients", "core"])]
    spec: Option<PathBuf>,
    /// The seed of the updates, for example 0x1f [default: a new one]
    #[arg(long, value_name = "SEED", value_parser = schedule::seed)]
    seed: Option<u64>,
    /// Updates per second of all clients together, for a cell of an open loop
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    #[command(flatten)]
    filters: Filters,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if f64::is_finite(rate) && rate > 0.0 => Ok(rate),
        _ => Err("a rate is a number of updates per second above 0, like 750".to_owned()),
    }
}

pub(super) fn run(arguments: &Args) -> Result<Verdict, Problem> {
    let spec = match &arguments.spec {
        Some(path) => read(path)?,
        None => choose(arguments)?,
    };
    let trial = trial::run(&spec);
    let line =
        line(&trial).map_err(|error| Problem::Error(format!("the record cannot be written: {error}")))?;
    output::print(&format!("{line}\n"));
    Ok(match trial.result {
        TrialResult::Measured(_) => Verdict::Pass,
        TrialResult::Failed(_) => Verdict::Flawed,
    })
}

fn read(path: &PathBuf) -> Result<TrialSpec, Problem> {
    let mut text = String::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().lock().read_to_string(&mut text).map(drop),
        false => std::fs::read_to_string(path).map(|file| text = file),
    };
    read.map_err(|error| Problem::Error(format!("cannot read the spec {}: {error}", path.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| Problem::Usage(format!("{} is not the spec of a trial: {error}", path.display())))
}

fn choose(arguments: &Args) -> Result<TrialSpec, Problem> {
    let filters = &arguments.filters;
    let workloads = filters.workloads()?;
    let is_limit = filters.strategy == [LIMIT];
    let strategies = if is_limit { vec![LIMIT.to_owned()] } else { filters.strategies()? };
    let cells: Vec<_> = workloads.iter().flat_map(|w| w.cells.iter().map(move |cell| (w, cell))).collect();
    let ([(workload, cell)], [strategy]) = (&cells[..], &strategies[..]) else {
        let chosen = format!("the filters choose {} cells and {} strategies", cells.len(), strategies.len());
        let example = "--workload NAME --cell ID --strategy NAME (`list` shows them)";
        return Err(Problem::Usage(format!(
            "a trial is one strategy on one cell, but {chosen}; give {example}"
        )));
    };
    let seed = arguments.seed.unwrap_or_else(random::fresh_seed);
    let spec = TrialSpec { rate: arguments.rate, ..plan::spec(workload, cell, strategy, seed) };
    match (is_open(&spec), spec.rate) {
        (true, None) => Err(Problem::Usage(format!(
            "cell `{}` is an open loop; give --rate: `run` takes it from the capacities that it measures first",
            cell.id
        ))),
        (false, Some(_)) => Err(Problem::Usage(format!(
            "cell `{}` is a closed loop, which has no rate; leave out --rate",
            cell.id
        ))),
        _ => Ok(spec),
    }
}
