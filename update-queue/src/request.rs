//! An update and what its caller asks for it.

use std::time::Instant;

/// An update plus the conditions under which its caller still wants it applied.
///
/// The plain case needs no mention of this type: every submit takes `impl Into<Request<U>>`, and an update is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<U> {
    pub(crate) update: U,
    pub(crate) start_by: Option<Instant>,
}

impl<U> Request<U> {
    /// An update without conditions.
    pub fn new(update: U) -> Self {
        Self { update, start_by: None }
    }

    /// Sets the latest time at which the update may start.
    ///
    /// It is compared once, when the writer claims the update: later than that, the outcome is
    /// [`Expired`](crate::UpdateError::Expired) and the update is certainly not applied. It also bounds how long a
    /// submit waits for room, but not how long it waits for a lock: there it is compared once the lock is held. It does
    /// not bound how long the update takes once started.
    #[must_use]
    pub fn start_by(mut self, latest: Instant) -> Self {
        self.start_by = Some(latest);
        self
    }

    /// The update, without its conditions.
    pub fn into_update(self) -> U {
        self.update
    }
}

impl<U> From<U> for Request<U> {
    fn from(update: U) -> Self {
        Self::new(update)
    }
}
