//! The handle, which passes everything on, and meddles with the tickets if its flaw is about replies.

use std::sync::Arc;

use update_queue::{ChannelQueue, EnvelopeOf, Request, StateMachine, SubmitError, Ticket, UpdateQueue};

use super::Flaw;
use super::deque::Sending;
use super::machine::Wrapped;
use super::replies::Replies;

type Inner<F, M> = ChannelQueue<Wrapped<F, M>, Sending<F, EnvelopeOf<Wrapped<F, M>>>>;

pub(crate) struct FlawedQueue<F: Flaw, M: StateMachine> {
    inner: Inner<F, M>,
    replies: Option<Arc<Replies<M::Output>>>,
}

type Submitted<M> = Result<Ticket<<M as StateMachine>::Output>, SubmitError<<M as StateMachine>::Update>>;

impl<F: Flaw, M: StateMachine> FlawedQueue<F, M> {
    pub(crate) fn new(inner: Inner<F, M>) -> Self {
        let replies = if F::LOSES_A_REPLY {
            Some(Arc::new(Replies::losing()))
        } else if F::SWAPS_REPLIES {
            Some(Arc::new(Replies::swapping()))
        } else {
            None
        };
        Self { inner, replies }
    }

    fn pass_on(&self, submitted: Submitted<M>) -> Submitted<M> {
        match &self.replies {
            Some(replies) => submitted.map(|ticket| replies.instead_of(ticket)),
            None => submitted,
        }
    }
}

impl<F: Flaw, M: StateMachine> UpdateQueue for FlawedQueue<F, M> {
    type Machine = M;

    fn try_submit(&self, request: impl Into<Request<M::Update>>) -> Submitted<M> {
        self.pass_on(self.inner.try_submit(request.into()))
    }

    fn submit(&self, request: impl Into<Request<M::Update>>) -> impl Future<Output = Submitted<M>> + Send {
        let submit = self.inner.submit(request.into());
        async move { self.pass_on(submit.await) }
    }

    fn submit_blocking(&self, request: impl Into<Request<M::Update>>) -> Submitted<M> {
        self.pass_on(self.inner.submit_blocking(request.into()))
    }

    fn close(&self) {
        self.inner.close();
    }

    fn depth(&self) -> usize {
        self.inner.depth()
    }

    fn capacity(&self) -> usize {
        self.inner.capacity()
    }
}

impl<F: Flaw, M: StateMachine> Clone for FlawedQueue<F, M> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), replies: self.replies.clone() }
    }
}
