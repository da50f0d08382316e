//! The bare loop of an open loop: one server, fed by the same arrivals, that nobody has to hand anything to.
//!
//! With Poisson arrivals and equal writes it is the queue of the textbooks (M/D/1), as well as this machine can do it. With
//! group commit a batch is what has arrived when the last commit returned.

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
    max_batch: usize,
}

impl<M: Measured> Server<M> {
    /// A loop that has applied nothing.
    pub fn new(spec: &TrialSpec, board: &Arc<Board>, plan: Arc<Plan>) -> Self {
        let callers =
            (0..spec.cell.clients).map(|id| Caller::new(client(id, spec, board), spec, &plan)).collect();
        let machine = M::new(Checker::new(spec, Arc::clone(board)));
        let max_batch = if M::GROUP_COMMIT { spec.max_batch.max(1) } else { 1 };
        Self { machine, callers, plan, max_batch }
    }

    /// Applies every update from its planned start on, one after the other, until the load is over.
    pub fn run(&mut self) {
        let plan = Arc::clone(&self.plan);
        let mut rest = plan.merged();
        while let [(first, client), ..] = rest {
            let clock = *self.callers[*client].board().clock();
            let is_idle = clock.now() < *first;
            clock.sleep_exactly_until(*first);
            if self.callers.iter().any(|caller| caller.failure().is_some())
                || !self.callers[*client].goes_on()
            {
                break;
            }
            let now = clock.now();
            let arrived =
                rest.iter().take(self.max_batch).take_while(|(intended, _)| *intended <= now).count();
            let (batch, later) = rest.split_at(arrived);
            self.write(batch, is_idle.then(|| now - first));
            rest = later;
        }
        rest.iter().for_each(|(intended, client)| self.callers[*client].unsent(*intended));
    }

    /// Applies and commits a batch. `woken` is how late the loop was for its first update, if it had been idle.
    fn write(&mut self, batch: &[(u64, usize)], mut woken: Option<u64>) {
        let mut written = Vec::with_capacity(batch.len());
        for &(intended, client) in batch {
            let caller = &mut self.callers[client];
            if caller.is_too_late(intended) {
                caller.left_out(intended);
                continue;
            }
            // Behind another update it waits in the queue that this loop stands for, and was as good as sent on time.
            let late = woken.take().unwrap_or(0);
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
