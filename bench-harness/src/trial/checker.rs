//! The measured machine: it spends the write cost, and keeps what it takes to prove afterwards that every update was
//! applied once, in order, by one writer.
//!
//! The evidence is the same for every strategy: one append to a log and one step of a digest per update.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use update_queue::{BoxError, StateMachine};

use super::board::{Board, Phase};
use super::chunks::Chunks;
use super::clock::spend;
use super::spec::TrialSpec;
use super::write::Writes;
use crate::random::mix;
use crate::record::Failure;
use crate::workload::definition::Cost;

/// One update of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// Which client, from 0.
    pub client: u32,
    /// Whether the machine reads the clock for it.
    pub timed: bool,
    /// Which update of the client, from 1.
    pub n: u64,
    /// What is written; see [`payload`].
    pub payload: u64,
}

/// What the client gets back.
#[derive(Clone, Debug)]
pub struct Output {
    /// The update's client.
    pub client: u32,
    /// The update's number.
    pub n: u64,
    /// How many updates the machine had applied, this one included.
    pub seq: u64,
    /// The digest of all updates so far, this one included.
    pub digest: u64,
    /// When `apply` began and returned; 0 unless timed.
    pub applied: Span,
    /// With group commit: where the commit of the update's batch writes when it returned.
    pub committed: Option<Arc<AtomicU64>>,
}

/// A piece of time on the trial's clock, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub from: u64,
    /// When it was over.
    pub to: u64,
}

/// A machine that a trial can measure: a [`Checker`], or a wrapper around one that behaves badly on purpose.
pub trait Measured: StateMachine<Update = Update, Output = Output> {
    /// Puts the checker to work.
    fn new(checker: Checker) -> Self;
    /// The checker, after the last update.
    fn into_checker(self) -> Checker;
}

/// Outcomes are final when `apply` returns.
#[derive(Debug)]
pub struct Each(Checker);

/// Outcomes wait for the commit of their batch.
#[derive(Debug)]
pub struct Grouped(Checker);

impl StateMachine for Each {
    type Update = Update;
    type Output = Output;

    fn apply(&mut self, update: Update) -> Output {
        self.0.apply(update)
    }
}

impl Measured for Each {
    fn new(checker: Checker) -> Self {
        Self(checker)
    }

    fn into_checker(self) -> Checker {
        self.0
    }
}

impl StateMachine for Grouped {
    type Update = Update;
    type Output = Output;
    const GROUP_COMMIT: bool = true;

    fn apply(&mut self, update: Update) -> Output {
        self.0.apply(update)
    }

    fn commit(&mut self) -> Result<(), BoxError> {
        self.0.commit();
        Ok(())
    }
}

impl Measured for Grouped {
    fn new(checker: Checker) -> Self {
        Self(checker)
    }

    fn into_checker(self) -> Checker {
        self.0
    }
}

/// A line of the machine's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The update's client.
    pub client: u32,
    /// The update's number; more than 2^32 updates of one client take longer than any trial.
    pub n: u32,
}

/// The state behind the queue.
#[derive(Debug)]
pub struct Checker {
    board: Arc<Board>,
    writes: Writes,
    commit: Option<Cost>,
    /// Set while `apply` or `commit` runs.
    busy: AtomicBool,
    seq: u64,
    digest: u64,
    log: Chunks<Entry>,
    batch: Option<Batch>,
    busy_ns: u64,
    commits: u64,
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Batch {
    writer: usize,
    committed: Arc<AtomicU64>,
}

impl Checker {
    /// A machine that has applied nothing.
    pub fn new(spec: &TrialSpec, board: Arc<Board>) -> Self {
        Self {
            board,
            writes: Writes::of(spec),
            commit: spec.commit,
            busy: AtomicBool::new(false),
            seq: 0,
            digest: 0,
            log: Chunks::new(),
            batch: None,
            busy_ns: 0,
            commits: 0,
            failure: None,
        }
    }

