//! Waiting on a thread: a future driven by park and unpark, without a runtime.
//!
//! It works on any thread, also on a runtime's, where it holds that thread. Every wait has its own flag, so that a wait
//! nested in another's poll cannot use up the other's wake-up; the usual, unnested case reuses one waker per thread.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use crate::sync::{AtomicBool, Ordering, thread, thread_local};

struct Parker {
    thread: thread::Thread,
    notified: AtomicBool,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDERING: Release makes what the waking side wrote visible to the `swap` in `take_notice`. A thread that is
        // notified already will poll again anyway and needs no second unpark.
        if !self.notified.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}

impl Parker {
    fn new() -> Arc<Self> {
        Arc::new(Self { thread: thread::current(), notified: AtomicBool::new(false) })
    }

    fn take_notice(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `wake_by_ref`.
        self.notified.swap(false, Ordering::AcqRel)
    }

    /// Sleeps until notified (`true`) or until `deadline` (`false`). Stale and spurious unparks change nothing.
    fn park(&self, deadline: Option<Instant>) -> bool {
        while !self.take_notice() {
            match deadline {
                None => thread::park(),
                Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => park_timeout(left),
                    _ => return false,
                },
            }
        }
        true
    }
}

#[cfg(not(loom))]
fn park_timeout(left: std::time::Duration) {
    thread::park_timeout(left);
}

// loom has no time: there every deadline passes at once.
#[cfg(loom)]
fn park_timeout(_: std::time::Duration) {
    unreachable!("a loom model gives no deadline in the future")
}

thread_local! {
    static IDLE: RefCell<Option<(Arc<Parker>, Waker)>> = const { RefCell::new(None) };
}

/// Runs `future` to its end on this thread, parking whenever it is pending.
///
/// For strategies whose transport is async: the writer's wait for an update, a blocking caller's wait for room.
pub fn block_on<F: Future>(future: F) -> F::Output {
    drive(future, None).expect("a wait without a deadline ends with an output")
}

/// As [`block_on`], but gives up at `deadline` and returns `None`. The future is polled at least once.
pub fn block_on_until<F: Future>(future: F, deadline: Instant) -> Option<F::Output> {
    drive(future, Some(deadline))
}

pub(crate) fn drive<F: Future>(future: F, deadline: Option<Instant>) -> Option<F::Output> {
    let (parker, waker) =
        IDLE.try_with(|idle| idle.borrow_mut().take()).ok().flatten().unwrap_or_else(|| {
            let parker = Parker::new();
            (Arc::clone(&parker), Waker::from(parker))
        });
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let output = loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => break Some(output),
            Poll::Pending if parker.park(deadline) => {}
            Poll::Pending => break None,
        }
    };
    // The waker may still be out there: a late wake only causes one more poll in the next wait.
    let _ = IDLE.try_with(|idle| idle.borrow_mut().replace((parker, waker)));
    output
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::future::{pending, poll_fn, ready};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_wait_whose_deadline_has_passed_still_polls_once() {
        let past = Instant::now();
        assert_eq!(block_on_until(ready(7), past), Some(7));
        assert_eq!(block_on_until(pending::<()>(), past), None);
    }

    #[test]
    fn a_wait_ends_at_its_deadline_and_not_before() {
        let deadline = Instant::now() + Duration::from_millis(2);
        assert_eq!(block_on_until(pending::<()>(), deadline), None);
        assert!(Instant::now() >= deadline);
    }

    #[test]
    fn a_poll_that_wakes_itself_is_polled_again() {
        let mut polls = 0;
        let polled = block_on(poll_fn(|cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            if polls < 3 { Poll::Pending } else { Poll::Ready(polls) }
        }));
        assert_eq!(polled, 3);
    }

    #[test]
    fn a_poll_that_panics_leaves_the_thread_able_to_wait() {
        let panicked = std::thread::spawn(|| {
            let panicked = crate::contain::contain(|| {
                block_on(poll_fn(|_| -> Poll<()> { std::panic::resume_unwind(Box::new("a panic in poll")) }))
            });
            block_on(ready(panicked.is_none()))
        });
        assert!(panicked.join().expect("the thread ends"));
    }

    #[test]
    fn a_wait_works_while_the_threads_locals_are_being_destroyed() {
        struct WaitsAtTheEnd(std::sync::mpsc::Sender<u32>);
        impl Drop for WaitsAtTheEnd {
            fn drop(&mut self) {
                let mut polls = 0;
                let polled = block_on(poll_fn(|cx| {
                    polls += 1;
                    cx.waker().wake_by_ref();
                    if polls < 2 { Poll::Pending } else { Poll::Ready(polls) }
                }));
                let _ = self.0.send(polled);
            }
        }
        std::thread_local! {
            static BEFORE: RefCell<Option<WaitsAtTheEnd>> = const { RefCell::new(None) };
            static AFTER: RefCell<Option<WaitsAtTheEnd>> = const { RefCell::new(None) };
        }
        let (sender, polled) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // One is destroyed before the idle parker, one after it, whatever the order is.
            BEFORE.set(Some(WaitsAtTheEnd(sender.clone())));
            block_on(ready(()));
            AFTER.set(Some(WaitsAtTheEnd(sender)));
        });
        assert_eq!(polled.iter().collect::<Vec<_>>(), [2, 2]);
    }
}
