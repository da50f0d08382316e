//! Clients of an open loop that are tasks, and the thread that tells them when to start; see [the module](super).

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use update_queue::UpdateQueue;

use super::{Caller, Horizon, Plan};
use crate::trial::board::Board;
use crate::trial::checker::Measured;
use crate::trial::evidence::Stopwatch;

/// A client is told to start its next update.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    intended: u64,
    late: u64,
}

/// The way to each client.
#[derive(Debug, Default)]
pub struct Starter {
    clients: Vec<UnboundedSender<Start>>,
}

impl Starter {
    /// The next client, and where it hears of its starts.
    pub fn add(&mut self) -> UnboundedReceiver<Start> {
        let (sender, starts) = unbounded_channel();
        self.clients.push(sender);
        starts
    }

    /// Starts the thread that keeps the plan. It ends with the last planned start.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(self, plan: Arc<Plan>, horizon: Horizon, board: Arc<Board>) -> std::io::Result<()> {
        thread::Builder::new().name("arrivals".to_owned()).spawn(move || self.run(&plan, horizon, &board))?;
        Ok(())
    }

    fn run(self, plan: &Plan, horizon: Horizon, board: &Board) {
        let mut stopwatch = Stopwatch::of(horizon.start, horizon.end);
        for &(intended, client) in plan.merged() {
            board.clock().sleep_exactly_until(intended);
            stopwatch.look(intended);
            let late = board.clock().now() - intended;
            // A client that has failed listens no more.
            let _ = self.clients[client].send(Start { intended, late });
        }
        stopwatch.measured().into_iter().for_each(|cpu| board.generated(cpu));
    }
}

/// Runs one client to the end of the load, and waits for what is still open then.
pub async fn run<Q: UpdateQueue<Machine: Measured>>(
    queue: &Q,
    caller: &mut Caller,
    mut starts: UnboundedReceiver<Start>,
) {
    while let Some(Start { intended, late }) = collecting(caller, starts.recv()).await {
        if !caller.goes_on() {
            caller.unsent(intended);
            continue;
        }
        let attempt = caller.attempt(intended, late);
        let request = caller.request(&attempt);
        let submitted = if caller.is_hasty(queue.capacity()) {
            queue.try_submit(request)
        } else {
            collecting(caller, queue.submit(request)).await
        };
        caller.submitted(attempt, submitted);
        caller.client().look_at_depth(queue);
    }
    poll_fn(|cx| caller.collect(cx)).await;
}

/// Waits for `wanted`, and takes the answers that come meanwhile.
async fn collecting<T>(caller: &mut Caller, wanted: impl Future<Output = T>) -> T {
    let mut wanted = pin!(wanted);
    poll_fn(|cx| {
        // Whether any is still open does not matter here; its waker is in place.
        let _ = caller.collect(cx);
        wanted.as_mut().poll(cx)
    })
    .await
}
