//! `doctor`: whether this machine is fit to measure on, and what to do about it.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::{Problem, Verdict, output};
use crate::doctor::{Finding, Weight, findings, is_fit, look};
use crate::workload::duration;

// LIMIT: columns of the first word of a line.
const WORD: usize = 7;

#[derive(clap::Args)]
pub(super) struct Args {
    /// How long to watch the machine while a fixed piece of work runs over and over
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration::read)]
    time: Duration,
    /// The folder that sessions would go to [default: `results` of the workspace, or of the working directory]
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
}

pub(super) fn run(arguments: &Args) -> Result<Verdict, Problem> {
    let results = output::results(arguments.results.as_deref());
    let findings = findings(&look(arguments.time, &results, &std::env::temp_dir()));
    output::print(&text(&findings, output::width()));
    Ok(if is_fit(&findings) { Verdict::Pass } else { Verdict::Unfit })
}

fn text(findings: &[Finding], width: usize) -> String {
    let mut text = String::new();
    for finding in findings {
        let word = match finding.weight {
            Weight::Good => "good",
            Weight::Note => "note",
            Weight::Unfit => "UNFIT",
        };
        let seen = output::wrap(&finding.seen, width, WORD);
        let rest = seen.get(WORD..).unwrap_or_default();
        write!(text, "{word:<WORD$}{rest}").expect("a string takes all text");
        if !finding.mend.is_empty() {
            text.push_str(&output::wrap(&format!("-> {}", finding.mend), width, WORD));
        }
    }
    let unfit = findings.iter().filter(|finding| finding.weight == Weight::Unfit).count();
    text.push_str(&match unfit {
        0 => "\nThis machine is fit to measure on.\n".to_owned(),
        1 => "\nThis machine is not fit to measure on now: see the line marked UNFIT.\n".to_owned(),
        n => format!("\nThis machine is not fit to measure on now: see the {n} lines marked UNFIT.\n"),
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_with_its_mend_below() {
        let finding = |weight, seen: &str, mend| Finding { weight, seen: seen.to_owned(), mend };
        let findings =
            [finding(Weight::Good, "all is quiet", ""), finding(Weight::Unfit, "a b c", "do this")];
        let expected = "good   all is quiet\nUNFIT  a b c\n       -> do this\n\n\
                        This machine is not fit to measure on now: see the line marked UNFIT.\n";
        assert_eq!(text(&findings, 80), expected);
        assert!(text(&findings[..1], 80).ends_with("\nThis machine is fit to measure on.\n"));
        assert!(text(&findings, 12).contains("UNFIT  a b c\n       -> do\n       this\n"));
    }
}
