//! Group commit: many updates, one commit, and no answer before it.
//!
//! The writer applies what is waiting, commits once, then answers everyone. While a commit runs the next batch gathers
//! by itself: nobody waits for a batch to fill.

use std::thread;
use std::time::Duration;

use update_queue::{BoxError, Options, Rollback, StateMachine, Strategy, UpdateQueue};

/// A journal with a commit that costs a millisecond however much there is to commit.
#[derive(Default)]
struct Journal {
    durable: Vec<u64>,
    batch: Vec<u64>,
    commits: usize,
}

impl StateMachine for Journal {
    type Update = u64;
    type Output = ();

    const GROUP_COMMIT: bool = true;

    fn apply(&mut self, entry: u64) {
        self.batch.push(entry);
    }

    fn commit(&mut self) -> Result<(), BoxError> {
        thread::sleep(Duration::from_millis(1));
        self.durable.append(&mut self.batch);
        self.commits += 1;
        Ok(())
    }

    fn rollback(&mut self) -> Rollback {
        self.batch.clear();
        Rollback::Restored
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (queue, writer) = queue_flume::Flume::start(Journal::default(), Options::default());
    thread::scope(|scope| {
        for client in 0..32 {
            let queue = queue.clone();
            scope.spawn(move || {
                for n in 0..10 {
                    if let Err(error) = queue.call_blocking(client * 10 + n) {
                        println!("client {client}: {error}");
                    }
                }
            });
        }
    });
    let journal = writer.shutdown()?;
    println!("{} entries are durable after {} commits", journal.durable.len(), journal.commits);
    Ok(())
}
