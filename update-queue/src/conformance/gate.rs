//! A place where the writer stands still for as long as a check needs.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Stops whoever passes it until it is opened. Dropping the gate opens it, so a failed check leaves no thread behind.
#[derive(Debug, Default)]
pub struct Gate(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entered: bool,
    open: bool,
}

impl Inner {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn wait(&self, until: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = self.changed.wait_while(state, |state| !until(state));
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// The way through: says that it was entered, and waits for the gate to open.
    pub fn way(&self) -> impl FnOnce() + Send + 'static {
        let inner = Arc::clone(&self.0);
        move || {
            inner.change(|state| state.entered = true);
            inner.wait(|state| state.open);
        }
    }

    /// Waits until somebody stands in the gate.
    pub fn wait_entered(&self) {
        self.0.wait(|state| state.entered);
    }

    /// Lets everybody pass from now on.
    pub fn open(&self) {
        self.0.change(|state| state.open = true);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}
