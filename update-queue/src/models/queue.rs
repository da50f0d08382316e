//! The whole queue over the stub channel: submits against the end of the queue, in its several forms.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::parking::Signal;
use super::{Alive, Tracked, Wakes, explore_up_to, stub};
use crate::sync::thread;
use crate::{
    BoxError, ChannelQueue, EnvelopeOf, Options, ShutdownError, StateMachine, SubmitError, Ticket,
    UpdateError, UpdateQueue, Writer, block_on,
};

/// Keeps the ids of the updates it applied.
#[derive(Default)]
struct Log {
    applied: Vec<u32>,
}

impl StateMachine for Log {
    type Update = Tracked;
    type Output = u32;

    fn apply(&mut self, update: Tracked) -> u32 {
        self.applied.push(update.id);
        update.id
    }
}

/// As [`Log`], and its first commit fails for good.
#[derive(Default)]
struct BrokenLog {
    applied: Vec<u32>,
}

impl StateMachine for BrokenLog {
    type Update = Tracked;
    type Output = u32;

    const GROUP_COMMIT: bool = true;

    fn apply(&mut self, update: Tracked) -> u32 {
        self.applied.push(update.id);
        update.id
    }

    fn commit(&mut self) -> Result<(), BoxError> {
        Err("the disk is gone".into())
    }
}

/// Says that it has begun an update, and then waits to be released.
struct Stalling {
    entered: Arc<Signal>,
    release: Arc<Signal>,
    applied: usize,
}

impl StateMachine for Stalling {
    type Update = ();
    type Output = ();

    fn apply(&mut self, (): ()) {
        self.entered.give();
        block_on(self.release.given());
        self.applied += 1;
    }
}

type Queue<M> = ChannelQueue<M, stub::Sending<EnvelopeOf<M>>>;

fn start<M: StateMachine>(machine: M, capacity: usize) -> (Queue<M>, Writer<M>) {
    ChannelQueue::start(machine, Options::default().capacity(capacity), stub::open)
}

type Submit = fn(&Queue<Log>, Tracked) -> Result<Ticket<u32>, SubmitError<Tracked>>;

/// Submits an update on a thread of its own. The thread ends with the outcome, or with `None` if the queue was closed.
fn submit_elsewhere(
    queue: &Queue<Log>,
    submit: Submit,
    update: Tracked,
) -> thread::JoinHandle<Option<Result<u64, UpdateError>>> {
    let queue = queue.clone();
    thread::spawn(move || {
        let id = update.id;
        match submit(&queue, update) {
            Ok(ticket) => Some(ticket.wait().map(|applied| {
                assert_eq!(applied.output, id, "somebody else's answer");
                applied.seq
            })),
            Err(SubmitError::Closed { update }) => {
                assert_eq!(update.id, id, "somebody else's update came back");
                None
            }
            Err(refused) => panic!("refused for another reason: {refused:?}"),
        }
    })
}

/// A submit races the shutdown: accepted and applied, or refused and not.
#[track_caller]
fn submit_races_shutdown(submit: Submit) {
    explore_up_to(3, move || {
        let alive = Alive::default();
        let (queue, writer) = start(Log::default(), 1);
        let submitter = submit_elsewhere(&queue, submit, alive.make(7));
        let machine = writer.shutdown().expect("nothing poisons this queue");
        match submitter.join().expect("the submitter ends") {
            Some(outcome) => {
                assert_eq!(outcome.expect("accepted before the end, so applied"), 1);
                assert_eq!(machine.applied, [7]);
            }
            None => assert!(machine.applied.is_empty(), "refused and applied"),
        }
        drop(queue);
        alive.assert_none();
    });
}

#[test]
fn a_try_submit_that_races_the_shutdown_is_applied_or_refused() {
    submit_races_shutdown(Queue::try_submit);
}

#[test]
fn a_blocking_submit_that_races_the_shutdown_is_applied_or_refused() {
    submit_races_shutdown(Queue::submit_blocking);
}

#[test]
fn a_submit_that_races_the_abort_is_applied_or_answered_closed() {
    explore_up_to(2, || {
        let alive = Alive::default();
        let (queue, writer) = start(Log::default(), 1);
        let submitter = submit_elsewhere(&queue, Queue::try_submit, alive.make(7));
        writer.abort();
        let machine = writer.shutdown().expect("nothing poisons this queue");
        match submitter.join().expect("the submitter ends") {
            Some(Ok(seq)) => assert_eq!((seq, &*machine.applied), (1, &[7][..])),
            Some(Err(UpdateError::Closed)) | None => assert!(machine.applied.is_empty()),
            Some(Err(error)) => panic!("another answer: {error:?}"),
        }
        drop(queue);
        alive.assert_none();
    });
}

