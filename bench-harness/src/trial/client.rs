//! One client: it makes updates, looks at its answers, and keeps what the checks after the window need.
//!
//! What it keeps per answer is two sums; what it keeps per timed answer in the window is one [`Sample`]. Percentiles are
//! computed after the window, so that they cost nothing inside it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use update_queue::{Applied, CallError, Effect, SubmitError, UpdateError, UpdateQueue};

use super::board::{Board, Phase};
use super::checker::{Output, Update, payload};
use super::chunks::Chunks;
use super::open::cohort::Cohort;
use super::sample::{Sample, Times};
use super::spec::TrialSpec;
use crate::random::mix;
use crate::record::Failure;

// LIMIT: each 64th update of one client: asking for the depth touches what callers and writer contend for.
const DEPTH_EVERY: u64 = 64;

/// One client of a trial.
#[derive(Debug)]
pub struct Client {
    board: Arc<Board>,
    seed: u64,
    timed_every: u64,
    n: u64,
    pub(super) journal: Journal,
}

/// What a client knows when the load is over.
#[derive(Debug, Default)]
pub struct Journal {
    /// Which client, from 0.
    pub client: u32,
    /// Updates that were accepted.
    pub accepted: u64,
    /// Updates whose output came back.
    pub applied: u64,
    /// Sum over the outputs of [`order_mark`].
    pub order: u64,
    /// Sum over the outputs of [`digest_mark`].
    pub digests: u64,
    /// Updates that were accepted and then failed, certainly not applied; those that expired among them.
    pub not_applied: Vec<u64>,
    /// Updates that expired, after the deadline that they had.
    pub expired: u64,
    /// Updates that were accepted and then failed, effect unknown.
    pub unknown: Vec<u64>,
    /// What the last update failed with that had no reason to fail.
    pub error: Option<String>,
    /// Updates applied whose answer came in the window.
    pub done: u64,
    /// Submits refused in the window and tried again.
    pub refused: u64,
    /// The timed updates among `done`, in a closed loop.
    pub samples: Chunks<Sample>,
    /// In an open loop, the updates that were planned for the window.
    pub cohort: Cohort,
    /// The first check that one of the answers failed.
    pub failure: Option<Failure>,
}

/// When the caller asked, and when submit returned.
#[derive(Clone, Copy, Debug)]
pub struct Submitted {
    /// The update's number.
    pub n: u64,
    /// When submit was called and when it returned, if the update is timed.
    pub times: Option<(u64, u64)>,
}

/// A number for an update's place in the total order.
pub fn order_mark(n: u64, seq: u64) -> u64 {
    mix(n.rotate_left(32) ^ seq)
}

/// A number for the digest that an update's output carries.
pub fn digest_mark(n: u64, digest: u64) -> u64 {
    mix(n ^ digest)
}

impl Client {
    /// The client with number `id`, before its first update.
    pub fn new(id: u32, spec: &TrialSpec, board: Arc<Board>) -> Self {
        let journal = Journal { client: id, ..Journal::default() };
        Self { board, seed: spec.seed, timed_every: u64::from(spec.timed_every.max(1)), n: 0, journal }
    }

    /// Whether there is another update to submit.
    pub fn goes_on(&self) -> bool {
        self.board.phase() != Phase::Stop && self.journal.failure.is_none()
    }

    /// The next update.
    pub fn next_update(&mut self) -> Update {
        self.n += 1;
        let client = self.journal.client;
        // Offset by the client, so that clients in step do not all read the clock in the same round.
        let timed = (self.n + u64::from(client)).is_multiple_of(self.timed_every);
        Update { client, timed, n: self.n, payload: payload(self.seed, client, self.n) }
    }

    /// The time, if `update` is timed.
    pub fn time(&self, update: &Update) -> u64 {
        if update.timed { self.board.clock().now() } else { 0 }
    }

    /// `update` was accepted; `asked` is when submit was called.
    pub fn accepted(&mut self, update: &Update, asked: u64) -> Submitted {
        let now = self.time(update);
        self.taken(update, asked, now)
    }

    /// `update` was accepted at a time that is known.
    pub fn taken(&mut self, update: &Update, asked: u64, accepted: u64) -> Submitted {
        self.journal.accepted += 1;
        Submitted { n: update.n, times: update.timed.then_some((asked, accepted)) }
    }

    /// An answer came.
    pub fn answered(&mut self, submitted: Submitted, outcome: Result<Applied<Output>, UpdateError>) {
        match outcome {
            Ok(Applied { seq, output, .. }) => self.applied(submitted, seq, &output),
            Err(error) => self.failed(submitted.n, &error),
        }
    }

