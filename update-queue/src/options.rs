//! How a queue is set up.

use std::fmt;
use std::sync::Arc;

use crate::observer::Observer;
use crate::overload::Overload;

/// How many updates may be queued and not yet claimed, unless told otherwise.
// LIMIT: 1024: at the 100 us of a fast durable write a full queue is a tenth of a second of work, about the longest
// that a caller should wait without being told; at 160 bytes of overhead each it is 160 KiB.
pub const DEFAULT_CAPACITY: usize = 1_024;

/// The largest capacity that [`Options::capacity`] sets.
// LIMIT: 2^24 updates: a bounded ring reserves its slots at the start, 256 MiB at this size.
pub const MAX_CAPACITY: usize = 1 << 24;

/// How many updates share a commit at most, unless told otherwise.
// LIMIT: 1000 updates per commit, as ZooKeeper's SyncRequestProcessor (`maxBatchSize`). Bounds the first outcome's delay
// in a full queue to 1000 applies and one commit. A batch also ends when the queue is momentarily empty.
pub const DEFAULT_MAX_BATCH: usize = 1_000;

/// How a queue is set up; [`Options::default`] suits a start.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    pub(crate) capacity: usize,
    pub(crate) max_batch: usize,
    pub(crate) last_seq: u64,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) overload: Overload,
    pub(crate) thread_name: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            capacity: DEFAULT_CAPACITY,
            max_batch: DEFAULT_MAX_BATCH,
            last_seq: 0,
            observer: None,
            overload: Overload::default(),
            thread_name: "update-writer".to_owned(),
        }
    }
}

impl Options {
    /// Sets how many updates may be queued and not yet claimed.
    ///
    /// The value is brought into `1..=`[`MAX_CAPACITY`]. A strategy without a queue (a lock) ignores it.
    #[must_use]
    pub fn capacity(mut self, updates: usize) -> Self {
        self.capacity = updates.clamp(1, MAX_CAPACITY);
        self
    }

    /// Sets how many updates share one commit at most; 0 counts as 1.
    ///
    /// Under load the first update of a batch waits for the whole batch, so a good value is near the time of a commit
    /// divided by the time of an `apply`. Without group commit it changes nothing that a caller can see.
    #[must_use]
    pub fn max_batch(mut self, updates: usize) -> Self {
        self.max_batch = updates.max(1);
        self
    }

    /// Sets the place in the total order after which this queue goes on: the first update gets `last_seq + 1`.
    ///
    /// For state that outlives the process and numbers its updates.
    #[must_use]
    pub fn last_seq(mut self, seq: u64) -> Self {
        self.last_seq = seq;
        self
    }

    /// Sets who is told about every update. Without one no clock is read for it.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Sets what happens when updates arrive faster than they can be applied, beyond the bound of the capacity.
    #[must_use]
    pub fn overload(mut self, policy: Overload) -> Self {
        self.overload = policy;
        self
    }

    /// Sets the name of the writer's thread. NUL characters are dropped.
    #[must_use]
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        self.thread_name = name.into();
        self.thread_name.retain(|c| c != '\0');
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("capacity", &self.capacity)
            .field("max_batch", &self.max_batch)
            .field("last_seq", &self.last_seq)
            .field("observer", &self.observer.is_some())
            .field("overload", &self.overload)
            .field("thread_name", &self.thread_name)
            .finish()
    }
}
