//! Where and how a session was measured, in words. Host, user and path names are not in the record and not here.

use super::headline::About;
use super::{Outcome, TwinRatio, WorkloadView};
use crate::record::{Environment, Session};
use crate::report::format::{bytes, known, number, percent, plural, ratio};
use crate::stats::proportion;
use crate::stats::verdict::FAMILY_ERROR;
use crate::stats::{Interval, Verdict};

/// One line: machine, rounds, date, commit.
pub(super) fn provenance(session: &Session, rounds: usize) -> String {
    let env = &session.environment;
    let mut parts = vec![
        env.cpu.clone().unwrap_or_else(|| "CPU model unknown".to_owned()),
        plural(env.cpus, "CPU"),
        env.kernel.clone().map_or_else(|| env.os.clone(), |kernel| format!("{} {kernel}", env.os)),
    ];
    parts.extend(env.hypervisor.as_ref().map(|name| format!("virtual machine ({name})")));
    parts.push(date(&env.started));
    parts.push(plural(rounds, "round"));
    parts.push(
        env.commit
            .as_ref()
            .map_or_else(|| "commit unknown".to_owned(), |sha| format!("commit {}", short(sha))),
    );
    parts.join(" · ")
}

pub(super) fn date(started: &str) -> String {
    started.split('T').next().unwrap_or(started).to_owned()
}

/// The first digits of a hash; a suffix such as `-dirty` stays.
fn short(sha: &str) -> String {
    let (hash, suffix) =
        sha.split_once('-').map_or((sha, String::new()), |(hash, rest)| (hash, format!("-{rest}")));
    // LIMIT: 10 digits name a commit in any repository of this kind.
    hash.chars().take(10).chain(suffix.chars()).collect()
}

/// What a sceptic asks first. Name and value.
pub(super) fn honesty(about: &About<'_>, workloads: &[WorkloadView]) -> Vec<(&'static str, String)> {
    let (session, env) = (about.session, &about.session.environment);
    let machine = [
        format!("{} of {}", plural(env.cpus, "CPU"), env.cpu.as_deref().unwrap_or("an unknown model")),
        env.kernel.clone().map_or_else(|| env.os.clone(), |kernel| format!("{} {kernel}", env.os)),
        env.hypervisor
            .clone()
            .map_or_else(|| "no hypervisor visible".to_owned(), |name| format!("virtual ({name})")),
    ];
    let quota = env.cpu_quota.map_or_else(String::new, |quota| format!(", quota {} CPUs", number(quota)));
    let build = format!(
        "{}, {}, commit {}, {}, binary {}",
        date(&env.started),
        session.plan.command.join(" "),
        env.commit.as_deref().map_or_else(|| "unknown".to_owned(), short),
        env.rustc,
        short(&env.binary)
    );
    let complete = session.complete_rounds().len();
    let run = format!(
        "{complete} complete rounds of {} planned, {} count; order seed {}; every interval beside a ratio holds with 95 % for all \
         {} together",
        session.plan.rounds,
        about.rounds,
        session.plan.master_seed,
        plural(about.court.family.rows(), "comparison")
    );
    let fitness = format!("{}: {}", about.fitness.word(), about.fitness.evidence());
    vec![
        ("Machine", machine.join(", ") + &quota),
        ("Run", run),
        ("Build", build),
        ("Fitness", fitness),
        ("A/A twin", twins(workloads)),
        ("Calibration", calibration(session)),
        ("Not measured", unknown(session, workloads).join(" ")),
    ]
}

/// How often the harness is wrong here, as far as anybody knows.
fn calibration(session: &Session) -> String {
    let Some(known) = &session.calibration else {
        return "false alarms never measured on this machine class (`calibrate` does)".to_owned();
    };
    let bound = |seen, of| percent(proportion(seen, of, FAMILY_ERROR).high);
    let alarms = format!(
        "{} of {} comparisons of identical strategies called different (≤ {}) in {}",
        known.false_alarms,
        known.identical,
        bound(known.false_alarms, known.identical),
        plural(known.sessions.len(), "session")
    );
    let found = known.planted.iter().map(|planted| {
        let Interval { low, high } = proportion(planted.seen, planted.sessions, FAMILY_ERROR);
        format!(
            "{} (measured as {}) in {} of {} [{}, {}]",
            percent(planted.share),
            percent(planted.realised),
            planted.seen,
            planted.sessions,
            number(low),
            number(high)
        )
    });
    let places = known.planted.iter().map(|planted| format!("{}/{}", planted.workload, planted.cell));
    let found: Vec<(String, String)> = places.zip(found).collect();
    let cells = found.chunk_by(|a, b| a.0 == b.0).map(|cell| {
        let found: Vec<&str> = cell.iter().map(|(_, found)| found.as_str()).collect();
        format!("; slower writes found, {}: {}", cell[0].0, found.join(", "))
    });
    alarms + &cells.collect::<String>()
}

