//! Strategies and machines that misbehave on purpose: each must be rejected by the check that is meant for it.
//!
//! A strategy is broken by wrapping a good one: its options, its depth, or the ticket that a submit gives. A machine is
//! broken by wrapping the checker.

mod specs;

use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use bench_harness::record::Trial;
use bench_harness::trial::checker::{Checker, Each, Grouped, Measured, Output, Update};
use bench_harness::trial::spec::TrialSpec;
use bench_harness::trial::{PATIENCE, run_machine, run_with};
use bench_harness::workload::definition::Callers;
use queue_crossbeam::Crossbeam;
use update_queue::{
    BoxError, ChannelQueue, EnvelopeOf, Options, OutputOf, Request, Source, StateMachine, Strategy,
    SubmitError, Ticket, Transport, UpdateError, UpdateOf, UpdateQueue, Writer,
};

use specs::{bursts, failed_check, given_time, grouped, hasty, open, spin, steady};

/// One thing that a strategy does wrong.
trait Fault: 'static {
    /// What the fault must remember, per queue.
    type Memory<O: Send + 'static>: Default + Send + Sync + 'static;

    fn options(options: Options) -> Options {
        options
    }

    fn depth(depth: usize) -> usize {
        depth
    }

    /// What the caller gets instead of the ticket of an accepted update.
    fn ticket<O: Send + 'static>(_: &Self::Memory<O>, ticket: Ticket<O>) -> Ticket<O> {
        ticket
    }
}

/// A good strategy with a fault.
struct Broken<F>(PhantomData<F>);

impl<F: Fault> Strategy for Broken<F> {
    const NAME: &'static str = "broken";
    type Queue<M: StateMachine> = BrokenQueue<F, <Crossbeam as Strategy>::Queue<M>>;

    fn start<M: StateMachine>(machine: M, options: Options) -> (Self::Queue<M>, Writer<M>) {
        let (inner, writer) = Crossbeam::start(machine, F::options(options));
        (BrokenQueue { inner, memory: Arc::default() }, writer)
    }
}

struct BrokenQueue<F: Fault, Q: UpdateQueue> {
    inner: Q,
    memory: Arc<F::Memory<OutputOf<Q>>>,
}

impl<F: Fault, Q: UpdateQueue> Clone for BrokenQueue<F, Q> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), memory: Arc::clone(&self.memory) }
    }
}

type Submitted<Q> = Result<Ticket<OutputOf<Q>>, SubmitError<UpdateOf<Q>>>;

impl<F: Fault, Q: UpdateQueue> UpdateQueue for BrokenQueue<F, Q> {
    type Machine = Q::Machine;

    fn try_submit(&self, request: impl Into<Request<UpdateOf<Q>>>) -> Submitted<Q> {
        Ok(F::ticket(&self.memory, self.inner.try_submit(request)?))
    }

    fn submit(&self, request: impl Into<Request<UpdateOf<Q>>>) -> impl Future<Output = Submitted<Q>> + Send {
        let submitted = self.inner.submit(request);
        async move { Ok(F::ticket(&self.memory, submitted.await?)) }
    }

    fn submit_blocking(&self, request: impl Into<Request<UpdateOf<Q>>>) -> Submitted<Q> {
        Ok(F::ticket(&self.memory, self.inner.submit_blocking(request)?))
    }

    fn close(&self) {
        self.inner.close();
    }

    fn depth(&self) -> usize {
        F::depth(self.inner.depth())
    }

    fn capacity(&self) -> usize {
        self.inner.capacity()
    }
}

/// One thing that a machine does wrong.
trait Misdeed: Send + 'static {
    const GROUP_COMMIT: bool = false;

    fn apply(checker: &mut Checker, update: Update) -> Output {
        checker.apply(update)
    }

    fn commit(checker: &mut Checker) {
        checker.commit();
    }
}

/// The checker, with a misdeed.
struct Bad<D>(Checker, PhantomData<D>);

impl<D: Misdeed> StateMachine for Bad<D> {
    type Update = Update;
    type Output = Output;
    const GROUP_COMMIT: bool = D::GROUP_COMMIT;

    fn apply(&mut self, update: Update) -> Output {
        D::apply(&mut self.0, update)
    }

    fn commit(&mut self) -> Result<(), BoxError> {
        D::commit(&mut self.0);
        Ok(())
    }
}

impl<D: Misdeed> Measured for Bad<D> {
    fn new(checker: Checker) -> Self {
        Self(checker, PhantomData)
    }

    fn into_checker(self) -> Checker {
        self.0
    }
}

/// A transport that is no queue.
struct Stack<E> {
    capacity: usize,
    items: Arc<(Mutex<Items<E>>, Condvar)>,
}

