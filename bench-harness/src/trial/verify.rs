//! The checks after the window: what the clients were told against what the machine did.
//!
//! V1 and V6 were made by the clients with each answer, V5 by the machine, V8 before and after the load.

use std::collections::HashSet;

use super::checker::{Checker, Entry, chain, payload};
use super::client::{Journal, digest_mark, order_mark};
use crate::record::Failure;

/// Makes every check that needs both sides, and hands on what one side found by itself. What was done to the updates
/// comes first: an update that was applied twice also gives its callers odd answers.
///
/// # Errors
/// The first check that does not hold.
pub fn verify(journals: &[Journal], checker: &Checker, seed: u64) -> Result<(), Failure> {
    if let Some(failure) = checker.failure() {
        return Err(failure.clone());
    }
    if !applied_in_step(journals, checker) {
        exactly_once(journals, checker)?;
        first_in_first_out(checker, journals.len())?;
    }
    if let Some(failure) = journals.iter().find_map(|journal| journal.failure.as_ref()) {
        return Err(failure.clone());
    }
    books(journals)?;
    replay(journals, checker, seed)
}

/// Whether the log has the updates of each client as 1, 2, 3.. up to the last one that was answered: all of V2 and V3,
/// in the one pass that a correct strategy needs.
fn applied_in_step(journals: &[Journal], checker: &Checker) -> bool {
    let mut last = vec![0_u64; journals.len()];
    let in_step = checker.log().iter().all(|entry| match last.get_mut(entry.client as usize) {
        Some(n) => {
            *n += 1;
            *n == u64::from(entry.n)
        }
        None => false,
    });
    in_step && journals.iter().zip(last).all(|(journal, n)| journal.accepted == n && journal.applied == n)
}

/// V2: applied means once in the log, not applied means never, and nothing else is in there.
fn exactly_once(journals: &[Journal], checker: &Checker) -> Result<(), Failure> {
    let fail = |reason: String| Err(Failure { check: "V2".to_owned(), reason });
    let mut seen: Vec<Vec<bool>> = journals.iter().map(|j| vec![false; j.accepted as usize + 1]).collect();
    for Entry { client, n } in checker.log().iter() {
        match seen.get_mut(*client as usize).and_then(|client| client.get_mut(*n as usize)) {
            Some(seen) if !*seen && *n > 0 => *seen = true,
            Some(_) if *n > 0 => return fail(format!("update {n} of client {client} was applied twice")),
            _ => return fail(format!("update {n} of client {client} was applied and never accepted")),
        }
    }
    for (journal, seen) in journals.iter().zip(&seen) {
        let client = journal.client;
        if let Some(n) = journal.not_applied.iter().find(|n| seen.get(**n as usize).is_some_and(|seen| *seen))
        {
            return fail(format!(
                "update {n} of client {client} was applied, and its caller was told that it was not"
            ));
        }
        let failed: HashSet<u64> = journal.not_applied.iter().chain(&journal.unknown).copied().collect();
        if let Some(n) = (1..seen.len()).filter(|n| !seen[*n]).find(|n| !failed.contains(&(*n as u64))) {
            return fail(format!("update {n} of client {client} was answered and never applied"));
        }
    }
    Ok(())
}

/// V3: the updates of one client were applied in the order in which it submitted them.
fn first_in_first_out(checker: &Checker, clients: usize) -> Result<(), Failure> {
    let mut last = vec![0_u32; clients];
    for Entry { client, n } in checker.log().iter() {
        let last = &mut last[*client as usize];
        if *n <= *last {
            let reason = format!("update {n} of client {client} was applied after its update {last}");
            return Err(Failure { check: "V3".to_owned(), reason });
        }
        *last = *n;
    }
    Ok(())
}

/// V9: every accepted update has an answer, and none failed: nothing in a trial gives it a reason to, but a deadline that
/// has passed.
fn books(journals: &[Journal]) -> Result<(), Failure> {
    for journal in journals {
        let client = journal.client;
        let failed = (journal.not_applied.len() + journal.unknown.len()) as u64 - journal.expired;
        let reason = match &journal.error {
            Some(error) => {
                format!("{failed} accepted updates of client {client} failed, the last with: {error}")
            }
            None if journal.accepted != journal.applied + journal.expired => {
                let answers = journal.applied + journal.expired;
                format!("client {client} has {answers} answers for {} accepted updates", journal.accepted)
            }
            None => continue,
        };
        return Err(Failure { check: "V9".to_owned(), reason });
    }
    Ok(())
}

