//! Item 41: CoDel counts from when the queue was last empty, an idle time included.

use std::thread;
use std::time::{Duration, Instant};

use super::rig::Rig;
use super::watch::watched;
use super::{Op, Verdict};
use crate::{CallError, Options, Overload, Strategy, UpdateError, UpdateQueue};

/// Item 41: an update that waits behind another after an idle time is as patiently waited for as at the start.
pub fn item_41_an_idle_queue_is_no_standing_queue<S: Strategy>() -> Verdict {
    const INTERVAL: Duration = Duration::from_millis(50);
    // LIMIT: 20 tries: a machine that stands still for an interval makes a try say nothing.
    const TRIES: usize = 20;
    watched(41, "an idle queue is no standing queue: its next updates are not shed", |at| {
        let overload = Overload::default().codel(INTERVAL, Duration::ZERO);
        let rig = Rig::<S, false>::start(Options::default().capacity(8).overload(overload));
        for number in 0..TRIES {
            at.round("two updates come together after an idle time", number);
            let idle_since = Instant::now();
            while idle_since.elapsed() <= INTERVAL {
                thread::yield_now();
            }
            let stall = rig.stall();
            let asked = Instant::now();
            let behind = thread::scope(|scope| {
                let behind = scope.spawn(|| rig.queue.call_blocking(Op::new(0, number)));
                stall.open();
                behind.join().map_err(|_| "a caller panicked".to_owned())
            })?;
            let conclusive = asked.elapsed() < INTERVAL;
            stall.release()?;
            match behind {
                Ok(_) if conclusive => return Ok(()),
                Ok(_) => {}
                Err(CallError::Failed(UpdateError::Shed)) if !conclusive => {}
                Err(error) => return Err(format!("an update behind one other was not applied: {error}")),
            }
        }
        println!("SKIP for {}: this machine stood still in each of {TRIES} tries", S::NAME);
        Ok(())
    })
}
