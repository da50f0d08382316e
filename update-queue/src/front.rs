//! What the callers of one queue and its writer share, whatever carries the updates.

use std::time::Instant;

use crate::error::SubmitError;
use crate::gate::{Gate, Shut};
use crate::observer::{Refused, Watch};
use crate::options::Options;
use crate::overload::{Load, Overload};
use crate::reentry::{self, QueueId};

pub(crate) struct Front {
    pub(crate) queue: QueueId,
    pub(crate) gate: Gate,
    pub(crate) watch: Watch,
    pub(crate) overload: Overload,
    pub(crate) load: Load,
}

impl Front {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            queue: QueueId::new(),
            gate: Gate::default(),
            watch: Watch::new(options.observer.clone()),
            overload: options.overload,
            load: Load::default(),
        }
    }

    /// The time, if anybody wants to know it.
    #[inline]
    pub(crate) fn now(&self) -> Option<Instant> {
        (self.watch.is_on() || self.overload.is_on()).then(Instant::now)
    }

    /// Whether this thread is inside the queue's own machine, where waiting would never end.
    #[inline]
    pub(crate) fn is_reentrant(&self) -> bool {
        reentry::inside(self.queue)
    }

    /// Refuses the update if the gate is shut, or if it would wait too long behind `depth` others.
    pub(crate) fn admit<U>(
        &self,
        update: U,
        start_by: Option<Instant>,
        depth: impl FnOnce() -> usize,
    ) -> Result<U, SubmitError<U>> {
        if let Some(shut) = self.gate.shut() {
            return Err(shut_error(shut, update));
        }
        if self.overload.admits() {
            if let Some(estimated_wait) = self.overload.refuses(depth(), &self.load, start_by) {
                return Err(SubmitError::Overloaded { update, estimated_wait });
            }
        }
        Ok(update)
    }

    /// The error for an update that a shut gate, or else a lack of room, kept out.
    pub(crate) fn no_room<U>(&self, update: U, capacity: usize) -> SubmitError<U> {
        match self.gate.shut() {
            Some(shut) => shut_error(shut, update),
            None => SubmitError::Full { update, capacity },
        }
    }

    /// Tells the observer how a submit ended.
    #[inline]
    pub(crate) fn report<T, U>(&self, submitted: &Result<T, SubmitError<U>>, depth: impl FnOnce() -> usize) {
        self.watch.tell(|observer| match submitted {
            Ok(_) => observer.on_submit(depth()),
            Err(error) => observer.on_refuse(Refused::from(error)),
        });
    }

    /// As [`report`](Self::report), where an accepted update was reported when it was accepted.
    #[inline]
    pub(crate) fn report_refusal<T, U>(&self, submitted: &Result<T, SubmitError<U>>) {
        if let Err(error) = submitted {
            self.watch.tell(|observer| observer.on_refuse(Refused::from(error)));
        }
    }
}

pub(crate) fn shut_error<U>(shut: Shut, update: U) -> SubmitError<U> {
    match shut {
        Shut::Closed => SubmitError::Closed { update },
        Shut::Poisoned(cause) => SubmitError::Poisoned { update, cause },
    }
}