struct Items<E> {
    pushed: Vec<E>,
    woken: bool,
}

impl<E> Default for Items<E> {
    fn default() -> Self {
        Self { pushed: Vec::new(), woken: false }
    }
}

impl<E> Clone for Stack<E> {
    fn clone(&self) -> Self {
        Self { capacity: self.capacity, items: Arc::clone(&self.items) }
    }
}

impl<E> Stack<E> {
    fn items(&self) -> MutexGuard<'_, Items<E>> {
        self.items.0.lock().expect("nobody panics while holding it")
    }
}

impl<E: Send + 'static> Transport<E> for Stack<E> {
    fn try_push(&self, envelope: E) -> Result<(), E> {
        let mut items = self.items();
        if items.pushed.len() == self.capacity {
            return Err(envelope);
        }
        items.pushed.push(envelope);
        self.items.1.notify_all();
        Ok(())
    }

    /// Does not wait: these tests never have more in flight than there is room for.
    async fn push(&self, envelope: E) -> bool {
        self.try_push(envelope).is_ok()
    }

    fn wake(&self) {
        self.items().woken = true;
        self.items.1.notify_all();
    }

    fn len(&self) -> usize {
        self.items().pushed.len()
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<E: Send + 'static> Source<E> for Stack<E> {
    fn try_pull(&mut self) -> Option<E> {
        self.items().pushed.pop()
    }

    fn pull(&mut self) -> Option<E> {
        let idle = |items: &mut Items<E>| items.pushed.is_empty() && !items.woken;
        let mut items = self.items.1.wait_while(self.items(), idle).expect("nobody panics while holding it");
        items.woken = false;
        items.pushed.pop()
    }
}

/// Counts the submits of a queue, so that a fault can wait until the queue has been in use for a while.
#[derive(Default)]
struct Count(AtomicU64);

// LIMIT: the 40th submit: after all those of the check that precedes the load, and early in the load.
const LATE: u64 = 40;

impl Count {
    fn is_late(&self) -> bool {
        self.next() == LATE
    }

    fn next(&self) -> u64 {
        // ORDERING: Relaxed; which caller gets which number does not matter.
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// An open loop at twice the capacity, so that something is always queued.
fn busy(callers: Callers) -> TrialSpec {
    TrialSpec { window: Duration::from_millis(60), ..open(callers, 4, 20_000.0) }
}

#[track_caller]
fn rejected(trial: &Trial, check: &str) {
    assert_eq!(failed_check(trial), check, "{:?}", trial.result);
}

#[test]
fn a_wrapper_without_a_fault_passes() {
    struct None;
    impl Fault for None {
        type Memory<O: Send + 'static> = ();
    }
    for callers in [Callers::Threads, Callers::Tasks] {
        let deadline = hasty(busy(callers), Duration::from_millis(5));
        for spec in [steady(callers, 4), grouped(callers, 4), bursts(callers, 4), busy(callers), deadline] {
            rejected(&given_time(&spec, run_with::<Broken<None>>), "none");
        }
    }
}

#[test]
fn v1_two_callers_get_each_others_replies() {
    struct Swap;
    struct Swapper<O> {
        count: Count,
        state: Mutex<State<O>>,
        changed: Condvar,
    }
    #[derive(Default)]
    enum State<O> {
        #[default]
        Nobody,
        First(Ticket<O>),
        Second(Ticket<O>),
        Done,
    }
    impl<O> Default for Swapper<O> {
        fn default() -> Self {
            Self { count: Count::default(), state: Mutex::new(State::Nobody), changed: Condvar::new() }
        }
    }
    impl Fault for Swap {
        type Memory<O: Send + 'static> = Swapper<O>;

        fn ticket<O: Send + 'static>(swapper: &Swapper<O>, mine: Ticket<O>) -> Ticket<O> {
            if swapper.count.next() < LATE {
                return mine;
            }
            let mut state = swapper.state.lock().unwrap();
            match mem::replace(&mut *state, State::Done) {
                State::Nobody => *state = State::First(mine),
                State::First(theirs) => {
                    *state = State::Second(mine);
                    swapper.changed.notify_all();
                    return theirs;
                }
                other => {
                    *state = other;
                    return mine;
                }
            }
            let first = |state: &mut State<O>| matches!(state, State::First(_));
            let mut state = swapper.changed.wait_while(state, first).unwrap();
            match mem::replace(&mut *state, State::Done) {
                State::Second(theirs) => theirs,
                _ => unreachable!("only the second caller ends the wait"),
            }
        }
    }
    rejected(&run_with::<Broken<Swap>>(&steady(Callers::Threads, 4)), "V1");
    rejected(&run_with::<Broken<Swap>>(&busy(Callers::Threads)), "V1");
}

#[test]
fn v1_the_place_in_the_total_order_is_wrong() {
    struct Offset;
    impl Fault for Offset {
        type Memory<O: Send + 'static> = ();

        fn options(options: Options) -> Options {
            options.last_seq(7)
        }
    }
    rejected(&run_with::<Broken<Offset>>(&steady(Callers::Threads, 2)), "V1");
}

#[test]
fn v2_an_update_is_applied_twice() {
    struct Twice;
    impl Misdeed for Twice {
        fn apply(checker: &mut Checker, update: Update) -> Output {
            let output = checker.apply(update);
            if update.n == 20 {
                checker.apply(update);
            }
            output
        }
    }
    rejected(&run_machine::<Crossbeam, Bad<Twice>>(&steady(Callers::Threads, 2), PATIENCE), "V2");
    for callers in [Callers::Threads, Callers::Tasks] {
        let hasty = hasty(busy(callers), Duration::from_millis(5));
        rejected(&run_machine::<Crossbeam, Bad<Twice>>(&busy(callers), PATIENCE), "V2");
        rejected(&run_machine::<Crossbeam, Bad<Twice>>(&hasty, PATIENCE), "V2");
    }
}

#[test]
fn v2_an_applied_update_is_said_to_be_not_applied() {
    struct Deny;
    impl Fault for Deny {
        type Memory<O: Send + 'static> = Count;

        fn ticket<O: Send + 'static>(count: &Count, ticket: Ticket<O>) -> Ticket<O> {
            if !count.is_late() {
                return ticket;
            }
            ticket.detach();
            Ticket::ready(Err(UpdateError::Closed))
        }
    }
    rejected(&run_with::<Broken<Deny>>(&steady(Callers::Threads, 2)), "V2");
    rejected(&run_with::<Broken<Deny>>(&busy(Callers::Tasks)), "V2");
}

