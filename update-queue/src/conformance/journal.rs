//! The suite's machine: it writes down what is applied, does what an update tells it to, and tells what it saw.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use crate::{BoxError, Rollback, StateMachine};

/// Names one update: who sent it, and its number with that caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The caller.
    pub caller: usize,
    /// The caller's count.
    pub number: usize,
}

/// An update: a tag, and what to do inside `apply` before it is written down.
pub struct Op {
    /// Its name.
    pub tag: Tag,
    act: Option<Box<dyn FnOnce() + Send>>,
    token: Option<Arc<()>>,
}

impl Op {
    /// An update that is only written down.
    pub fn new(caller: usize, number: usize) -> Self {
        Self { tag: Tag { caller, number }, act: None, token: None }
    }

    /// Runs `act` inside `apply`, before the update is written down.
    #[must_use]
    pub fn doing(mut self, act: impl FnOnce() + Send + 'static) -> Self {
        self.act = Some(Box::new(act));
        self
    }

    /// Lets the update, and then its output, hold a reference to `token`.
    #[must_use]
    pub fn holding(mut self, token: &Arc<()>) -> Self {
        self.token = Some(Arc::clone(token));
        self
    }

    /// The same update once more, without what it does: for strategies that are wrong on purpose.
    #[must_use]
    pub fn twin(&self) -> Self {
        Self { tag: self.tag, act: None, token: self.token.clone() }
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Op").field("tag", &self.tag).finish_non_exhaustive()
    }
}

/// An output: whose update it answers, and how many were written down with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The update's tag.
    pub tag: Tag,
    /// The length of the journal right after the update.
    pub position: usize,
    token: Option<Arc<()>>,
}

/// What happened inside the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// `apply` returned.
    Applied(Tag),
    /// `commit` returned, `Ok` or not, for that many updates.
    Committed {
        /// How many updates it was for.
        updates: usize,
        /// Whether it returned `Ok`.
        ok: bool,
    },
    /// `rollback` was called.
    RolledBack,
}

type CommitAct = Box<dyn FnOnce() -> Result<(), BoxError> + Send>;

/// The check's view into a machine that is behind a queue.
#[derive(Default)]
pub struct Probe {
    inside: AtomicBool,
    overlaps: AtomicUsize,
    published: AtomicUsize,
    restores: AtomicBool,
    events: Mutex<Vec<Event>>,
    threads: Mutex<Vec<ThreadId>>,
    commits: Mutex<VecDeque<CommitAct>>,
    rollbacks: Mutex<VecDeque<Box<dyn FnOnce() + Send>>>,
}

impl Probe {
    /// What happened so far.
    pub fn events(&self) -> Vec<Event> {
        guard(&self.events).clone()
    }

    /// How many updates each commit was for, those that failed included.
    pub fn batches(&self) -> Vec<usize> {
        let updates = |event| match event {
            Event::Committed { updates, .. } => Some(updates),
            Event::Applied(_) | Event::RolledBack => None,
        };
        self.events().into_iter().filter_map(updates).collect()
    }

    /// How often two calls into the machine overlapped.
    pub fn overlaps(&self) -> usize {
        self.overlaps.load(Ordering::SeqCst)
    }

    /// How many different threads called the machine.
    pub fn threads(&self) -> usize {
        guard(&self.threads).len()
    }

    /// The length of the journal as of the last commit (without group commit: of the last `apply`).
    pub fn published(&self) -> usize {
        self.published.load(Ordering::SeqCst)
    }

    /// Lets the next commit that has no script yet end as `act` does.
    pub fn script_commit(&self, act: impl FnOnce() -> Result<(), BoxError> + Send + 'static) {
        guard(&self.commits).push_back(Box::new(act));
    }

    /// Lets the next rollback that has no script yet do `act` first.
    pub fn script_rollback(&self, act: impl FnOnce() + Send + 'static) {
        guard(&self.rollbacks).push_back(Box::new(act));
    }

    /// From now on the machine can roll back.
    pub fn restores(&self) {
        self.restores.store(true, Ordering::SeqCst);
    }

    fn enter(&self) -> Inside<'_> {
        if self.inside.swap(true, Ordering::SeqCst) {
            self.overlaps.fetch_add(1, Ordering::SeqCst);
        }
        let mut threads = guard(&self.threads);
        let here = thread::current().id();
        if !threads.contains(&here) {
            threads.push(here);
        }
        Inside(self)
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("events", &guard(&self.events).len()).finish_non_exhaustive()
    }
}

/// Marks that the machine is being called.
struct Inside<'a>(&'a Probe);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.store(false, Ordering::SeqCst);
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A list of tags, in the order in which their updates were applied.
#[derive(Debug)]
pub struct Journal<const GROUP: bool> {
    log: Vec<Tag>,
    committed: usize,
    probe: Arc<Probe>,
}

impl<const GROUP: bool> Journal<GROUP> {
    /// An empty journal and the view into it.
    pub fn new() -> (Self, Arc<Probe>) {
        let probe = Arc::new(Probe::default());
        (Self { log: Vec::new(), committed: 0, probe: Arc::clone(&probe) }, probe)
    }

    /// What is written down.
    pub fn log(&self) -> &[Tag] {
        &self.log
    }

    /// The numbers that `caller` had written down, in their order.
    pub fn numbers_of(&self, caller: usize) -> Vec<usize> {
        self.log.iter().filter(|tag| tag.caller == caller).map(|tag| tag.number).collect()
    }
}

impl<const GROUP: bool> StateMachine for Journal<GROUP> {
    type Update = Op;
    type Output = Reply;

    const GROUP_COMMIT: bool = GROUP;

    fn apply(&mut self, op: Op) -> Reply {
        let _inside = self.probe.enter();
        if let Some(act) = op.act {
            act();
        }
        self.log.push(op.tag);
        guard(&self.probe.events).push(Event::Applied(op.tag));
        if !GROUP {
            self.probe.published.store(self.log.len(), Ordering::SeqCst);
        }
        Reply { tag: op.tag, position: self.log.len(), token: op.token }
    }

    fn commit(&mut self) -> Result<(), BoxError> {
        let _inside = self.probe.enter();
        let script = guard(&self.probe.commits).pop_front();
        let result = script.map_or(Ok(()), |act| act());
        let event = Event::Committed { updates: self.log.len() - self.committed, ok: result.is_ok() };
        guard(&self.probe.events).push(event);
        if result.is_ok() {
            self.committed = self.log.len();
            self.probe.published.store(self.committed, Ordering::SeqCst);
        }
        result
    }

    fn rollback(&mut self) -> Rollback {
        let _inside = self.probe.enter();
        guard(&self.probe.events).push(Event::RolledBack);
        let script = guard(&self.probe.rollbacks).pop_front();
        if let Some(act) = script {
            act();
        }
        if !self.probe.restores.load(Ordering::SeqCst) {
            return Rollback::Unsupported;
        }
        self.log.truncate(self.committed);
        Rollback::Restored
    }
}