#[test]
fn an_abort_ends_what_runs_and_answers_what_is_queued() {
    explore_up_to(2, || {
        let (entered, release) = (Arc::new(Signal::default()), Arc::new(Signal::default()));
        let machine = Stalling { entered: Arc::clone(&entered), release: Arc::clone(&release), applied: 0 };
        let (queue, writer) = start(machine, 2);
        let running = queue.try_submit(()).expect("the queue is empty");
        block_on(entered.given());
        let queued = queue.try_submit(()).expect("there is room for two");
        writer.abort();
        release.give();
        assert_eq!(running.wait().expect("it was running").seq, 1);
        assert!(matches!(queued.wait(), Err(UpdateError::Closed)));
        assert_eq!(writer.shutdown().expect("nothing poisons this queue").applied, 1);
    });
}

#[test]
fn a_caller_that_waits_for_room_gets_it_or_hears_of_the_shutdown() {
    explore_up_to(3, || {
        let alive = Alive::default();
        let (queue, writer) = start(Log::default(), 1);
        let first = queue.try_submit(alive.make(1)).expect("the queue is empty");
        let second = submit_elsewhere(&queue, Queue::submit_blocking, alive.make(2));
        let machine = writer.shutdown().expect("nothing poisons this queue");
        assert_eq!(first.wait().expect("accepted before the end, so applied").seq, 1);
        match second.join().expect("the submitter ends") {
            Some(outcome) => {
                assert_eq!(outcome.expect("accepted before the end, so applied"), 2);
                assert_eq!(machine.applied, [1, 2]);
            }
            None => assert_eq!(machine.applied, [1]),
        }
        drop(queue);
        alive.assert_none();
    });
}

#[test]
fn blocked_callers_get_through_a_queue_of_one() {
    explore_up_to(3, || {
        let alive = Alive::default();
        let (queue, writer) = start(Log::default(), 1);
        let first = queue.submit_blocking(alive.make(1)).expect("the queue is open");
        let second = queue.submit_blocking(alive.make(2)).expect("the queue is open");
        let third = queue.submit_blocking(alive.make(3)).expect("the queue is open");
        let seqs = [third, second, first].map(|ticket| ticket.wait().expect("applied").seq);
        assert_eq!(seqs, [3, 2, 1]);
        assert_eq!(writer.shutdown().expect("nothing poisons this queue").applied, [1, 2, 3]);
        alive.assert_none();
    });
}

#[test]
fn a_pending_submit_that_is_dropped_does_not_start_after_that() {
    explore_up_to(3, || {
        let (alive, wakes) = (Alive::default(), Wakes::default());
        let (queue, writer) = start(Log::default(), 1);
        let first = queue.try_submit(alive.make(1)).expect("the queue is empty");
        let accepted = {
            let mut submit = pin!(queue.submit(alive.make(2)));
            match wakes.poll(&mut submit.as_mut()) {
                Poll::Ready(submitted) => Some(submitted.expect("the queue is open")),
                Poll::Pending => None,
            }
        };
        first.detach();
        let expected: &[u32] = if accepted.is_some() { &[1, 2] } else { &[1] };
        if let Some(ticket) = accepted {
            assert_eq!(ticket.wait().expect("applied").seq, 2);
        }
        assert_eq!(writer.shutdown().expect("nothing poisons this queue").applied, expected);
        drop(queue);
        wakes.assert_released();
        alive.assert_none();
    });
}

#[test]
fn when_the_last_handle_is_dropped_everything_accepted_is_applied() {
    explore_up_to(3, || {
        let alive = Alive::default();
        let (queue, writer) = start(Log::default(), 2);
        let owner = thread::spawn(move || writer.shutdown().expect("nothing poisons this queue").applied);
        let accepted = match queue.try_submit(alive.make(1)) {
            Ok(ticket) => {
                ticket.detach();
                true
            }
            Err(_closed) => false,
        };
        drop(queue);
        let applied = owner.join().expect("the owner ends");
        assert_eq!(applied.len(), usize::from(accepted));
        alive.assert_none();
    });
}

#[test]
fn when_the_queue_is_poisoned_nobody_hangs_and_nothing_runs_after() {
    explore_up_to(3, || {
        let alive = Alive::default();
        let (queue, writer) = start(BrokenLog::default(), 1);
        let queue = Arc::new(queue);
        let submitter = {
            let (queue, update) = (Arc::clone(&queue), alive.make(2));
            thread::spawn(move || queue.submit_blocking(update).map(Ticket::wait))
        };
        let first = queue.submit_blocking(alive.make(1)).map(Ticket::wait);
        let second = submitter.join().expect("the submitter ends");
        let mut in_the_batch = 0;
        for submitted in [first, second] {
            match submitted {
                Ok(Err(UpdateError::CommitFailed(_))) => in_the_batch += 1,
                Ok(Err(UpdateError::Closed)) | Err(SubmitError::Poisoned { .. }) => {}
                other => panic!("another answer: {other:?}"),
            }
        }
        match writer.shutdown() {
            Err(ShutdownError::Poisoned { machine, .. }) => {
                assert_eq!(machine.expect("it is handed back").applied.len(), in_the_batch);
            }
            other => panic!("not poisoned: {:?}", other.map(|machine| machine.applied)),
        }
        drop(queue);
        alive.assert_none();
    });
}
