//! The arguments that Cargo, libtest's callers and criterion's users pass to a bench target.
//!
//! Every target of a `cargo bench` gets the same arguments, so that a flag of another one's must not fail here. Whether a
//! target measures follows the rule of criterion: with `--bench`, unless `--test` is there too.

/// Flags without a value.
const FLAGS: &[&str] = &[
    "--bench",
    "--test",
    "--list",
    "--quick",
    "--exact",
    "--ignored",
    "--include-ignored",
    "--nocapture",
    "--no-capture",
    "--show-output",
    "--quiet",
    "-q",
    "--verbose",
    "-v",
    "--noplot",
    "-n",
    "--discard-baseline",
];

/// Flags with a value, in the next argument or after `=`.
const WITH_VALUE: &[&str] = &[
    "--format",
    "--color",
    "-c",
    "--colour",
    "--skip",
    "--test-threads",
    "--logfile",
    "-Z",
    "--save-baseline",
    "-s",
    "--baseline",
    "-b",
    "--baseline-lenient",
    "--load-baseline",
    "--sample-size",
    "--warm-up-time",
    "--measurement-time",
    "--nresamples",
    "--noise-threshold",
    "--confidence-level",
    "--significance-level",
    "--profile-time",
    "--plotting-backend",
    "--output-format",
];

/// What a bench target was asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    flags: Vec<String>,
    skip: Vec<String>,
    /// `cargo bench -- --quick`.
    pub(super) is_quick: bool,
    /// What names must contain.
    pub(super) filters: Vec<String>,
    /// Flags that nobody has heard of.
    pub(super) unknown: Vec<String>,
}

/// What to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Run the campaign.
    Measure,
    /// Show that every strategy works.
    Smoke,
    /// Print the name of the target.
    List,
    /// Do nothing, for this reason.
    Nothing(&'static str),
}

impl Arguments {
    pub(super) fn parse(arguments: impl IntoIterator<Item = String>) -> Self {
        let mut parsed = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (name, attached) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with('-') => (name, Some(value.to_owned())),
                _ => (argument.as_str(), None),
            };
            if WITH_VALUE.contains(&name) {
                let value = attached.or_else(|| arguments.next());
                if name == "--skip" {
                    parsed.skip.extend(value);
                }
                parsed.flags.push(name.to_owned());
            } else if FLAGS.contains(&name) {
                parsed.flags.push(name.to_owned());
            } else if name.starts_with('-') {
                parsed.unknown.push(argument);
            } else {
                parsed.filters.push(argument);
            }
        }
        parsed.is_quick = parsed.is_given("--quick");
        parsed
    }

    fn is_given(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given == flag)
    }

    pub(super) fn mode(&self) -> Mode {
        let measures = self.is_given("--bench") && !self.is_given("--test");
        if self.is_given("--ignored") {
            Mode::Nothing("because nothing in it is ignored by default")
        } else if self.is_given("--list") {
            Mode::List
        } else if !measures {
            Mode::Smoke
        } else if self.is_given("--load-baseline") || self.is_given("--profile-time") {
            Mode::Nothing("because criterion was asked for something that measures nothing new")
        } else {
            Mode::Measure
        }
    }

    /// Whether the filters let `name` through.
    pub(super) fn has(&self, name: &str) -> bool {
        let matches = |filter: &String| match self.is_given("--exact") {
            true => name == filter,
            false => name.contains(filter.as_str()),
        };
        (self.filters.is_empty() || self.filters.iter().any(matches)) && !self.skip.iter().any(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Arguments {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_campaign_runs_only_when_cargo_asks_for_benches() {
        let table = [
            ("--bench", Mode::Measure),
            ("--bench --quick", Mode::Measure),
            ("--bench --save-baseline x", Mode::Measure),
            ("--bench --baseline x flume", Mode::Measure),
            ("--bench --test", Mode::Smoke),
            ("", Mode::Smoke),
            ("--test", Mode::Smoke),
            ("--exact campaign --nocapture", Mode::Smoke),
            ("--list --format terse", Mode::List),
            ("--bench --list", Mode::List),
        ];
        for (line, expected) in table {
            assert_eq!(parse(line).mode(), expected, "`{line}`");
        }
        for line in
            ["--list --format terse --ignored", "--bench --load-baseline x", "--bench --profile-time 5"]
        {
            assert!(matches!(parse(line).mode(), Mode::Nothing(_)), "`{line}`");
        }
    }

    #[test]
    fn the_value_of_a_flag_is_no_filter() {
        for line in
            ["--save-baseline x", "--baseline=x", "--test-threads 1", "--color always -q", "--sample-size 10"]
        {
            let parsed = parse(line);
            assert!(parsed.filters.is_empty() && parsed.unknown.is_empty(), "`{line}`: {parsed:?}");
        }
        assert_eq!(parse("--bench slow --save-baseline x flume").filters, ["slow", "flume"]);
    }

    #[test]
    fn an_unknown_flag_is_told_and_does_no_harm() {
        let parsed = parse("--bench --frobnicate=7 flume");
        assert_eq!(parsed.unknown, ["--frobnicate=7"]);
        assert_eq!((parsed.mode(), parsed.filters), (Mode::Measure, vec!["flume".to_owned()]));
    }

    #[test]
    fn filters_and_skips_are_parts_of_names_unless_exact() {
        let name = "campaign/w/threads-1/flume";
        for (line, expected) in [
            ("", true),
            ("flume", true),
            ("tokio", false),
            ("tokio flume", true),
            ("--skip flume", false),
            ("--skip tokio", true),
            ("--exact flume", false),
            ("--exact campaign/w/threads-1/flume", true),
        ] {
            assert_eq!(parse(line).has(name), expected, "`{line}`");
        }
    }
}
