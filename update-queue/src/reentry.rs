//! Who is running on this thread: how a queue notices that it is asked to wait for itself.
//!
//! While a machine runs, its queue's id is on a thread-local stack (a stack, because a lock strategy may run one queue's
//! machine inside another's). A blocking call that finds its own queue there would wait for the update that makes it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sync::thread_local;

/// Names one queue within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueId(u64);

impl QueueId {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // ORDERING: only uniqueness matters; nothing else travels with it.
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

thread_local! {
    static RUNNING: RefCell<Vec<QueueId>> = const { RefCell::new(Vec::new()) };
}

/// Marks `queue`'s machine as running on this thread until the guard is dropped.
#[inline]
pub(crate) fn enter(queue: QueueId) -> Inside {
    Inside { entered: RUNNING.try_with(|running| running.borrow_mut().push(queue)).is_ok() }
}

/// Whether `queue`'s machine is running on this thread.
#[inline]
pub(crate) fn inside(queue: QueueId) -> bool {
    RUNNING.try_with(|running| running.borrow().contains(&queue)).unwrap_or(false)
}

/// See [`enter`].
pub(crate) struct Inside {
    /// False while the thread's locals are being destroyed: then nothing was pushed.
    entered: bool,
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        if self.entered {
            let _ = RUNNING.try_with(|running| running.borrow_mut().pop());
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_inside_until_its_guard_drops_even_when_another_runs_within_it() {
        let (outer, inner) = (QueueId::new(), QueueId::new());
        assert!(!inside(outer));
        let outer_guard = enter(outer);
        let inner_guard = enter(inner);
        assert!(inside(outer) && inside(inner));
        drop(inner_guard);
        assert!(inside(outer) && !inside(inner));
        drop(outer_guard);
        assert!(!inside(outer));
    }
}
