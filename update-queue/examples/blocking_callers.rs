//! Threads that share one queue: each gets its own answer, and nobody holds a lock during the slow write.
//!
//! `submit_blocking` waits for room at most; the caller is free until it asks its ticket for the outcome.

use std::thread;
use std::time::Duration;

use update_queue::{Options, StateMachine, Strategy, UpdateQueue};

/// A ledger whose every entry takes a while, as a write to a disk does.
struct Ledger(Vec<String>);

impl StateMachine for Ledger {
    type Update = String;
    type Output = usize;

    fn apply(&mut self, entry: String) -> usize {
        thread::sleep(Duration::from_millis(1));
        self.0.push(entry);
        self.0.len()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (queue, writer) =
        queue_crossbeam::Crossbeam::start(Ledger(Vec::new()), Options::default().capacity(64));
    thread::scope(|scope| {
        for clerk in 0..4 {
            let queue = queue.clone();
            scope.spawn(move || {
                let ticket = match queue.submit_blocking(format!("clerk {clerk}: opened the till")) {
                    Ok(ticket) => ticket,
                    Err(refused) => return println!("clerk {clerk} was refused: {refused}"),
                };
                let receipt = format!("receipt of clerk {clerk}"); // work that needs no answer yet
                match ticket.wait() {
                    Ok(applied) => println!("{receipt}: line {}, update {}", applied.output, applied.seq),
                    Err(error) => println!("{receipt}: {error}"),
                }
            });
        }
    });
    let Ledger(lines) = writer.shutdown()?;
    println!("{} lines in the ledger", lines.len());
    Ok(())
}
