//! Async callers with a timeout, and what `effect()` tells them.
//!
//! A timeout on the caller's side says nothing about the update. Here the caller asks: `start_by` keeps a late update
//! from starting, `cancel` withdraws one that has not started, and both answers are definite.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use update_queue::{Cancel, Effect, Options, Request, StateMachine, Strategy, UpdateQueue};

struct Mailbox(Vec<&'static str>);

impl StateMachine for Mailbox {
    type Update = (&'static str, Duration);
    type Output = usize;

    fn apply(&mut self, (letter, cost): Self::Update) -> usize {
        std::thread::sleep(cost);
        self.0.push(letter);
        self.0.len()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (queue, writer) = queue_tokio::Tokio::start(Mailbox(Vec::new()), Options::default());
    let slow = queue.submit(("slow", Duration::from_millis(200))).await?;

    // Must start within 20 ms, but the slow one is in the way: it expires, and is certainly not applied.
    let soon = Request::new(("urgent", Duration::ZERO)).start_by(Instant::now() + Duration::from_millis(20));
    let urgent = queue.submit(soon).await?;

    // Waits 20 ms for its outcome, then asks for it back.
    let mut patient = queue.submit(("patient", Duration::ZERO)).await?;
    if timeout(Duration::from_millis(20), &mut patient).await.is_err() {
        match patient.cancel() {
            Cancel::Cancelled => println!("patient: withdrawn in time, certainly not applied"),
            Cancel::TooLate(ticket) => println!("patient: already running: {:?}", ticket.await),
            Cancel::Done(outcome) => println!("patient: done after all: {outcome:?}"),
        }
    }

    match urgent.await {
        Ok(applied) => println!("urgent: applied as update {}", applied.seq),
        Err(error) if error.effect() == Effect::NotApplied => println!("urgent: {error}; safe to send again"),
        Err(error) => println!("urgent: {error}; look at the state before sending again"),
    }
    println!("slow: applied as update {}", slow.await?.seq);

    let mailbox = tokio::task::spawn_blocking(move || writer.shutdown()).await??;
    println!("letters: {:?}", mailbox.0);
    Ok(())
}
