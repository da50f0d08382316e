//! The form of a workload file: one type per table, and values that check themselves.
//!
//! A value that refuses to be read does so at its own line, which the reader of TOML knows; what several values say
//! together is checked later, in `parse.rs`.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use toml::Spanned;

use super::definition::{Callers, CostKind, Spacing};
use super::duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) title: Text,
    pub(super) question: Text,
    pub(super) callers: Spanned<Vec<Spanned<Callers>>>,
    pub(super) clients: Spanned<Vec<Spanned<Count>>>,
    pub(super) timed_every: Option<Spanned<Count>>,
    #[serde(default)]
    pub(super) core: Vec<Spanned<String>>,
    pub(super) write: Write,
    pub(super) commit: Option<Commit>,
    #[serde(default)]
    pub(super) queue: Queue,
    pub(super) bursts: Option<Bursts>,
    pub(super) arrivals: Option<Spanned<Arrivals>>,
    pub(super) time: Time,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Write {
    pub(super) cost: Spanned<Vec<Spanned<Span>>>,
    pub(super) kind: CostKind,
    pub(super) cv: Option<Spanned<f64>>,
    pub(super) stall: Option<Stall>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stall {
    pub(super) one_in: Count,
    pub(super) takes: Spanned<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Commit {
    pub(super) cost: Spanned<Span>,
    pub(super) kind: CostKind,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Queue {
    pub(super) capacity: Option<Spanned<Count>>,
    pub(super) max_batch: Option<Count>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bursts {
    pub(super) every: Spanned<Span>,
    pub(super) updates: Count,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arrivals {
    pub(super) kind: Spacing,
    pub(super) load: Spanned<Vec<Spanned<Share>>>,
    pub(super) deadline: Option<Spanned<Span>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Time {
    pub(super) warm_up: Spanned<Span>,
    pub(super) window: Spanned<Span>,
}

/// A text that says something.
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?.trim().to_owned();
        if text.is_empty() {
            return Err(de::Error::custom("the text is empty; say it in a sentence"));
        }
        Ok(Self(text))
    }
}

/// A whole number that is at least 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Count(pub(super) u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Count;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of at least 1")
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Count, E> {
                match u32::try_from(n) {
                    Ok(n) if n > 0 => Ok(Count(n)),
                    _ => Err(E::custom(format!(
                        "{n} is out of range; use a whole number from 1 to {}",
                        u32::MAX
                    ))),
                }
            }
        }
        deserializer.deserialize_i64(Reader)
    }
}

/// A span of time, written as text with a unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration in quotes and with a unit, like \"200us\", \"1ms\" or \"2s\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                duration::read(text).map(Span).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// A share of a capacity in whole hundredths, so that it can be part of a cell's id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Share(pub(super) u32);

// LIMIT: 20 times the capacity: far into overload, and its arrivals still fit into memory.
const MOST_HUNDREDTHS: f64 = 2_000.0;

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(deserializer)?;
        let hundredths = (share * 100.0).round();
        if !(1.0..=MOST_HUNDREDTHS).contains(&hundredths) {
            return Err(de::Error::custom(format!(
                "{share} is out of range; use a share from 0.01 to 20, like 0.75"
            )));
        }
        if (share * 100.0 - hundredths).abs() > 1e-6 {
            return Err(de::Error::custom(format!(
                "{share} has more than two decimals; use for example 0.75"
            )));
        }
        Ok(Self(hundredths as u32))
    }
}
