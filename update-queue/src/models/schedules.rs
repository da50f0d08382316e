//! Whole queues under random schedules: several producers that submit and give up in every way, against every end.
//!
//! Each run draws what its producers do, how its machine fails and how the queue ends, and afterwards settles the
//! accounts: what every caller was told against what the machine holds and what the observer counted.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::locks::StubLock;
use super::{Alive, Tracked, Wakes, explore_many, stub};
use crate::sync::thread;
use crate::{
    BoxError, Cancel, ChannelQueue, LockedQueue, Observer, Options, Outcome, Refused, Request, Role,
    Rollback, ShutdownError, Skipped, StateMachine, SubmitError, Ticket, UpdateError, UpdateQueue, Writer,
    block_on,
};

/// LIMIT: producers and updates of each: enough for a queue of two to be full and a batch of three to be cut.
const PRODUCERS: u32 = 3;
const UPDATES: u32 = 3;

/// Draws a number below `n`: from the schedule's own seed, so that replaying the schedule replays it.
#[cfg(shuttle)]
fn draw(n: u32) -> u32 {
    use shuttle::rand::Rng;
    shuttle::rand::thread_rng().gen_range(0..n)
}

/// Draws a number below `n`, from one fixed sequence (splitmix64, Steele, Lea and Flood 2014).
#[cfg(not(shuttle))]
fn draw(n: u32) -> u32 {
    use std::sync::atomic::AtomicU64;
    static STATE: AtomicU64 = AtomicU64::new(0);
    let mut z = STATE.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) % u64::from(n)) as u32
}

/// What goes wrong in the machine, at its `at`-th apply or commit.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    PanicInApply { at: usize },
    FailedCommit { at: usize },
    PanicInCommit { at: usize },
}

/// A machine that keeps everything it is asked to, and checks that it has one writer.
struct Journal<const GROUP: bool> {
    applied: Vec<u32>,
    committed: usize,
    calls: usize,
    fault: Fault,
    rollback: Rollback,
    /// It failed and was not restored: nobody may call it again.
    in_doubt: bool,
    called_in_doubt: bool,
    busy: Arc<AtomicBool>,
}

impl<const GROUP: bool> Journal<GROUP> {
    fn draw() -> Self {
        let at = draw(6) as usize;
        let fault = match draw(6) {
            0 => Fault::PanicInApply { at },
            1 => Fault::FailedCommit { at },
            2 => Fault::PanicInCommit { at },
            _ => Fault::None,
        };
        let rollback = if draw(2) == 0 { Rollback::Restored } else { Rollback::Unsupported };
        Self {
            applied: Vec::new(),
            committed: 0,
            calls: 0,
            fault,
            rollback,
            in_doubt: false,
            called_in_doubt: false,
            busy: Arc::new(AtomicBool::new(false)),
        }
    }

    fn alone<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let busy = Arc::clone(&self.busy);
        assert!(!busy.swap(true, Ordering::Relaxed), "two writers at once");
        thread::yield_now();
        let result = work(self);
        busy.store(false, Ordering::Relaxed);
        result
    }

    /// Counts a call of one kind; whether it is the one that fails.
    fn fails(&mut self, at: usize) -> bool {
        self.calls += 1;
        self.in_doubt |= self.calls == at + 1;
        self.calls == at + 1
    }
}

impl<const GROUP: bool> StateMachine for Journal<GROUP> {
    type Update = Tracked;
    type Output = Tracked;

    const GROUP_COMMIT: bool = GROUP;

    fn apply(&mut self, update: Tracked) -> Tracked {
        self.called_in_doubt |= self.in_doubt;
        self.alone(|journal| {
            journal.applied.push(update.id);
        });
        if let Fault::PanicInApply { at } = self.fault {
            if self.fails(at) {
                // Unlike `panic!`, without the hook that would print it.
                resume_unwind(Box::new("a panic in apply"));
            }
        }
        update.alive.make(update.id)
    }

    fn commit(&mut self) -> Result<(), BoxError> {
        self.called_in_doubt |= self.in_doubt;
        let fault = self.fault;
        match fault {
            Fault::FailedCommit { at } if self.fails(at) => return Err("a failed commit".into()),
            Fault::PanicInCommit { at } if self.fails(at) => resume_unwind(Box::new("a panic in commit")),
            _ => {}
        }
        self.alone(|journal| journal.committed = journal.applied.len());
        Ok(())
    }

    fn rollback(&mut self) -> Rollback {
        if self.rollback == Rollback::Restored {
            let committed = self.committed;
            self.alone(|journal| journal.applied.truncate(committed));
            self.in_doubt = false;
        }
        self.rollback
    }
}

/// What a caller knows about its update in the end.
#[derive(Debug)]
enum Fate {
    Applied {
        seq: u64,
    },
    /// Certainly not applied.
    Not,
    /// Accepted, and nobody looked; or the error says that the effect is unknown.
    Unknown,
    /// Accepted and detached: applied if nothing goes wrong.
    Detached,
}

