//! How wide text is, without a font.
//!
//! plotters guesses by bytes when it has no font engine, and browsers choose the font. So widths come from a table of a
//! wide common font (DejaVu Sans); narrower fonts leave a little air.

use super::WIDTH;
use crate::report::escape::clean;

/// Least space between two labels, in drawing units.
const GAP: f64 = 12.0;

/// Width of `text` in units of `size`.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// A character's advance, in em.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' => 0.28,
        ' ' | '.' | ',' | ':' | ';' | '|' | '\'' | 'I' | 'J' => 0.34,
        'f' | 't' | 'r' | '-' | '/' | '(' | ')' | '[' | ']' => 0.42,
        'a'..='z' if !matches!(c, 'm' | 'w') => 0.64,
        '0'..='9' => 0.64,
        'm' | 'W' | '%' | '@' | '…' | '—' => 1.0,
        'w' | 'M' | 'O' | 'Q' | 'G' | 'D' | 'N' | 'H' | '×' | '+' | '=' | '<' | '>' | '~' | '#' | '&' => {
            0.87
        }
        'A'..='Z' | 'µ' | '–' | '_' => 0.73,
        '\u{300}'..='\u{36f}' => 0.0,
        _ => 1.05,
    }
}

/// `text` cleaned, and cut with an ellipsis where it would be wider than `room`.
pub(crate) fn fit(text: &str, size: f64, room: f64) -> String {
    let text = clean(text);
    if width(&text, size) <= room {
        return text;
    }
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if width(&cut, size) + size > room {
            cut.pop();
            break;
        }
    }
    format!("{}…", cut.trim_end())
}

/// One label per name, each within `room`, no two alike even where the names were cut.
pub(crate) fn labels<S: AsRef<str>>(names: &[S], size: f64, room: f64) -> Vec<String> {
    let mut labels: Vec<String> = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        let label = fit(name.as_ref(), size, room);
        if !label.is_empty() && !labels.contains(&label) {
            labels.push(label);
            continue;
        }
        let number = format!(" ({})", i + 1);
        labels.push(fit(name.as_ref(), size, room - width(&number, size)) + &number);
    }
    labels
}

/// Centred labels that stay clear of each other and of the chart's edges: all, or every second, third, ...
pub(crate) fn apart(labels: &[(f64, String)], size: f64) -> Vec<(f64, &str)> {
    let half = |label: &str| width(label, size) / 2.0;
    let inside = |(x, label): &&(f64, String)| x - half(label) >= 0.0 && x + half(label) <= f64::from(WIDTH);
    let labels: Vec<_> = labels.iter().filter(inside).map(|(x, label)| (*x, label.as_str())).collect();
    let thinned = |stride: usize| labels.iter().copied().step_by(stride).collect::<Vec<_>>();
    let clear = |labels: &[(f64, &str)]| {
        labels.windows(2).all(|pair| pair[0].0 + half(pair[0].1) + GAP < pair[1].0 - half(pair[1].1))
    };
    (1..=labels.len().max(1)).map(thinned).find(|labels| clear(labels)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_text_fits_and_says_so() {
        let cut = fit(&"a long name ".repeat(30), 20.0, 200.0);
        assert!(width(&cut, 20.0) <= 200.0 && cut.ends_with('…'), "{cut}");
        assert_eq!(fit("short", 20.0, 200.0), "short");
    }

    #[test]
    fn labels_stay_apart_when_their_names_are_cut_alike() {
        let names = ["x".repeat(100), "x".repeat(101), "x".repeat(102), String::new()];
        let labels = labels(&names, 20.0, 200.0);
        for (i, label) in labels.iter().enumerate() {
            assert!(width(label, 20.0) <= 201.0, "{label}");
            assert!(!labels[..i].contains(label), "{label} twice");
        }
    }
}
