//! What a queue has to beat: the same engine under a lock, three times.
//!
//! - **Transport:** none. The caller takes the lock and applies its own update, commit included.
//! - **Waiting:** for the lock, as each lock makes its callers wait. There is no room to wait for: `capacity` and `depth`
//!   are 0.
//! - **The writer** is whoever holds the lock.
//! - **Close:** callers who get the lock after that are refused; `shutdown` takes the machine once the lock is free.
//! - **Cost per update:** the lock; no allocation, no wake-up unless somebody waits.
//!
//! | strategy | lock | an async caller | fairness |
//! |---|---|---|---|
//! | [`StdMutex`] | `std::sync::Mutex` | blocks its thread | none: whoever is running tends to win |
//! | [`ParkingLot`] | `parking_lot::Mutex` | blocks its thread | handed over in order about every half millisecond |
//! | [`TokioMutex`] | `tokio::sync::Mutex` | waits without a thread | first come, first served |
//!
//! All three run the update on the caller's thread: a slow update of an async caller holds its runtime's worker.

#![forbid(unsafe_code)]

use tokio::task::coop;
use update_queue::{Lock, LockedEngine, LockedQueue, Options, StateMachine, Strategy, Writer, block_on};

/// The strategy over `std::sync::Mutex`. It ignores the lock's poison flag: the engine keeps its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct StdMutex;

/// The strategy over `parking_lot::Mutex`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParkingLot;

/// The strategy over `tokio::sync::Mutex`. LIMIT: an async caller that waits for the lock and is neither polled nor
/// dropped when its turn comes holds up everyone behind it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioMutex;

macro_rules! lock_strategy {
    ($strategy:ty, $name:literal, $lock:ident) => {
        impl Strategy for $strategy {
            const NAME: &'static str = $name;

            type Queue<M: StateMachine> = LockedQueue<M, $lock<Option<LockedEngine<M>>>>;

            fn start<M: StateMachine>(machine: M, options: Options) -> (Self::Queue<M>, Writer<M>) {
                LockedQueue::start(machine, options)
            }
        }
    };
}

lock_strategy!(StdMutex, "std-mutex", StdLock);
lock_strategy!(ParkingLot, "parking-lot", ParkingLotLock);
lock_strategy!(TokioMutex, "tokio-mutex", TokioLock);

/// `std::sync::Mutex` as a [`Lock`].
#[derive(Debug)]
pub struct StdLock<T>(std::sync::Mutex<T>);

impl<T: Send + 'static> Lock<T> for StdLock<T> {
    fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    fn try_with<R, F: FnOnce(&mut T) -> R>(&self, critical: F) -> Result<R, F> {
        match self.0.try_lock() {
            Ok(mut value) => Ok(critical(&mut value)),
            Err(std::sync::TryLockError::Poisoned(error)) => Ok(critical(&mut error.into_inner())),
            Err(std::sync::TryLockError::WouldBlock) => Err(critical),
        }
    }

    fn with_blocking<R>(&self, critical: impl FnOnce(&mut T) -> R) -> R {
        critical(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    async fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R {
        self.with_blocking(critical)
    }
}

/// `parking_lot::Mutex` as a [`Lock`].
#[derive(Debug)]
pub struct ParkingLotLock<T>(parking_lot::Mutex<T>);

impl<T: Send + 'static> Lock<T> for ParkingLotLock<T> {
    fn new(value: T) -> Self {
        Self(parking_lot::Mutex::new(value))
    }

    fn try_with<R, F: FnOnce(&mut T) -> R>(&self, critical: F) -> Result<R, F> {
        match self.0.try_lock() {
            Some(mut value) => Ok(critical(&mut value)),
            None => Err(critical),
        }
    }

    fn with_blocking<R>(&self, critical: impl FnOnce(&mut T) -> R) -> R {
        critical(&mut self.0.lock())
    }

    async fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R {
        self.with_blocking(critical)
    }
}

/// `tokio::sync::Mutex` as a [`Lock`].
#[derive(Debug)]
pub struct TokioLock<T>(tokio::sync::Mutex<T>);

impl<T: Send + 'static> Lock<T> for TokioLock<T> {
    fn new(value: T) -> Self {
        Self(tokio::sync::Mutex::new(value))
    }

    fn try_with<R, F: FnOnce(&mut T) -> R>(&self, critical: F) -> Result<R, F> {
        match self.0.try_lock() {
            Ok(mut value) => Ok(critical(&mut value)),
            Err(_held) => Err(critical),
        }
    }

    fn with_blocking<R>(&self, critical: impl FnOnce(&mut T) -> R) -> R {
        // Not `blocking_lock`, which panics on a runtime's thread; and outside tokio's cooperative budget, whose
        // wake-ups are put off until the worker yields.
        critical(&mut block_on(coop::unconstrained(self.0.lock())))
    }

    async fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R {
        // Outside the budget too: a caller may drive this future with a nested `block_on` on a runtime's worker.
        critical(&mut *coop::unconstrained(self.0.lock()).await)
    }
}
