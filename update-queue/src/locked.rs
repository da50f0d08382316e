//! A lock in place of the queue: the same engine, run by whichever caller holds it.
//!
//! Every caller takes the lock, applies its own update and commits it, one update and one commit at a time, because that
//! is what a lock gives. Nothing is ever queued, so `capacity` and `depth` are 0, every ticket is resolved from the
//! start, and cancelling finds the update done. `start_by` is looked at once the lock is held. An async caller runs its
//! update, however slow, on its runtime's thread.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use crate::engine::Engine;
use crate::error::{CallError, SubmitError};
use crate::front::{Front, shut_error};
use crate::gate::Shut;
use crate::machine::StateMachine;
use crate::options::Options;
use crate::queue::UpdateQueue;
use crate::request::Request;
use crate::sync::{AtomicBool, AtomicUsize, Ordering, thread};
use crate::ticket::{Applied, Outcome, Ticket};
use crate::writer::{Control, Ended, Exit, Writer};

/// A mutual-exclusion lock around a value: what a lock strategy brings.
pub trait Lock<T: Send + 'static>: Send + Sync + 'static {
    /// Puts a lock around `value`.
    fn new(value: T) -> Self;

    /// Runs `critical` under the lock if it is free right now.
    ///
    /// # Errors
    /// `critical` itself, not run: somebody holds the lock.
    fn try_with<R, F: FnOnce(&mut T) -> R>(&self, critical: F) -> Result<R, F>;

    /// Runs `critical` under the lock, holding this thread until it has it.
    fn with_blocking<R>(&self, critical: impl FnOnce(&mut T) -> R) -> R;

    /// Runs `critical` under the lock, waiting for it as this kind of lock makes an async caller wait.
    fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> impl Future<Output = R> + Send;
}

/// What is under the lock; empty once the machine was handed back.
type Slot<M> = Option<LockedEngine<M>>;

/// The engine as a [`Lock`] of a lock strategy holds it.
pub struct LockedEngine<M: StateMachine>(Engine<M>);

/// An [`UpdateQueue`] under any [`Lock`].
pub struct LockedQueue<M: StateMachine, L: Lock<Option<LockedEngine<M>>>> {
    shared: Arc<Shared<M, L>>,
}

struct Shared<M: StateMachine, L> {
    front: Arc<Front>,
    lock: L,
    /// Callers between admission and answer; only counted for an overload policy.
    callers: AtomicUsize,
    exit: Exit<M>,
    /// Whether a thread is already waiting for the lock in order to take the machine out.
    taking: AtomicBool,
}

type Submitted<M> = Result<Outcome<<M as StateMachine>::Output>, SubmitError<<M as StateMachine>::Update>>;

impl<M: StateMachine, L: Lock<Slot<M>>> LockedQueue<M, L> {
    /// Puts `machine` under a lock.
    pub fn start(machine: M, options: Options) -> (Self, Writer<M>) {
        let front = Arc::new(Front::new(&options));
        let engine = Engine::new(machine, &options, Arc::clone(&front));
        let lock = L::new(Some(LockedEngine(engine)));
        let shared = Arc::new(Shared {
            front,
            lock,
            callers: AtomicUsize::new(0),
            exit: Exit::default(),
            taking: AtomicBool::new(false),
        });
        let writer = Writer::new(Arc::clone(&shared));
        (Self { shared }, writer)
    }
}

impl<M: StateMachine, L: Lock<Slot<M>>> Shared<M, L> {
    fn admit(&self, request: Request<M::Update>) -> Result<Offer<'_, M>, SubmitError<M::Update>> {
        let Request { update, start_by } = request;
        // ORDERING: Relaxed here and in `Counted`: an estimate of how many wait, nothing travels with it.
        let update = self.front.admit(update, start_by, || self.callers.load(Ordering::Relaxed))?;
        let counted = self.front.overload.is_on().then(|| Counted::new(&self.callers));
        Ok(Offer { update, start_by, submitted: self.front.now(), _counted: counted })
    }

    fn admit_waiting(&self, request: Request<M::Update>) -> Result<Offer<'_, M>, SubmitError<M::Update>> {
        if self.front.is_reentrant() {
            return Err(SubmitError::Reentrant { update: request.update });
        }
        self.admit(request)
    }

    /// Applies an update under the lock, unless the queue was shut while its caller waited for it.
    fn perform(&self, slot: &mut Slot<M>, offer: Offer<'_, M>) -> Submitted<M> {
        let Offer { update, start_by, submitted, _counted } = offer;
        match (slot, self.front.gate.shut()) {
            (Some(LockedEngine(engine)), None) => {
                self.front.watch.tell(|observer| observer.on_submit(0));
                if self.callers.load(Ordering::Relaxed) <= 1 {
                    engine.was_empty();
                }
                Ok(engine.execute(update, start_by, submitted))
            }
            (_, shut) => Err(shut_error(shut.unwrap_or(Shut::Closed), update)),
        }
    }

    fn perform_blocking(&self, request: Request<M::Update>) -> Submitted<M> {
        let performed = self
            .admit_waiting(request)
            .and_then(|offer| self.lock.with_blocking(|slot| self.perform(slot, offer)));
        self.front.report_refusal(&performed);
        performed
    }

    fn try_perform(&self, request: Request<M::Update>) -> Submitted<M> {
        let performed = self.admit(request).and_then(|offer| {
            let mut offer = Some(offer);
            let tried = self.lock.try_with(|slot| {
                let offer = offer.take().expect("a critical section runs once");
                self.perform(slot, offer)
            });
            tried.ok().unwrap_or_else(|| {
                let offer = offer.take().expect("a critical section that did not run took nothing");
                Err(self.front.no_room(offer.update, 0))
            })
        });
        self.front.report_refusal(&performed);
        performed
    }

    async fn perform_async(&self, request: Request<M::Update>) -> Submitted<M> {
        let performed = match self.admit_waiting(request) {
            Ok(offer) => self.perform_when_locked(offer).await,
            Err(refused) => Err(refused),
        };
        self.front.report_refusal(&performed);
        performed
    }

    /// Refuses at any poll from inside the machine: it would wait for the lock under which it is polled.
    async fn perform_when_locked(&self, offer: Offer<'_, M>) -> Submitted<M> {
        let mut offer = Some(offer);
        let performed = {
            let mut performing = pin!(self.lock.with(|slot| {
                let offer = offer.take().expect("a critical section runs once");
                self.perform(slot, offer)
            }));
            poll_fn(|cx| {
                if self.front.is_reentrant() {
                    return Poll::Ready(None);
                }
                performing.as_mut().poll(cx).map(Some)
            })
            .await
        };
        performed.unwrap_or_else(|| {
            let offer = offer.take().expect("a critical section that did not run took nothing");
            Err(SubmitError::Reentrant { update: offer.update })
        })
    }

    fn is_first_to_take(&self) -> bool {
        // ORDERING: only which call comes first matters; the machine travels through the exit's lock.
        !self.taking.swap(true, Ordering::Relaxed)
    }

    /// Takes the machine out once nobody holds the lock, and leaves it at the exit.
    fn take_machine(&self) {
        let slot = self.lock.with_blocking(Option::take);
        if let Some(LockedEngine(engine)) = slot {
            self.exit
                .leave(Ended { machine: Some(engine.into_machine()), poisoned: self.front.gate.cause() });
        }
    }
}

