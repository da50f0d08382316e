//! The method, the machine and the glossary.

use super::super::escape::html as e;
use super::super::format::plural;
use super::super::model::Model;
use super::region;

/// How it was measured, on what, and what the words mean.
pub(super) fn section(model: &Model) -> String {
    let facts: String = model.facts.iter().fold(String::new(), |all, (name, value)| {
        format!("{all}<tr><th scope=\"row\">{}</th><td>{}</td></tr>", e(name), e(value))
    });
    let unknown: String = model.unknown.iter().map(|text| format!("<li>{}</li>", e(text))).collect();
    let glossary: String = GLOSSARY
        .iter()
        .map(|(word, meaning)| format!("<dt>{}</dt><dd>{}</dd>", e(word), e(meaning)))
        .collect();
    let (control, family) = (e(&model.control), plural(model.family, "comparison"));
    format!(
        "<section id=\"method\" aria-labelledby=\"method-h\"><h2 id=\"method-h\">Method</h2>\
         <p>A trial is a fresh process that runs one strategy on one cell, warms up, measures one window and then checks every \
         answer: each caller got its own, each update was applied exactly once, in order, by one writer at a time. A row that \
         fails a check shows no numbers. A round runs every strategy on every cell once, in an order drawn at random.</p>\
         <p>Only numbers of the same round are divided. A ratio is to {control}, the control; the estimate is the median of all \
         pairwise averages of the rounds' logarithms (Hodges and Lehmann). Its interval is the exact signed-rank interval, widened \
         (Bonferroni) so that all {family} of the session together are wrong in at most one session of twenty. A difference has to \
         clear a floor besides: the smallest that is of interest, or what the same strategy under another name (the twin) seemed to \
         differ from itself in that cell, whichever is larger. Faster and slower: the whole interval lies beyond the floor. \
         Equivalent: the narrower interval lies within it. Inconclusive: anything else.</p>\
         <p>In the decision table everyone is named whom the interval against the leader does not put behind by more than the \
         floor. The intervals are one-sided with the same correction, one comparison for each strategy and cell: the truly best one \
         is missing somewhere in at most one session of twenty, although the leader was picked from the same numbers. What the \
         control gives up is taken from the comparisons with the control alone, which were fixed before anything was measured.</p>\
         <p>Percentiles come from the samples of all rounds together and are left out where these are too few. The times that \
         callers are held are shown by the same intervals, but were not among the comparisons that were planned.</p>\
         <h3>Could not be measured</h3><ul>{unknown}</ul>\
         <h3>Machine and run</h3>{}\
         <h3>Glossary</h3><dl>{glossary}</dl></section>\n",
        region(
            "Machine and run",
            &format!(
                "<table class=\"facts\"><caption><span>Machine and run</span></caption><tbody>{facts}</tbody></table>"
            )
        ),
    )
}

const GLOSSARY: [(&str, &str); 17] = [
    ("update", "One change that a client wants made to the state."),
    ("strategy", "A way to bring updates to the one writer: a lock, or a queue over some channel."),
    ("control", "The strategy by which all others are divided, in every round."),
    ("twin", "A strategy again under another name, to see what the harness makes of no difference."),
    ("verdict", "Faster, slower, equivalent or inconclusive, against the control."),
    ("floor", "The smallest difference that counts; a smaller one may be of this build on this machine."),
    ("limit", "The same writes by one bare loop without clients or queue: what is possible at all."),
    ("cell", "One combination of callers, number of clients and write cost."),
    ("held", "Time inside submit, before the caller may do something else."),
    ("latency", "From submit called to answer received."),
    ("lag", "Of an open loop: from the planned start of an update to its submit; part of its latency."),
    ("saturated", "An open loop whose queue does not keep up: drawn, not ranked."),
    (
        "submit, queued, apply, commit, reply",
        "The five parts of an update's life; together they are its latency.",
    ),
    ("group commit", "Several updates made durable by one commit; their answers wait for it."),
    ("writer busy", "Share of the window in which the writer was applying or committing."),
    ("Jain's index", "1 when all clients got equally many answers, 1/N when one got all."),
    ("refused", "Submits that found the queue full and were tried again."),
];