/// What the harness made of the same strategy under two names.
fn twins(workloads: &[WorkloadView]) -> String {
    let cells = workloads.iter().flat_map(|workload| workload.cells.iter().map(move |cell| (workload, cell)));
    let twins: Vec<(String, &TwinRatio)> = cells
        .flat_map(|(workload, cell)| cell.rows.iter().map(move |row| (workload, cell, row)))
        .filter_map(|(workload, cell, row)| {
            Some((format!("{}, {}", workload.name, cell.title), row.numbers()?.twin.as_ref()?))
        })
        .collect();
    let distance = |twin: &TwinRatio| twin.ratio.as_ref().map_or(0.0, |ratio| ratio.estimate.ln().abs());
    let Some((place, furthest)) = twins.iter().max_by(|a, b| distance(a.1).total_cmp(&distance(b.1))) else {
        return "none was run: what this session makes of no difference is not known".to_owned();
    };
    let called = called_different(twins.iter().map(|(_, twin)| *twin));
    let judged = || {
        let rows = workloads.iter().flat_map(|workload| &workload.cells).flat_map(|cell| &cell.rows);
        rows.filter_map(|row| Some(row.numbers()?.judged.as_ref().ok()?.floor))
    };
    let floors =
        judged().reduce(f64::min).zip(judged().reduce(f64::max)).map_or_else(String::new, |(low, high)| {
            if percent(low) == percent(high) {
                format!("; floor {}", percent(low))
            } else {
                format!("; floor {} to {}", percent(low), percent(high))
            }
        });
    let furthest = known(&furthest.ratio, ratio);
    format!("{called}; furthest {furthest} ({place}){floors}")
}

/// `0 of 60 identical pairs called different (at most 4.9 % of such pairs would be)`.
pub(crate) fn called_different<'t>(twins: impl Iterator<Item = &'t TwinRatio>) -> String {
    let called: Vec<bool> = twins
        .filter_map(|twin| twin.called.as_ref().ok())
        .map(|verdict| matches!(verdict, Verdict::Faster | Verdict::Slower))
        .collect();
    if called.is_empty() {
        return "too few rounds to call a pair different".to_owned();
    }
    let (wrong, all) = (called.iter().filter(|called| **called).count() as u64, called.len() as u64);
    format!(
        "{wrong} of {} called different (≤ {})",
        plural(called.len(), "identical pair"),
        percent(proportion(wrong, all, FAMILY_ERROR).high)
    )
}

/// Name and value of everything known about the machine and the run.
pub(super) fn facts(session: &Session, rounds: usize) -> Vec<(&'static str, String)> {
    let (env, plan) = (&session.environment, &session.plan);
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    vec![
        ("CPU", text(&env.cpu)),
        ("CPUs usable", cpus(env)),
        ("Memory", env.memory_bytes.map_or_else(|| "unknown".to_owned(), bytes)),
        ("System", env.os.clone()),
        ("Kernel", text(&env.kernel)),
        ("Virtual machine", env.hypervisor.clone().unwrap_or_else(|| "none visible".to_owned())),
        ("Started", env.started.clone()),
        ("Rounds", format!("{rounds} that count of {} planned", plan.rounds)),
        ("Trials", session.trials.len().to_string()),
        ("Control", plan.control.clone()),
        ("Seed", plan.master_seed.clone()),
        ("Command", plan.command.join(" ")),
        ("Commit", text(&env.commit)),
        ("Compiler", env.rustc.clone()),
        ("Timing an update", session.timing_ns.map_or_else(|| "not measured".to_owned(), timing)),
        ("Harness", format!("{}, binary sha256 {}", env.version, env.binary)),
        ("Session", session.id.clone()),
    ]
}

fn timing(ns: f64) -> String {
    format!("makes it {} ns longer, measured with the bare loop", number(ns.max(0.0).round()))
}

fn cpus(env: &Environment) -> String {
    let quota = env.cpu_quota.map_or_else(String::new, |quota| format!(", quota of {} CPUs", number(quota)));
    format!("{}{quota}", env.cpus)
}

/// What could not be measured, and why.
pub(super) fn unknown(session: &Session, workloads: &[WorkloadView]) -> Vec<String> {
    let env = &session.environment;
    let mut unknown = vec!["Hardware counters and CPU frequency: not recorded.".to_owned()];
    let missing = [
        ("CPU model", env.cpu.is_none()),
        ("Commit of the sources", env.commit.is_none()),
        ("Memory size", env.memory_bytes.is_none()),
    ];
    unknown.extend(
        missing
            .iter()
            .filter(|(_, is_missing)| *is_missing)
            .map(|(what, _)| format!("{what}: not known here.")),
    );
    let rows = || workloads.iter().flat_map(|w| &w.cells).flat_map(|cell| &cell.rows);
    let unsupported = rows().filter_map(super::Row::numbers).filter(|n| n.latency.p999.is_err()).count();
    if unsupported > 0 {
        unknown.push(format!("p99.9 of the latency in {}: too few samples.", plural(unsupported, "row")));
    }
    let clamped: u64 = rows().filter_map(super::Row::numbers).map(|n| n.clamped).sum();
    if clamped > 0 {
        unknown.push(format!(
            "{clamped} timed values were beyond what a histogram holds and count as its largest."
        ));
    }
    let missing = rows().filter(|row| matches!(row.outcome, Outcome::NotMeasured)).count();
    if missing > 0 {
        unknown.push(format!("{} without any complete round.", plural(missing, "planned row")));
    }
    unknown
}
