//! Claim, apply, commit, release: what happens to an update once the writer has it. It exists once, for every strategy.
//!
//! The engine owns the machine. Whoever holds `&mut Engine` is the writer at that moment: a thread of its own behind a
//! channel, or whoever holds the lock. It takes updates one at a time, gives them their `seq`, and answers their callers:
//! at once, or with group commit after the batch's one commit, in `seq` order.
//!
//! Nothing foreign stops it. A panic in `apply` or `commit` is answered and poisons the queue unless the machine rolls
//! back; a panic in a destructor, a waker or the observer is swallowed (the panic hook has reported it).

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::contain::{Panic, attempt, contain};
use crate::error::UpdateError;
use crate::front::Front;
use crate::machine::{Rollback, StateMachine};
use crate::observer::{Role, Skipped};
use crate::options::Options;
use crate::reentry;
use crate::ticket::{self, Applied, Completion, Envelope, Outcome};

/// The envelope of a machine's updates: what a strategy's transport carries.
pub type EnvelopeOf<M> = Envelope<<M as StateMachine>::Update, <M as StateMachine>::Output>;

type CompletionOf<M> = Completion<<M as StateMachine>::Update, <M as StateMachine>::Output>;

/// An applied update that waits for its commit.
struct Held<M: StateMachine> {
    completion: CompletionOf<M>,
    applied: Applied<M::Output>,
}

pub(crate) struct Engine<M: StateMachine> {
    machine: M,
    front: Arc<Front>,
    /// The last applied update's place in the total order.
    seq: u64,
    /// The last committed one's; `seq` goes back to it when a batch is undone.
    committed: u64,
    held: Vec<Held<M>>,
    /// Updates applied since the batch began.
    batch: usize,
    max_batch: usize,
    /// When the batch began and when the queue was last seen empty; only kept if anybody wants to know.
    batch_began: Option<Instant>,
    last_empty: Option<Instant>,
}

impl<M: StateMachine> Engine<M> {
    pub(crate) fn new(machine: M, options: &Options, front: Arc<Front>) -> Self {
        let last_empty = front.now();
        Self {
            machine,
            front,
            seq: options.last_seq,
            committed: options.last_seq,
            held: Vec::new(),
            batch: 0,
            max_batch: options.max_batch,
            batch_began: None,
            last_empty,
        }
    }

    pub(crate) fn front(&self) -> &Front {
        &self.front
    }

    pub(crate) fn into_machine(self) -> M {
        self.machine
    }

    pub(crate) fn batch_is_full(&self) -> bool {
        self.batch >= self.max_batch
    }

    /// Nobody has been waiting until now.
    pub(crate) fn was_empty(&mut self) {
        if self.front.overload.is_on() {
            self.last_empty = Some(Instant::now());
        }
    }

    /// Takes one update off the transport: claims and applies it, or answers why not.
    pub(crate) fn step(&mut self, envelope: EnvelopeOf<M>) {
        let now = self.front.now();
        if let Some(error) = self.refusal(envelope.start_by(), envelope.submitted(), now) {
            return self.refuse(envelope, error);
        }
        match envelope.claim() {
            Ok((update, completion)) => self.run(update, completion, now),
            Err(skipped) => self.skipped(&skipped),
        }
    }

    /// Answers an update without applying it.
    pub(crate) fn refuse(&self, envelope: EnvelopeOf<M>, error: UpdateError) {
        let reason = skip_reason(&error);
        match contain(|| envelope.refuse(error)) {
            Some(Err(skipped)) => self.skipped(&skipped),
            // A destructor or a waker panicked: the cell had its answer before that.
            Some(Ok(())) | None => self.front.watch.tell(|observer| observer.on_skip(reason)),
        }
    }

