//! The machine that a wrong strategy puts around its owner's.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use update_queue::conformance::Op;
use update_queue::{BoxError, Rollback, StateMachine};

use super::Flaw;

pub(crate) struct Wrapped<F, M> {
    machine: M,
    died: Arc<AtomicBool>,
    applied: usize,
    flaw: PhantomData<F>,
}

impl<F, M> Wrapped<F, M> {
    pub(crate) fn new(machine: M, died: Arc<AtomicBool>) -> Self {
        Self { machine, died, applied: 0, flaw: PhantomData }
    }

    pub(crate) fn into_machine(self) -> M {
        self.machine
    }
}

impl<F: Flaw, M: StateMachine> StateMachine for Wrapped<F, M> {
    type Update = M::Update;
    type Output = M::Output;

    const GROUP_COMMIT: bool = M::GROUP_COMMIT && !F::ANSWERS_EARLY;

    fn apply(&mut self, update: M::Update) -> M::Output {
        let _death = NotesDeath(&self.died);
        self.applied += 1;
        if F::APPLIES_TWICE && self.applied % 10 == 0 {
            if let Some(again) = twin::<M::Update>(&update) {
                self.machine.apply(again);
            }
        }
        let output = self.machine.apply(update);
        if F::ANSWERS_EARLY && M::GROUP_COMMIT && self.applied % 10 == 0 {
            let _ignored = self.machine.commit();
        }
        output
    }

    fn commit(&mut self) -> Result<(), BoxError> {
        self.machine.commit()
    }

    fn rollback(&mut self) -> Rollback {
        self.machine.rollback()
    }
}

/// A second copy, if the update is the suite's.
fn twin<U: 'static>(update: &U) -> Option<U> {
    let op = (update as &dyn Any).downcast_ref::<Op>()?;
    let again: Box<dyn Any> = Box::new(op.twin());
    again.downcast().ok().map(|again| *again)
}

/// Remembers that the machine panicked.
struct NotesDeath<'a>(&'a AtomicBool);

impl Drop for NotesDeath<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::SeqCst);
        }
    }
}
