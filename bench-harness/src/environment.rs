//! Where a session runs: what a reader must know about machine and build before comparing numbers.
//!
//! Read from text files that the system offers; what it does not offer is absent, never guessed. Nothing here names the
//! host, a user or a path.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::SystemTime;

use crate::record::Environment;

/// Describes this process's surroundings.
///
/// `binary` is the sha256 of the harness; `sources` is a folder of the checkout it was built from, if there is one.
pub fn read(binary: String, sources: Option<&Path>) -> Environment {
    let cpuinfo = text("/proc/cpuinfo");
    Environment {
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        commit: sources.and_then(commit),
        rustc: env!("BENCH_HARNESS_RUSTC").to_owned(),
        binary,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        os: os(text("/etc/os-release").as_deref()),
        kernel: word("/proc/sys/kernel/osrelease"),
        cpu: cpuinfo.as_deref().and_then(cpu_model),
        cpus: thread::available_parallelism().map_or(1, usize::from),
        cpu_quota: cpu_quota(),
        memory_bytes: text("/proc/meminfo").as_deref().and_then(memory_bytes),
        hypervisor: hypervisor(cpuinfo.as_deref()),
        boot_id: word("/proc/sys/kernel/random/boot_id"),
        governor: word("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        smt: word("/sys/devices/system/cpu/smt/active").map(|active| active == "1"),
        clock_source: word("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        probe: Some(crate::probe::VERSION.to_owned()),
    }
}

impl Environment {
    /// What makes numbers taken here and there not those of one machine; `None` if nothing does.
    pub fn unlike_in_hardware(&self, other: &Self) -> Option<String> {
        let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
        let quota = |quota: Option<f64>| quota.map_or("none".to_owned(), |cpus| cpus.to_string());
        let fields = [
            ("operating system", self.os.clone(), other.os.clone()),
            ("CPU model", known(&self.cpu), known(&other.cpu)),
            ("number of CPUs", self.cpus.to_string(), other.cpus.to_string()),
            ("CPU quota", quota(self.cpu_quota), quota(other.cpu_quota)),
        ];
        let unlike = fields.into_iter().find(|(_, here, there)| here != there);
        unlike.map(|(what, here, there)| format!("the {what} was `{here}` and is `{there}`"))
    }
}

/// What a file says, without the space around it; `None` if it says nothing.
fn word(path: &str) -> Option<String> {
    text(path).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn commit(sources: &Path) -> Option<String> {
    let sha = git(sources, &["rev-parse", "HEAD"])?;
    let is_dirty = !git(sources, &["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if is_dirty { format!("{sha}-dirty") } else { sha })
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn os(release: Option<&str>) -> String {
    let pretty = release.and_then(|text| value(text, "PRETTY_NAME", '='));
    let name = pretty.map_or(std::env::consts::OS, |name| name.trim_matches('"'));
    format!("{name}, {}", std::env::consts::ARCH)
}

/// The value of the first line `key<separator>value`.
fn value<'a>(text: &'a str, key: &str, separator: char) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(separator))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty())
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    ["model name", "Model", "cpu model", "cpu"]
        .iter()
        .find_map(|key| value(cpuinfo, key, ':'))
        .map(|model| model.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn memory_bytes(meminfo: &str) -> Option<u64> {
    let kib: u64 = value(meminfo, "MemTotal", ':')?.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// What runs this machine, if it is a virtual one and says so.
fn hypervisor(cpuinfo: Option<&str>) -> Option<String> {
    let named =
        ["/sys/hypervisor/type", "/sys/class/dmi/id/sys_vendor"].iter().filter_map(text).find_map(|name| {
            let name = name.trim();
            (!name.is_empty()).then(|| name.to_owned())
        });
    let is_virtual = Path::new("/sys/hypervisor/type").exists()
        || cpuinfo
            .and_then(|text| value(text, "flags", ':'))
            .is_some_and(|flags| has_word(flags, "hypervisor"));
    is_virtual.then(|| named.unwrap_or_else(|| "present, not named".to_owned()))
}

fn has_word(text: &str, word: &str) -> bool {
    text.split_whitespace().any(|candidate| candidate == word)
}

/// The smallest CPU quota of this process's control group and those above it, in CPUs.
fn cpu_quota() -> Option<f64> {
    let groups = text("/proc/self/cgroup")?;
    let (root, group) = match unified_group(&groups) {
        Some(group) if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() => ("/sys/fs/cgroup", group),
        _ => ("/sys/fs/cgroup/cpu", cpu_group(&groups)?),
    };
    let folder = Path::new(root).join(group.trim_start_matches('/'));
    folder
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(quota_of)
        .min_by(f64::total_cmp)
}

fn quota_of(folder: &Path) -> Option<f64> {
    if let Some(max) = text(folder.join("cpu.max")) {
        let (quota, period) = max.trim().split_once(' ')?;
        return quota_in_cpus(quota, period);
    }
    quota_in_cpus(&text(folder.join("cpu.cfs_quota_us"))?, &text(folder.join("cpu.cfs_period_us"))?)
}

/// `max` or a negative quota means that there is none.
fn quota_in_cpus(quota: &str, period: &str) -> Option<f64> {
    let quota: u32 = quota.trim().parse().ok()?;
    let period: u32 = period.trim().parse().ok().filter(|period| *period > 0)?;
    Some(f64::from(quota) / f64::from(period))
}

/// This process's group in version 2 of control groups.
fn unified_group(groups: &str) -> Option<&str> {
    groups.lines().find_map(|line| line.strip_prefix("0::"))
}

/// This process's group of the `cpu` controller in version 1 of control groups.
fn cpu_group(groups: &str) -> Option<&str> {
    groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let controllers = fields.next()?;
        controllers.split(',').any(|controller| controller == "cpu").then(|| fields.next())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_is_found_by_the_names_that_systems_use() {
        let x86 =
            "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Some  CPU   @ 2.0GHz\nflags\t\t: fpu hypervisor\n";
        assert_eq!(cpu_model(x86).as_deref(), Some("Some CPU @ 2.0GHz"));
        assert_eq!(
            cpu_model("Hardware\t: BCM2835\nModel\t\t: Raspberry Pi 4\n").as_deref(),
            Some("Raspberry Pi 4")
        );
        assert_eq!(cpu_model("processor : 0\n"), None);
    }

    #[test]
    fn memory_is_in_bytes() {
        assert_eq!(memory_bytes("MemFree: 1 kB\nMemTotal:       16384 kB\n"), Some(16_777_216));
        assert_eq!(memory_bytes("MemTotal: many kB\n"), None);
    }

    #[test]
    fn a_quota_is_in_cpus_and_absent_without_limit() {
        assert_eq!(quota_in_cpus("150000", "100000"), Some(1.5));
        assert_eq!(quota_in_cpus("max", "100000"), None);
        assert_eq!(quota_in_cpus("-1\n", "100000\n"), None);
        assert_eq!(quota_in_cpus("1", "0"), None);
    }

    #[test]
    fn groups_of_both_versions_are_found() {
        let first = "4:memory:/m\n3:cpuacct,cpu:/jobs/a\n";
        assert_eq!(cpu_group(first), Some("/jobs/a"));
        assert_eq!(unified_group(first), None);
        assert_eq!(unified_group("0::/user.slice\n"), Some("/user.slice"));
        assert_eq!(cpu_group("3:cpuset:/x\n"), None);
    }

    #[test]
    fn the_system_is_named_with_its_architecture() {
        let named = os(Some("NAME=x\nPRETTY_NAME=\"Some Linux 1\"\n"));
        assert_eq!(named, format!("Some Linux 1, {}", std::env::consts::ARCH));
        assert_eq!(os(None), format!("{}, {}", std::env::consts::OS, std::env::consts::ARCH));
    }

    #[test]
    fn machines_are_told_apart_by_what_decides_about_speed_and_by_nothing_else() {
        let here = read("abc".to_owned(), None);
        let later = Environment {
            kernel: None,
            started: String::new(),
            boot_id: Some("another".to_owned()),
            ..here.clone()
        };
        assert_eq!(here.unlike_in_hardware(&later), None);
        let other = Environment { cpus: here.cpus + 1, ..here.clone() };
        let unlike = here.unlike_in_hardware(&other).unwrap();
        assert_eq!(unlike, format!("the number of CPUs was `{}` and is `{}`", here.cpus, other.cpus));
        assert!(here.unlike_in_hardware(&Environment { cpu_quota: Some(0.5), ..here.clone() }).is_some());
    }

    #[test]
    fn an_environment_is_described_without_a_checkout() {
        let folder = tempfile::tempdir().unwrap();
        let environment = read("abc".to_owned(), Some(folder.path()));
        assert_eq!(environment.commit, None);
        assert_eq!(environment.binary, "abc");
        assert!(environment.cpus >= 1);
        assert!(environment.rustc.starts_with("rustc "));
    }
}
