//! Polling by hand: a waker that counts, and waits that nothing but a wake ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Counts how often it is woken.
#[derive(Debug, Default)]
pub struct Wakes {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }
}

impl Wakes {
    /// Not woken yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// How often it was woken.
    pub fn count(&self) -> usize {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it was woken more than `seen` times.
    pub fn wait_beyond(&self, seen: usize) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = self.changed.wait_while(count, |count| *count <= seen);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }

    /// Polls once with a waker that counts here.
    pub fn poll<F: Future + Unpin>(self: &Arc<Self>, future: &mut F) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(self));
        Pin::new(future).poll(&mut Context::from_waker(&waker))
    }

    /// Polls again after each wake, and only then: a wake that is lost hangs.
    pub fn drive<F: Future + Unpin>(self: &Arc<Self>, future: &mut F) -> F::Output {
        loop {
            let seen = self.count();
            match self.poll(future) {
                Poll::Ready(output) => return output,
                Poll::Pending => self.wait_beyond(seen),
            }
        }
    }
}
