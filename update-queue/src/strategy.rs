//! What a strategy crate exports.

use crate::machine::StateMachine;
use crate::options::Options;
use crate::queue::UpdateQueue;
use crate::writer::Writer;

/// A way to get updates from many callers to one writer: a unit type.
///
/// Over a channel the writer is a thread of its own, and a submit waits for room at most. Under a lock whichever caller
/// holds it is the writer, and a submit applies its update before it returns.
///
/// # For implementers
/// Over a channel: implement [`Transport`](crate::Transport) and [`Source`](crate::Source) and name
/// [`ChannelQueue`](crate::ChannelQueue) as the queue. Under a lock: implement [`Lock`](crate::Lock) and name
/// [`LockedQueue`](crate::LockedQueue). Either way the semantics come with it; the conformance suite checks the rest.
pub trait Strategy {
    /// The name by which tools and reports call it: lower case, words joined by `-`.
    const NAME: &'static str;

    /// The handle that this strategy gives its callers.
    type Queue<M: StateMachine>: UpdateQueue<Machine = M>;

    /// Puts `machine` behind a queue.
    ///
    /// Never fails: if the writer's thread cannot be started, the queue is closed and
    /// [`shutdown`](Writer::shutdown) hands the machine back.
    fn start<M: StateMachine>(machine: M, options: Options) -> (Self::Queue<M>, Writer<M>);
}
