//! Two threads that meet the end of one queue after another.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use super::rig::Seen;
use super::watch::At;

/// What one of the two threads of a race is given in a round.
type Job = Box<dyn FnOnce() -> Seen<()> + Send>;

/// A thread that does one job per round, so that a round does not pay for starting threads.
pub(crate) struct Racer {
    number: usize,
    jobs: Sender<Job>,
}

impl Racer {
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn give(&self, job: impl FnOnce() -> Seen<()> + Send + 'static) {
        let _ = self.jobs.send(Box::new(job));
    }
}

/// Runs `round` that many times; each gives both racers one job, and ends when both are done.
pub(crate) fn rounds_of_two(
    at: &At,
    rounds: usize,
    mut round: impl FnMut(usize, &[Racer; 2]) -> Seen<()>,
) -> Seen<()> {
    let (done, ended) = mpsc::channel();
    let racers = [0, 1].map(|number| {
        let (jobs, queue): (Sender<Job>, Receiver<Job>) = mpsc::channel();
        let done = done.clone();
        thread::spawn(move || queue.into_iter().for_each(|job| drop(done.send(job()))));
        Racer { number, jobs }
    });
    drop(done);
    for number in 0..rounds {
        at.round("two callers race with the end", number);
        round(number, &racers)?;
        for _ in &racers {
            ended.recv().map_err(|_| "a racing caller panicked")??;
        }
    }
    Ok(())
}
