//! One client of an open loop: its plan, its updates that are not answered yet, and what became of the others.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{future::Future as _, pin::Pin};

use update_queue::{Applied, Outcome, Request, SubmitError, Ticket, UpdateError};

use super::arrivals::Plan;
use super::cohort::{Answered, Cohort, Fate};
use super::horizon::Horizon;
use crate::trial::board::Board;
use crate::trial::checker::{Output, Update};
use crate::trial::client::{Client, stations};
use crate::trial::clock::nanos;
use crate::trial::sample::Sample;
use crate::trial::spec::TrialSpec;
use crate::workload::definition::Pattern;

/// One client of an open loop.
#[derive(Debug)]
pub struct Caller {
    client: Client,
    horizon: Horizon,
    deadline: Option<u64>,
    open: VecDeque<Sent>,
}

/// An update on its way into the queue.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The update.
    pub update: Update,
    intended: u64,
    late: u64,
    asked: u64,
}

/// An accepted update that has no answer yet.
#[derive(Debug)]
pub struct Sent {
    attempt: Attempt,
    accepted: u64,
    ticket: Ticket<Output>,
}

impl Caller {
    /// A client before its first update.
    pub fn new(mut client: Client, spec: &TrialSpec, plan: &Plan) -> Self {
        let horizon = Horizon::of(spec);
        let deadline = match spec.pattern {
            Pattern::Arrivals { deadline, .. } => deadline.map(nanos),
            Pattern::Steady | Pattern::Bursts { .. } => None,
        };
        client.journal.cohort = Cohort::of(plan.client(client.journal.client), &horizon);
        Self { client, horizon, deadline, open: VecDeque::new() }
    }

    /// Which client, from 0.
    pub fn id(&self) -> u32 {
        self.client.journal.client
    }

    /// Now, on the trial's clock.
    pub fn now(&self) -> u64 {
        self.client.board().clock().now()
    }

    /// The times of the load.
    pub fn horizon(&self) -> Horizon {
        self.horizon
    }

    /// What the threads of the trial share.
    pub fn board(&self) -> &Arc<Board> {
        self.client.board()
    }

    /// Whether the load goes on and nothing has gone wrong.
    pub fn goes_on(&self) -> bool {
        self.now() < self.horizon.over && self.client.journal.failure.is_none()
    }

    /// Whether an update must not wait for room: it has a deadline, and the strategy a queue of this capacity.
    pub fn is_hasty(&self, capacity: usize) -> bool {
        self.deadline.is_some() && capacity > 0
    }

    /// The update that was planned for `intended`, about to be submitted. `late` is what the generator is to blame for.
    pub fn attempt(&mut self, intended: u64, late: u64) -> Attempt {
        let asked = self.now().max(intended);
        self.attempt_at(intended, late, asked)
    }

    /// The same, to count as submitted at `asked`.
    pub fn attempt_at(&mut self, intended: u64, late: u64, asked: u64) -> Attempt {
        let update = Update { timed: true, ..self.client.next_update() };
        Attempt { update, intended, late, asked }
    }

    /// What a strategy is asked to do with it.
    pub fn request(&self, attempt: &Attempt) -> Request<Update> {
        let request = Request::new(attempt.update);
        match self.deadline {
            Some(deadline) => {
                let latest = attempt.intended.saturating_add(deadline);
                request.start_by(self.client.board().clock().instant(latest))
            }
            None => request,
        }
    }

    /// What submit said.
    pub fn submitted(&mut self, attempt: Attempt, submitted: Result<Ticket<Output>, SubmitError<Update>>) {
        match submitted {
            Ok(ticket) => {
                self.client.journal.accepted += 1;
                self.open.push_back(Sent { attempt, accepted: self.now(), ticket });
            }
            Err(refused) if refused.is_final() => {
                let client = self.client.journal.client;
                self.client.fail("V9", format!("client {client} was refused for good: {refused}"));
            }
            Err(_) => {
                self.client.take_back();
                self.ended(attempt.intended, Fate::GivenUp(self.now()));
            }
        }
    }

    /// The load was over before the update that was planned for `intended` could be sent.
    pub fn unsent(&mut self, intended: u64) {
        self.ended(intended, Fate::Open);
    }

