//! A lock in place of the queue: its callers against the end of the queue.

use std::sync::TryLockError;
#[cfg(not(loom))]
use std::time::Instant;

use super::explore_up_to;
use crate::sync::{Mutex, lock, thread};
use crate::{
    Applied, CallError, Lock, LockedEngine, LockedQueue, Options, StateMachine, SubmitError, UpdateError,
    UpdateQueue, Writer,
};

pub(super) struct StubLock<T>(Mutex<T>);

impl<T: Send + 'static> Lock<T> for StubLock<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    fn try_with<R, F: FnOnce(&mut T) -> R>(&self, critical: F) -> Result<R, F> {
        match self.0.try_lock() {
            Ok(mut value) => Ok(critical(&mut value)),
            Err(TryLockError::Poisoned(error)) => Ok(critical(&mut error.into_inner())),
            Err(TryLockError::WouldBlock) => Err(critical),
        }
    }

    fn with_blocking<R>(&self, critical: impl FnOnce(&mut T) -> R) -> R {
        critical(&mut lock(&self.0))
    }

    async fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R {
        self.with_blocking(critical)
    }
}

/// Keeps the updates it applied.
#[derive(Debug, Default)]
struct Log(Vec<u32>);

impl StateMachine for Log {
    type Update = u32;
    type Output = u32;

    fn apply(&mut self, update: u32) -> u32 {
        self.0.push(update);
        update
    }
}

type Queue = LockedQueue<Log, StubLock<Option<LockedEngine<Log>>>>;

fn call_elsewhere(queue: &Queue, update: u32) -> thread::JoinHandle<Option<Applied<u32>>> {
    let queue = queue.clone();
    thread::spawn(move || match queue.call_blocking(update) {
        Ok(applied) => Some(applied),
        Err(CallError::Refused(SubmitError::Closed { .. }) | CallError::Failed(UpdateError::Closed)) => None,
        Err(other) => panic!("another answer: {other:?}"),
    })
}

/// Two callers race the end of the queue: who was applied is in the machine, in `seq` order, and nobody else.
fn callers_race(end: fn(Writer<Log>) -> Log) {
    explore_up_to(3, move || {
        let (queue, writer) = LockedQueue::start(Log::default(), Options::default());
        let callers = [call_elsewhere(&queue, 1), call_elsewhere(&queue, 2)];
        let Log(applied) = end(writer);
        let answers = callers.map(|caller| caller.join().expect("the caller ends"));
        let mut order: Vec<_> =
            answers.into_iter().flatten().map(|applied| (applied.seq, applied.output)).collect();
        order.sort_unstable();
        let expected: Vec<_> = (1..).zip(applied).collect();
        assert_eq!(order, expected);
    });
}

#[test]
fn callers_that_race_the_shutdown_are_applied_or_refused() {
    callers_race(|writer| writer.shutdown().expect("nothing poisons this queue"));
}

// Not under loom, which needs every run to branch alike: whether the grace period has passed is up to the clock.
#[cfg(not(loom))]
#[test]
fn callers_that_race_a_shutdown_without_time_are_applied_or_refused() {
    callers_race(|writer| match writer.shutdown_by(Instant::now()) {
        Ok(machine) => machine,
        Err(crate::ShutdownError::TimedOut(writer)) => writer.shutdown().expect("nothing poisons this queue"),
        Err(other) => panic!("another end: {other:?}"),
    });
}

#[test]
fn callers_that_race_an_abort_are_applied_or_refused() {
    callers_race(|writer| {
        writer.abort();
        writer.shutdown().expect("nothing poisons this queue")
    });
}

#[test]
fn a_try_submit_that_meets_another_caller_is_applied_or_handed_back() {
    explore_up_to(3, || {
        let (queue, writer) = LockedQueue::start(Log::default(), Options::default());
        let other: Queue = queue.clone();
        let caller = thread::spawn(move || other.call_blocking(1).expect("the queue is open").seq);
        let tried = match queue.try_submit(2) {
            Ok(ticket) => Some(ticket.wait().expect("applied").seq),
            Err(SubmitError::Full { update: 2, capacity: 0 }) => None,
            Err(refused) => panic!("refused for another reason: {refused:?}"),
        };
        let called = caller.join().expect("the caller ends");
        let Log(applied) = writer.shutdown().expect("nothing poisons this queue");
        match tried {
            Some(seq) => assert_eq!(applied, if seq < called { [2, 1] } else { [1, 2] }),
            None => assert_eq!(applied, [1]),
        }
    });
}
