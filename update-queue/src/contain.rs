//! Panics of foreign code: caught where they happen, kept as text.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Wake, Waker};

/// Runs foreign code whose panic must not stop the writer. `None` if it panicked; the panic hook has reported it.
pub(crate) fn contain<R>(foreign: impl FnOnce() -> R) -> Option<R> {
    attempt(foreign).ok()
}

/// Runs foreign code; a panic comes back as its message.
///
/// Unwind safety is the caller's claim: what `foreign` may have left half done is either poisoned or never looked at again.
pub(crate) fn attempt<R>(foreign: impl FnOnce() -> R) -> Result<R, Arc<str>> {
    catch_unwind(AssertUnwindSafe(foreign)).map_err(message)
}

/// `waker`, for a transport: it may wake and drop it under a lock of its own, or on the writer's thread, where a panic of
/// a caller's waker must not arrive.
pub(crate) fn contained(waker: &Waker) -> Waker {
    Waker::from(Arc::new(Contained(Some(waker.clone()))))
}

/// See [`contained`]. It has its waker until it is dropped.
struct Contained(Option<Waker>);

impl Wake for Contained {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        contain(|| self.0.as_ref().map(Waker::wake_by_ref));
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        contain(|| drop(self.0.take()));
    }
}

fn message(payload: Box<dyn Any + Send>) -> Arc<str> {
    let text: Arc<str> = match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).into(),
        (_, Some(text)) => text.as_str().into(),
        _ => "a panic without a message".into(),
    };
    // A payload may panic in its own destructor, and that one's payload again: leak the second.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
    text
}

/// A panic as an error, where a batch is undone or lost because of one.
#[derive(Debug)]
pub(crate) struct Panic(pub(crate) Arc<str>);

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.0)
    }
}

impl Error for Panic {}