/// V4 and V7: the same updates, one after the other in the order of the log, give each client the same places in the
/// order and the same digests.
fn replay(journals: &[Journal], checker: &Checker, seed: u64) -> Result<(), Failure> {
    let mut marks = vec![(0_u64, 0_u64); journals.len()];
    let mut digest = 0;
    for (seq, entry) in (1..).zip(checker.log().iter()) {
        let n = u64::from(entry.n);
        digest = chain(digest, entry.client, n, payload(seed, entry.client, n));
        let (order, digests) = &mut marks[entry.client as usize];
        *order = order.wrapping_add(order_mark(n, seq));
        *digests = digests.wrapping_add(digest_mark(n, digest));
    }
    for (journal, (order, digests)) in journals.iter().zip(marks) {
        let client = journal.client;
        if journal.order != order {
            let reason = format!(
                "the places in the total order that client {client} was told are not those of the log"
            );
            return Err(Failure { check: "V4".to_owned(), reason });
        }
        if journal.digests != digests {
            let reason =
                format!("the outputs of client {client} are not those of a sequential replay of the log");
            return Err(Failure { check: "V7".to_owned(), reason });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    use crate::record::PlannedCell;
    use crate::trial::board::Board;
    use crate::trial::checker::Update;
    use crate::trial::spec::TrialSpec;
    use crate::workload::definition::{Callers, Cost, CostKind, Pattern, Variation};

    const SEED: u64 = 11;

    fn spec() -> TrialSpec {
        let write = Cost { requested: Duration::ZERO, kind: CostKind::Spin };
        TrialSpec {
            round: 0,
            position: 0,
            workload: "test".to_owned(),
            cell: PlannedCell {
                id: "threads-2".to_owned(),
                callers: Callers::Threads,
                clients: 2,
                write,
                load: None,
            },
            label: "test".to_owned(),
            strategy: "test".to_owned(),
            seed: SEED,
            pattern: Pattern::Steady,
            rate: None,
            variation: Variation::default(),
            capacity: 4,
            max_batch: 4,
            commit: None,
            timed_every: 1,
            warm_up: Duration::ZERO,
            window: Duration::ZERO,
        }
    }

    /// Two clients whose updates were applied in the order of `log`, and who were told what the machine said.
    fn after(log: &[(u32, u64)]) -> ([Journal; 2], Checker) {
        let mut checker = Checker::new(&spec(), Arc::new(Board::new()));
        let mut journals = [0, 1].map(|client| Journal { client, ..Journal::default() });
        for &(client, n) in log {
            let output = checker.apply(Update { client, timed: false, n, payload: payload(SEED, client, n) });
            let journal = &mut journals[client as usize];
            journal.accepted += 1;
            journal.applied += 1;
            journal.order = journal.order.wrapping_add(order_mark(n, output.seq));
            journal.digests = journal.digests.wrapping_add(digest_mark(n, output.digest));
        }
        (journals, checker)
    }

    #[track_caller]
    fn fails(journals: &[Journal], checker: &Checker, check: &str, word: &str) {
        let failure = verify(journals, checker, SEED).expect_err("something is wrong with it");
        assert_eq!(failure.check, check, "{failure:?}");
        assert!(failure.reason.contains(word), "{failure:?}");
    }

    #[test]
    fn any_interleaving_of_clients_passes() {
        for log in [&[(0, 1), (1, 1), (0, 2), (1, 2)][..], &[(1, 1), (1, 2), (0, 1)][..], &[][..]] {
            let (journals, checker) = after(log);
            assert_eq!(verify(&journals, &checker, SEED), Ok(()), "{log:?}");
        }
    }

    #[test]
    fn an_update_that_is_in_the_log_twice_fails_v2() {
        let (mut journals, checker) = after(&[(0, 1), (1, 1), (0, 1)]);
        journals[0].accepted = 1;
        journals[0].applied = 1;
        fails(&journals, &checker, "V2", "applied twice");
    }

    #[test]
    fn an_update_that_nobody_submitted_fails_v2() {
        let (mut journals, checker) = after(&[(0, 1), (1, 1)]);
        journals[1] = Journal { client: 1, ..Journal::default() };
        fails(&journals, &checker, "V2", "never accepted");
    }

    #[test]
    fn an_answer_to_an_update_that_is_not_in_the_log_fails_v2() {
        let (mut journals, checker) = after(&[(0, 1), (1, 1)]);
        journals[0].accepted = 2;
        journals[0].applied = 2;
        fails(&journals, &checker, "V2", "never applied");
    }

    #[test]
    fn an_applied_update_that_is_denied_fails_v2() {
        let (mut journals, checker) = after(&[(0, 1), (0, 2)]);
        journals[0].applied = 1;
        journals[0].not_applied = vec![2];
        fails(&journals, &checker, "V2", "told that it was not");
    }

    #[test]
    fn two_updates_of_one_client_in_the_wrong_order_fail_v3() {
        let (journals, checker) = after(&[(0, 1), (1, 2), (0, 2), (1, 1)]);
        fails(&journals, &checker, "V3", "update 1 of client 1");
    }

    #[test]
    fn a_place_in_the_order_that_the_log_does_not_have_fails_v4() {
        let (mut journals, checker) = after(&[(0, 1), (1, 1)]);
        journals[0].order = order_mark(1, 2);
        fails(&journals, &checker, "V4", "client 0");
    }

    #[test]
    fn a_digest_that_the_replay_does_not_give_fails_v7() {
        let (mut journals, checker) = after(&[(0, 1), (1, 1)]);
        journals[1].digests ^= 1;
        fails(&journals, &checker, "V7", "client 1");
    }

    #[test]
    fn a_failed_update_fails_v9_because_nothing_gives_it_a_reason() {
        let (mut journals, checker) = after(&[(0, 1)]);
        journals[0].accepted = 2;
        journals[0].not_applied = vec![2];
        journals[0].error = Some("queue is closed".to_owned());
        fails(&journals, &checker, "V9", "queue is closed");
    }

    #[test]
    fn an_accepted_update_without_an_answer_fails_v9() {
        let (mut journals, checker) = after(&[(0, 1), (0, 2)]);
        journals[0].applied = 1;
        fails(&journals, &checker, "V9", "1 answers for 2");
    }
}
