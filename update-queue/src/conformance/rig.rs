//! A queue under test, with everything a check needs to hold in its hands.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::gate::Gate;
use super::journal::{Journal, Op, Probe, Reply};
use super::watch::text_of;
use crate::{
    Applied, Options, Outcome, ShutdownError, Strategy, SubmitError, Ticket, UpdateError, UpdateQueue, Writer,
};

/// The caller of updates that only make the writer stand still.
pub const STALLER: usize = usize::MAX;

/// What a part of a check found: a value, or what was seen instead of what was promised.
pub type Seen<T> = Result<T, String>;

/// A strategy's queue in front of a [`Journal`].
#[derive(Debug)]
pub struct Rig<S: Strategy, const GROUP: bool> {
    /// The callers' handle.
    pub queue: S::Queue<Journal<GROUP>>,
    /// The writer's owner.
    pub writer: Writer<Journal<GROUP>>,
    /// The view into the machine.
    pub probe: Arc<Probe>,
}

impl<S: Strategy, const GROUP: bool> Rig<S, GROUP> {
    /// Starts a queue.
    pub fn start(options: Options) -> Self {
        let (machine, probe) = Journal::new();
        let (queue, writer) = S::start(machine, options);
        Self { queue, writer, probe }
    }

    /// Starts a queue with the given capacity.
    pub fn holding(capacity: usize) -> Self {
        Self::start(Options::default().capacity(capacity))
    }

    /// Whether the strategy has a queue to wait in; prints that `what` is skipped if not.
    pub fn has_queue(&self, what: &str) -> bool {
        let has = self.queue.capacity() > 0;
        if !has {
            println!("SKIP for {}, which has no queue to wait in: {what}", S::NAME);
        }
        has
    }

    /// Makes the writer stand still inside `apply`, and returns once it does.
    pub fn stall(&self) -> Stall {
        self.stall_then(|| {})
    }

    /// As [`stall`](Self::stall); the stalled update does `act` when it goes on.
    pub fn stall_then(&self, act: impl FnOnce() + Send + 'static) -> Stall {
        let gate = Gate::new();
        let way = gate.way();
        let op = Op::new(STALLER, 0).doing(move || {
            way();
            act();
        });
        let queue = self.queue.clone();
        // On a thread of its own: a strategy without a writer applies on the caller's.
        let caller = thread::spawn(move || queue.call_blocking(op).map_err(|error| format!("{error:?}")));
        gate.wait_entered();
        Stall { gate, caller }
    }

    /// Submits an update, which must be accepted and applied, and waits for its output.
    pub fn call(&self, op: Op) -> Seen<Applied<Reply>> {
        applied(accepted(self.queue.submit_blocking(op))?.wait())
    }

    /// Submits an update, which must be accepted and must fail, and waits for its error.
    pub fn call_failing(&self, op: Op) -> Seen<UpdateError> {
        failed(accepted(self.queue.submit_blocking(op))?.wait())
    }

    /// Submits until the queue is full: the tickets, and the update that came back.
    pub fn fill(&self, caller: usize) -> Seen<(Vec<Ticket<Reply>>, Op)> {
        let mut tickets = Vec::new();
        loop {
            match self.queue.try_submit(Op::new(caller, tickets.len())) {
                Ok(ticket) => tickets.push(ticket),
                Err(SubmitError::Full { update, .. }) => return Ok((tickets, update)),
                Err(error) => return Err(format!("a submit to a queue with a stalled writer: {error}")),
            }
            let most = self.queue.capacity() + 2;
            ensure!(tickets.len() < most, "{most} updates were accepted while the writer stood still");
        }
    }

    /// Shuts down and hands the machine back.
    pub fn shutdown(self) -> Seen<Journal<GROUP>> {
        self.writer.shutdown().map_err(|error| format!("shutdown failed: {error}"))
    }

    /// Shuts down a queue that must be poisoned: the cause.
    pub fn shutdown_poisoned(self) -> Seen<(Journal<GROUP>, Arc<str>)> {
        match self.writer.shutdown() {
            Err(ShutdownError::Poisoned { machine: Some(machine), cause }) => Ok((machine, cause)),
            Err(error) => Err(format!("shutdown of a poisoned queue: {error:?}")),
            Ok(_) => Err("shutdown of a poisoned queue returned a machine as if it were sound".to_owned()),
        }
    }
}

/// A writer that stands still. Dropping this lets it go on.
#[derive(Debug)]
pub struct Stall {
    gate: Gate,
    caller: JoinHandle<Result<Applied<Reply>, String>>,
}

impl Stall {
    /// Lets the writer go on, and waits until the stalled update was answered: its outcome, or the error as text.
    pub fn release(self) -> Result<Applied<Reply>, String> {
        self.gate.open();
        self.caller
            .join()
            .map_err(|payload| format!("the stalling caller panicked: {}", text_of(payload.as_ref())))?
    }

    /// Lets the writer go on without waiting for it.
    pub fn open(&self) {
        self.gate.open();
    }
}

/// The ticket of an update that must be accepted.
pub(crate) fn accepted<O, U>(submitted: Result<Ticket<O>, SubmitError<U>>) -> Seen<Ticket<O>> {
    submitted.map_err(|error| format!("an update was refused: {error}"))
}

/// The output of an update that must be applied.
pub(crate) fn applied<O>(outcome: Outcome<O>) -> Seen<Applied<O>> {
    outcome.map_err(|error| format!("an update was not applied: {error} ({error:?})"))
}

/// The error of an update that must fail.
pub(crate) fn failed<O>(outcome: Outcome<O>) -> Seen<UpdateError> {
    match outcome {
        Ok(applied) => Err(format!("an update was applied (seq {}) that must not be", applied.seq)),
        Err(error) => Ok(error),
    }
}

/// Runs `part` on that many threads at once and waits for all of them.
pub(crate) fn crowd(threads: usize, part: impl Fn(usize) -> Seen<()> + Sync) -> Seen<()> {
    let part = &part;
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|number| scope.spawn(move || part(number))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|payload| Err(text_of(payload.as_ref()).to_owned())))
            .fold(Ok(()), Seen::and)
    })
}

/// A `start_by` that has passed.
pub(crate) fn past() -> Instant {
    Instant::now()
}

/// A moment that no check reaches.
pub(crate) fn far() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}
