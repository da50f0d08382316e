//! V8 before the load: with the writer at a standstill, exactly `capacity` updates are accepted, and depth counts them.
//!
//! On a small queue of its own, so that the measured one is not disturbed.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use update_queue::{Options, StateMachine, Strategy, SubmitError, Ticket, UpdateQueue};

use crate::record::Failure;

// LIMIT: 8 updates: enough to tell a queue that rounds its capacity up, or counts the running update, from one that does not.
const CAPACITY: usize = 8;

/// A machine that says when an update has begun, and holds it until the gate is opened.
struct Gated {
    begun: Sender<()>,
    gate: Receiver<()>,
}

impl StateMachine for Gated {
    type Update = ();
    type Output = ();

    fn apply(&mut self, (): ()) {
        // Nobody listens after the first update; the gate is open once its other end is dropped.
        let _ = self.begun.send(());
        let _ = self.gate.recv();
    }
}

/// Checks a strategy's capacity and depth. A strategy without a queue passes.
///
/// # Errors
/// V8: it accepts more or fewer, or says something else about itself. V9: one of its callers gets no answer.
pub fn check<S: Strategy>(patience: Duration) -> Result<(), Failure> {
    let (begun, first_began) = channel();
    let (open, gate) = channel();
    let (queue, _writer) = S::start(Gated { begun, gate }, Options::default().capacity(CAPACITY));
    if queue.capacity() == 0 {
        return Ok(());
    }
    let running = occupy(&queue)?;
    let standstill = first_began.recv_timeout(patience);
    standstill.map_err(|_| failure("V9", "the first update of a new queue did not begin".to_owned()))?;
    let tickets = fill(&queue)?;
    drop::<Sender<()>>(open);
    let deadline = Instant::now() + patience;
    for ticket in tickets {
        let outcome = ticket.wait_until(deadline).map_err(|_| lost("an update of a full queue"))?;
        outcome.map_err(|error| failure("V9", format!("an update of a full queue was lost: {error}")))?;
    }
    running.recv_timeout(patience).map_err(|_| lost("the update that held the writer up"))?;
    match queue.depth() {
        0 => Ok(()),
        depth => Err(failure("V8", format!("the depth of a queue at rest was reported as {depth}"))),
    }
}

/// Starts an update that the gate will hold. On a thread, because a strategy may apply it on its caller's.
fn occupy<Q: UpdateQueue<Machine = Gated>>(queue: &Q) -> Result<Receiver<()>, Failure> {
    let (done, running) = channel();
    let queue = queue.clone();
    let caller = thread::Builder::new().name("gated".to_owned()).spawn(move || {
        if queue.call_blocking(()).is_ok() {
            // Nobody listens if the check has already failed.
            let _ = done.send(());
        }
    });
    caller
        .map_err(|error| failure("process", format!("no thread for the check of the capacity: {error}")))?;
    Ok(running)
}

/// Fills the queue behind an update that is running.
fn fill<Q: UpdateQueue<Machine = Gated>>(queue: &Q) -> Result<Vec<Ticket<()>>, Failure> {
    if queue.capacity() != CAPACITY {
        return Err(failure(
            "V8",
            format!("a queue of capacity {CAPACITY} says it has {}", queue.capacity()),
        ));
    }
    let mut tickets = Vec::with_capacity(CAPACITY);
    for accepted in 0..CAPACITY {
        if queue.depth() != accepted {
            let depth = queue.depth();
            return Err(failure(
                "V8",
                format!("the depth was reported as {depth} with {accepted} updates queued"),
            ));
        }
        tickets.push(queue.try_submit(()).map_err(|refused| {
            failure("V8", format!("update {} of {CAPACITY} that fit was refused: {refused}", accepted + 1))
        })?);
    }
    match queue.try_submit(()) {
        Err(SubmitError::Full { .. }) if queue.depth() == CAPACITY => Ok(tickets),
        Err(SubmitError::Full { .. }) => {
            Err(failure("V8", format!("the depth of a full queue was reported as {}", queue.depth())))
        }
        Err(other) => Err(failure("V8", format!("a full queue refused with: {other}"))),
        Ok(_) => Err(failure(
            "V8",
            format!("update {} was accepted by a queue of capacity {CAPACITY}", CAPACITY + 1),
        )),
    }
}

fn lost(what: &str) -> Failure {
    failure("V9", format!("{what} got no answer after the writer went on"))
}

fn failure(check: &str, reason: String) -> Failure {
    Failure { check: check.to_owned(), reason }
}
