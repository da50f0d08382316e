//! Foreign code around the reply cell: wakers and destructors that come back to the cell, or panic.
//!
//! A cell that ran them under its lock would deadlock on the first and leave callers unanswered on the second.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use super::{Wakes, once};
use crate::contain::contain;
use crate::error::UpdateError;
use crate::reentry::QueueId;
use crate::ticket::{self, Applied, Cancel, Envelope, Ticket};

/// A value whose destructor does something.
#[derive(Default)]
struct Hook(Option<Box<dyn FnOnce() + Send>>);

impl Hook {
    fn new(action: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(action)))
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        if let Some(action) = self.0.take() {
            action();
        }
    }
}

/// A waker that does something when it is woken and when it is dropped.
struct Busy {
    on_wake: Box<dyn Fn() + Send + Sync>,
    on_drop: Box<dyn Fn() + Send + Sync>,
}

impl Wake for Busy {
    fn wake(self: Arc<Self>) {
        (self.on_wake)();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        (self.on_drop)();
    }
}

/// Panics without the hook that would print it.
fn panics() {
    resume_unwind(Box::new("a panic of foreign code"));
}

type Slot = Arc<Mutex<Option<Ticket<Hook>>>>;

fn queued(update: Hook) -> (Envelope<Hook, Hook>, Ticket<Hook>) {
    let (envelope, pending) = ticket::pair(update, None, None, QueueId::new(), None);
    (envelope, pending.into_ticket())
}

/// Polls the ticket in `slot` with a waker that does nothing. `None` if there is none.
fn look(slot: &Slot) -> Option<bool> {
    let mut ticket = slot.lock().expect("no test panics here").take()?;
    let ready = Pin::new(&mut ticket).poll(&mut Context::from_waker(Waker::noop())).is_ready();
    if !ready {
        *slot.lock().expect("no test panics here") = Some(ticket);
    }
    Some(ready)
}

#[test]
fn a_waker_may_poll_its_ticket_on_the_spot() {
    once(|| {
        let slot = Slot::default();
        let (envelope, mut ticket) = queued(Hook::default());
        let on_wake = {
            let slot = Arc::clone(&slot);
            Box::new(move || {
                look(&slot);
            })
        };
        let waker = Waker::from(Arc::new(Busy { on_wake, on_drop: Box::new(|| {}) }));
        assert!(Pin::new(&mut ticket).poll(&mut Context::from_waker(&waker)).is_pending());
        *slot.lock().expect("no test panics here") = Some(ticket);
        let Ok((_update, completion)) = envelope.claim() else { panic!("nobody gave up") };
        completion.complete(Ok(Applied { seq: 1, output: Hook::default() }));
        assert!(slot.lock().expect("no test panics here").is_none(), "the waker found its ticket pending");
    });
}

#[test]
fn a_replaced_waker_may_come_back_to_the_cell_in_its_destructor() {
    once(|| {
        let (envelope, mut ticket) = queued(Hook::default());
        let envelope = Mutex::new(Some(envelope));
        let on_drop = Box::new(move || drop(envelope.lock().expect("no test panics here").take()));
        let waker = Waker::from(Arc::new(Busy { on_wake: Box::new(|| {}), on_drop }));
        assert!(Pin::new(&mut ticket).poll(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        let second = Wakes::default();
        assert!(second.poll(&mut ticket).is_pending());
        assert_eq!(second.count(), 1, "the destructor answered the ticket");
        assert!(matches!(second.poll(&mut ticket), Poll::Ready(Err(UpdateError::Closed))));
    });
}

#[test]
fn the_waker_of_a_withdrawn_submit_may_come_back_to_the_cell_in_its_destructor() {
    once(|| {
        let envelope = Arc::new(Mutex::new(None));
        let on_drop = {
            let envelope = Arc::clone(&envelope);
            Box::new(move || drop(envelope.lock().expect("no test panics here").take()))
        };
        let waker = Waker::from(Arc::new(Busy { on_wake: Box::new(|| {}), on_drop }));
        let (end, pending) =
            ticket::pair::<_, Hook>(Hook::default(), None, None, QueueId::new(), Some(waker));
        *envelope.lock().expect("no test panics here") = Some(end);
        assert!(pending.withdraw().is_some());
        assert!(envelope.lock().expect("no test panics here").is_none(), "the waker was kept");
    });
}

#[test]
fn an_update_may_look_at_its_own_ticket_in_its_destructor() {
    once(|| {
        let slot = Slot::default();
        let update = {
            let slot = Arc::clone(&slot);
            Hook::new(move || assert_eq!(look(&slot), Some(true), "answered before it is dropped"))
        };
        let (envelope, ticket) = queued(update);
        *slot.lock().expect("no test panics here") = Some(ticket);
        assert!(envelope.refuse(UpdateError::Expired).is_ok());
        assert!(slot.lock().expect("no test panics here").is_none());
    });
}

#[test]
fn a_channel_that_drops_its_items_answers_all_whatever_their_wakers_do() {
    once(|| {
        let mut channel = VecDeque::new();
        let mut tickets = Vec::new();
        for _ in 0..3 {
            let (envelope, mut ticket) = queued(Hook::default());
            let waker = Waker::from(Arc::new(Busy { on_wake: Box::new(panics), on_drop: Box::new(|| {}) }));
            assert!(Pin::new(&mut ticket).poll(&mut Context::from_waker(&waker)).is_pending());
            channel.push_back(envelope);
            tickets.push(ticket);
        }
        drop(channel);
        for mut ticket in tickets {
            let polled = Wakes::default().poll(&mut ticket);
            assert!(matches!(polled, Poll::Ready(Err(UpdateError::Closed))));
        }
    });
}

#[test]
fn a_waker_and_an_update_may_both_panic() {
    once(|| {
        let polled = || {
            let (envelope, mut ticket) = queued(Hook::new(panics));
            let waker = Waker::from(Arc::new(Busy { on_wake: Box::new(panics), on_drop: Box::new(|| {}) }));
            assert!(Pin::new(&mut ticket).poll(&mut Context::from_waker(&waker)).is_pending());
            (envelope, ticket)
        };
        let (envelope, mut ticket) = polled();
        contain(|| envelope.refuse(UpdateError::Expired));
        assert!(matches!(Wakes::default().poll(&mut ticket), Poll::Ready(Err(UpdateError::Expired))));

        let (envelope, ticket) = polled();
        assert!(matches!(ticket.cancel(), Cancel::Cancelled));
        assert!(envelope.claim().is_err());

        let (envelope, mut ticket) = polled();
        drop(envelope);
        assert!(matches!(Wakes::default().poll(&mut ticket), Poll::Ready(Err(UpdateError::Closed))));
    });
}

#[test]
fn a_detached_update_with_a_panicking_destructor_stops_no_channel() {
    once(|| {
        let mut channel = VecDeque::new();
        for _ in 0..2 {
            let (envelope, ticket) = queued(Hook::new(panics));
            ticket.detach();
            channel.push_back(envelope);
        }
        let (envelope, ticket) = queued(Hook::default());
        channel.push_back(envelope);
        drop(channel);
        assert!(matches!(ticket.wait(), Err(UpdateError::Closed)));
    });
}
