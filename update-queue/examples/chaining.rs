//! One update that leads to another, and a slow external call that stays off the writer.
//!
//! The writer must never wait for its own queue, nor for the outside world. So a follow-up goes to another thread, which
//! submits it; and an external call is made outside, its result coming back as one more update.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use update_queue::{Options, StateMachine, Strategy, UpdateQueue};

enum Update {
    Order {
        item: &'static str,
    },
    /// What the supplier said, some time later.
    Supplied {
        item: &'static str,
        pieces: u32,
    },
}

struct Shop {
    stock: Vec<(&'static str, u32)>,
    /// Where `apply` leaves what is to be done elsewhere. Unbounded, so leaving it never waits.
    errands: mpsc::Sender<&'static str>,
}

impl StateMachine for Shop {
    type Update = Update;
    type Output = String;

    fn apply(&mut self, update: Update) -> String {
        match update {
            Update::Order { item } => {
                let sent = self.errands.send(item).is_ok();
                format!("{item}: {}", if sent { "asked the supplier" } else { "no supplier" })
            }
            Update::Supplied { item, pieces } => {
                self.stock.push((item, pieces));
                format!("{item}: {pieces} pieces in stock")
            }
        }
    }
}

/// Stands for a call over a network.
fn ask_supplier(item: &str) -> u32 {
    thread::sleep(Duration::from_millis(20));
    item.len() as u32
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (errands, to_run) = mpsc::channel();
    // A capacity of 1: the follow-ups still cannot deadlock, because the writer never waits for them.
    let (queue, writer) = queue_crossbeam::Crossbeam::start(
        Shop { stock: Vec::new(), errands },
        Options::default().capacity(1),
    );

    let runner = {
        let queue = queue.clone();
        thread::spawn(move || {
            // Three orders, three errands.
            for item in to_run.iter().take(3) {
                let supplied = Update::Supplied { item, pieces: ask_supplier(item) };
                match queue.call_blocking(supplied) {
                    Ok(applied) => println!("update {}: {}", applied.seq, applied.output),
                    Err(error) => println!("{error}"),
                }
            }
        })
    };
    for item in ["tea", "coffee", "sugar"] {
        let applied = queue.call_blocking(Update::Order { item })?;
        println!("update {}: {}", applied.seq, applied.output);
    }
    runner.join().map_err(|_| "the runner panicked")?;
    println!("in stock: {:?}", writer.shutdown()?.stock);
    Ok(())
}
