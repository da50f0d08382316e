//! The bare loop of an open loop: one server, fed by the same arrivals, that nobody has to hand anything to.
//!
//! With Poisson arrivals and equal writes it is the queue of the textbooks (M/D/1), as well as this machine can do it. With
//! group commit a batch is what has arrived when the last commit returned. With a deadline it refuses what a queue of the same
//! capacity would: what comes while that many wait.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Caller, Plan};
use crate::trial::board::Board;
use crate::trial::checker::{Checker, Measured};
use crate::trial::client::Client;
use crate::trial::load::client;
use crate::trial::spec::TrialSpec;

/// The loop with its machine and its clients.
#[derive(Debug)]
pub struct Server<M> {
    machine: M,
    callers: Vec<Caller>,
    plan: Arc<Plan>,
    /// How many of the plan's starts have come.
    come: usize,
    waiting: VecDeque<Waiting>,
    capacity: usize,
    max_batch: usize,
}

/// An update that has come and has not begun.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    intended: u64,
    client: usize,
    /// How late the loop saw it, if nothing else kept it from looking.
    late: u64,
}

impl<M: Measured> Server<M> {
    /// A loop that has applied nothing.
    pub fn new(spec: &TrialSpec, board: &Arc<Board>, plan: Arc<Plan>) -> Self {
        let callers: Vec<_> =
            (0..spec.cell.clients).map(|id| Caller::new(client(id, spec, board), spec, &plan)).collect();
        let is_bounded = callers.iter().any(|caller| caller.is_hasty(spec.capacity));
        Self {
            machine: M::new(Checker::new(spec, Arc::clone(board))),
            callers,
            plan,
            come: 0,
            waiting: VecDeque::new(),
            capacity: if is_bounded { spec.capacity } else { usize::MAX },
            max_batch: if M::GROUP_COMMIT { spec.max_batch.max(1) } else { 1 },
        }
    }

    /// Applies every update from its planned start on, one after the other, until the load is over.
    pub fn run(&mut self) {
        while self.callers.iter().all(Caller::goes_on) && self.wait_for_one() {
            let batch = self.waiting.len().min(self.max_batch);
            let batch: Vec<_> = self.waiting.drain(..batch).collect();
            self.write(&batch);
        }
        let left: Vec<_> = self.waiting.drain(..).map(|waiting| (waiting.intended, waiting.client)).collect();
        let unsent = left.into_iter().chain(self.plan.merged()[self.come..].iter().copied());
        unsent.for_each(|(intended, client)| self.callers[client].unsent(intended));
    }

    /// Takes in what has come. If that is nothing, waits for the next; `false` if there is none.
    fn wait_for_one(&mut self) -> bool {
        self.take_in(None);
        if !self.waiting.is_empty() {
            return true;
        }
        let plan = Arc::clone(&self.plan);
        let Some(&(next, client)) = plan.merged().get(self.come) else { return false };
        self.callers[client].board().clock().sleep_exactly_until(next);
        self.take_in(Some(next));
        true
    }

    /// Lets in what has come, as far as there is room. The loop slept until `woken_for`.
    fn take_in(&mut self, woken_for: Option<u64>) {
        let plan = Arc::clone(&self.plan);
        let now = self.callers[0].now();
        let come = plan.merged()[self.come..].iter().take_while(|(intended, _)| *intended <= now);
        for &(intended, client) in come {
            self.come += 1;
            if self.waiting.len() < self.capacity {
                // Behind another update it waits in the queue that this loop stands for, and was as good as sent on time.
                let late = woken_for.filter(|start| *start == intended).map_or(0, |start| now - start);
                self.waiting.push_back(Waiting { intended, client, late });
            } else {
                self.callers[client].left_out(intended, intended);
            }
        }
    }

    /// Applies and commits a batch.
    fn write(&mut self, batch: &[Waiting]) {
        let mut written = Vec::with_capacity(batch.len());
        for &Waiting { intended, client, late } in batch {
            let caller = &mut self.callers[client];
            if caller.is_too_late(intended) {
                caller.left_out(intended, caller.now());
                continue;
            }
            let attempt = caller.attempt_at(intended, late, intended + late);
            written.push((client, attempt, self.machine.apply(attempt.update)));
        }
        if M::GROUP_COMMIT && !written.is_empty() {
            self.machine.commit().expect("the checker's commit cannot fail");
        }
        for (client, attempt, output) in written {
            self.callers[client].wrote(attempt, &output);
        }
    }

    /// The machine and the clients, when the load is over.
    pub fn end(self) -> (M, impl Iterator<Item = Client>) {
        (self.machine, self.callers.into_iter().map(Caller::into_client))
    }
}
