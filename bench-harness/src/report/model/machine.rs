//! Where and how a session was measured, in words. Host, user and path names are not in the record and not here.

use super::{Outcome, WorkloadView};
use crate::record::{Environment, Session};
use crate::report::format::{bytes, number, plural};
use crate::stats::MIN_EFFECT;

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

fn date(started: &str) -> String {
    started.split('T').next().unwrap_or(started).to_owned()
}

/// The first digits of a hash; a suffix such as `-dirty` stays.
fn short(sha: &str) -> String {
    let (hash, suffix) =
        sha.split_once('-').map_or((sha, String::new()), |(hash, rest)| (hash, format!("-{rest}")));
    // LIMIT: 10 digits name a commit in any repository of this kind.
    hash.chars().take(10).chain(suffix.chars()).collect()
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
        ("Rounds", format!("{rounds} complete of {} planned", plan.rounds)),
        ("Trials", session.trials.len().to_string()),
        ("Control", plan.control.clone()),
        ("Seed", plan.master_seed.clone()),
        ("Command", plan.command.join(" ")),
        ("Commit", text(&env.commit)),
        ("Compiler", env.rustc.clone()),
        ("Harness", format!("{}, binary sha256 {}", env.version, env.binary)),
        ("Session", session.id.clone()),
    ]
}

fn cpus(env: &Environment) -> String {
    let quota = env.cpu_quota.map_or_else(String::new, |quota| format!(", quota of {} CPUs", number(quota)));
    format!("{}{quota}", env.cpus)
}

/// What could not be measured, and why.
pub(super) fn unknown(session: &Session, workloads: &[WorkloadView]) -> Vec<String> {
    let env = &session.environment;
    let mut unknown = vec![
        format!(
            "False alarms of this harness on this machine: never measured. Differences under {} % count as ties.",
            number(100.0 * MIN_EFFECT)
        ),
        "Hardware counters and CPU frequency: not recorded.".to_owned(),
    ];
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
