//! Counts the wrong confirmations in a row of each caller, and makes callers wait after too many.
//!
//! **Invariant.** Of a caller's wrong confirmations in a row, at most [`FREE`] are checked before
//! the first wait, and one after each wait, even if many requests arrive at the same time:
//!
//! - An attempt counts as under way from [`Attempts::begin`] until it is dropped. Attempts under
//!   way are treated as wrong, because each of them may turn out to be wrong. If they were counted
//!   only when their checks end, a client could send a thousand guesses at once.
//! - An attempt whose future is dropped counts as wrong. Otherwise a client could guess, and
//!   disconnect before a wrong guess is counted.
//! - A check that fails, for example because the host's database is down, does not count. An outage
//!   must not make people wait.
//!
//! The counts are in memory, and each node has its own. Several nodes allow more guesses, but none
//! of them has to query a store for every attempt.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hallpass_core::{Actor, Hallpass, Owner};
use jiff::{SignedDuration, Timestamp};

/// The number of wrong confirmations in a row before the first wait.
const FREE: u32 = 5;

/// The length of the first wait. Each further wrong confirmation doubles it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// The longest wait. It allows about a hundred guesses a day.
const MAX_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// The time without a wrong confirmation after which the count starts again at zero.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The maximum number of callers whose count is kept.
const MAX_CALLERS: usize = 16_384;

/// The counts of all callers, on this node.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<Owner, Count>>);

#[derive(Clone, Copy)]
struct Count {
    wrong_in_a_row: u32,
    /// The number of attempts that are still being checked. Each of them may turn out to be wrong.
    under_way: u32,
    wait_until: Timestamp,
    last: Timestamp,
}

/// The verdict on an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    /// The host could not check the confirmation.
    Unknown,
}

/// An attempt that is being checked. Its verdict is counted when it is dropped, and is `Wrong`
/// until it is set. So a client cannot avoid the count by disconnecting before the response.
pub(super) struct Attempt<'a> {
    attempts: &'a Attempts,
    hallpass: &'a Hallpass,
    actor: &'a Actor,
    pub(super) verdict: Verdict,
}

impl Attempts {
    /// Begins an attempt.
    ///
    /// # Errors
    ///
    /// Returns the number of seconds that the caller has to wait first.
    pub(super) fn begin<'a>(
        &'a self,
        hallpass: &'a Hallpass,
        actor: &'a Actor,
    ) -> Result<Attempt<'a>, u32> {
        let now = hallpass.now();
        let mut counts = self.lock();
        if !counts.contains_key(actor.id()) && counts.len() >= MAX_CALLERS {
            make_room(&mut counts, now);
        }
        let count = counts.entry(actor.id().clone()).or_insert_with(|| Count::new(now));
        if count.is_old(now) {
            *count = Count { under_way: count.under_way, ..Count::new(now) };
        }
        count.may_try(now)?;
        count.under_way += 1;
        Ok(Attempt { attempts: self, hallpass, actor, verdict: Verdict::Wrong })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Owner, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room: removes old counts. If there are none, removes the count of the caller with the
/// fewest wrong confirmations and, among those, the one with the oldest. To get a count removed, an
/// attacker would need at least as many wrong confirmations from a great number of other callers.
fn make_room(counts: &mut HashMap<Owner, Count>, now: Timestamp) {
    counts.retain(|_, count| count.under_way > 0 || !count.is_old(now));
    if counts.len() >= MAX_CALLERS {
        let rank = |count: &Count| (count.under_way > 0, count.wrong_in_a_row, count.last);
        let least = counts.iter().min_by_key(|(_, count)| rank(count));
        if let Some(owner) = least.map(|(owner, _)| owner.clone()) {
            counts.remove(&owner);
        }
    }
}

impl Count {
    fn new(now: Timestamp) -> Self {
        Self { wrong_in_a_row: 0, under_way: 0, wait_until: now, last: now }
    }

    fn is_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.last) > FORGOTTEN_AFTER
    }

    /// Limits concurrent attempts, so that no more wrong ones than allowed are checked even if all
    /// of them are wrong.
    fn may_try(&self, now: Timestamp) -> Result<(), u32> {
        if now < self.wait_until {
            let wait = self.wait_until.duration_since(now);
            let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
            return Err(seconds.saturating_add(u32::from(wait.subsec_nanos() > 0)));
        }
        if self.under_way >= FREE.saturating_sub(self.wrong_in_a_row).max(1) {
            return Err(1);
        }
        Ok(())
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let now = self.hallpass.now();
        let mut counts = self.attempts.lock();
        // The count may have been removed in the meantime to make room.
        let count = counts.entry(self.actor.id().clone()).or_insert_with(|| Count::new(now));
        count.under_way = count.under_way.saturating_sub(1);
        match self.verdict {
            Verdict::Unknown => {}
            Verdict::Right => *count = Count { under_way: count.under_way, ..Count::new(now) },
            Verdict::Wrong => {
                count.wrong_in_a_row = count.wrong_in_a_row.saturating_add(1);
                count.last = now;
                if let Some(beyond) = count.wrong_in_a_row.checked_sub(FREE) {
                    let wait = FIRST_WAIT.saturating_mul(1 << beyond.min(16)).min(MAX_WAIT);
                    count.wait_until = now.saturating_add(wait).unwrap_or(now);
                    tracing::warn!(
                        target: "hallpass",
                        actor = ?self.actor.id(),
                        "too many wrong confirmations in a row, so the caller has to wait before \
                         the next one"
                    );
                }
            }
        }
        if count.wrong_in_a_row == 0 && count.under_way == 0 {
            counts.remove(self.actor.id());
        }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_memory::MemoryStore;

    use super::*;

    #[test]
    fn counts_are_bounded_and_waiting_callers_are_not_forgotten() {
        let hallpass = Hallpass::builder(MemoryStore::new()).build();
        let attempts = Attempts::default();
        let end = |name: String, verdict| {
            let actor = Actor::owner(name);
            attempts.begin(&hallpass, &actor).map(|mut attempt| attempt.verdict = verdict)
        };
        end("alice".to_owned(), Verdict::Right).unwrap();
        end("bob".to_owned(), Verdict::Unknown).unwrap();
        assert!(attempts.lock().is_empty(), "a correct confirmation must reset the count");
        for _ in 0..FREE {
            end("eve".to_owned(), Verdict::Wrong).unwrap();
        }
        for number in 0..MAX_CALLERS + 100 {
            end(number.to_string(), Verdict::Wrong).unwrap();
        }
        assert_eq!(attempts.lock().len(), MAX_CALLERS);
        assert!(end("eve".to_owned(), Verdict::Wrong).is_err());
    }
}
