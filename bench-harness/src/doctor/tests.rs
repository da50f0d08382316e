use super::*;

fn quiet() -> Readings {
    Readings {
        is_optimised: true,
        cpus: 4,
        cpu_quota: None,
        smt: Some(false),
        governor: Some("performance".to_owned()),
        clock_source: Some("tsc".to_owned()),
        clock_read: Duration::from_nanos(25),
        free_space: Some(10 << 30),
        holder: None,
        probing: Some(calm()),
    }
}

fn calm() -> Probing {
    Probing {
        time: Duration::from_secs(3),
        probes: (0..100).map(|i| Duration::from_micros(22_000 + i)).collect(),
        stolen: Some(0.0),
        pressure: Some(0.01),
        others: Some(0.02),
    }
}

fn probed(probing: Probing) -> Readings {
    Readings { probing: Some(probing), ..quiet() }
}

/// The only finding of `readings` that is not good.
#[track_caller]
fn check(readings: &Readings, weight: Weight, part: &str) {
    let all = findings(readings);
    let odd: Vec<_> = all.iter().filter(|finding| finding.weight != Weight::Good).collect();
    let [finding] = odd[..] else { panic!("one finding is expected: {odd:?}") };
    assert_eq!(finding.weight, weight, "{finding:?}");
    assert!(finding.seen.contains(part), "{finding:?}");
    assert!(!finding.mend.is_empty(), "a finding has a mend: {finding:?}");
    assert_eq!(is_fit(&all), weight != Weight::Unfit);
}

#[test]
fn a_quiet_machine_is_fit_and_everything_is_told() {
    let findings = findings(&quiet());
    assert!(findings.iter().all(|finding| finding.weight == Weight::Good), "{findings:?}");
    assert_eq!(findings.len(), 9);
    assert!(is_fit(&findings));
}

#[test]
fn what_makes_numbers_worthless_makes_a_machine_unfit() {
    check(&Readings { is_optimised: false, ..quiet() }, Weight::Unfit, "debug build");
    check(&Readings { cpu_quota: Some(1.5), ..quiet() }, Weight::Unfit, "quota of 1.50");
    check(&Readings { free_space: Some(63 << 20), ..quiet() }, Weight::Unfit, "63 MiB");
    check(&probed(Probing { stolen: Some(0.031), ..calm() }), Weight::Unfit, "3.1 % of the CPU time");
    check(&probed(Probing { pressure: Some(0.26), ..calm() }), Weight::Unfit, "26.0 % of the time");
    let uneven = (0..20).map(|i| Duration::from_millis(if i % 2 == 0 { 20 } else { 26 })).collect();
    check(&probed(Probing { probes: uneven, ..calm() }), Weight::Unfit, "13.4 % more or less");
    let busy = Readings { holder: Some("process 7 is measuring".to_owned()), probing: None, ..quiet() };
    check(&busy, Weight::Unfit, "process 7 is measuring");
}

#[test]
fn what_is_at_a_limit_is_fit() {
    let at = Probing { stolen: Some(0.03), pressure: Some(0.25), others: Some(0.1), ..calm() };
    let readings = Readings { free_space: Some(64 << 20), cpu_quota: Some(4.0), ..probed(at) };
    assert!(findings(&readings).iter().all(|finding| finding.weight == Weight::Good));
}

#[test]
fn what_is_worth_knowing_is_a_note() {
    check(&Readings { cpus: 1, ..quiet() }, Weight::Note, "1 CPU:");
    check(&Readings { smt: Some(true), ..quiet() }, Weight::Note, "share a core");
    check(&Readings { governor: Some("powersave".to_owned()), ..quiet() }, Weight::Note, "`powersave`");
    check(&Readings { clock_read: Duration::from_nanos(900), ..quiet() }, Weight::Note, "900 ns");
    check(&probed(Probing { others: Some(0.7), ..calm() }), Weight::Note, "0.70 CPUs");
}

#[test]
fn what_a_system_does_not_tell_is_no_finding() {
    let silent = Probing { stolen: None, pressure: None, others: None, ..calm() };
    let readings =
        Readings { smt: None, governor: None, clock_source: None, free_space: None, ..probed(silent) };
    let findings = findings(&readings);
    assert!(is_fit(&findings) && findings.len() == 4, "{findings:?}");
}

#[test]
fn readings_are_taken_in_about_the_time_that_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let readings = look(Duration::from_millis(1), &folder.path().join("not/yet/there"), folder.path());
    let probing = readings.probing.as_ref().unwrap();
    assert_eq!(probing.probes.len(), FEWEST_PROBES);
    assert!(readings.cpus >= 1 && readings.clock_read > Duration::ZERO);
    #[cfg(unix)]
    assert!(readings.free_space.is_some());
    assert!(!findings(&readings).is_empty());
}
