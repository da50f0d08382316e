//! A strategy by hand, right or wrong by one constant.
//!
//! `Flawed<Nothing>` is right: a deque under a mutex. Every other flaw switches one fault on, so a check that rejects it
//! rejects exactly that fault.

mod deque;
mod machine;
mod queue;
mod replies;

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use update_queue::{ChannelQueue, Options, StateMachine, Strategy, Writer};

pub(crate) use queue::FlawedQueue;

/// What is wrong with a strategy: one of these is true, or none.
pub(crate) trait Flaw: Send + Sync + 'static {
    const NAME: &'static str;
    /// Every tenth caller never hears of its update.
    const LOSES_A_REPLY: bool = false;
    /// Two callers get each other's answer.
    const SWAPS_REPLIES: bool = false;
    /// Every tenth update is applied a second time.
    const APPLIES_TWICE: bool = false;
    /// The newest update is taken first.
    const NEWEST_FIRST: bool = false;
    /// Outcomes do not wait for the commit.
    const ANSWERS_EARLY: bool = false;
    /// A dead writer leaves what is queued where it is, as a channel does whose senders live.
    const KEEPS_AFTER_DEATH: bool = false;
    /// One more than the capacity gets in.
    const ONE_TOO_MANY: bool = false;
    /// Closing throws away what is queued.
    const FORGETS_AT_CLOSE: bool = false;
    /// Nobody who waits for room hears of it.
    const TELLS_NOBODY_OF_ROOM: bool = false;
    /// The channel itself panics, once, after three updates.
    const PANICS: bool = false;
    /// The writer takes what is there off the queue at once, and claims it later.
    const TAKES_ALL: bool = false;
}

macro_rules! flaws {
    ($($(#[$doc:meta])* $flaw:ident $(: $fault:ident)?;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $flaw;

        impl Flaw for $flaw {
            const NAME: &'static str = stringify!($flaw);
            $(const $fault: bool = true;)?
        }
    )+};
}

flaws! {
    Nothing;
    LosesAReply: LOSES_A_REPLY;
    SwapsReplies: SWAPS_REPLIES;
    AppliesTwice: APPLIES_TWICE;
    NewestFirst: NEWEST_FIRST;
    AnswersEarly: ANSWERS_EARLY;
    KeepsAfterDeath: KEEPS_AFTER_DEATH;
    OneTooMany: ONE_TOO_MANY;
    ForgetsAtClose: FORGETS_AT_CLOSE;
    TellsNobodyOfRoom: TELLS_NOBODY_OF_ROOM;
    TakesAll: TAKES_ALL;
    Panics: PANICS;
}

/// The strategy with this flaw.
#[derive(Debug)]
pub(crate) struct Flawed<F>(PhantomData<F>);

impl<F: Flaw> Strategy for Flawed<F> {
    const NAME: &'static str = F::NAME;

    type Queue<M: StateMachine> = FlawedQueue<F, M>;

    fn start<M: StateMachine>(machine: M, options: Options) -> (Self::Queue<M>, Writer<M>) {
        let died = Arc::new(AtomicBool::new(false));
        let wrapped = machine::Wrapped::new(machine, Arc::clone(&died));
        let (queue, writer) = ChannelQueue::start(wrapped, options, |capacity| deque::open(capacity, died));
        (FlawedQueue::new(queue), writer.unwrapping(machine::Wrapped::into_machine))
    }
}