/// The observer's books.
#[derive(Default)]
struct Books {
    submitted: AtomicUsize,
    refused: AtomicUsize,
    skipped: AtomicUsize,
    completed: AtomicUsize,
}

impl Observer for Books {
    fn on_submit(&self, _depth: usize) {
        self.submitted.fetch_add(1, Ordering::Relaxed);
    }

    fn on_refuse(&self, _reason: Refused) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn on_skip(&self, _reason: Skipped) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    fn on_complete(&self, _since_submit: Duration, _error: Option<&UpdateError>, _role: Role) {
        self.completed.fetch_add(1, Ordering::Relaxed);
    }
}

/// One producer's updates in the order in which it submitted them, and what it was told.
#[derive(Default)]
struct Account {
    fates: Vec<(u32, Fate)>,
    accepted: usize,
    refused: usize,
    /// Pending submits that were dropped: accepted or not, their caller does not know.
    dropped: usize,
    /// Whether the last update had no time to wait, so that it may expire.
    in_a_hurry: bool,
}

impl Account {
    fn submit<Q: UpdateQueue>(&mut self, queue: &Q, update: Tracked) -> Option<Ticket<Tracked>>
    where
        Q::Machine: StateMachine<Update = Tracked, Output = Tracked>,
    {
        let id = update.id;
        let mut request = Request::new(update);
        self.in_a_hurry = draw(8) == 0;
        if self.in_a_hurry {
            request = request.start_by(Instant::now());
        }
        let submitted = match draw(4) {
            0 => queue.try_submit(request),
            1 => queue.submit_blocking(request),
            2 => block_on(queue.submit(request)),
            _ => {
                let mut submit = pin!(queue.submit(request));
                match Wakes::default().poll(&mut submit.as_mut()) {
                    Poll::Ready(submitted) => submitted,
                    Poll::Pending => {
                        self.dropped += 1;
                        self.fates.push((id, Fate::Unknown));
                        return None;
                    }
                }
            }
        };
        match submitted {
            Ok(ticket) => {
                self.accepted += 1;
                Some(ticket)
            }
            Err(refused) => {
                self.refused += 1;
                assert!(!matches!(refused, SubmitError::Reentrant { .. }));
                assert_eq!(refused.into_update().id, id, "somebody else's update came back");
                self.fates.push((id, Fate::Not));
                None
            }
        }
    }

    fn told(&mut self, id: u32, outcome: Outcome<Tracked>) {
        let fate = match outcome {
            Ok(applied) => {
                assert_eq!(applied.output.id, id, "somebody else's answer");
                Fate::Applied { seq: applied.seq }
            }
            Err(error) => match error.effect() {
                crate::Effect::NotApplied => Fate::Not,
                crate::Effect::Unknown => Fate::Unknown,
            },
        };
        self.fates.push((id, fate));
    }

    /// Does something with an accepted update's ticket; gives it back if it is to be waited for at the end.
    fn decide(&mut self, id: u32, mut ticket: Ticket<Tracked>) -> Option<Ticket<Tracked>> {
        match draw(8) {
            0 => match ticket.cancel() {
                Cancel::Cancelled => self.fates.push((id, Fate::Not)),
                Cancel::TooLate(ticket) => return Some(ticket),
                Cancel::Done(outcome) => self.told(id, outcome),
            },
            1 => {
                drop(ticket);
                self.fates.push((id, Fate::Unknown));
            }
            2 => {
                ticket.detach();
                self.fates.push((id, if self.in_a_hurry { Fate::Unknown } else { Fate::Detached }));
            }
            3 => match ticket.wait_until(Instant::now()) {
                Ok(outcome) => self.told(id, outcome),
                Err(ticket) => return Some(ticket),
            },
            4 => match Wakes::default().poll(&mut ticket) {
                Poll::Ready(outcome) => self.told(id, outcome),
                Poll::Pending => return Some(ticket),
            },
            5 => self.told(id, ticket.wait()),
            _ => return Some(ticket),
        }
        None
    }
}

fn produce<Q: UpdateQueue>(queue: &Q, producer: u32, alive: &Alive) -> Account
where
    Q::Machine: StateMachine<Update = Tracked, Output = Tracked>,
{
    let mut account = Account::default();
    let mut open = Vec::new();
    for id in (producer * UPDATES..).take(UPDATES as usize) {
        let Some(ticket) = account.submit(queue, alive.make(id)) else { continue };
        open.extend(account.decide(id, ticket).map(|ticket| (id, ticket)));
    }
    for (id, ticket) in open {
        account.told(id, ticket.wait());
    }
    account
}

/// What is left of a queue: its machine, and whether everything accepted had to be applied.
struct End<const GROUP: bool> {
    journal: Journal<GROUP>,
    orderly: bool,
}

