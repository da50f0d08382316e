//! Clients that are tasks on a tokio runtime with as many workers as there are CPUs.
//!
//! A call that never has to wait never gives its worker back, and with a lock most calls are like that: left alone, as
//! many clients as there are workers would run and all others would never begin. A real task waits for its next request
//! between two updates. So a client that was not suspended by its last update goes to the end of the line before the
//! next one, and because it already has that update to make, its wait for a worker is part of the latency.

use std::future::{Future, poll_fn};
use std::io;
use std::num::NonZero;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tokio::time::sleep_until;
use update_queue::{Ticket, UpdateQueue};

use super::board::Board;
use super::checker::{Measured, Output, Update};
use super::client::{Client, Journal, Submitted};
use super::load::{Carrier, client, hand_in, no_threads};
use super::open::{self, Plan};
use super::schedule::Bursts;
use super::spec::TrialSpec;
use crate::record::Failure;

/// Starts one task per client.
///
/// # Errors
/// The system gives no more threads.
pub fn start<Q: UpdateQueue<Machine: Measured>>(
    queue: &Q,
    spec: &TrialSpec,
    board: &Arc<Board>,
    plan: &Arc<Plan>,
    journals: Sender<Journal>,
) -> Result<Carrier, Failure> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_time()
        .build()
        .map_err(|error| no_threads(&error))?;
    if open::is_open(spec) {
        start_open(queue, spec, board, plan, &journals, &runtime).map_err(|error| no_threads(&error))?;
        return Ok(Carrier::Tasks(runtime));
    }
    for id in 0..spec.cell.clients {
        let (queue, journals, bursts) = (queue.clone(), journals.clone(), Bursts::of(spec));
        let mut client = client(id, spec, board);
        runtime.spawn(async move {
            match bursts {
                None => steady(&queue, &mut client).await,
                Some(bursts) => in_bursts(&queue, &mut client, bursts).await,
            }
            hand_in(&journals, client);
        });
    }
    Ok(Carrier::Tasks(runtime))
}

fn start_open<Q: UpdateQueue<Machine: Measured>>(
    queue: &Q,
    spec: &TrialSpec,
    board: &Arc<Board>,
    plan: &Arc<Plan>,
    journals: &Sender<Journal>,
    runtime: &Runtime,
) -> io::Result<()> {
    let mut starter = open::tasks::Starter::default();
    for id in 0..spec.cell.clients {
        let (queue, journals) = (queue.clone(), journals.clone());
        let mut caller = open::Caller::new(client(id, spec, board), spec, plan);
        let starts = starter.add();
        runtime.spawn(async move {
            open::tasks::run(&queue, &mut caller, starts).await;
            hand_in(&journals, caller.into_client());
        });
    }
    starter.start(Arc::clone(plan), open::Horizon::of(spec), Arc::clone(board))
}

async fn steady<Q: UpdateQueue<Machine: Measured>>(queue: &Q, client: &mut Client) {
    let mut suspended = true;
    while client.goes_on() {
        let update = client.next_update();
        let asked = client.time(&update);
        if !suspended {
            yield_now().await;
        }
        suspended = if update.timed {
            noting(in_two_steps(queue, client, update, asked)).await
        } else {
            noting(in_one_step(queue, client, update)).await
        };
        client.look_at_depth(queue);
    }
}

/// Runs `call` and says whether it was suspended on the way.
async fn noting(call: impl Future<Output = ()>) -> bool {
    let mut call = pin!(call);
    let mut suspended = false;
    poll_fn(|cx| {
        let poll = call.as_mut().poll(cx);
        suspended |= poll.is_pending();
        poll
    })
    .await;
    suspended
}

/// The way that shows how long the caller was held: submit, then wait.
async fn in_two_steps<Q: UpdateQueue<Machine: Measured>>(
    queue: &Q,
    client: &mut Client,
    update: Update,
    asked: u64,
) {
    if let Some((submitted, ticket)) = submit(queue, client, update, asked).await {
        let outcome = ticket.await;
        client.answered(submitted, outcome);
    }
}

/// The way most callers go, and the one that a strategy may have made faster.
async fn in_one_step<Q: UpdateQueue<Machine: Measured>>(queue: &Q, client: &mut Client, mut update: Update) {
    loop {
        match queue.call(update).await {
            Ok(applied) => {
                let submitted = client.accepted(&update, 0);
                return client.answered(submitted, Ok(applied));
            }
            Err(error) => match client.call_failed(update.n, error) {
                Some(again) => update = again,
                None => return,
            },
        }
    }
}

/// See the threads' bursts: latency counts from the planned beginning of the burst.
async fn in_bursts<Q: UpdateQueue<Machine: Measured>>(queue: &Q, client: &mut Client, mut bursts: Bursts) {
    let mut tickets = Vec::new();
    while client.goes_on() {
        let start = bursts.next_start();
        sleep_until(client.board().clock().instant(start).into()).await;
        for _ in 0..bursts.updates() {
            let update = client.next_update();
            tickets.extend(submit(queue, client, update, start).await);
        }
        for (submitted, ticket) in tickets.drain(..) {
            let outcome = ticket.await;
            client.answered(submitted, outcome);
        }
    }
}

/// Submits until accepted; `None` if the queue takes nothing more.
async fn submit<Q: UpdateQueue<Machine: Measured>>(
    queue: &Q,
    client: &mut Client,
    mut update: Update,
    asked: u64,
) -> Option<(Submitted, Ticket<Output>)> {
    loop {
        match queue.submit(update).await {
            Ok(ticket) => return Some((client.accepted(&update, asked), ticket)),
            Err(refused) => update = client.refused(refused)?,
        }
    }
}