/// An admitted update on its way to the lock.
struct Offer<'a, M: StateMachine> {
    update: M::Update,
    start_by: Option<Instant>,
    submitted: Option<Instant>,
    _counted: Option<Counted<'a>>,
}

/// Counts a caller for as long as it exists.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(callers: &'a AtomicUsize) -> Self {
        callers.fetch_add(1, Ordering::Relaxed);
        Self(callers)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<M: StateMachine, L: Lock<Slot<M>>> UpdateQueue for LockedQueue<M, L> {
    type Machine = M;

    fn try_submit(
        &self,
        request: impl Into<Request<M::Update>>,
    ) -> Result<Ticket<M::Output>, SubmitError<M::Update>> {
        self.shared.try_perform(request.into()).map(Ticket::ready)
    }

    fn submit(
        &self,
        request: impl Into<Request<M::Update>>,
    ) -> impl Future<Output = Result<Ticket<M::Output>, SubmitError<M::Update>>> + Send {
        let request = request.into();
        async move { self.shared.perform_async(request).await.map(Ticket::ready) }
    }

    fn submit_blocking(
        &self,
        request: impl Into<Request<M::Update>>,
    ) -> Result<Ticket<M::Output>, SubmitError<M::Update>> {
        self.shared.perform_blocking(request.into()).map(Ticket::ready)
    }

    fn close(&self) {
        self.shared.front.gate.close();
    }

    fn depth(&self) -> usize {
        0
    }

    fn capacity(&self) -> usize {
        0
    }

    fn call(
        &self,
        request: impl Into<Request<M::Update>>,
    ) -> impl Future<Output = Result<Applied<M::Output>, CallError<M::Update>>> + Send {
        let request = request.into();
        async move { Ok(self.shared.perform_async(request).await??) }
    }

    fn call_blocking(
        &self,
        request: impl Into<Request<M::Update>>,
    ) -> Result<Applied<M::Output>, CallError<M::Update>> {
        Ok(self.shared.perform_blocking(request.into())??)
    }
}

impl<M: StateMachine, L: Lock<Slot<M>>> Control<M> for Arc<Shared<M, L>> {
    fn front(&self) -> &Front {
        &self.front
    }

    fn close(&self) {
        self.front.gate.close();
    }

    fn abort(&self) {
        self.front.gate.abort();
    }

    /// A lock cannot be waited for until a deadline, so with one a thread waits for the lock and we wait for the thread.
    fn join(&self, deadline: Option<Instant>) -> Option<Ended<M>> {
        if self.is_first_to_take() && !(deadline.is_some() && take_machine_elsewhere(self)) {
            self.take_machine();
        }
        self.exit.wait(deadline)
    }

    fn forget(&self) {
        self.exit.forget();
        if self.is_first_to_take() {
            match self.lock.try_with(Option::take) {
                Ok(slot) => drop(slot),
                // A caller holds the lock, and might be this very thread. Without a thread to wait for it, the machine
                // stays until the last handle is dropped.
                Err(_held) => _ = take_machine_elsewhere(self),
            }
        }
    }
}

/// Has a new thread wait for the lock. Whether there is one.
fn take_machine_elsewhere<M: StateMachine, L: Lock<Slot<M>>>(shared: &Arc<Shared<M, L>>) -> bool {
    let shared = Arc::clone(shared);
    let thread = thread::Builder::new().name("update-shutdown".to_owned());
    thread.spawn(move || shared.take_machine()).is_ok()
}

impl<M: StateMachine, L: Lock<Slot<M>>> Clone for LockedQueue<M, L> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<M: StateMachine, L: Lock<Slot<M>>> fmt::Debug for LockedQueue<M, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockedQueue")
            .field("closed", &self.shared.front.gate.is_closed())
            .finish_non_exhaustive()
    }
}

impl<M: StateMachine> fmt::Debug for LockedEngine<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockedEngine").finish_non_exhaustive()
    }
}