#[test]
fn v2_an_applied_update_is_said_to_be_too_late() {
    struct Denies;
    impl Fault for Denies {
        type Memory<O: Send + 'static> = Count;

        fn ticket<O: Send + 'static>(count: &Count, ticket: Ticket<O>) -> Ticket<O> {
            if !count.is_late() {
                return ticket;
            }
            let outcome = ticket.wait();
            // Later than any deadline of this trial, so that the clock is no witness.
            thread::sleep(Duration::from_millis(20));
            Ticket::ready(outcome.and(Err(UpdateError::Expired)))
        }
    }
    let spec = hasty(busy(Callers::Threads), Duration::from_millis(10));
    rejected(&run_with::<Broken<Denies>>(&TrialSpec { rate: Some(2_000.0), ..spec }), "V2");
}

#[test]
fn v3_the_last_update_comes_first() {
    struct LastFirst;
    impl Strategy for LastFirst {
        const NAME: &'static str = "last-first";
        type Queue<M: StateMachine> = ChannelQueue<M, Stack<EnvelopeOf<M>>>;

        fn start<M: StateMachine>(machine: M, options: Options) -> (Self::Queue<M>, Writer<M>) {
            ChannelQueue::start(machine, options, |capacity| {
                let stack = Stack { capacity, items: Arc::default() };
                (stack.clone(), stack)
            })
        }
    }
    // A burst piles up behind its first update.
    let mut spec = TrialSpec { capacity: 64, ..bursts(Callers::Threads, 4) };
    spec.cell.write = spin(Duration::from_micros(200));
    rejected(&run_with::<LastFirst>(&spec), "V3");
    rejected(&run_with::<LastFirst>(&hasty(busy(Callers::Threads), Duration::from_millis(5))), "V3");
}

#[test]
fn v5_two_threads_apply_the_updates_of_one_batch() {
    struct TwoThreads;
    impl Misdeed for TwoThreads {
        const GROUP_COMMIT: bool = true;

        fn apply(checker: &mut Checker, update: Update) -> Output {
            if update.n.is_multiple_of(2) {
                return checker.apply(update);
            }
            thread::scope(|s| s.spawn(|| checker.apply(update)).join().unwrap())
        }
    }
    rejected(&run_machine::<Crossbeam, Bad<TwoThreads>>(&grouped(Callers::Threads, 4), PATIENCE), "V5");
    let open = TrialSpec { commit: grouped(Callers::Threads, 4).commit, ..busy(Callers::Threads) };
    rejected(&run_machine::<Crossbeam, Bad<TwoThreads>>(&open, PATIENCE), "V5");
}

#[test]
fn v6_answers_come_before_the_commit() {
    struct Early;
    impl Misdeed for Early {}
    rejected(&run_machine::<Crossbeam, Bad<Early>>(&grouped(Callers::Threads, 4), PATIENCE), "V6");
    let open = TrialSpec { commit: grouped(Callers::Tasks, 4).commit, ..busy(Callers::Tasks) };
    rejected(&run_machine::<Crossbeam, Bad<Early>>(&open, PATIENCE), "V6");
}

