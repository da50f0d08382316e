//! The transport: a deque under a mutex, with a list of those who wait for room.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use update_queue::{Source, Transport};

use super::Flaw;

pub(crate) struct Sending<F, E>(Arc<Shared<F, E>>);

pub(crate) struct Receiving<F, E> {
    shared: Arc<Shared<F, E>>,
    /// Taken off the queue ahead of its claim, by a strategy that does so wrongly.
    ahead: VecDeque<E>,
    taken: usize,
}

struct Shared<F, E> {
    state: Mutex<State<E>>,
    changed: Condvar,
    capacity: usize,
    died: Arc<AtomicBool>,
    flaw: PhantomData<F>,
}

struct State<E> {
    items: VecDeque<E>,
    waiting: Vec<Waker>,
    woken: bool,
}

pub(crate) fn open<F, E>(capacity: usize, died: Arc<AtomicBool>) -> (Sending<F, E>, Receiving<F, E>) {
    let state = Mutex::new(State { items: VecDeque::new(), waiting: Vec::new(), woken: false });
    let shared = Arc::new(Shared { state, changed: Condvar::new(), capacity, died, flaw: PhantomData });
    (Sending(Arc::clone(&shared)), Receiving { shared, ahead: VecDeque::new(), taken: 0 })
}

impl<F: Flaw, E> Shared<F, E> {
    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, item: E, state: &mut State<E>) -> Result<(), E> {
        if state.items.len() >= self.capacity + usize::from(F::ONE_TOO_MANY) {
            return Err(item);
        }
        state.items.push_back(item);
        self.changed.notify_all();
        Ok(())
    }
}

impl<F: Flaw, E: Send + 'static> Transport<E> for Sending<F, E> {
    fn try_push(&self, envelope: E) -> Result<(), E> {
        self.0.put(envelope, &mut self.0.lock())
    }

    async fn push(&self, envelope: E) -> bool {
        let mut item = Some(envelope);
        poll_fn(|cx| {
            let mut state = self.0.lock();
            let envelope = item.take().expect("a push ends with the poll that took its envelope");
            match self.0.put(envelope, &mut state) {
                Ok(()) => Poll::Ready(true),
                Err(envelope) => {
                    item = Some(envelope);
                    state.waiting.push(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn wake(&self) {
        let mut state = self.0.lock();
        state.woken = true;
        let forgotten = if F::FORGETS_AT_CLOSE { std::mem::take(&mut state.items) } else { VecDeque::new() };
        self.0.changed.notify_all();
        drop(state);
        drop(forgotten);
    }

    fn len(&self) -> usize {
        self.0.lock().items.len()
    }

    fn capacity(&self) -> usize {
        self.0.capacity
    }
}

impl<F: Flaw, E> Receiving<F, E> {
    fn take(&mut self, mut state: MutexGuard<'_, State<E>>) -> Option<E> {
        if !state.items.is_empty() {
            self.taken += 1;
            assert!(!(F::PANICS && self.taken == 4), "the channel broke");
        }
        if F::TAKES_ALL {
            self.ahead.extend(state.items.drain(..));
        }
        let taken = if F::NEWEST_FIRST { state.items.pop_back() } else { state.items.pop_front() };
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        if !F::TELLS_NOBODY_OF_ROOM {
            waiting.into_iter().for_each(Waker::wake);
        }
        taken.or_else(|| self.ahead.pop_front())
    }
}

impl<F: Flaw, E: Send + 'static> Source<E> for Receiving<F, E> {
    fn try_pull(&mut self) -> Option<E> {
        if F::KEEPS_AFTER_DEATH && self.shared.died.load(Ordering::SeqCst) {
            return None;
        }
        let shared = Arc::clone(&self.shared);
        self.take(shared.lock())
    }

    fn pull(&mut self) -> Option<E> {
        let shared = Arc::clone(&self.shared);
        let asleep = |state: &mut State<E>| state.items.is_empty() && !state.woken;
        let mut state =
            shared.changed.wait_while(shared.lock(), asleep).unwrap_or_else(PoisonError::into_inner);
        state.woken = false;
        self.take(state)
    }
}
