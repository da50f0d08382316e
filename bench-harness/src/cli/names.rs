//! Answers to names that nobody knows.

/// What to say to a name that is not among `known`: the name, the nearest one, and all of them.
pub(super) fn unknown(kind: &str, given: &str, known: &[&str]) -> String {
    let nearest = nearest(given, known).map_or(String::new(), |name| format!("; did you mean `{name}`?"));
    let separator = if nearest.is_empty() { ";" } else { "" };
    let kinds = kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"));
    format!("there is no {kind} `{given}`{nearest}{separator} the {kinds} are: {}", known.join(", "))
}

/// The name that was probably meant, if one is near enough.
fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    // LIMIT: half of the letters: a typing error, or a name of which a part was forgotten.
    const NEAR: f64 = 0.5;
    known
        .iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(given, name), *name))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_and_all_names_are_told() {
        let known = ["std-mutex", "crossbeam", "flume"];
        let message = unknown("strategy", "crosbeam", &known);
        let expected = "there is no strategy `crosbeam`; did you mean `crossbeam`? the strategies are: std-mutex, \
                        crossbeam, flume";
        assert_eq!(message, expected);
    }

    #[test]
    fn swapped_letters_of_a_short_name_are_seen_through() {
        assert_eq!(nearest("rnu", &["list", "run"]), Some("run"));
    }

    #[test]
    fn a_name_like_no_other_gets_the_list_only() {
        let message = unknown("verb", "xyzzy", &["run", "list"]);
        assert_eq!(message, "there is no verb `xyzzy`; the verbs are: run, list");
    }
}