#[test]
fn v6_the_commit_is_skipped() {
    struct Skips;
    impl Misdeed for Skips {
        const GROUP_COMMIT: bool = true;

        fn commit(_: &mut Checker) {}
    }
    rejected(&run_machine::<Crossbeam, Bad<Skips>>(&grouped(Callers::Tasks, 4), PATIENCE), "V6");
}

#[test]
fn v7_the_machine_gets_something_else_than_was_submitted() {
    struct Alters;
    impl Misdeed for Alters {
        fn apply(checker: &mut Checker, update: Update) -> Output {
            checker.apply(Update { payload: update.payload ^ u64::from(update.n == 20), ..update })
        }
    }
    rejected(&run_machine::<Crossbeam, Bad<Alters>>(&steady(Callers::Threads, 2), PATIENCE), "V7");
    rejected(&run_machine::<Crossbeam, Bad<Alters>>(&busy(Callers::Tasks), PATIENCE), "V7");
}

#[test]
fn v8_the_depth_is_always_zero() {
    struct Zero;
    impl Fault for Zero {
        type Memory<O: Send + 'static> = ();

        fn depth(_: usize) -> usize {
            0
        }
    }
    rejected(&run_with::<Broken<Zero>>(&steady(Callers::Threads, 2)), "V8");
}

#[test]
fn v8_the_depth_counts_the_running_update() {
    struct OneMore;
    impl Fault for OneMore {
        type Memory<O: Send + 'static> = ();

        fn depth(depth: usize) -> usize {
            depth + 1
        }
    }
    rejected(&run_with::<Broken<OneMore>>(&steady(Callers::Threads, 2)), "V8");
}

#[test]
fn v8_more_updates_are_accepted_than_the_capacity() {
    struct Roomy;
    impl Fault for Roomy {
        type Memory<O: Send + 'static> = ();

        fn options(options: Options) -> Options {
            options.capacity(10)
        }
    }
    rejected(&run_with::<Broken<Roomy>>(&steady(Callers::Threads, 2)), "V8");
}

#[test]
fn v9_a_reply_is_lost() {
    struct Lose;
    impl Fault for Lose {
        type Memory<O: Send + 'static> = Count;

        fn ticket<O: Send + 'static>(count: &Count, ticket: Ticket<O>) -> Ticket<O> {
            if count.is_late() {
                ticket.detach();
                // This caller waits for ever; the process of the tests ends without it.
                loop {
                    thread::park();
                }
            }
            ticket
        }
    }
    let patience = Duration::from_millis(200);
    rejected(&run_machine::<Broken<Lose>, Each>(&steady(Callers::Threads, 4), patience), "V9");
    rejected(&run_machine::<Broken<Lose>, Grouped>(&grouped(Callers::Tasks, 4), patience), "V9");
    rejected(&run_machine::<Broken<Lose>, Each>(&busy(Callers::Threads), patience), "V9");
}

#[test]
fn v9_an_accepted_update_fails_for_no_reason() {
    struct Fails;
    impl Fault for Fails {
        type Memory<O: Send + 'static> = Count;

        fn ticket<O: Send + 'static>(count: &Count, ticket: Ticket<O>) -> Ticket<O> {
            if !count.is_late() {
                return ticket;
            }
            ticket.detach();
            Ticket::ready(Err(UpdateError::WriterLost))
        }
    }
    rejected(&run_with::<Broken<Fails>>(&steady(Callers::Threads, 2)), "V9");
    rejected(&run_with::<Broken<Fails>>(&busy(Callers::Threads)), "V9");
}

#[test]
fn v9_an_update_expires_before_its_deadline_or_without_one() {
    struct Hurries;
    impl Fault for Hurries {
        type Memory<O: Send + 'static> = Count;

        fn ticket<O: Send + 'static>(count: &Count, ticket: Ticket<O>) -> Ticket<O> {
            if !count.is_late() {
                return ticket;
            }
            drop(ticket);
            Ticket::ready(Err(UpdateError::Expired))
        }
    }
    // At a tenth of the capacity an update is hardly ever withdrawn too late to be left out.
    let idle = TrialSpec { rate: Some(1_000.0), ..busy(Callers::Threads) };
    let trial = run_with::<Broken<Hurries>>(&hasty(idle.clone(), Duration::from_secs(5)));
    assert!(["V2", "V9"].contains(&failed_check(&trial)), "{:?}", trial.result);
    let trial = run_with::<Broken<Hurries>>(&idle);
    assert!(["V2", "V9"].contains(&failed_check(&trial)), "{:?}", trial.result);
}