    /// Applies an update on the caller's own thread and returns its outcome, committed if the machine commits.
    pub(crate) fn execute(
        &mut self,
        update: M::Update,
        start_by: Option<Instant>,
        submitted: Option<Instant>,
    ) -> Outcome<M::Output> {
        let now = self.front.now();
        if let Some(error) = self.refusal(start_by, submitted, now) {
            self.front.watch.tell(|observer| observer.on_skip(skip_reason(&error)));
            contain(|| drop(update));
            return Err(error);
        }
        self.begin(submitted, now);
        let outcome = self.apply(update, now).and_then(|applied| match self.commit() {
            Ok(()) => Ok(applied),
            Err(error) => {
                contain(|| drop(applied));
                Err(error)
            }
        });
        self.end_batch(false);
        self.completed(submitted, outcome.as_ref().err(), Role::Caller);
        outcome
    }

    /// Ends the batch: commits it and answers everybody in it. `queue_is_empty`: nothing is waiting right now.
    pub(crate) fn finish_batch(&mut self, queue_is_empty: bool) {
        if self.batch > 0 {
            match self.commit() {
                Ok(()) => self.release(),
                Err(error) => self.fail_held(&error),
            }
        }
        self.end_batch(queue_is_empty);
    }

    /// The transport panicked: what was applied and not answered is in doubt.
    pub(crate) fn lost(&mut self, cause: &Arc<str>) {
        self.poison(cause);
        self.fail_held(&UpdateError::WriterLost);
    }

    /// Why an update must not be claimed now.
    fn refusal(
        &self,
        start_by: Option<Instant>,
        submitted: Option<Instant>,
        now: Option<Instant>,
    ) -> Option<UpdateError> {
        if self.front.gate.claims_stopped() {
            return Some(UpdateError::Closed);
        }
        if start_by.is_some_and(|latest| latest <= now.unwrap_or_else(Instant::now)) {
            return Some(UpdateError::Expired);
        }
        let (last_empty, now) = (self.last_empty?, now?);
        self.front.overload.sheds(submitted, last_empty, now).then_some(UpdateError::Shed)
    }

    fn run(&mut self, update: M::Update, completion: CompletionOf<M>, now: Option<Instant>) {
        self.begin(completion.submitted(), now);
        match self.apply(update, now) {
            Ok(applied) if M::GROUP_COMMIT => self.held.push(Held { completion, applied }),
            outcome => self.answer(completion, outcome),
        }
    }

    fn begin(&mut self, submitted: Option<Instant>, now: Option<Instant>) {
        if self.batch == 0 {
            self.batch_began = now;
        }
        if let (Some(submitted), Some(now)) = (submitted, now) {
            self.front.watch.tell(|observer| observer.on_start(now.saturating_duration_since(submitted)));
        }
    }

    fn apply(&mut self, update: M::Update, started: Option<Instant>) -> Outcome<M::Output> {
        let inside = reentry::enter(self.front.queue);
        let result = attempt(|| self.machine.apply(update));
        drop(inside);
        if let Some(started) = started {
            self.front.watch.tell(|observer| observer.on_apply(started.elapsed()));
        }
        match result {
            Ok(output) => {
                self.seq += 1;
                self.batch += 1;
                Ok(Applied { seq: self.seq, output })
            }
            Err(message) => Err(self.apply_panicked(message)),
        }
    }

    /// Undoes the batch if the machine can, else poisons. Returns what to tell the caller whose update panicked.
    fn apply_panicked(&mut self, message: Arc<str>) -> UpdateError {
        if M::GROUP_COMMIT && self.roll_back() {
            let error = UpdateError::RolledBack(Arc::new(Panic(message)));
            self.fail_held(&error);
            return error;
        }
        self.poison(&format!("an update panicked: {message}").into());
        self.fail_held(&UpdateError::WriterLost);
        UpdateError::Panicked(message)
    }

