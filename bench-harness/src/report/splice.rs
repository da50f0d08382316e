//! The part of a README that a session writes: between two markers, and nothing else.

/// Where the part begins.
pub const BEGIN: &str = "<!-- update-queue-bench:begin -->";
/// Where it ends.
pub const END: &str = "<!-- update-queue-bench:end -->";

/// `text` with `part` between its markers, which stay.
///
/// # Errors
/// What is wrong with the markers: there has to be one pair, in order.
pub fn spliced(text: &str, part: &str) -> Result<String, String> {
    let one = |marker: &str| match text.matches(marker).count() {
        1 => Ok(text.find(marker).unwrap_or_default()),
        0 => Err(format!(
            "it has no `{marker}`; write the two markers, each on a line of its own, where the part belongs"
        )),
        n => Err(format!("it has `{marker}` {n} times; keep one pair")),
    };
    let (begin, end) = (one(BEGIN)? + BEGIN.len(), one(END)?);
    if end < begin {
        return Err(format!("`{END}` stands before `{BEGIN}`; put them in order"));
    }
    Ok(format!("{}\n\n{}\n\n{}", &text[..begin], part.trim(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes_and_it_stays() {
        let text = format!("# A\n\n{BEGIN}\nold\n{END}\n\nb\n");
        let once = spliced(&text, "new\n").unwrap();
        assert_eq!(once, format!("# A\n\n{BEGIN}\n\nnew\n\n{END}\n\nb\n"));
        assert_eq!(spliced(&once, "new\n").unwrap(), once);
    }

    #[test]
    fn anything_but_one_pair_in_order_is_an_error_that_says_so() {
        let table = [
            (String::new(), "has no"),
            (BEGIN.to_owned(), "has no `<!-- update-queue-bench:end"),
            (format!("{BEGIN}{BEGIN}{END}"), "2 times"),
            (format!("{BEGIN}{END}{END}"), "2 times"),
            (format!("{END}{BEGIN}"), "stands before"),
        ];
        for (text, expected) in table {
            let error = spliced(&text, "new").unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
