//! Item 17, and the part of 32 that needs a runtime: tickets and submits in one runtime, in two, and in none.

#![cfg(not(any(loom, shuttle)))]

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::task::coop;
use update_queue::conformance::{At, Op, Rig, Verdict, Wakes, watched};
use update_queue::{Strategy, SubmitError, Ticket, UpdateQueue, block_on};

const PROMISE: &str = "tickets and submits work in any runtime, across runtimes, and without one";

#[track_caller]
fn holds(body: impl FnOnce(&At) + Send + 'static) {
    let verdict: Verdict = watched(17, PROMISE, |at| {
        body(at);
        Ok(())
    });
    if let Err(broken) = verdict {
        panic!("{broken}");
    }
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime without drivers starts")
}

fn one_worker() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).build().expect("a runtime without drivers starts")
}

/// Opens the stalled writer from outside while `blocked` runs.
fn while_stalled<S: Strategy, R>(rig: &Rig<S, false>, blocked: impl FnOnce() -> R) -> R {
    let stall = rig.stall();
    let (queued, _refused) = rig.fill(9).expect("a stalled queue fills up");
    queued.into_iter().for_each(Ticket::detach);
    let releasing = thread::spawn(move || stall.release());
    let result = blocked();
    releasing.join().expect("no panic").expect("the stalled update is applied");
    result
}

fn blocking_calls_hold_a_runtimes_thread<S: Strategy + 'static>() {
    holds(|at| {
        for (runtime, name) in [(one_thread(), "on a current-thread runtime"), (one_worker(), "on a worker")]
        {
            at.now(name);
            let rig = Rig::<S, false>::holding(1);
            let queue = rig.queue.clone();
            let task = move || {
                queue.call_blocking(Op::new(0, 0)).expect("a blocking call works in a runtime");
                let ticket = queue.submit_blocking(Op::new(0, 1)).expect("the queue is open");
                let waited = ticket.wait_until(Instant::now()).or_else(|ticket| Ok::<_, ()>(ticket.wait()));
                waited.expect("either way there is an outcome").expect("the update is applied");
                block_on(queue.call(Op::new(0, 2))).expect("a nested block_on works in a runtime");
                while_stalled(&rig, || rig.queue.call_blocking(Op::new(0, 3))).expect("room appears");
            };
            runtime.block_on(async { tokio::spawn(async move { task() }).await.expect("no panic") });
        }
    });
}

/// Uses up what tokio lets a task do before it must yield.
async fn spend_budget() {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    (0..1_000).for_each(|item| sender.send(item).expect("the receiver is here"));
    poll_fn(|cx| {
        while coop::has_budget_remaining() {
            assert!(receiver.poll_recv(cx).is_ready());
        }
        std::task::Poll::Ready(())
    })
    .await;
    assert!(!coop::has_budget_remaining());
}

fn a_spent_budget_does_not_block_a_blocking_call<S: Strategy + 'static>() {
    holds(|at| {
        for (runtime, name) in [(one_thread(), "on a current-thread runtime"), (one_worker(), "on a worker")]
        {
            at.now(name);
            let rig = Rig::<S, false>::holding(1);
            let task = async move {
                spend_budget().await;
                while_stalled(&rig, || rig.queue.call_blocking(Op::new(0, 0))).expect("room appears");
                while_stalled(&rig, || block_on(rig.queue.call(Op::new(0, 1)))).expect("room appears");
            };
            runtime.block_on(async { tokio::spawn(task).await.expect("no panic") });
        }
    });
}

fn a_ticket_moves_between_runtimes<S: Strategy>() {
    holds(|at| {
        at.now("submitted in one runtime, polled in a second, awaited in a third, with the second gone");
        let rig = Rig::<S, false>::holding(4);
        let (first, second, third) = (one_worker(), one_thread(), one_worker());
        let queue = rig.queue.clone();
        let has_queue = rig.has_queue("tickets that are pending when they move");
        let stall = has_queue.then(|| rig.stall());
        let mut ticket = first.block_on(async { queue.submit(Op::new(0, 0)).await }).expect("there is room");
        if let Some(stall) = stall {
            second.block_on(poll_fn(|cx| {
                assert!(pin!(&mut ticket).as_mut().poll(cx).is_pending(), "a queued update had an outcome");
                std::task::Poll::Ready(())
            }));
            drop(second);
            thread::spawn(move || stall.release());
        }
        let waiting = third.spawn(ticket);
        let outcome = third.block_on(waiting).expect("no panic");
        assert_eq!(outcome.expect("the update is applied").output.tag.number, 0);
    });
}

fn a_ticket_that_lost_a_select_goes_on<S: Strategy>() {
    holds(|at| {
        at.now("a ticket loses a select and is awaited after it");
        let rig = Rig::<S, false>::holding(4);
        if !rig.has_queue("tickets that are pending") {
            return;
        }
        one_thread().block_on(async {
            let stall = rig.stall();
            let mut ticket = rig.queue.submit(Op::new(0, 0)).await.expect("there is room");
            tokio::select! {
                biased;
                _ = &mut ticket => panic!("a queued update had an outcome"),
                () = std::future::ready(()) => {}
            }
            stall.open();
            ticket.await.expect("the update is applied");
        });
    });
}

fn a_crowd_of_tasks_is_served<S: Strategy>() {
    holds(|at| {
        at.now("a hundred tasks share two workers and one place");
        let rig = Rig::<S, true>::holding(1);
        let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime starts");
        let tasks: Vec<_> = (0..100)
            .map(|caller| {
                let queue = rig.queue.clone();
                runtime.spawn(async move {
                    for number in 0..10 {
                        let applied =
                            queue.call(Op::new(caller, number)).await.expect("the update is applied");
                        assert_eq!((applied.output.tag.caller, applied.output.tag.number), (caller, number));
                    }
                })
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).expect("no panic");
        }
    });
}