/// Ends the queue, in one of all ways.
fn end<const GROUP: bool, Q: UpdateQueue>(queue: Q, writer: Writer<Journal<GROUP>>) -> End<GROUP> {
    let mut orderly = true;
    match draw(4) {
        0 => drop(queue),
        1 => queue.close(),
        2 => {
            writer.abort();
            orderly = false;
        }
        _ => {}
    }
    let mut ended = match draw(3) {
        0 => {
            orderly = false;
            writer.shutdown_by(Instant::now())
        }
        _ => writer.shutdown(),
    };
    if let Err(ShutdownError::TimedOut(writer)) = ended {
        ended = writer.shutdown();
    }
    match ended {
        Ok(journal) => End { journal, orderly },
        Err(ShutdownError::Poisoned { machine, .. }) => {
            let journal = machine.expect("nothing here loses a machine");
            assert!(!matches!(journal.fault, Fault::None), "poisoned for nothing");
            End { journal, orderly: false }
        }
        Err(other) => panic!("another end: {other:?}"),
    }
}

fn settle<const GROUP: bool>(end: &End<GROUP>, accounts: &[Account], books: &Books) {
    let journal = &end.journal;
    assert!(!journal.called_in_doubt, "applied or committed after a failure");
    let applied: BTreeSet<u32> = journal.applied.iter().copied().collect();
    assert_eq!(applied.len(), journal.applied.len(), "applied twice: {:?}", journal.applied);
    for producer in 0..PRODUCERS {
        let own: Vec<_> = journal.applied.iter().filter(|id| **id / UPDATES == producer).collect();
        assert!(own.is_sorted(), "out of a producer's order: {:?}", journal.applied);
    }
    for (id, fate) in accounts.iter().flat_map(|account| &account.fates) {
        match fate {
            Fate::Applied { seq } => {
                let index = *seq as usize - 1;
                assert_eq!(journal.applied.get(index), Some(id), "the machine knows another order");
                assert!(!GROUP || index < journal.committed, "an outcome before its commit");
            }
            Fate::Not => assert!(!applied.contains(id), "{id} was applied all the same"),
            Fate::Detached if end.orderly && matches!(journal.fault, Fault::None) => {
                assert!(applied.contains(id), "{id} was accepted and lost");
            }
            Fate::Detached | Fate::Unknown => {}
        }
    }
    let sum = |count: fn(&Account) -> usize| accounts.iter().map(count).sum::<usize>();
    let booked = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    let submitted = booked(&books.submitted);
    assert_eq!(
        submitted,
        booked(&books.completed) + booked(&books.skipped),
        "submitted = completed + skipped"
    );
    assert_eq!(booked(&books.refused), sum(|account| account.refused));
    let (accepted, dropped) = (sum(|account| account.accepted), sum(|account| account.dropped));
    assert!((accepted..=accepted + dropped).contains(&submitted), "{accepted} + {dropped}: {submitted}");
}

fn whole_queue<const GROUP: bool, Q: UpdateQueue<Machine = Journal<GROUP>>>(
    start: fn(Journal<GROUP>, Options) -> (Q, Writer<Journal<GROUP>>),
) {
    // LIMIT: 10^5 schedules: one race of submit against shutdown each, and more.
    explore_many(100_000, move || {
        let (alive, books) = (Alive::default(), Arc::new(Books::default()));
        let capacity = 1 + draw(2) as usize;
        let options = Options::default().capacity(capacity).max_batch(1 + draw(3) as usize);
        let (queue, writer) = start(Journal::draw(), options.observer(Arc::clone(&books) as _));
        let mut producers: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let (queue, alive) = (queue.clone(), alive.clone());
                thread::spawn(move || produce(&queue, producer, &alive))
            })
            .collect();
        let mut accounts = Vec::new();
        for _ in 0..draw(PRODUCERS + 1) {
            let producer = producers.pop().expect("as many as were started");
            accounts.push(producer.join().expect("a producer ends"));
        }
        let end = end(queue, writer);
        accounts.extend(producers.into_iter().map(|producer| producer.join().expect("a producer ends")));
        settle(&end, &accounts, &books);
        drop(end);
        alive.assert_none();
    });
}

#[test]
fn a_channel_queue_keeps_its_accounts() {
    whole_queue::<false, _>(|machine, options| ChannelQueue::start(machine, options, stub::open));
}

#[test]
fn a_channel_queue_with_group_commit_keeps_its_accounts() {
    whole_queue::<true, _>(|machine, options| ChannelQueue::start(machine, options, stub::open));
}

#[test]
fn a_locked_queue_keeps_its_accounts() {
    whole_queue::<false, LockedQueue<_, StubLock<_>>>(LockedQueue::start);
}

#[test]
fn a_locked_queue_that_commits_keeps_its_accounts() {
    whole_queue::<true, LockedQueue<_, StubLock<_>>>(LockedQueue::start);
}
