//! The clients of a trial, all running.
//!
//! Each hands in its journal when it has stopped. One that never does is how a lost answer shows: the load is given a
//! deadline, and a client that misses it is left behind.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Instant;

use update_queue::UpdateQueue;

use super::board::Board;
use super::checker::Measured;
use super::client::{Client, Journal};
use super::open::Plan;
use super::spec::TrialSpec;
use super::{tasks, threads};
use crate::record::Failure;
use crate::workload::definition::Callers;

/// The clients of a trial, all running.
#[derive(Debug)]
pub struct Load {
    journals: Receiver<Journal>,
    clients: usize,
    carrier: Carrier,
}

/// What the clients run on. Everything in it exists before the load begins.
#[derive(Debug)]
pub enum Carrier {
    /// One thread per client.
    Threads(rayon::ThreadPool),
    /// One task per client.
    Tasks(tokio::runtime::Runtime),
    /// One thread for all clients.
    Loop(std::thread::JoinHandle<()>),
}

impl Load {
    /// Starts the clients that the cell asks for.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start<Q: UpdateQueue<Machine: Measured>>(
        queue: &Q,
        spec: &TrialSpec,
        board: &Arc<Board>,
        plan: &Arc<Plan>,
    ) -> Result<Self, Failure> {
        let (sender, journals) = channel();
        let carrier = match spec.cell.callers {
            Callers::Threads => threads::start(queue, spec, board, plan, sender)?,
            Callers::Tasks => tasks::start(queue, spec, board, plan, sender)?,
        };
        Ok(Self { journals, clients: spec.cell.clients, carrier })
    }

    /// A load that runs on `carrier` already and hands in its journals through `journals`.
    pub fn on(carrier: Carrier, journals: Receiver<Journal>, clients: usize) -> Self {
        Self { journals, clients, carrier }
    }

    /// All journals, by client.
    ///
    /// # Errors
    /// V9: some clients had not stopped at `deadline`. They are left behind.
    pub fn finish(self, deadline: Instant) -> Result<Vec<Journal>, Failure> {
        let mut journals = Vec::with_capacity(self.clients);
        while journals.len() < self.clients {
            match self.journals.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(journal) => journals.push(journal),
                Err(why) => {
                    let missing = self.clients - journals.len();
                    self.carrier.leave_behind();
                    return Err(hang(missing, self.clients, why));
                }
            }
        }
        journals.sort_by_key(|journal| journal.client);
        Ok(journals)
    }
}

impl Carrier {
    /// Lets go without waiting for anybody.
    fn leave_behind(self) {
        match self {
            // Dropping either of them does not wait for its threads.
            Self::Threads(_) | Self::Loop(_) => {}
            Self::Tasks(runtime) => runtime.shutdown_background(),
        }
    }
}

fn hang(missing: usize, clients: usize, why: RecvTimeoutError) -> Failure {
    let fate = match why {
        RecvTimeoutError::Timeout => {
            "were still waiting for an answer when the patience after the load had run out"
        }
        RecvTimeoutError::Disconnected => "died",
    };
    Failure { check: "V9".to_owned(), reason: format!("{missing} of {clients} clients {fate}") }
}

/// One client per `id`, to be moved to where it runs, with the way to hand in its journal.
pub fn client(id: usize, spec: &TrialSpec, board: &Arc<Board>) -> Client {
    Client::new(u32::try_from(id).expect("a cell has fewer than 2^32 clients"), spec, Arc::clone(board))
}

/// Hands in what a client knows. Nobody listens any more if the trial has already failed.
pub fn hand_in(sender: &Sender<Journal>, client: Client) {
    drop(sender.send(client.into_journal()));
}

/// A carrier could not be made.
pub fn no_threads(error: &dyn std::error::Error) -> Failure {
    Failure { check: "process".to_owned(), reason: format!("the clients could not be started: {error}") }
}
