//! Replies that go astray: a second queue whose tickets are handed out in place of the real ones.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use queue_flume::Flume;
use update_queue::{Options, StateMachine, Strategy, Ticket, UpdateQueue, Writer};

/// Answers each update with what its channel brings.
struct Relay<O>(std::marker::PhantomData<fn() -> O>);

impl<O: Send + 'static> StateMachine for Relay<O> {
    type Update = Receiver<O>;
    type Output = O;

    fn apply(&mut self, reply: Receiver<O>) -> O {
        reply.recv().expect("this update's reply was lost")
    }
}

/// A real ticket, and where its output goes.
type Pair<O> = (Ticket<O>, Sender<O>);

pub(crate) struct Replies<O: Send + 'static> {
    relay: <Flume as Strategy>::Queue<Relay<O>>,
    _writer: Writer<Relay<O>>,
    pairs: Sender<Pair<O>>,
}

impl<O: Send + 'static> Replies<O> {
    /// Every tenth reply reaches nobody.
    pub(crate) fn losing() -> Self {
        Self::meddling(|pairs| {
            let mut lost = Vec::new();
            for (number, (ticket, reply)) in pairs.into_iter().enumerate() {
                match ticket.wait() {
                    Ok(applied) if number % 10 != 9 => drop(reply.send(applied.output)),
                    _ => lost.push(reply),
                }
            }
        })
    }

    /// Two replies that are on their way at the same time change places.
    pub(crate) fn swapping() -> Self {
        Self::meddling(|pairs| {
            while let Ok((first, to_first)) = pairs.recv() {
                // How long to look out for a second caller; a lone one gets its own reply.
                let Ok((second, to_second)) = pairs.recv_timeout(Duration::from_millis(5)) else {
                    pass_on(first, &to_first);
                    continue;
                };
                pass_on(first, &to_second);
                pass_on(second, &to_first);
            }
        })
    }

    fn meddling(meddle: impl FnOnce(Receiver<Pair<O>>) + Send + 'static) -> Self {
        let options = Options::default().capacity(1 << 16);
        let (relay, writer) = Flume::start(Relay(std::marker::PhantomData), options);
        let (pairs, received) = mpsc::channel();
        thread::spawn(move || meddle(received));
        Self { relay, _writer: writer, pairs }
    }

    /// A ticket that resolves with what becomes of the reply.
    pub(crate) fn instead_of(&self, ticket: Ticket<O>) -> Ticket<O> {
        let (to_caller, reply) = mpsc::channel();
        let instead = self.relay.try_submit(reply).expect("the relay has room for every reply");
        self.pairs.send((ticket, to_caller)).expect("the meddler lives as long as the queue");
        instead
    }
}

fn pass_on<O: Send + 'static>(ticket: Ticket<O>, to: &Sender<O>) {
    if let Ok(applied) = ticket.wait() {
        let _gone = to.send(applied.output);
    }
}
