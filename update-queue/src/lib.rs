//! The Singular Update Queue: many callers hand their changes to one queue, one writer applies them, one at a time, in
//! one total order, and every caller gets its own answer.
//!
//! A [`StateMachine`] is the state. A [`Strategy`], from a crate of its own, puts it behind a queue. Callers hold an
//! [`UpdateQueue`] handle, submit updates and get a [`Ticket`] each; whoever owns the [`Writer`] ends the queue and gets
//! the machine back.
//!
//! What holds for every strategy, and is checked for each by the same conformance suite:
//!
//! - A caller always learns whether its update may have been applied: [`SubmitError`] hands it back, certainly not applied;
//!   [`UpdateError::effect`] says [`NotApplied`](Effect::NotApplied) or [`Unknown`](Effect::Unknown).
//! - One atomic claim decides between the writer and a caller that gives up.
//! - Accepted means answered. No ticket hangs, whatever panics, closes or dies.
//! - With group commit no outcome is visible before its commit returned, and a failed commit is never tried again.
//!
//! ```
//! use update_queue::{Options, StateMachine, Strategy, UpdateQueue};
//!
//! struct Counter(u64);
//!
//! impl StateMachine for Counter {
//!     type Update = u64;
//!     type Output = u64;
//!
//!     fn apply(&mut self, add: u64) -> u64 {
//!         self.0 += add;
//!         self.0
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (queue, writer) = queue_flume::Flume::start(Counter(0), Options::default());
//! let applied = queue.call_blocking(42)?;
//! assert_eq!((applied.seq, applied.output), (1, 42));
//! let Counter(total) = writer.shutdown()?;
//! # assert_eq!(total, 42);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod machine;
mod queue;
mod strategy;
mod request;
mod ticket;
mod channel;
mod locked;
mod serve;
mod engine;
mod front;
mod gate;
mod writer;
mod observer;
mod overload;
mod error;
mod options;
#[cfg(feature = "conformance")]
pub mod conformance;
mod park;
mod reentry;
mod contain;
mod sync;
#[cfg(test)]
mod models;

pub use channel::{ChannelQueue, Source, Transport};
pub use engine::EnvelopeOf;
pub use error::{CallError, Effect, ShutdownError, SubmitError, UpdateError};
pub use locked::{Lock, LockedEngine, LockedQueue};
pub use machine::{BoxError, Rollback, StateMachine};
pub use observer::{Observer, Refused, Role, Skipped};
pub use options::{DEFAULT_CAPACITY, DEFAULT_MAX_BATCH, MAX_CAPACITY, Options};
pub use overload::Overload;
pub use park::{block_on, block_on_until};
pub use queue::{OutputOf, UpdateOf, UpdateQueue};
pub use request::Request;
pub use strategy::Strategy;
pub use ticket::{Applied, Cancel, Envelope, Outcome, Ticket};
pub use writer::{SHUTDOWN_GRACE, Writer};