    /// The oldest update without an answer.
    pub fn oldest(&mut self) -> Option<Sent> {
        self.open.pop_front()
    }

    /// It still has none.
    pub fn still_open(&mut self, sent: Sent) {
        self.open.push_front(sent);
    }

    /// Takes all answers that are there, and has the task woken by the next one.
    pub fn collect(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(mut sent) = self.open.pop_front() {
            match Pin::new(&mut sent.ticket).poll(cx) {
                Poll::Ready(outcome) => self.resolved(sent.attempt, sent.accepted, outcome),
                Poll::Pending => {
                    self.open.push_front(sent);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(())
    }

    /// An accepted update has its outcome.
    pub fn resolved(&mut self, attempt: Attempt, accepted: u64, outcome: Outcome<Output>) {
        match outcome {
            Ok(Applied { seq, output, .. }) => self.applied(attempt, accepted, seq, &output),
            Err(UpdateError::Expired) => self.expired(attempt),
            Err(error) => {
                self.client.failed(attempt.update.n, &error);
                self.ended(attempt.intended, Fate::GivenUp(self.now()));
            }
        }
    }

    fn applied(&mut self, attempt: Attempt, accepted: u64, seq: u64, output: &Output) {
        let Attempt { update, intended, late, asked } = attempt;
        let times = stations((asked, accepted), output, self.now());
        if self.client.has_checked(update.n, seq, output) {
            let sample = Sample::from(times);
            self.client.journal.done += u64::from(self.horizon.in_window(sample.resumed));
            let lag = asked - intended;
            self.ended(intended, Fate::Answered(Answered { sample, lag, late: late.min(lag) }));
        }
    }

    /// V9: an update expires only if it has a deadline, and only after it.
    fn expired(&mut self, attempt: Attempt) {
        let Attempt { update: Update { client, n, .. }, intended, .. } = attempt;
        let now = self.now();
        match self.deadline.map(|deadline| intended.saturating_add(deadline)) {
            Some(latest) if now >= latest => self.client.expired(n),
            Some(latest) => {
                let early = latest - now;
                let reason = format!(
                    "update {n} of client {client} was said to be too late {early} ns before its deadline"
                );
                self.client.fail("V9", reason);
            }
            None => {
                self.client.fail("V9", format!("update {n} of client {client} expired and had no deadline"))
            }
        }
        self.ended(intended, Fate::GivenUp(now));
    }

    /// The bare loop has applied an update by itself.
    pub fn wrote(&mut self, attempt: Attempt, output: &Output) {
        self.client.journal.accepted += 1;
        self.applied(attempt, attempt.asked, output.seq, output);
    }

    /// Whether an update that was planned for `intended` is not of use any more.
    pub fn is_too_late(&self, intended: u64) -> bool {
        self.deadline.is_some_and(|deadline| self.now() > intended.saturating_add(deadline))
    }

    /// The bare loop leaves out an update, at a time that is known.
    pub fn left_out(&mut self, intended: u64, at: u64) {
        self.ended(intended, Fate::GivenUp(at));
    }

    fn ended(&mut self, intended: u64, fate: Fate) {
        self.client.journal.cohort.ended(intended, fate, self.deadline, &self.horizon);
    }

    /// The client, for what it does as in a closed loop.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// The load is over and everything answered.
    pub fn into_client(self) -> Client {
        self.client
    }
}

impl Sent {
    /// Holds this thread until the answer is there or the trial's clock shows `until`; `None` if the answer was taken.
    pub fn wait_until(self, until: u64, caller: &mut Caller) -> Option<Self> {
        let Self { attempt, accepted, ticket } = self;
        let until = caller.client.board().clock().instant(until);
        match ticket.wait_until(until) {
            Ok(outcome) => {
                caller.resolved(attempt, accepted, outcome);
                None
            }
            Err(ticket) => Some(Self { attempt, accepted, ticket }),
        }
    }

    /// Holds this thread until the answer is there.
    pub fn wait(self, caller: &mut Caller) {
        let outcome = self.ticket.wait();
        caller.resolved(self.attempt, self.accepted, outcome);
    }
}
