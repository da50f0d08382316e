//! Ending a queue: what was accepted is applied, what comes later is refused, and the state comes back.

use std::time::{Duration, Instant};

use update_queue::{Options, ShutdownError, StateMachine, Strategy, SubmitError, UpdateQueue};

struct Log(Vec<u32>);

impl StateMachine for Log {
    type Update = u32;
    type Output = ();

    fn apply(&mut self, line: u32) {
        std::thread::sleep(Duration::from_millis(5));
        self.0.push(line);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (queue, writer) = queue_tokio::Tokio::start(Log(Vec::new()), Options::default());
    for line in 0..4 {
        queue.submit_blocking(line)?.detach(); // nobody waits for these, and they are not lost
    }

    // Close first if the refusals matter; `shutdown` closes as well.
    queue.close();
    match queue.try_submit(4) {
        Err(refused @ SubmitError::Closed { .. }) => {
            let reason = refused.to_string();
            println!("{reason}, and update {} is handed back", refused.into_update());
        }
        other => println!("unexpected: {other:?}"),
    }

    // Up to a second for what is queued. After that the rest would be answered `Closed`, certainly not applied.
    match writer.shutdown_by(Instant::now() + Duration::from_secs(1)) {
        Ok(Log(lines)) => println!("applied before the end: {lines:?}"),
        Err(ShutdownError::TimedOut(writer)) => println!("an update is stuck: {writer:?}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