    /// Commits what was applied. An error says what to tell everybody in the batch; it is never tried again.
    fn commit(&mut self) -> Result<(), UpdateError> {
        if !M::GROUP_COMMIT {
            self.committed = self.seq;
            return Ok(());
        }
        let started = self.front.now();
        let inside = reentry::enter(self.front.queue);
        let result = attempt(|| self.machine.commit());
        drop(inside);
        self.committed_after(started, matches!(result, Ok(Ok(()))));
        match result {
            Ok(Ok(())) => {
                self.committed = self.seq;
                Ok(())
            }
            Ok(Err(error)) => {
                let error: Arc<dyn std::error::Error + Send + Sync> = Arc::from(error);
                if self.roll_back() {
                    return Err(UpdateError::RolledBack(error));
                }
                let cause = attempt(|| format!("a commit failed: {error}"))
                    .unwrap_or_else(|_| "a commit failed".into());
                self.poison(&cause.into());
                Err(UpdateError::CommitFailed(error))
            }
            Err(message) => {
                self.poison(&format!("a commit panicked: {message}").into());
                Err(UpdateError::CommitFailed(Arc::new(Panic(message))))
            }
        }
    }

    /// Whether the machine is back at the last commit.
    fn roll_back(&mut self) -> bool {
        let inside = reentry::enter(self.front.queue);
        let result = attempt(|| self.machine.rollback());
        drop(inside);
        let restored = matches!(result, Ok(Rollback::Restored));
        if restored {
            self.seq = self.committed;
            self.batch = 0;
        }
        restored
    }

    /// Answers the batch in `seq` order after its commit.
    fn release(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        for Held { completion, applied } in held.drain(..) {
            self.answer(completion, Ok(applied));
        }
        self.held = held;
    }

    /// Answers the batch with an error. It is over: nothing of it is left to commit.
    fn fail_held(&mut self, error: &UpdateError) {
        self.batch = 0;
        let mut held = std::mem::take(&mut self.held);
        for Held { completion, applied } in held.drain(..) {
            contain(|| drop(applied));
            self.answer(completion, Err(error.clone()));
        }
        self.held = held;
    }

    fn answer(&self, completion: CompletionOf<M>, outcome: Outcome<M::Output>) {
        let submitted = completion.submitted();
        // ORDER MATTERS: the books are closed before the caller knows, so that a caller finds its own update in them.
        self.completed(submitted, outcome.as_ref().err(), Role::Writer);
        contain(|| completion.complete(outcome));
    }

    fn poison(&self, cause: &Arc<str>) {
        self.front.gate.poison(cause);
        self.front.watch.tell(|observer| observer.on_poison(cause));
    }

    fn end_batch(&mut self, queue_is_empty: bool) {
        if self.front.overload.is_on() {
            let now = Instant::now();
            if let Some(began) = self.batch_began.take() {
                self.front.load.sample(now.saturating_duration_since(began), self.batch);
            }
        }
        if queue_is_empty {
            self.was_empty();
        }
        self.batch = 0;
    }

    fn committed_after(&self, started: Option<Instant>, ok: bool) {
        if let Some(started) = started {
            let held =
                self.batch_began.map_or(Duration::ZERO, |began| started.saturating_duration_since(began));
            self.front.watch.tell(|observer| observer.on_commit(self.batch, held, started.elapsed(), ok));
        }
    }

    fn completed(&self, submitted: Option<Instant>, error: Option<&UpdateError>, role: Role) {
        if let Some(submitted) = submitted {
            self.front.watch.tell(|observer| observer.on_complete(submitted.elapsed(), error, role));
        }
    }

    fn skipped(&self, skipped: &ticket::Skipped) {
        match skipped {
            ticket::Skipped::Abandoned => {
                self.front.watch.tell(|observer| observer.on_skip(Skipped::Cancelled))
            }
            ticket::Skipped::Gone => {}
        }
    }
}

fn skip_reason(error: &UpdateError) -> Skipped {
    match error {
        UpdateError::Expired => Skipped::Expired,
        UpdateError::Shed => Skipped::Shed,
        _ => Skipped::Closed,
    }
}
