//! The primitives that the models replace: std in a build, loom or shuttle under their `cfg`.
//!
//! `Arc` is always std's: the models are about the locks, the atomics and the parking.

#[cfg(not(any(loom, shuttle)))]
mod imp {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use std::{thread, thread_local};
}

#[cfg(loom)]
mod imp {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};

    /// `loom::thread_local` does not know constant initializers.
    macro_rules! loom_local {
        ($visibility:vis static $name:ident: $type:ty = const { $init:expr };) => {
            loom::thread_local! { $visibility static $name: $type = $init; }
        };
    }
    pub(crate) use loom_local as thread_local;

    /// loom's threads, with parking as std defines it: one token per thread.
    ///
    /// loom 0.7.3 takes an unpark that meets a thread blocked in a lock or a join for the end of that wait, and then
    /// fails on its own assertion. To be removed when loom keeps the token instead.
    pub(crate) mod thread {
        use std::sync::Arc;

        use super::{Condvar, Mutex};
        use crate::sync::lock;

        pub(crate) use loom::thread::Builder;
        #[cfg(test)]
        pub(crate) use loom::thread::{JoinHandle, spawn};

        #[derive(Clone, Default)]
        pub(crate) struct Thread(Arc<Token>);

        #[derive(Default)]
        struct Token {
            given: Mutex<bool>,
            changed: Condvar,
        }

        loom::thread_local! {
            static CURRENT: Thread = Thread::default();
        }

        pub(crate) fn current() -> Thread {
            CURRENT.with(Thread::clone)
        }

        pub(crate) fn park() {
            let Thread(token) = current();
            let mut given = lock(&token.given);
            while !std::mem::take(&mut *given) {
                given = token.changed.wait(given).expect("loom's locks are not poisoned");
            }
        }

        impl Thread {
            pub(crate) fn unpark(&self) {
                *lock(&self.0.given) = true;
                self.0.changed.notify_one();
            }
        }
    }
}

#[cfg(shuttle)]
mod imp {
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
    pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use shuttle::{thread, thread_local};
}

pub(crate) use imp::*;

/// Locks, and ignores std's poison flag.
///
/// No foreign code runs under a lock of this crate (see `ticket.rs`), so a panic cannot leave one half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
