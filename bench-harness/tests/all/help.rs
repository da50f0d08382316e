use super::harness::{Desk, check_golden};

#[test]
fn help_is_data_and_says_what_a_stranger_needs() {
    let desk = Desk::new();
    for verb in ["", "list", "plan", "run", "resume", "report", "doctor", "trial"] {
        let ended = desk.run(&format!("{verb} --help"));
        ended.check(0, &[]);
        let name = if verb.is_empty() { "help.txt".to_owned() } else { format!("help-{verb}.txt") };
        check_golden(&name, &ended.stdout);
    }
}

#[test]
fn short_help_has_a_line_per_flag() {
    let help = Desk::new().run("run -h").stdout;
    for flag in ["--workload", "--strategy", "--cell", "--rounds", "--budget", "--seed", "--results"] {
        assert!(help.contains(flag), "{flag} in:\n{help}");
    }
}

#[test]
fn the_version_is_told() {
    let ended = Desk::new().run("--version");
    assert_eq!(ended.stdout, concat!("bench-harness ", env!("CARGO_PKG_VERSION"), "\n"));
}