fn a_runtime_dropped_with_tickets_out_harms_nobody<S: Strategy>() {
    holds(|at| {
        let rig = Rig::<S, false>::holding(2);
        if !rig.has_queue("tickets that are pending when their runtime is dropped") {
            return;
        }
        at.now("tasks wait for tickets and for room, and their runtime is dropped");
        let stall = rig.stall();
        let runtime = one_worker();
        let (told, heard) = mpsc::channel();
        for caller in 0..4 {
            let (queue, told) = (rig.queue.clone(), told.clone());
            runtime.spawn(async move {
                let mut submit = pin!(queue.submit(Op::new(caller, 0)));
                let first = poll_fn(|cx| std::task::Poll::Ready(submit.as_mut().poll(cx))).await;
                told.send(first.is_ready()).expect("the test listens");
                match first {
                    std::task::Poll::Ready(ticket) => drop(ticket.expect("the queue is open").await),
                    std::task::Poll::Pending => drop(submit.await),
                }
            });
        }
        let accepted = (0..4).filter(|_| heard.recv().expect("every task submits")).count();
        assert_eq!(accepted, 2, "a queue with two places");
        drop(runtime);
        stall.release().expect("the stalled update is applied");
        at.now("others go on");
        rig.queue.call_blocking(Op::new(9, 0)).expect("the queue lives");
        let machine = rig.shutdown().expect("the queue is sound");
        assert_eq!(machine.log().len(), 2, "updates of dropped tasks ran: {:?}", machine.log());
    });
}

fn the_last_handle_may_be_dropped_inside_a_task<S: Strategy>() {
    holds(|at| {
        for (runtime, name) in [(one_thread(), "on a current-thread runtime"), (one_worker(), "on a worker")]
        {
            at.now(name);
            let Rig { queue, writer, .. } = Rig::<S, true>::holding(4);
            runtime.block_on(async {
                let task = async move {
                    queue.submit(Op::new(0, 0)).await.expect("there is room").detach();
                    drop(queue);
                };
                tokio::spawn(task).await.expect("no panic");
            });
            let machine = writer.shutdown().expect("the queue is sound");
            assert_eq!(machine.numbers_of(0), [0], "what was accepted is applied");
        }
    });
}

macro_rules! runtimes {
    ($($name:ident: $strategy:ty;)+) => {$(
        mod $name {
            runtimes! { @tests $strategy:
                blocking_calls_hold_a_runtimes_thread,
                a_spent_budget_does_not_block_a_blocking_call,
                a_ticket_moves_between_runtimes,
                a_ticket_that_lost_a_select_goes_on,
                a_crowd_of_tasks_is_served,
                a_runtime_dropped_with_tickets_out_harms_nobody,
                the_last_handle_may_be_dropped_inside_a_task,
            }
        }
    )+};
    (@tests $strategy:ty: $($test:ident,)+) => {$(
        #[test]
        fn $test() {
            super::$test::<$strategy>();
        }
    )+};
}

runtimes! {
    tokio_queue: queue_tokio::Tokio;
    crossbeam: queue_crossbeam::Crossbeam;
    flume: queue_flume::Flume;
    std_mutex: baseline_mutex::StdMutex;
    parking_lot: baseline_mutex::ParkingLot;
    tokio_mutex: baseline_mutex::TokioMutex;
}

// The tokio lock is the one without a queue whose async callers wait: the suite skips these for it.

#[test]
fn a_submit_that_waits_for_the_tokio_lock_and_is_dropped_never_runs() {
    holds(|at| {
        at.now("one of two waiting submits is dropped");
        let rig = Rig::<baseline_mutex::TokioMutex, false>::holding(1);
        let stall = rig.stall();
        let mut dropped = Box::pin(rig.queue.submit(Op::new(0, 0)));
        let mut next = Box::pin(rig.queue.submit(Op::new(1, 0)));
        let wakes = Wakes::new();
        assert!(Wakes::new().poll(&mut dropped).is_pending() && wakes.poll(&mut next).is_pending());
        drop(dropped);
        stall.release().expect("the stalled update is applied");
        wakes.drive(&mut next).expect("the lock came free").wait().expect("the update is applied");
        drop(next);
        let machine = rig.shutdown().expect("the queue is sound");
        assert_eq!((machine.numbers_of(0), machine.numbers_of(1)), (vec![], vec![0]));
    });
}

#[test]
fn a_submit_that_waits_for_the_tokio_lock_is_refused_when_it_is_polled_under_it() {
    holds(|at| {
        at.now("a waiting submit is polled inside the machine that holds the lock");
        let rig = Rig::<baseline_mutex::TokioMutex, false>::holding(1);
        let queue = rig.queue.clone();
        let mut submit = Box::pin(async move { queue.submit(Op::new(0, 7)).await.map(drop) });
        let (give, take) = mpsc::channel::<std::pin::Pin<Box<dyn Future<Output = _> + Send>>>();
        let (told, heard) = mpsc::channel();
        let stall = rig.stall_then(move || {
            let submit = take.recv().expect("the test sends a submit");
            told.send(block_on(submit)).expect("the test listens");
        });
        assert!(Wakes::new().poll(&mut submit).is_pending());
        give.send(submit).expect("the update runs");
        stall.release().expect("the stalled update is applied");
        match heard.recv().expect("the update ran") {
            Err(SubmitError::Reentrant { update }) => assert_eq!(update.tag.number, 7),
            other => panic!("a submit that was polled under its own lock got {other:?}"),
        }
        assert_eq!(Arc::strong_count(&rig.probe), 2, "one here, one in the machine");
    });
}
