//! Reasons for missing numbers, each said once below its table.

use super::super::escape::html as e;
use crate::stats::Absent;

/// The notes of one table.
#[derive(Debug)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    /// No notes yet.
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// The number of a reason, raised.
    pub(super) fn mark(&mut self, reason: &Absent) -> String {
        let known = self.0.iter().position(|note| note == reason.reason());
        let place = known.unwrap_or_else(|| {
            self.0.push(reason.reason().to_owned());
            self.0.len() - 1
        });
        format!("<sup>{}</sup>", place + 1)
    }

    /// All reasons, numbered.
    pub(super) fn html(&self) -> String {
        let items: String = self.0.iter().map(|note| format!("<li>{}</li>", e(note))).collect();
        if items.is_empty() { items } else { format!("<ol class=\"notes\">{items}</ol>") }
    }
}
