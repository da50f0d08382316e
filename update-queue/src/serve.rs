//! The writer's thread: from the first envelope to the last answer.

use std::sync::Arc;

use crate::channel::Source;
use crate::contain::{attempt, contain};
use crate::engine::{Engine, EnvelopeOf};
use crate::machine::StateMachine;
use crate::sync::{Mutex, lock, thread};
use crate::writer::{Ended, Exit};

/// Serves on a thread of its own. If none can be had, the queue is dead from the start and the machine is at the exit.
pub(crate) fn spawn<M: StateMachine, S: Source<EnvelopeOf<M>>>(
    name: String,
    engine: Engine<M>,
    source: S,
    exit: Arc<Exit<M>>,
) {
    // In a slot that both sides can reach: a spawn that fails drops its closure, and the machine must survive that.
    let slot = Arc::new(Mutex::new(Some((engine, source, exit))));
    let job = {
        let slot = Arc::clone(&slot);
        move || {
            let job = lock(&slot).take();
            if let Some((engine, source, exit)) = job {
                serve(engine, source, &exit);
            }
        }
    };
    if thread::Builder::new().name(name).spawn(job).is_err() {
        let job = lock(&slot).take();
        if let Some((engine, source, exit)) = job {
            end(engine, source, &exit);
        }
    }
}

fn serve<M: StateMachine, S: Source<EnvelopeOf<M>>>(mut engine: Engine<M>, mut source: S, exit: &Exit<M>) {
    guarded(&mut engine, &mut source, run);
    end(engine, source, exit);
}

/// Does a part of the writer's work. Only the channel can panic in it; that poisons the queue.
fn guarded<M: StateMachine, S>(
    engine: &mut Engine<M>,
    source: &mut S,
    part: impl FnOnce(&mut Engine<M>, &mut S),
) {
    if let Err(message) = attempt(|| part(engine, source)) {
        engine.lost(&format!("the writer's channel panicked: {message}").into());
    }
}

/// Takes updates until the queue is closed and empty, or poisoned.
///
/// A batch ends when the queue is momentarily empty or the batch is full. Nobody ever waits for more to come.
fn run<M: StateMachine, S: Source<EnvelopeOf<M>>>(engine: &mut Engine<M>, source: &mut S) {
    while !engine.front().gate.is_poisoned() {
        let envelope = match source.try_pull() {
            Some(envelope) => envelope,
            None => {
                engine.finish_batch(true);
                match next(engine, source) {
                    Next::Update(envelope) => {
                        engine.was_empty();
                        envelope
                    }
                    Next::Woken => continue,
                    Next::Ended => return,
                }
            }
        };
        engine.step(envelope);
        if engine.batch_is_full() {
            engine.finish_batch(false);
        }
    }
}

enum Next<E> {
    Update(E),
    Woken,
    Ended,
}

/// Waits on an empty queue for the next update or the end.
fn next<M: StateMachine, S: Source<EnvelopeOf<M>>>(
    engine: &Engine<M>,
    source: &mut S,
) -> Next<EnvelopeOf<M>> {
    // ORDER MATTERS: a wake-up that a `try_pull` used up is for a flag that is seen here, and only a pull that is empty
    // after the flag was seen proves that nothing accepted is left.
    if engine.front().gate.is_closed() {
        return source.pull_rest().map_or(Next::Ended, Next::Update);
    }
    source.pull().map_or(Next::Woken, Next::Update)
}

/// Settles what came in at the last moment, whatever happened, and leaves the machine at the exit.
fn end<M: StateMachine, S: Source<EnvelopeOf<M>>>(mut engine: Engine<M>, mut source: S, exit: &Exit<M>) {
    // ORDER MATTERS: dead first, then the last look into the channel; see `Gate::died_since_push`.
    engine.front().gate.mark_dead();
    guarded(&mut engine, &mut source, drain);
    contain(|| drop(source));
    let poisoned = engine.front().gate.cause();
    exit.leave(Ended { machine: Some(engine.into_machine()), poisoned });
}

/// Takes the updates whose submit overlapped with the end and never saw it.
///
/// Their callers were told "accepted", so after an orderly end they are applied like any other; after an abort or a
/// poisoning the engine refuses them.
fn drain<M: StateMachine, S: Source<EnvelopeOf<M>>>(engine: &mut Engine<M>, source: &mut S) {
    while let Some(envelope) = source.pull_rest() {
        engine.step(envelope);
        if engine.batch_is_full() {
            engine.finish_batch(false);
        }
    }
    engine.finish_batch(true);
}
