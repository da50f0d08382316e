//! Parking: no wake-up is lost, neither to an earlier wait's leftovers nor to a wait nested in another's poll.

use std::future::{poll_fn, ready};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

use super::{explore, explore_up_to};
use crate::park::{block_on, block_on_until};
use crate::sync::{Mutex, lock, thread};

/// Something that happens once, and somebody who may wait for it.
#[derive(Default)]
pub(super) struct Signal(Mutex<(bool, Option<Waker>)>);

impl Signal {
    pub(super) fn give(&self) {
        let mut state = lock(&self.0);
        state.0 = true;
        let waker = state.1.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, waker: &Waker) -> Poll<()> {
        let mut state = lock(&self.0);
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(waker.clone());
        Poll::Pending
    }

    pub(super) async fn given(&self) {
        poll_fn(|cx| self.poll(cx.waker())).await;
    }
}

/// A signal, and a thread that gives it.
fn given_elsewhere() -> (Arc<Signal>, thread::JoinHandle<()>) {
    let signal = Arc::new(Signal::default());
    let giver = {
        let signal = Arc::clone(&signal);
        thread::spawn(move || signal.give())
    };
    (signal, giver)
}

#[test]
fn a_wake_ends_the_wait_whenever_it_comes() {
    explore(|| {
        let (signal, giver) = given_elsewhere();
        block_on(signal.given());
        giver.join().expect("the giver ends");
    });
}

#[test]
fn a_wait_nested_in_a_poll_leaves_the_outer_wait_its_wake_up() {
    explore_up_to(3, || {
        // From here on the thread has a parker to reuse.
        block_on(ready(()));
        let (outer, outer_giver) = given_elsewhere();
        let (inner, inner_giver) = given_elsewhere();
        let mut nested = false;
        block_on(poll_fn(|cx| {
            let polled = outer.poll(cx.waker());
            if !std::mem::replace(&mut nested, true) {
                block_on(inner.given());
            }
            polled
        }));
        outer_giver.join().expect("the giver ends");
        inner_giver.join().expect("the giver ends");
    });
}

#[test]
fn a_wake_that_comes_after_its_wait_gave_up_disturbs_no_later_wait() {
    let past = Instant::now();
    explore(move || {
        let (first, second) = (Arc::new(Signal::default()), Arc::new(Signal::default()));
        let giver = {
            let (first, second) = (Arc::clone(&first), Arc::clone(&second));
            thread::spawn(move || {
                first.give();
                second.give();
            })
        };
        let _ = block_on_until(first.given(), past);
        block_on(second.given());
        giver.join().expect("the giver ends");
    });
}
