//! Reads a workload file: every mistake is answered with file, line and mend.
//!
//! The first half is the file's form, one type per table, where each value checks itself so that the reader of TOML knows
//! its line. The second half checks what several values say together and forms the cells.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::definition::{Callers, Cell, Cost, CostKind, Pattern, Workload};

// LIMIT: 4096 clients: with blocking callers each is a thread with a stack.
const MAX_CLIENTS: u64 = 4_096;
// LIMIT: one hour: a longer cost, window or pause is a wrong unit, and its trial would be taken for one that hangs.
const MAX_DURATION: Duration = Duration::from_secs(3_600);

/// What is wrong with a workload file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    file: String,
    line: Option<usize>,
    message: String,
}

impl Error {
    pub(super) fn unreadable(file: &str, cause: &std::io::Error) -> Self {
        Self { file: file.to_owned(), line: None, message: format!("cannot read the workload file: {cause}") }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for Error {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: Text,
    question: Text,
    callers: Spanned<Vec<Spanned<Callers>>>,
    clients: Spanned<Vec<Spanned<Count>>>,
    timed_every: Option<Count>,
    #[serde(default)]
    core: Vec<Spanned<String>>,
    write: Write,
    commit: Option<Commit>,
    #[serde(default)]
    queue: Queue,
    bursts: Option<Bursts>,
    time: Time,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Write {
    cost: Spanned<Vec<Spanned<Span>>>,
    kind: CostKind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Commit {
    cost: Span,
    kind: CostKind,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Queue {
    capacity: Option<Spanned<Count>>,
    max_batch: Option<Count>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bursts {
    every: Spanned<Span>,
    updates: Count,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Time {
    warm_up: Span,
    window: Spanned<Span>,
}

/// A text that says something.
struct Text(String);

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
struct Count(u32);

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
struct Span(Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration in quotes and with a unit, like \"200us\", \"1ms\" or \"2s\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                duration(text).map(Span).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// Reads a duration with a unit: `200us`, `1ms`, `2s`, `5m`, `1h 30m`.
///
/// # Errors
/// A bare number, a negative one, or an unknown unit; the text says the mend.
pub fn duration(text: &str) -> Result<Duration, String> {
    let bare = text.trim().parse::<f64>().is_ok();
    match humantime::parse_duration(text) {
        _ if bare => Err(format!(
            "`{text}` has no unit; write for example `{}ms`",
            text.trim().trim_start_matches('-')
        )),
        Ok(duration) => Ok(duration),
        Err(_) => Err(format!(
            "`{text}` is not a duration; write a whole number, not negative, and a unit (ns, us, ms, s, m, h), \
             like `200us`, `1ms` or `2s`"
        )),
    }
}

/// Writes a duration as [`duration`] reads it, without spaces: `0us`, `10us`, `1m30s`.
pub fn show(duration: Duration) -> String {
    if duration.is_zero() {
        return "0us".to_owned();
    }
    humantime::format_duration(duration).to_string().replace(' ', "")
}

/// Reads a workload file. `file` is what errors call it.
///
/// # Errors
/// The first mistake, with its line and the mend.
pub fn parse(name: &str, file: &str, bytes: &[u8]) -> Result<Workload, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| Error {
        file: file.to_owned(),
        line: Some(line_of(bytes, error.valid_up_to())),
        message: "not UTF-8 text; save the file as UTF-8".to_owned(),
    })?;
    let source = Source { file, text };
    let raw: File = toml::from_str(text).map_err(|error| source.toml(&error))?;
    source.check(name, raw)
}

fn line_of(bytes: &[u8], offset: usize) -> usize {
    1 + bytes[..offset.min(bytes.len())].iter().filter(|&&byte| byte == b'\n').count()
}

/// The file's text, to say where a mistake is.
struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn error(&self, offset: usize, message: impl Into<String>) -> Error {
        let line = line_of(self.text.as_bytes(), offset);
        Error { file: self.file.to_owned(), line: Some(line), message: message.into() }
    }

    fn at<T>(&self, value: &Spanned<T>, message: impl Into<String>) -> Error {
        self.error(value.span().start, message)
    }

    fn toml(&self, error: &toml::de::Error) -> Error {
        let message = error.message().trim().replace('\n', " ");
        let offset = error.span().map_or(0, |span| span.start);
        let mend = if message.starts_with("missing field") {
            "; add it (see the files in bench-harness/workloads)".to_owned()
        } else if message.starts_with("unknown field") {
            "; remove it or mend its spelling".to_owned()
        } else {
            format!(" (in `{}`)", self.line_at(offset))
        };
        self.error(offset, format!("{message}{mend}"))
    }

    /// The line at `offset`, shortened to what an error can quote.
    fn line_at(&self, offset: usize) -> String {
        // LIMIT: 60 characters: enough for a key and a list.
        const MOST: usize = 60;
        let line =
            self.text.lines().nth(line_of(self.text.as_bytes(), offset) - 1).unwrap_or_default().trim();
        let cut: String = line.chars().take(MOST).collect();
        if cut.len() < line.len() { cut + ".." } else { cut }
    }

    fn check(&self, name: &str, raw: File) -> Result<Workload, Error> {
        let callers = self.sweep("callers", &raw.callers, |callers| callers.to_string())?;
        let clients = self.sweep("clients", &raw.clients, |clients| clients.0.to_string())?;
        let costs = self.sweep("cost", &raw.write.cost, |cost| show(cost.0))?;
        self.clients_in_range(&raw.clients)?;
        self.durations_in_range(&raw)?;
        let mut cells = Vec::new();
        for &callers in &callers {
            for clients in &clients {
                for cost in &costs {
                    let write = Cost { requested: cost.0, kind: raw.write.kind };
                    let swept = if costs.len() > 1 { format!("-{}", show(cost.0)) } else { String::new() };
                    let id = format!("{callers}-{}{swept}", clients.0);
                    cells.push(Cell { id, callers, clients: clients.0 as usize, write, core: false });
                }
            }
        }
        self.mark_core(&raw.core, &mut cells)?;
        Ok(Workload {
            name: name.to_owned(),
            title: raw.title.0,
            question: raw.question.0,
            hash: hex(&Sha256::digest(self.text.as_bytes())),
            pattern: raw.bursts.map_or(Pattern::Steady, |bursts| Pattern::Bursts {
                every: bursts.every.get_ref().0,
                updates: bursts.updates.0,
            }),
            capacity: self.capacity(raw.queue.capacity.as_ref())?,
            max_batch: raw
                .queue
                .max_batch
                .map_or(update_queue::DEFAULT_MAX_BATCH, |updates| updates.0 as usize),
            commit: raw.commit.map(|commit| Cost { requested: commit.cost.0, kind: commit.kind }),
            timed_every: raw.timed_every.map_or(1, |every| every.0),
            warm_up: raw.time.warm_up.0,
            window: raw.time.window.get_ref().0,
            cells,
        })
    }

    /// A list of a sweep: not empty, each value once.
    fn sweep<T: Copy + Ord>(
        &self,
        key: &str,
        list: &Spanned<Vec<Spanned<T>>>,
        shown: impl Fn(T) -> String,
    ) -> Result<Vec<T>, Error> {
        let values = list.get_ref();
        if values.is_empty() {
            return Err(self.at(list, format!("`{key}` is empty; name at least one value")));
        }
        let mut seen = BTreeSet::new();
        for value in values {
            if !seen.insert(*value.get_ref()) {
                let shown = shown(*value.get_ref());
                return Err(self.at(value, format!("`{key}` has {shown} twice; remove one")));
            }
        }
        Ok(values.iter().map(|value| *value.get_ref()).collect())
    }

    fn clients_in_range(&self, clients: &Spanned<Vec<Spanned<Count>>>) -> Result<(), Error> {
        match clients.get_ref().iter().find(|count| u64::from(count.get_ref().0) > MAX_CLIENTS) {
            Some(count) => Err(self
                .at(count, format!("{} clients are too many; use at most {MAX_CLIENTS}", count.get_ref().0))),
            None => Ok(()),
        }
    }

    fn capacity(&self, capacity: Option<&Spanned<Count>>) -> Result<usize, Error> {
        let Some(capacity) = capacity else { return Ok(update_queue::DEFAULT_CAPACITY) };
        let updates = capacity.get_ref().0 as usize;
        if updates > update_queue::MAX_CAPACITY {
            let most = update_queue::MAX_CAPACITY;
            return Err(
                self.at(capacity, format!("a capacity of {updates} is too large; use at most {most}"))
            );
        }
        Ok(updates)
    }

    fn durations_in_range(&self, raw: &File) -> Result<(), Error> {
        let window = &raw.time.window;
        if window.get_ref().0.is_zero() {
            return Err(self.at(window, "a window of 0 measures nothing; use for example \"1s\""));
        }
        if let Some(bursts) = raw.bursts.as_ref().filter(|bursts| bursts.every.get_ref().0.is_zero()) {
            return Err(self.at(&bursts.every, "bursts every 0 are no bursts; use for example \"100ms\""));
        }
        let singles = [Some(window), raw.bursts.as_ref().map(|bursts| &bursts.every)];
        let all = raw.write.cost.get_ref().iter().chain(singles.into_iter().flatten());
        let others = [Some(raw.time.warm_up), raw.commit.as_ref().map(|commit| commit.cost)];
        for span in all {
            if span.get_ref().0 > MAX_DURATION {
                return Err(self.at(span, format!("{} is too long; use at most 1h", show(span.get_ref().0))));
            }
        }
        match others.into_iter().flatten().find(|span| span.0 > MAX_DURATION) {
            Some(span) => Err(self.error(0, format!("{} is too long; use at most 1h", show(span.0)))),
            None => Ok(()),
        }
    }

    fn mark_core(&self, core: &[Spanned<String>], cells: &mut [Cell]) -> Result<(), Error> {
        for id in core {
            let Some(cell) = cells.iter_mut().find(|cell| cell.id == *id.get_ref()) else {
                let known: Vec<_> = cells.iter().map(|cell| cell.id.as_str()).collect();
                let message =
                    format!("core names no cell `{}`; the cells are {}", id.get_ref(), known.join(", "));
                return Err(self.at(id, message));
            };
            if std::mem::replace(&mut cell.core, true) {
                return Err(self.at(id, format!("core has `{}` twice; remove one", id.get_ref())));
            }
        }
        Ok(())
    }
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
