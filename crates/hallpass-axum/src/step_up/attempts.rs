//! How often a caller may be wrong: the count of wrong confirmations in a row, and what it costs.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hallpass_core::Owner;
use jiff::{SignedDuration, Timestamp};

/// How many wrong ones in a row are answered at once.
const FREE: u32 = 5;

/// How long the first wait is; each further wrong one doubles it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// The longest wait: about a hundred guesses a day.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// After how long without a wrong one the count starts anew.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Of how many callers the count is kept: less than 1 MiB.
const MAX_CALLERS: usize = 16_384;

/// The counts of all callers, on this node.
#[derive(Default)]
pub(crate) struct Attempts {
    /// Callers are told apart by a keyed hash, so that long names take no more memory than short
    /// ones.
    hasher: RandomState,
    counts: Mutex<HashMap<u64, Count>>,
}

#[derive(Clone, Copy)]
struct Count {
    wrong_in_a_row: u32,
    /// Those whose verdict is not known yet: each may turn out wrong.
    under_way: u32,
    /// Until then nothing is looked at.
    wait_until: Timestamp,
    last: Timestamp,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    /// The host could not tell.
    Unknown,
}

/// An attempt whose verdict is not known yet. One that is dropped was wrong: a client that goes
/// away before the answer comes has not saved a guess, nor the host the work of checking it.
pub(super) struct Attempt<'a, Now: Fn() -> Timestamp> {
    attempts: &'a Attempts,
    key: u64,
    now: Now,
    ended: bool,
}

impl Attempts {
    /// Lets an attempt be made, or says how long to wait, in whole seconds.
    pub(super) fn begin<Now: Fn() -> Timestamp>(
        &self,
        caller: &Owner,
        now: Now,
    ) -> Result<Attempt<'_, Now>, u32> {
        let key = self.hasher.hash_one(caller.as_str());
        let at = now();
        let mut counts = self.lock();
        if !counts.contains_key(&key) && counts.len() >= MAX_CALLERS {
            make_room(&mut counts, at);
        }
        let count = counts.entry(key).or_insert_with(|| Count::new(at));
        count.forget_if_old(at);
        count.may_try(at)?;
        count.under_way += 1;
        drop(counts);
        Ok(Attempt { attempts: self, key, now, ended: false })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets those whose time is over, or else whoever was wrong least often, longest ago: who wants
/// to be forgotten has to be wrong as often as that under very many names.
fn make_room(counts: &mut HashMap<u64, Count>, now: Timestamp) {
    counts.retain(|_, count| count.under_way > 0 || !count.is_old(now));
    if counts.len() < MAX_CALLERS {
        return;
    }
    let least = counts
        .iter()
        .min_by_key(|(_, count)| (count.under_way > 0, count.wrong_in_a_row, count.last))
        .map(|(key, _)| *key);
    if let Some(key) = least {
        counts.remove(&key);
    }
}

impl Count {
    fn new(now: Timestamp) -> Self {
        Self { wrong_in_a_row: 0, under_way: 0, wait_until: now, last: now }
    }

    fn is_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.last) > FORGOTTEN_AFTER
    }

    fn forget_if_old(&mut self, now: Timestamp) {
        if self.is_old(now) {
            *self = Self { under_way: self.under_way, ..Self::new(now) };
        }
    }

    /// Never so many at once that, were all of them wrong, one more than allowed would have been
    /// looked at.
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

    /// Answers whether there is a wait from now on.
    fn was_wrong(&mut self, now: Timestamp) -> bool {
        self.wrong_in_a_row = self.wrong_in_a_row.saturating_add(1);
        self.last = now;
        let Some(beyond) = self.wrong_in_a_row.checked_sub(FREE) else { return false };
        let wait = FIRST_WAIT.saturating_mul(1 << beyond.min(16)).min(LONGEST_WAIT);
        self.wait_until = now.saturating_add(wait).unwrap_or(now);
        true
    }
}

impl<Now: Fn() -> Timestamp> Attempt<'_, Now> {
    /// Answers whether the caller has to wait from now on.
    pub(super) fn end(mut self, verdict: Verdict) -> bool {
        self.count(verdict)
    }

    fn count(&mut self, verdict: Verdict) -> bool {
        self.ended = true;
        let now = (self.now)();
        let mut counts = self.attempts.lock();
        // It may have had to make room.
        let count = counts.entry(self.key).or_insert_with(|| Count::new(now));
        count.under_way = count.under_way.saturating_sub(1);
        let waits = verdict == Verdict::Wrong && count.was_wrong(now);
        if verdict == Verdict::Right {
            *count = Count { under_way: count.under_way, ..Count::new(now) };
        }
        if count.wrong_in_a_row == 0 && count.under_way == 0 {
            counts.remove(&self.key);
        }
        waits
    }
}

impl<Now: Fn() -> Timestamp> Drop for Attempt<'_, Now> {
    fn drop(&mut self) {
        if !self.ended {
            self.count(Verdict::Wrong);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: impl ToString) -> Owner {
        Owner::new(name.to_string()).unwrap()
    }

    fn at(seconds: i64) -> impl Fn() -> Timestamp {
        move || Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn wrong(attempts: &Attempts, name: impl ToString, seconds: i64) -> Result<bool, u32> {
        Ok(attempts.begin(&caller(name), at(seconds))?.end(Verdict::Wrong))
    }

    #[test]
    fn it_remembers_a_bounded_number_of_callers_and_those_who_are_waiting_longest() {
        let attempts = Attempts::default();
        for _ in 0..FREE {
            wrong(&attempts, "eve", 0).unwrap();
        }
        for number in 0..MAX_CALLERS + 100 {
            assert_eq!(wrong(&attempts, number, 1), Ok(false));
        }
        assert_eq!(attempts.lock().len(), MAX_CALLERS);
        assert_eq!(wrong(&attempts, "eve", 2), Err(28), "many others do not wash it away");
        assert_eq!(wrong(&attempts, "late", 100_000), Ok(false));
        assert!(attempts.lock().len() < 10, "what is old makes room");
    }

    #[test]
    fn nothing_is_kept_of_those_who_are_right() {
        let attempts = Attempts::default();
        attempts.begin(&caller("alice"), at(0)).unwrap().end(Verdict::Right);
        attempts.begin(&caller("bob"), at(0)).unwrap().end(Verdict::Unknown);
        assert!(attempts.lock().is_empty());
        wrong(&attempts, "alice", 0).unwrap();
        attempts.begin(&caller("alice"), at(0)).unwrap().end(Verdict::Unknown);
        assert_eq!(attempts.lock().len(), 1, "no verdict says nothing");
        attempts.begin(&caller("alice"), at(0)).unwrap().end(Verdict::Right);
        assert!(attempts.lock().is_empty());
    }

    #[test]
    fn one_that_made_room_while_it_was_looked_at_still_counts() {
        let attempts = Attempts::default();
        let attempt = attempts.begin(&caller("eve"), at(0)).unwrap();
        attempts.lock().clear();
        attempt.end(Verdict::Wrong);
        assert_eq!(attempts.lock().len(), 1);
    }

    #[test]
    fn a_row_of_any_length_waits_no_longer_than_the_longest() {
        let mut count = Count { wrong_in_a_row: u32::MAX - 1, ..Count::new(at(0)()) };
        for _ in 0..3 {
            assert!(count.was_wrong(at(0)()));
            assert_eq!(count.may_try(at(0)()), Err(900));
            assert_eq!(count.may_try(at(900)()), Ok(()));
        }
        count.was_wrong(Timestamp::MAX);
        assert_eq!(count.may_try(Timestamp::MAX), Ok(()));
    }
}
