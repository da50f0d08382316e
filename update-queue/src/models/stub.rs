//! A channel for the models: a bounded deque under a mutex, whose length is also published in an atomic.
//!
//! The published length lets the source see "empty" without the lock, as lock-free channels do; with the lock alone
//! whoever comes second would always see the first, and the gate's fences would have nothing to do. What is pushed and
//! never pulled stays in the channel as long as a handle lives, as in crossbeam's and flume's.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::channel::{Source, Transport};
use crate::sync::{AtomicUsize, Condvar, Mutex, Ordering, lock};

pub(super) struct Sending<E>(Arc<Channel<E>>);

pub(super) struct Receiving<E>(Arc<Channel<E>>);

struct Channel<E> {
    items: Mutex<Items<E>>,
    work: Condvar,
    published: AtomicUsize,
    capacity: usize,
}

struct Items<E> {
    queued: VecDeque<E>,
    waiting_for_room: Vec<Waker>,
    woken: bool,
    source_is_gone: bool,
}

pub(super) fn open<E>(capacity: usize) -> (Sending<E>, Receiving<E>) {
    let channel = Arc::new(Channel {
        items: Mutex::new(Items {
            queued: VecDeque::new(),
            waiting_for_room: Vec::new(),
            woken: false,
            source_is_gone: false,
        }),
        work: Condvar::new(),
        published: AtomicUsize::new(0),
        capacity,
    });
    (Sending(Arc::clone(&channel)), Receiving(channel))
}

enum Pushed<E> {
    Done,
    Full(E),
    Gone(E),
}

impl<E> Channel<E> {
    /// Pushes, or leaves `waker` to be woken when there is room.
    fn push(&self, item: E, waker: Option<Waker>) -> Pushed<E> {
        let mut items = lock(&self.items);
        if items.source_is_gone {
            return Pushed::Gone(item);
        }
        if items.queued.len() == self.capacity {
            items.waiting_for_room.extend(waker);
            return Pushed::Full(item);
        }
        items.queued.push_back(item);
        self.publish(&items);
        drop(items);
        self.work.notify_one();
        Pushed::Done
    }

    fn pop(&self, items: &mut Items<E>) -> Option<(E, Vec<Waker>)> {
        let item = items.queued.pop_front()?;
        self.publish(items);
        Some((item, std::mem::take(&mut items.waiting_for_room)))
    }

    fn publish(&self, items: &Items<E>) {
        // ORDERING: Release pairs with the load in `try_pull`. Deliberately no stronger: the gate has to hold with it.
        self.published.store(items.queued.len(), Ordering::Release);
    }
}

fn wake_all<E>((item, wakers): (E, Vec<Waker>)) -> E {
    wakers.into_iter().for_each(Waker::wake);
    item
}

impl<E: Send + 'static> Transport<E> for Sending<E> {
    fn try_push(&self, envelope: E) -> Result<(), E> {
        match self.0.push(envelope, None) {
            Pushed::Done => Ok(()),
            Pushed::Full(envelope) | Pushed::Gone(envelope) => Err(envelope),
        }
    }

    async fn push(&self, envelope: E) -> bool {
        let mut waiting = Some(envelope);
        poll_fn(|cx| {
            let envelope = waiting.take().expect("polled again only after it was full");
            match self.0.push(envelope, Some(cx.waker().clone())) {
                Pushed::Done => Poll::Ready(true),
                Pushed::Gone(_) => Poll::Ready(false),
                Pushed::Full(envelope) => {
                    waiting = Some(envelope);
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn wake(&self) {
        lock(&self.0.items).woken = true;
        self.0.work.notify_all();
    }

    fn len(&self) -> usize {
        // ORDERING: Relaxed: a number to look at.
        self.0.published.load(Ordering::Relaxed)
    }

    fn capacity(&self) -> usize {
        self.0.capacity
    }
}

impl<E: Send + 'static> Source<E> for Receiving<E> {
    fn try_pull(&mut self) -> Option<E> {
        // ORDERING: Acquire pairs with `publish`. It may miss a push that nothing orders before it.
        if self.0.published.load(Ordering::Acquire) == 0 {
            return None;
        }
        let popped = self.0.pop(&mut lock(&self.0.items));
        popped.map(wake_all)
    }

    fn pull(&mut self) -> Option<E> {
        let mut items = lock(&self.0.items);
        loop {
            if let Some(popped) = self.0.pop(&mut items) {
                drop(items);
                return Some(wake_all(popped));
            }
            if std::mem::take(&mut items.woken) {
                return None;
            }
            items = self.0.work.wait(items).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

impl<E> Drop for Receiving<E> {
    fn drop(&mut self) {
        let mut items = lock(&self.0.items);
        items.source_is_gone = true;
        let wakers = std::mem::take(&mut items.waiting_for_room);
        drop(items);
        wakers.into_iter().for_each(Waker::wake);
    }
}
