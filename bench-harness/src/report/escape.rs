//! Text from outside on its way into HTML, SVG, Markdown or a terminal.
//!
//! Names come from files and command lines; none may become markup, move a cursor or turn the direction of a line.

/// Without control, bidi-override and zero-width characters and those that XML forbids; line breaks become spaces.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_invisible(*c) && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect()
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// For HTML and SVG, between tags and in quoted attributes.
pub(crate) fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// For Markdown, in a line or a table cell.
pub(crate) fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '~' => {
                safe.push('\\');
                safe.push(c);
            }
            // A name must not notify a person or link an issue.
            '@' | '#' => {
                safe.push(c);
                safe.push('\u{200b}');
            }
            other => safe.push(other),
        }
    }
    safe
}

/// An id or file name: lower-case letters, digits and hyphens only.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    // LIMIT: 60 characters, so that with prefix and suffix a file name fits every file system.
    slug.trim_matches('-').chars().take(60).collect()
}

/// How many columns a terminal gives the text: two for wide East Asian characters and pictures, none for combining marks.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(char_columns).sum()
}

fn char_columns(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_markup() {
        assert_eq!(
            html("<script>alert('1')</script>\"&"),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"
        );
        assert_eq!(markdown("a|b `c` @user #12 <b>"), "a\\|b \\`c\\` @\u{200b}user #\u{200b}12 &lt;b&gt;");
    }

    #[test]
    fn nothing_moves_a_cursor_or_turns_a_line() {
        assert_eq!(clean("a\x1b[2Jb\u{202e}c\nd\u{0}\u{7f}\u{9b}e"), "a[2Jbc de");
    }

    #[test]
    fn slugs_stay_in_their_folder() {
        let table = [("../../etc/x", "etc-x"), ("Tokio MPSC", "tokio-mpsc"), ("\u{fc}", ""), ("a--b", "a-b")];
        for (name, expected) in table {
            assert_eq!(slug(name), expected, "{name}");
        }
        assert_eq!(slug(&"x".repeat(300)).len(), 60);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(columns("ab"), 2);
        assert_eq!(columns("\u{65e5}\u{672c}"), 4);
        assert_eq!(columns("e\u{301}"), 1);
    }
}