    /// Spends the cost of one write and records it.
    pub fn apply(&mut self, update: Update) -> Output {
        self.enter();
        let from = if update.timed { self.board.clock().now() } else { 0 };
        let committed = self.commit.is_some().then(|| self.join_batch());
        self.writes.spend(update.payload);
        self.seq += 1;
        self.digest = chain(self.digest, update.client, update.n, update.payload);
        self.log.push(Entry { client: update.client, n: update.n as u32 });
        if committed.is_none() {
            self.board.finish(self.seq);
        }
        let to = if update.timed { self.board.clock().now() } else { 0 };
        self.busy_ns += self.board.within_window(from, to);
        self.leave();
        let Update { client, n, .. } = update;
        Output { client, n, seq: self.seq, digest: self.digest, applied: Span { from, to }, committed }
    }

    /// Spends the cost of one commit and makes the batch's time of it known.
    pub fn commit(&mut self) {
        self.enter();
        let from = self.board.clock().now();
        if let Some(cost) = self.commit {
            spend(cost);
        }
        self.board.finish(self.seq);
        let to = self.board.clock().now();
        match self.batch.take() {
            // ORDERING: Relaxed; the clients read it only after the answer that this commit allows.
            Some(batch) if batch.writer == this_thread() => batch.committed.store(to, Ordering::Relaxed),
            Some(_) => self.fail("a batch was committed by another thread than the one that applied it"),
            None => self.fail("a commit was called with nothing applied"),
        }
        self.busy_ns += self.board.within_window(from, to);
        self.commits += u64::from(self.board.phase() == Phase::Window);
        self.leave();
    }

    /// The updates in the order in which they were applied.
    pub fn log(&self) -> &Chunks<Entry> {
        &self.log
    }

    /// Time in `apply` and `commit`, clipped to the window; only timed updates are part of it.
    pub fn busy_ns(&self) -> u64 {
        self.busy_ns
    }

    /// Commits that returned in the window.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// What the machine itself saw go wrong.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    fn join_batch(&mut self) -> Arc<AtomicU64> {
        let writer = this_thread();
        let batch = self.batch.get_or_insert_with(|| Batch { writer, committed: Arc::default() });
        let (committed, same) = (Arc::clone(&batch.committed), batch.writer == writer);
        if !same {
            self.fail("two threads applied updates of one batch");
        }
        committed
    }

    fn enter(&mut self) {
        // ORDERING: Acquire here and Release in `leave`: a second writer that comes in properly sees the first one's exit.
        if self.busy.swap(true, Ordering::Acquire) {
            self.fail("two writers were in the machine at once");
        }
    }

    fn leave(&self) {
        // ORDERING: Release; see `enter`.
        self.busy.store(false, Ordering::Release);
    }

    fn fail(&mut self, reason: &str) {
        self.failure.get_or_insert_with(|| Failure { check: "V5".to_owned(), reason: reason.to_owned() });
    }
}

/// A number that no other living thread has.
fn this_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}

/// What a client writes with its `n`th update.
pub fn payload(seed: u64, client: u32, n: u64) -> u64 {
    mix(seed ^ mix(u64::from(client) << 40 ^ n))
}

/// The digest after one more update.
pub fn chain(digest: u64, client: u32, n: u64, payload: u64) -> u64 {
    // LIMIT: an odd multiplier loses nothing, and the rotation lets high bits reach low ones; not cryptographic.
    let update = payload.rotate_left(17) ^ n ^ u64::from(client).rotate_left(48);
    (digest ^ update).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_depends_on_order_and_on_every_field() {
        let ab = chain(chain(0, 1, 1, 5), 2, 1, 6);
        let ba = chain(chain(0, 2, 1, 6), 1, 1, 5);
        assert_ne!(ab, ba, "order");
        let one = chain(7, 1, 1, 5);
        assert_ne!(one, chain(7, 2, 1, 5), "client");
        assert_ne!(one, chain(7, 1, 2, 5), "number");
        assert_ne!(one, chain(7, 1, 1, 6), "payload");
    }

    #[test]
    fn threads_have_different_marks() {
        let here = this_thread();
        assert_eq!(here, this_thread());
        let there = std::thread::scope(|s| s.spawn(this_thread).join().expect("it only reads an address"));
        assert_ne!(here, there);
    }
}
