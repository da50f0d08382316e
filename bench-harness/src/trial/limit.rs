//! The same writes by one bare loop: no queue, no lock, nobody else. What is possible at all.
//!
//! It takes the clients' updates in turn. With group commit a batch has one update of each client, because each client has
//! one in flight. Of bursts it knows when they begin, so that an update waits for those before it and for nothing else. An open
//! loop has a bare loop of its own, `open/limit.rs`.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::board::Board;
use super::checker::{Checker, Measured, Output};
use super::client::{Client, Journal, Submitted};
use super::load::{Carrier, Load, client, hand_in, no_threads};
use super::open::{self, Plan};
use super::schedule::Bursts;
use super::spec::TrialSpec;
use crate::record::Failure;

/// Starts the loop; the machine comes back when the load is over.
///
/// # Errors
/// The system gives no more threads.
pub fn start<M: Measured>(
    spec: &TrialSpec,
    board: &Arc<Board>,
    plan: &Arc<Plan>,
) -> Result<(Load, Machine), Failure> {
    let (journals, load) = channel();
    let (give_back, machine) = channel();
    let (spec, board, plan, clients) = (spec.clone(), Arc::clone(board), Arc::clone(plan), spec.cell.clients);
    let thread = thread::Builder::new().name("limit".to_owned()).spawn(move || {
        if open::is_open(&spec) {
            let mut server = open::limit::Server::<M>::new(&spec, &board, plan);
            server.run();
            let (machine, clients) = server.end();
            return end(machine, clients, &journals, &give_back);
        }
        let mut bare = Bare::<M>::new(&spec, &board);
        match Bursts::of(&spec) {
            None => bare.steady(),
            Some(bursts) => bare.in_bursts(bursts),
        }
        end(bare.machine, bare.clients, &journals, &give_back);
    });
    let thread = thread.map_err(|error| no_threads(&error))?;
    Ok((Load::on(Carrier::Loop(thread), load, clients), machine))
}

/// Where the machine comes back.
pub type Machine = std::sync::mpsc::Receiver<Checker>;

struct Bare<M> {
    machine: M,
    clients: Vec<Client>,
    /// Whose turn it is.
    turn: usize,
    max_batch: usize,
    batch: Vec<(usize, Submitted, Output)>,
}

impl<M: Measured> Bare<M> {
    fn new(spec: &TrialSpec, board: &Arc<Board>) -> Self {
        Self {
            machine: M::new(Checker::new(spec, Arc::clone(board))),
            clients: (0..spec.cell.clients).map(|id| client(id, spec, board)).collect(),
            turn: 0,
            max_batch: if M::GROUP_COMMIT { spec.max_batch.max(1) } else { 1 },
            batch: Vec::new(),
        }
    }

    fn goes_on(&self) -> bool {
        self.clients[0].goes_on()
    }

    fn steady(&mut self) {
        let batch = self.clients.len().min(self.max_batch);
        while self.goes_on() {
            self.write(batch, None);
        }
    }

    fn in_bursts(&mut self, mut bursts: Bursts) {
        while self.goes_on() {
            let start = bursts.next_start();
            let board = self.clients[0].board();
            board.clock().sleep_until(start);
            let mut left = self.clients.len() * bursts.updates() as usize;
            while left > 0 {
                let batch = left.min(self.max_batch);
                self.write(batch, Some(start));
                left -= batch;
            }
        }
    }

    /// Applies the next `updates` in turn, commits them, and answers them.
    fn write(&mut self, updates: usize, began: Option<u64>) {
        let now = || self.clients[0].board().clock().now();
        let asked = began.or_else(|| (updates > 1).then(now));
        for _ in 0..updates {
            let client = &mut self.clients[self.turn];
            let update = client.next_update();
            let asked = asked.unwrap_or_else(|| client.time(&update));
            let submitted = client.taken(&update, asked, asked);
            let output = self.machine.apply(update);
            self.batch.push((self.turn, submitted, output));
            self.turn = (self.turn + 1) % self.clients.len();
        }
        if M::GROUP_COMMIT {
            self.machine.commit().expect("the checker's commit cannot fail");
        }
        for (client, submitted, output) in self.batch.drain(..) {
            self.clients[client].applied(submitted, output.seq, &output);
        }
    }
}

fn end<M: Measured>(
    machine: M,
    clients: impl IntoIterator<Item = Client>,
    journals: &Sender<Journal>,
    give_back: &Sender<Checker>,
) {
    // Nobody listens any more if the trial has already failed.
    drop(give_back.send(machine.into_checker()));
    for client in clients {
        hand_in(journals, client);
    }
}
