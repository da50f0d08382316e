//! Durations as people write them: a number and a unit.

use std::time::Duration;

/// Reads a duration with a unit: `200us`, `1ms`, `2s`, `5m`, `1h 30m`.
///
/// # Errors
/// A bare number, a negative one, or an unknown unit; the text says the mend.
pub fn read(text: &str) -> Result<Duration, String> {
    let number = text.trim();
    let bare = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    match humantime::parse_duration(text) {
        _ if bare => Err(format!("`{text}` has no unit; write for example `{number}ms`")),
        Ok(duration) => Ok(duration),
        Err(_) => Err(format!(
            "`{text}` is not a duration; write a number, not negative, and a unit (ns, us, ms, s, m, h), \
             like `200us`, `1ms` or `2s`"
        )),
    }
}

/// Writes a duration as [`read`] reads it, without spaces: `0us`, `10us`, `1m30s`.
pub fn show(duration: Duration) -> String {
    if duration.is_zero() {
        return "0us".to_owned();
    }
    humantime::format_duration(duration).to_string().replace(' ', "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_shown_as_they_are_read() {
        for text in ["0us", "200us", "1ms", "1m30s", "2h"] {
            assert_eq!(show(read(text).unwrap()), text);
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "5", "0", "-5ms", "1.5", "ms", "5 lightyears", "99999999999999999999s", "1e3"] {
            assert!(read(text).is_err(), "`{text}` is no duration");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text: String) {
            drop(read(&text));
        }
    }
}
