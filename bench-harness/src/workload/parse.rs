//! Reads a workload file: every mistake is answered with file, line and mend.
//!
//! `form.rs` says what a file looks like, and its values check themselves; here is checked what several values say
//! together, and the cells are formed.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};
use toml::Spanned;

use super::definition::{Cell, Cost, Pattern, Stall, Variation, Workload};
use super::duration::show;
use super::form::{Arrivals, Count, File, Share};

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
        self.durations_in_range(&raw)?;
        let (pattern, variation) = (self.pattern(&raw)?, self.variation(&raw)?);
        let cells = self.cells(&raw)?;
        Ok(Workload {
            name: name.to_owned(),
            title: raw.title.0,
            question: raw.question.0,
            hash: hex(&Sha256::digest(self.text.as_bytes())),
            pattern,
            capacity: self.capacity(raw.queue.capacity.as_ref())?,
            max_batch: raw
                .queue
                .max_batch
                .map_or(update_queue::DEFAULT_MAX_BATCH, |updates| updates.0 as usize),
            variation,
            commit: raw.commit.map(|commit| Cost { requested: commit.cost.get_ref().0, kind: commit.kind }),
            timed_every: raw.timed_every.map_or(1, |every| every.get_ref().0),
            warm_up: raw.time.warm_up.get_ref().0,
            window: raw.time.window.get_ref().0,
            cells,
        })
    }

    /// How clients behave: steady, in bursts, or an open loop.
    fn pattern(&self, raw: &File) -> Result<Pattern, Error> {
        match (&raw.bursts, &raw.arrivals) {
            (None, None) => Ok(Pattern::Steady),
            (Some(bursts), None) => {
                Ok(Pattern::Bursts { every: bursts.every.get_ref().0, updates: bursts.updates.0 })
            }
            (None, Some(arrivals)) => {
                self.fits_an_open_loop(raw)?;
                let Arrivals { kind, deadline, .. } = arrivals.get_ref();
                Ok(Pattern::Arrivals {
                    kind: *kind,
                    deadline: deadline.as_ref().map(|span| span.get_ref().0),
                })
            }
            (Some(_), Some(arrivals)) => {
                Err(self.at(arrivals, "a load is in [bursts] or has [arrivals], not both; remove one"))
            }
        }
    }

    /// What an open loop leaves no choice about.
    fn fits_an_open_loop(&self, raw: &File) -> Result<(), Error> {
        if let Some(every) = raw.timed_every.as_ref().filter(|every| every.get_ref().0 > 1) {
            return Err(self.at(every, "with [arrivals] every update is timed; remove `timed_every`"));
        }
        match &raw.write.cost.get_ref()[..] {
            [_, second, ..] => Err(self.at(
                second,
                "with [arrivals] there is one cost, because the loads are shares of one capacity; make a file of each",
            )),
            _ => Ok(()),
        }
    }

    fn variation(&self, raw: &File) -> Result<Variation, Error> {
        // LIMIT: 10: beyond it the few largest writes of a window are all of its cost, and no two windows are alike.
        const MOST_CV: f64 = 10.0;
        if let Some(cv) = raw.write.cv.as_ref().filter(|cv| !(0.0..=MOST_CV).contains(cv.get_ref())) {
            let message =
                format!("a cv of {} is out of range; use 0 (all writes alike) to {MOST_CV}", cv.get_ref());
            return Err(self.at(cv, message));
        }
        Ok(Variation {
            cv: raw.write.cv.as_ref().map(|cv| *cv.get_ref()).filter(|cv| *cv > 0.0),
            stall: raw
                .write
                .stall
                .as_ref()
                .map(|stall| Stall { one_in: stall.one_in.0, takes: stall.takes.get_ref().0 }),
        })
    }

    /// All combinations of what is swept.
    fn cells(&self, raw: &File) -> Result<Vec<Cell>, Error> {
        let callers = self.sweep("callers", &raw.callers, |callers| callers.to_string())?;
        let clients = self.sweep("clients", &raw.clients, |clients| clients.0.to_string())?;
        let costs = self.sweep("cost", &raw.write.cost, |cost| show(cost.0))?;
        let loads = self.loads(raw)?;
        self.clients_in_range(&raw.clients)?;
        let mut cells = Vec::new();
        for &callers in &callers {
            for clients in &clients {
                for cost in &costs {
                    for load in &loads {
                        let write = Cost { requested: cost.0, kind: raw.write.kind };
                        let cost = if costs.len() > 1 { format!("-{}", show(cost.0)) } else { String::new() };
                        let share =
                            load.map_or_else(String::new, |Share(hundredths)| format!("-load{hundredths}"));
                        let id = format!("{callers}-{}{cost}{share}", clients.0);
                        let load = load.map(|Share(hundredths)| f64::from(hundredths) / 100.0);
                        cells.push(Cell {
                            id,
                            callers,
                            clients: clients.0 as usize,
                            write,
                            load,
                            core: false,
                        });
                    }
                }
            }
        }
        self.mark_core(&raw.core, &mut cells)?;
        Ok(cells)
    }

    /// The loads of an open loop; for a closed one a single cell has none.
    fn loads(&self, raw: &File) -> Result<Vec<Option<Share>>, Error> {
        let Some(arrivals) = &raw.arrivals else { return Ok(vec![None]) };
        let shown = |share: Share| (f64::from(share.0) / 100.0).to_string();
        Ok(self.sweep("load", &arrivals.get_ref().load, shown)?.into_iter().map(Some).collect())
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
        let every = raw.bursts.as_ref().map(|bursts| &bursts.every);
        let commit = raw.commit.as_ref().map(|commit| &commit.cost);
        let arrivals = raw.arrivals.as_ref().map(Spanned::get_ref);
        let deadline = arrivals.and_then(|arrivals| arrivals.deadline.as_ref());
        if let Some(deadline) = deadline.filter(|deadline| deadline.get_ref().0.is_zero()) {
            return Err(self.at(deadline, "a deadline of 0 has always passed; use for example \"20ms\""));
        }
        let stall = raw.write.stall.as_ref().map(|stall| &stall.takes);
        let singles = [Some(&raw.time.warm_up), Some(window), every, commit, deadline, stall];
        let mut all = raw.write.cost.get_ref().iter().chain(singles.into_iter().flatten());
        match all.find(|span| span.get_ref().0 > MAX_DURATION) {
            Some(span) => {
                Err(self.at(span, format!("{} is too long; use at most 1h", show(span.get_ref().0))))
            }
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
