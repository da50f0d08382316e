//! The gate: a push and a death see each other, and whoever waits for room hears of the end.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;

use super::{Wakes, explore, explore_up_to};
use crate::gate::{Gate, Shut};
use crate::park::block_on;
use crate::sync::{AtomicBool, Ordering, thread};

#[test]
fn either_the_submit_sees_the_death_or_the_last_drain_sees_the_push() {
    explore(|| {
        let gate = Arc::new(Gate::default());
        let pushed = Arc::new(AtomicBool::new(false));
        let submitter = {
            let (gate, pushed) = (Arc::clone(&gate), Arc::clone(&pushed));
            thread::spawn(move || {
                // ORDERING: Release, as a channel publishes an item; the fences have to do the rest.
                pushed.store(true, Ordering::Release);
                gate.died_since_push()
            })
        };
        gate.mark_dead();
        // ORDERING: Acquire, as a channel looks for an item.
        let drained = pushed.load(Ordering::Acquire);
        let saw_the_death = submitter.join().expect("the submitter ends");
        assert!(drained || saw_the_death, "nobody settles this update");
    });
}

/// A caller that waits for room that never comes, while the gate shuts. Returns why it was shut, as the caller saw it.
fn waits_while(shut: fn(&Gate)) {
    explore(move || {
        let gate = Arc::new(Gate::default());
        let shutter = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || shut(&gate))
        };
        assert!(block_on(gate.while_open(pin!(pending::<()>()))).is_none());
        assert!(gate.shut().is_some(), "told to leave an open gate");
        shutter.join().expect("the gate shuts");
    });
}

#[test]
fn a_caller_that_waits_for_room_hears_of_the_close() {
    waits_while(Gate::close);
}

#[test]
fn a_caller_that_waits_for_room_hears_of_the_death() {
    waits_while(Gate::mark_dead);
}

#[test]
fn two_callers_that_wait_for_room_both_hear_of_the_close() {
    explore_up_to(3, || {
        let gate = Arc::new(Gate::default());
        let waiting = || {
            let gate = Arc::clone(&gate);
            thread::spawn(move || block_on(gate.while_open(pin!(pending::<()>()))).is_none())
        };
        let (first, second) = (waiting(), waiting());
        gate.close();
        assert!(first.join().expect("the first caller returns"));
        assert!(second.join().expect("the second caller returns"));
    });
}

#[test]
fn whoever_sees_the_poison_sees_its_cause() {
    explore(|| {
        let gate = Arc::new(Gate::default());
        let poisoner = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.poison(&"the disk is gone".into()))
        };
        match gate.shut() {
            None => {}
            Some(Shut::Poisoned(cause)) => assert_eq!(&*cause, "the disk is gone"),
            Some(Shut::Closed) => panic!("a poisoned gate says closed"),
        }
        poisoner.join().expect("the poisoner ends");
        assert!(matches!(gate.shut(), Some(Shut::Poisoned(_))));
    });
}

#[test]
fn a_caller_that_stops_waiting_while_the_gate_shuts_leaves_no_waker_behind() {
    explore(|| {
        let (gate, wakes) = (Arc::new(Gate::default()), Wakes::default());
        let closer = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.close())
        };
        {
            let mut never = pin!(pending::<()>());
            let mut waiting = gate.while_open(never.as_mut());
            if wakes.poll(&mut waiting).is_pending() {
                let _ = wakes.poll(&mut waiting);
            }
        }
        closer.join().expect("the gate shuts");
        assert!(wakes.count() <= 2, "woken more often than it registered");
        wakes.assert_released();
    });
}
