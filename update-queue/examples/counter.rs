//! A counter behind a queue, in ten lines.

use update_queue::{Options, StateMachine, Strategy, UpdateQueue};

struct Counter(u64);

impl StateMachine for Counter {
    type Update = u64;
    type Output = u64;

    fn apply(&mut self, add: u64) -> u64 {
        self.0 += add;
        self.0
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (queue, writer) = queue_flume::Flume::start(Counter(0), Options::default());
    let first = queue.call_blocking(40)?;
    let second = queue.call_blocking(2)?;
    println!(
        "update {} made it {}, update {} made it {}",
        first.seq, first.output, second.seq, second.output
    );
    let Counter(total) = writer.shutdown()?;
    println!("the counter comes back with {total}");
    Ok(())
}
