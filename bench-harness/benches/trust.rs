//! How far the harness can be trusted, in numbers: against theory, by its own cost, and as a report.
//!
//! `cargo bench --bench trust` measures all; `cargo bench --bench trust -- theory` one of `theory`, `timing`, `report`. Ends
//! with status 1 if a goal is missed. How often its verdicts are wrong is what `cargo harness calibrate` measures.

use std::env;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bench_harness::campaign::timing::timing as timing_of;
use bench_harness::record::{Measurement, PlannedCell, TrialResult};
use bench_harness::report;
use bench_harness::stats::location::median;
use bench_harness::stats::mean_wait;
use bench_harness::trial::evidence::most_memory;
use bench_harness::trial::{run, spec::TrialSpec};
use bench_harness::workload::definition::{Callers, Cost, CostKind, Pattern, Spacing, Variation};

#[path = "../tests/synthetic/mod.rs"]
#[allow(dead_code, reason = "the tests of reports use all of it")]
mod synthetic;

/// What it is called on the command line, and how it is measured; `Err` says what went wrong.
type Figure = (&'static str, fn() -> Result<bool, String>);

const FIGURES: [Figure; 3] = [("timing", timing), ("report", rendering), ("theory", theory)];

fn main() -> ExitCode {
    // `cargo bench` adds `--bench`.
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let Some(unknown) = args.iter().find(|arg| !FIGURES.iter().any(|(name, _)| name == arg)) {
        let names = FIGURES.map(|(name, _)| name).join(", ");
        eprintln!("there is no figure `{unknown}`; name any of {names}, or none for all");
        return ExitCode::from(2);
    }
    let chosen = FIGURES.iter().filter(|(name, _)| args.is_empty() || args.iter().any(|arg| arg == name));
    let mut all_met = true;
    for (_, measure) in chosen {
        all_met &= measure().unwrap_or_else(|error| {
            println!("  not measured: {error}");
            false
        });
    }
    if all_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a line, and whether the number is within its goal.
fn show(what: &str, number: &str, goal: &str, met: bool) -> bool {
    println!("  {what:<28} {number:<44} goal {goal}: {}", if met { "met" } else { "MISSED" });
    met
}

fn measure(spec: &TrialSpec) -> Result<Measurement, String> {
    match run(spec).result {
        TrialResult::Measured(measured) => Ok(*measured),
        TrialResult::Failed(failure) => {
            Err(format!("{} in {} failed {}: {}", spec.strategy, spec.cell.id, failure.check, failure.reason))
        }
    }
}

fn spec(strategy: &str, clients: usize, write: Duration) -> TrialSpec {
    let write = Cost { requested: write, kind: CostKind::Spin };
    TrialSpec {
        round: 0,
        position: 0,
        workload: "trust".to_owned(),
        cell: PlannedCell {
            id: format!("threads-{clients}"),
            callers: Callers::Threads,
            clients,
            write,
            load: None,
        },
        label: strategy.to_owned(),
        strategy: strategy.to_owned(),
        seed: 1,
        pattern: Pattern::Steady,
        rate: None,
        variation: Variation::default(),
        slowed: 0.0,
        capacity: 1024,
        max_batch: 1_000,
        commit: None,
        timed_every: 1,
        warm_up: Duration::from_millis(200),
        window: Duration::from_millis(300),
    }
}

// ---- what timing costs -----------------------------------------------------------------------------------------------

/// What timing all parts of an update costs; every session measures it likewise.
fn timing() -> Result<bool, String> {
    println!("timing: what an update of the bare loop takes longer when all its parts are timed");
    let costs = (0..7).filter_map(|_| timing_of(|spec| Ok::<_, ()>(run(spec))).ok().flatten());
    let costs: Vec<f64> = costs.collect();
    let cost = median(&costs).map_err(|absent| absent.to_string())?;
    let range = (costs.iter().copied().fold(f64::MAX, f64::min), costs.iter().copied().fold(0.0, f64::max));
    let number = format!("{cost:.0} ns ({:.0} to {:.0})", range.0, range.1);
    Ok(show("per update", &number, "at most 250 ns", cost <= 250.0))
}

// ---- the report ------------------------------------------------------------------------------------------------------

/// How long a large session takes to render, and how large its page is.
fn rendering() -> Result<bool, String> {
    let session = synthetic::session(&synthetic::Recipe::full());
    let (cells, labels) = (session.cells().count(), session.plan.strategies.len());
    println!("report: {cells} cells, {labels} labels, {} rounds", session.plan.rounds);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let start = Instant::now();
    let page = report::write(&session, folder.path()).map_err(|error| error.to_string())?;
    let took = start.elapsed();
    let bytes = fs::metadata(page).map_err(|error| error.to_string())?.len();
    let quick = show("rendering", &format!("{took:.2?}"), "at most 2 s", took <= Duration::from_secs(2));
    let small = show("page", &format!("{} kB", bytes / 1_000), "at most 1,500 kB", bytes <= 1_500_000);
    let (most, _) = most_memory().ok_or("this system does not tell how much memory a program held")?;
    let mib = most.div_ceil(1 << 20);
    let lean = show("memory, session included", &format!("{mib} MiB"), "at most 300 MiB", mib <= 300);
    Ok(quick && small && lean)
}

// ---- theory ----------------------------------------------------------------------------------------------------------

const WRITE: Duration = Duration::from_millis(1);
// LIMIT: 16 clients: enough that two arrivals of one client seldom meet, so that the arrivals of all are nearly as random as
// theory wants them.
const CLIENTS: usize = 16;

/// The mean wait for a writer of 1 ms under random arrivals, against what theory says of any single server.
fn theory() -> Result<bool, String> {
    println!(
        "theory: mean wait from the planned start, over that of M/D/1 at the achieved cost and utilisation"
    );
    let mut met = true;
    // LIMIT: windows so long that theory's own 95 % band is within 9 % at half load; at 80 % it is about 15 %.
    for (load, tolerance, window) in [(0.5, 0.15, 20), (0.8, 0.25, 25)] {
        for strategy in ["tokio", "crossbeam", "flume"] {
            let pattern = Pattern::Arrivals { kind: Spacing::Poisson, deadline: None };
            let rate = Some(load / WRITE.as_secs_f64());
            let window = Duration::from_secs(window);
            let spec = TrialSpec { pattern, rate, window, ..spec(strategy, CLIENTS, WRITE) };
            met &= against_theory(&spec, load, tolerance)?;
        }
    }
    Ok(met)
}

fn against_theory(spec: &TrialSpec, load: f64, tolerance: f64) -> Result<bool, String> {
    let measured = measure(spec)?;
    let mean = |part: &str| measured.mean_ns.get(part).copied().ok_or(format!("{part} was not timed"));
    let waited = mean("lag")? + mean("submit")? + mean("queued")?;
    let cost = measured.cost.mean_ns;
    let busy = measured.cost.busy_ns.ok_or("the writer's time was not measured")?;
    let rho = busy as f64 / measured.window_ns as f64;
    let expected = cost * mean_wait(rho, measured.cost.cv).map_err(|absent| absent.to_string())?;
    let ratio = waited / expected;
    let number = format!(
        "{ratio:.3} ({:.0} us of {:.0} us; busy {:.1} %, write {:.0} us, cv {:.2})",
        waited / 1e3,
        expected / 1e3,
        100.0 * rho,
        cost / 1e3,
        measured.cost.cv
    );
    let goal = format!("{:.2} to {:.2}", 1.0 - tolerance, 1.0 + tolerance);
    let what = format!("{} at {:.0} %", spec.strategy, 100.0 * load);
    Ok(show(&what, &number, &goal, (ratio - 1.0).abs() <= tolerance))
}
