//! Clients of an open loop that are threads; see [the module](super).

use update_queue::UpdateQueue;

use super::{Caller, Plan};
use crate::trial::checker::Measured;
use crate::trial::clock::EARLY_NS;
use crate::trial::evidence::Stopwatch;

/// Runs one client to the end of the load, and waits for what is still open then.
pub fn run<Q: UpdateQueue<Machine: Measured>>(queue: &Q, caller: &mut Caller, plan: &Plan) {
    // Without a queue this thread also writes, so its time is not that of a generator.
    let mut stopwatch =
        (queue.capacity() > 0).then(|| Stopwatch::of(caller.horizon().start, caller.horizon().end));
    let mut plan = plan.client(caller.id()).iter().copied();
    let mut free = 0;
    for intended in plan.by_ref() {
        await_start(caller, intended);
        if !caller.goes_on() {
            caller.unsent(intended);
            break;
        }
        stopwatch.iter_mut().for_each(|stopwatch| stopwatch.look(intended));
        let late = caller.now().saturating_sub(intended.max(free));
        submit(queue, caller, intended, late);
        free = caller.now();
    }
    plan.for_each(|intended| caller.unsent(intended));
    if let Some(cpu) = stopwatch.and_then(Stopwatch::measured) {
        caller.board().generated(cpu);
    }
    while let Some(sent) = caller.oldest() {
        sent.wait(caller);
    }
}

fn submit<Q: UpdateQueue<Machine: Measured>>(queue: &Q, caller: &mut Caller, intended: u64, late: u64) {
    let attempt = caller.attempt(intended, late);
    let request = caller.request(&attempt);
    let submitted = if caller.is_hasty(queue.capacity()) {
        queue.try_submit(request)
    } else {
        queue.submit_blocking(request)
    };
    caller.submitted(attempt, submitted);
    caller.client().look_at_depth(queue);
}

/// Takes answers as they come until it is time for the next start. The last moment is spent awake, as a thread that sleeps
/// wakes late.
fn await_start(caller: &mut Caller, intended: u64) {
    loop {
        let now = caller.now();
        let Some(oldest) = caller.oldest() else {
            return caller.board().clock().sleep_exactly_until(intended);
        };
        let until = intended.saturating_sub(EARLY_NS).max(now);
        if let Some(open) = oldest.wait_until(until, caller) {
            caller.still_open(open);
            if now >= intended {
                return;
            }
        }
    }
}
