//! What all threads of a trial share: the clock, the phase, and how far the machine has got.
//!
//! The machine publishes here, the clients look: that is how a client knows that its answer did not come too early. What
//! is written with every update has a cache line of its own.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::clock::Clock;

/// What the clients do with their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// Load runs, nothing is counted yet.
    WarmUp,
    /// Answers count.
    Window,
    /// Load runs on so that the end of the window is as contended as its middle; nothing is counted any more.
    Tail,
    /// No client submits again.
    Stop,
}

/// The memory that all threads of a trial share.
#[derive(Debug)]
pub struct Board {
    clock: Clock,
    phase: AtomicU8,
    window_start: AtomicU64,
    window_end: AtomicU64,
    finished: OwnLine,
    generator_ns: Mutex<Option<u64>>,
}

// LIMIT: 128 bytes: two cache lines, because some processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct OwnLine(AtomicU64);

impl Board {
    /// A board in the warm-up, with a clock that starts now.
    pub fn new() -> Self {
        Self {
            clock: Clock::start(),
            phase: AtomicU8::new(Phase::WarmUp as u8),
            window_start: AtomicU64::new(u64::MAX),
            window_end: AtomicU64::new(u64::MAX),
            finished: OwnLine(AtomicU64::new(0)),
            generator_ns: Mutex::new(None),
        }
    }

    /// The clock of the trial.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The phase right now.
    pub fn phase(&self) -> Phase {
        // ORDERING: Relaxed; no other memory is read because of the phase, and which of two answers at the very edge of
        // the window is counted does not matter.
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::WarmUp,
            1 => Phase::Window,
            2 => Phase::Tail,
            _ => Phase::Stop,
        }
    }

    /// Sets the window of an open loop, before the load begins.
    pub fn plan_window(&self, start: u64, end: u64) {
        // ORDERING: Relaxed; the threads that read it are started later.
        self.window_start.store(start, Ordering::Relaxed);
        self.window_end.store(end, Ordering::Relaxed);
    }

    /// What is done counts from now on, or not any more. The window itself was planned.
    pub fn enter(&self, phase: Phase) {
        // ORDERING: Relaxed; see `phase`.
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// A thread that only generates load used this much CPU time in the window.
    pub fn generated(&self, cpu_ns: u64) {
        let mut total = self.generator_ns.lock().unwrap_or_else(PoisonError::into_inner);
        *total = Some(total.unwrap_or(0) + cpu_ns);
    }

    /// CPU time of all threads that only generate load; `None` if there is none or the platform cannot tell.
    pub fn generator_ns(&self) -> Option<u64> {
        *self.generator_ns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the window, and says when that was.
    pub fn begin_window(&self) -> u64 {
        let now = self.clock.now();
        // ORDERING: Relaxed; see `phase`. The machine may clip the update that is running at this moment a little wrong.
        self.window_start.store(now, Ordering::Relaxed);
        self.phase.store(Phase::Window as u8, Ordering::Relaxed);
        now
    }

    /// Ends the window, and says when that was, and how much later everybody could know it. Load goes on.
    pub fn end_window(&self) -> (u64, u64) {
        // ORDERING: Relaxed; as in `begin_window`. The phase goes first: if this thread stands still in between, the window
        // is longer than what was counted in it, and never the other way round.
        self.phase.store(Phase::Tail as u8, Ordering::Relaxed);
        let now = self.clock.now();
        self.window_end.store(now, Ordering::Relaxed);
        (now, self.clock.now() - now)
    }

    /// Tells the clients to stop.
    pub fn stop(&self) {
        self.enter(Phase::Stop);
    }

    /// How much of the time from `from` to `to`, which has just passed, lies in the window.
    pub fn within_window(&self, from: u64, to: u64) -> u64 {
        // ORDERING: Relaxed; an edge that is not set yet lies in the future of `to`.
        let start = self.window_start.load(Ordering::Relaxed);
        let end = self.window_end.load(Ordering::Relaxed);
        to.min(end).saturating_sub(from.max(start))
    }

    /// The machine has finished all updates up to `seq`: applied them, or with group commit committed them.
    pub fn finish(&self, seq: u64) {
        // ORDERING: Release; a client that reads it may rely on everything the machine did up to `seq`.
        self.finished.0.store(seq, Ordering::Release);
    }

    /// The last update that the machine has finished.
    pub fn finished(&self) -> u64 {
        // ORDERING: Acquire; pairs with `finish`. The value that a client must find is older than its answer, so a
        // strategy that hands answers over properly makes it visible by that alone.
        self.finished.0.load(Ordering::Acquire)
    }
}

impl Default for Board {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_inside_the_window_counts() {
        let board = Board::new();
        assert_eq!(board.within_window(0, 10), 0, "no window yet");
        let start = board.begin_window();
        assert_eq!(board.within_window(0, start + 5), 5, "began before the window");
        assert_eq!(board.within_window(start + 1, start + 5), 4, "the end is not known yet");
        let (end, _) = board.end_window();
        assert_eq!(board.within_window(end, end + 10), 0, "after the window");
        assert_eq!(board.within_window(start, end + 10), end - start, "all of the window");
    }

    #[test]
    fn phases_come_in_order() {
        let board = Board::new();
        assert_eq!(board.phase(), Phase::WarmUp);
        board.begin_window();
        assert_eq!(board.phase(), Phase::Window);
        board.end_window();
        assert_eq!(board.phase(), Phase::Tail);
        board.stop();
        assert_eq!(board.phase(), Phase::Stop);
    }
}
