//! Clients that are threads and block.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use rayon::ThreadPoolBuilder;
use update_queue::{Ticket, UpdateQueue};

use super::board::Board;
use super::checker::{Measured, Output, Update};
use super::client::{Client, Journal, Submitted};
use super::load::{Carrier, client, hand_in, no_threads};
use super::open::{self, Plan};
use super::schedule::Bursts;
use super::spec::TrialSpec;
use crate::record::Failure;

/// Starts one thread per client, all together.
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
    let pool = ThreadPoolBuilder::new()
        .num_threads(spec.cell.clients)
        .thread_name(|i| format!("client-{i}"))
        // A client that panics is missed when the journals are counted; the default would end the process.
        .panic_handler(|_| {})
        .build()
        .map_err(|error| no_threads(&error))?;
    let (queue, spec, board, plan) = (queue.clone(), spec.clone(), Arc::clone(board), Arc::clone(plan));
    pool.spawn_broadcast(move |thread| {
        let mut client = client(thread.index(), &spec, &board);
        if open::is_open(&spec) {
            let mut caller = open::Caller::new(client, &spec, &plan);
            open::threads::run(&queue, &mut caller, &plan);
            return hand_in(&journals, caller.into_client());
        }
        match Bursts::of(&spec) {
            None => steady(&queue, &mut client),
            Some(bursts) => in_bursts(&queue, &mut client, bursts),
        }
        hand_in(&journals, client);
    });
    Ok(Carrier::Threads(pool))
}

fn steady<Q: UpdateQueue<Machine: Measured>>(queue: &Q, client: &mut Client) {
    while client.goes_on() {
        let update = client.next_update();
        if update.timed {
            in_two_steps(queue, client, update)
        } else {
            in_one_step(queue, client, update)
        }
        client.look_at_depth(queue);
    }
}

/// The way that shows how long the caller was held: submit, then wait.
fn in_two_steps<Q: UpdateQueue<Machine: Measured>>(queue: &Q, client: &mut Client, update: Update) {
    let asked = client.time(&update);
    if let Some((submitted, ticket)) = submit(queue, client, update, asked) {
        client.answered(submitted, ticket.wait());
    }
}

/// The way most callers go, and the one that a strategy may have made faster.
fn in_one_step<Q: UpdateQueue<Machine: Measured>>(queue: &Q, client: &mut Client, mut update: Update) {
    loop {
        match queue.call_blocking(update) {
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

/// All updates of a burst are wanted when it is to begin, so that is from when their latency counts: also for one that
/// could not even be submitted before the one in front of it was applied, and for a burst that is late because the one
/// before it is not over.
fn in_bursts<Q: UpdateQueue<Machine: Measured>>(queue: &Q, client: &mut Client, mut bursts: Bursts) {
    let mut tickets = Vec::new();
    while client.goes_on() {
        let start = bursts.next_start();
        client.board().clock().sleep_until(start);
        for _ in 0..bursts.updates() {
            let update = client.next_update();
            tickets.extend(submit(queue, client, update, start));
        }
        for (submitted, ticket) in tickets.drain(..) {
            client.answered(submitted, ticket.wait());
        }
    }
}

/// Submits until accepted; `None` if the queue takes nothing more.
fn submit<Q: UpdateQueue<Machine: Measured>>(
    queue: &Q,
    client: &mut Client,
    mut update: Update,
    asked: u64,
) -> Option<(Submitted, Ticket<Output>)> {
    loop {
        match queue.submit_blocking(update) {
            Ok(ticket) => return Some((client.accepted(&update, asked), ticket)),
            Err(refused) => update = client.refused(refused)?,
        }
    }
}
