//! One timed update, and the five parts of its life.

/// When one update passed each of its stations, on the trial's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Submit was called.
    pub asked: u64,
    /// Submit returned with the ticket.
    pub accepted: u64,
    /// `apply` began.
    pub claimed: u64,
    /// `apply` returned.
    pub applied: u64,
    /// The commit of the batch returned; without group commit the same as `applied`.
    pub committed: u64,
    /// The caller had its answer.
    pub resumed: u64,
}

/// How long each part of an update's life took, in nanoseconds, and when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When the caller had its answer.
    pub resumed: u64,
    /// Submit called to submit returned: for as long the caller could do nothing else. Under a lock the write is part of it.
    pub held: u64,
    /// Waiting to be accepted: in the queue, or by a lock.
    pub submit: u64,
    /// Accepted, not yet claimed. A lock has no such part: its callers wait in submit.
    pub queued: u64,
    /// In `apply`.
    pub apply: u64,
    /// From `apply` to the end of the commit, the rest of the batch included.
    pub commit: u64,
    /// On the way back to the caller.
    pub reply: u64,
}

impl Sample {
    /// Submit called to answer received; the five parts sum to it.
    pub fn latency(&self) -> u64 {
        self.submit + self.queued + self.apply + self.commit + self.reply
    }
}

impl From<Times> for Sample {
    /// Cuts the whole into parts. A writer may claim an update before its submit has returned; it was accepted by then.
    ///
    /// A clock that differs between cores by some nanoseconds cannot make a part negative: no station comes before the
    /// one that precedes it.
    fn from(times: Times) -> Self {
        let accepted = times.accepted.min(times.claimed).max(times.asked);
        let claimed = times.claimed.max(accepted);
        let applied = times.applied.max(claimed);
        let committed = times.committed.max(applied);
        let resumed = times.resumed.max(committed);
        Self {
            resumed,
            held: times.accepted.saturating_sub(times.asked),
            submit: accepted - times.asked,
            queued: claimed - accepted,
            apply: applied - claimed,
            commit: committed - applied,
            reply: resumed - committed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(asked: u64, accepted: u64, claimed: u64, applied: u64, committed: u64, resumed: u64) -> Sample {
        Sample::from(Times { asked, accepted, claimed, applied, committed, resumed })
    }

    #[test]
    fn an_update_that_waits_in_the_queue_is_queued_from_accepted_to_claimed() {
        let s = sample(10, 12, 20, 25, 40, 42);
        assert_eq!((s.submit, s.queued, s.apply, s.commit, s.reply), (2, 8, 5, 15, 2));
    }

    #[test]
    fn an_update_that_is_applied_inside_submit_was_never_queued() {
        let s = sample(10, 30, 20, 25, 25, 31);
        assert_eq!((s.submit, s.queued, s.apply, s.commit, s.reply), (10, 0, 5, 0, 6));
        assert_eq!(s.held, 20, "the write is part of what holds the caller");
    }

    proptest! {
        #[test]
        fn the_parts_of_an_ordered_life_sum_to_its_latency(
            asked in 0..1_u64 << 60, steps in [0..1_u64 << 50, 0..1 << 50, 0..1 << 50, 0..1 << 50], accepted in 0..1_u64 << 52,
        ) {
            let [to_claim, to_apply, to_commit, to_resume] = steps;
            let claimed = asked + to_claim;
            let (applied, committed) = (claimed + to_apply, claimed + to_apply + to_commit);
            let resumed = committed + to_resume;
            // Submit may return at any time between the call and the answer.
            let accepted = (asked + accepted).min(resumed);
            let s = sample(asked, accepted, claimed, applied, committed, resumed);
            prop_assert_eq!(s.latency(), resumed - asked);
            prop_assert_eq!(s.submit, accepted.min(claimed) - asked);
            prop_assert_eq!(s.apply, to_apply);
            prop_assert_eq!(s.commit, to_commit);
        }

        #[test]
        fn whatever_the_clock_says_the_parts_sum_to_the_latency(t in any::<[u32; 6]>()) {
            let [asked, accepted, claimed, applied, committed, resumed] = t.map(u64::from);
            let s = sample(asked, accepted, claimed, applied, committed, resumed);
            prop_assert_eq!(s.latency(), s.resumed - asked);
        }
    }
}