    /// An output came back, with the queue's idea of its place in the total order.
    pub fn applied(&mut self, submitted: Submitted, seq: u64, output: &Output) {
        let resumed = if submitted.times.is_some() { self.board.clock().now() } else { 0 };
        if self.has_checked(submitted.n, seq, output) && self.board.phase() == Phase::Window {
            self.journal.done += 1;
            if let Some(times) = submitted.times {
                self.journal.samples.push(Sample::from(stations(times, output, resumed)));
            }
        }
    }

    /// Checks an output and puts it into the books. Whether it held.
    pub(super) fn has_checked(&mut self, n: u64, seq: u64, output: &Output) -> bool {
        self.journal.applied += 1;
        if let Err(failure) = self.check(n, seq, output) {
            self.journal.failure.get_or_insert(failure);
            return false;
        }
        self.journal.order = self.journal.order.wrapping_add(order_mark(output.n, output.seq));
        self.journal.digests = self.journal.digests.wrapping_add(digest_mark(output.n, output.digest));
        true
    }

    /// The one-step call failed. `Some` is an update to try again.
    pub fn call_failed(&mut self, n: u64, error: CallError<Update>) -> Option<Update> {
        match error {
            CallError::Refused(refused) => self.refused(refused),
            CallError::Failed(error) => {
                self.journal.accepted += 1;
                self.failed(n, &error);
                None
            }
            // The enum may grow; an ending that nobody knows is not one to count as success.
            other => {
                self.fail("V9", format!("update {n} of client {} ended with {other}", self.journal.client));
                None
            }
        }
    }

    /// Submit refused. `Some` is the update to try again; `None` ends the client.
    pub fn refused(&mut self, refused: SubmitError<Update>) -> Option<Update> {
        if refused.is_final() {
            self.fail("V9", format!("client {} was refused for good: {refused}", self.journal.client));
            return None;
        }
        if self.board.phase() == Phase::Window {
            self.journal.refused += 1;
        }
        Some(refused.into_update())
    }

    /// V8 under load, by one client now and then: the queue does not hold more than it may.
    pub fn look_at_depth<Q: UpdateQueue>(&mut self, queue: &Q) {
        if self.journal.client != 0 || !self.n.is_multiple_of(DEPTH_EVERY) {
            return;
        }
        let (depth, capacity) = (queue.depth(), queue.capacity());
        if depth > capacity {
            self.fail(
                "V8",
                format!("a depth of {depth} was reported under load with a capacity of {capacity}"),
            );
        }
    }

    /// The board that the client looks at.
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// The load is over.
    pub fn into_journal(self) -> Journal {
        self.journal
    }

    /// A check that the client made by itself failed.
    pub fn fail(&mut self, check: &str, reason: String) {
        self.journal.failure.get_or_insert_with(|| Failure { check: check.to_owned(), reason });
    }

    /// The update that was made last was refused and will not be tried again: the next one gets its number.
    pub(super) fn take_back(&mut self) {
        self.n -= 1;
    }

    /// Update `n` was accepted and had no more time to start.
    pub(super) fn expired(&mut self, n: u64) {
        self.journal.not_applied.push(n);
        self.journal.expired += 1;
    }

    /// Update `n` was accepted and failed for no good reason.
    pub(super) fn failed(&mut self, n: u64, error: &UpdateError) {
        self.journal.error = Some(error.to_string());
        match error.effect() {
            Effect::NotApplied => self.journal.not_applied.push(n),
            Effect::Unknown => self.journal.unknown.push(n),
        }
    }

    /// V1 and V6, while the answer is fresh.
    fn check(&self, n: u64, seq: u64, output: &Output) -> Result<(), Failure> {
        let client = self.journal.client;
        let fail = |check: &str, reason: String| Err(Failure { check: check.to_owned(), reason });
        if (output.client, output.n) != (client, n) {
            let Output { client: other, n: its, .. } = output;
            return fail(
                "V1",
                format!("client {client} got for update {n} the answer to update {its} of client {other}"),
            );
        }
        if seq != output.seq {
            return fail(
                "V1",
                format!(
                    "update {n} of client {client} was said to be number {seq} of all and was {}",
                    output.seq
                ),
            );
        }
        let finished = self.board.finished();
        if finished < seq {
            return fail(
                "V6",
                format!("the answer to update {seq} came when the machine had finished update {finished}"),
            );
        }
        Ok(())
    }
}

/// When an update passed its stations, from what the caller and what the machine saw of it.
pub(super) fn stations((asked, accepted): (u64, u64), output: &Output, resumed: u64) -> Times {
    // ORDERING: Relaxed; the commit wrote it before it let this answer go.
    let committed = output.committed.as_ref().map_or(output.applied.to, |cell| cell.load(Ordering::Relaxed));
    Times { asked, accepted, claimed: output.applied.from, applied: output.applied.to, committed, resumed }
}
