//! A number that is not there, and why.

use std::fmt;

/// Why a number is missing, in words for the reader of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent(String);

/// A number, or the reason why there is none.
pub type Known<T> = Result<T, Absent>;

impl Absent {
    /// A reason: lower case, no full stop, one line.
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// The reason.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Absent {}
