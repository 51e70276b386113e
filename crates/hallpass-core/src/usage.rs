//! Uses of tokens, which wait in memory until they are flushed, so that no request waits for a
//! write.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::metrics;
use crate::record::minute;
use crate::store::TokenUse;
use crate::token::TokenId;

/// The maximum number of tokens whose uses wait for a flush. Beyond it, uses of further tokens are
/// dropped and counted.
const CAPACITY: usize = 65_536;

/// The latest use of each token since the last flush.
#[derive(Debug, Default)]
pub(crate) struct UseLog {
    waiting: Mutex<HashMap<TokenId, TokenUse>>,
    /// Provisional uses, by number. Their requests are still running and may be rejected.
    provisional: Mutex<HashMap<u64, TokenUse>>,
    next: AtomicU64,
    dropped: AtomicU64,
}

impl UseLog {
    /// Records a use.
    pub(crate) fn record(&self, usage: TokenUse) {
        let mut waiting = self.lock();
        if let Some(known) = waiting.get_mut(&usage.id) {
            // The store drops a use at an old revision, so the use at the newest revision is kept.
            if (known.revision, minute(known.at)) < (usage.revision, minute(usage.at)) {
                *known = usage;
            }
        } else if waiting.len() < CAPACITY {
            waiting.insert(usage.id, usage);
        } else {
            self.count_dropped(1);
        }
    }

    /// Notes a provisional use, by a request that may still be rejected. Returns its number.
    pub(crate) fn begin(&self, usage: TokenUse) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        locked(&self.provisional).insert(number, usage);
        number
    }

    /// Removes a provisional use. Returns `false` if
    /// [`record_provisional`](Self::record_provisional) has recorded it already, so that no use is
    /// recorded twice.
    pub(crate) fn end(&self, number: u64) -> bool {
        locked(&self.provisional).remove(&number).is_some()
    }

    /// Records all provisional uses. A shutdown calls this, because it does not wait for the
    /// requests.
    pub(crate) fn record_provisional(&self) {
        let provisional = std::mem::take(&mut *locked(&self.provisional));
        provisional.into_values().for_each(|usage| self.record(usage));
    }

    /// Takes all waiting uses, in the order of their ids. If two nodes flush at once, they lock
    /// rows in the same order and cannot deadlock.
    pub(crate) fn flush(&self) -> Flush<'_> {
        let mut uses: Vec<_> = std::mem::take(&mut *self.lock()).into_values().collect();
        uses.sort_unstable_by_key(|usage| usage.id);
        Flush { log: self, uses, written: 0 }
    }

    /// Takes the waiting use of one token, if there is one.
    pub(crate) fn flush_one(&self, id: TokenId) -> Flush<'_> {
        let uses = self.lock().remove(&id).into_iter().collect();
        Flush { log: self, uses, written: 0 }
    }

    /// Puts back uses that were not written, unless a newer use of the token waits.
    fn put_back(&self, uses: &[TokenUse]) {
        let mut dropped = 0;
        let mut waiting = self.lock();
        for usage in uses {
            if waiting.len() < CAPACITY || waiting.contains_key(&usage.id) {
                waiting.entry(usage.id).or_insert(*usage);
            } else {
                dropped += 1;
            }
        }
        self.count_dropped(dropped);
    }

    /// Drops all waiting uses. Returns how many there were.
    pub(crate) fn drop_all(&self) -> u64 {
        let dropped = std::mem::take(&mut *self.lock()).len() as u64;
        self.count_dropped(dropped);
        dropped
    }

    fn count_dropped(&self, uses: u64) {
        if uses > 0 {
            self.dropped.fetch_add(uses, Ordering::Relaxed);
            metrics::count_dropped_uses(uses);
        }
    }

    /// Returns whether a use of this token waits.
    pub(crate) fn has(&self, id: TokenId) -> bool {
        self.lock().contains_key(&id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenId, TokenUse>> {
        locked(&self.waiting)
    }
}

/// Locks a map, even if a panic has poisoned the lock. Each update is a single map operation, so a
/// panic cannot leave the map half updated.
fn locked<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The uses that a flush is writing to the store.
///
/// Dropping it puts back the uses that were not written. So a flush that fails, or whose future is
/// dropped, loses nothing.
#[derive(Debug)]
pub(crate) struct Flush<'l> {
    log: &'l UseLog,
    uses: Vec<TokenUse>,
    written: usize,
}

impl Flush<'_> {
    /// The number of uses in one statement.
    const BATCH: usize = 5000;

    /// Returns the next uses to write, or `None` if all are written.
    pub(crate) fn next_batch(&self) -> Option<&[TokenUse]> {
        self.uses[self.written..].chunks(Self::BATCH).next()
    }

    /// Marks the batch of [`next_batch`](Self::next_batch) as written.
    pub(crate) fn batch_written(&mut self) {
        let written = self.next_batch().map_or(0, <[TokenUse]>::len);
        metrics::count_flushed_uses(written);
        self.written += written;
    }
}

impl Drop for Flush<'_> {
    fn drop(&mut self) {
        self.log.put_back(&self.uses[self.written..]);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::owner::Owner;
    use crate::record::Revision;

    fn at_minute(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    /// Returns the first use of a new token of the owner.
    fn first_use(owner: &Owner) -> TokenUse {
        let id = TokenId::generate(owner, at_minute(0)).unwrap();
        TokenUse { id, revision: Revision::FIRST, at: at_minute(1) }
    }

    fn all(log: &UseLog) -> Vec<TokenUse> {
        let mut flush = log.flush();
        let mut all = Vec::new();
        while let Some(batch) = flush.next_batch() {
            all.extend_from_slice(batch);
            flush.batch_written();
        }
        all
    }

    #[test]
    fn latest_use_of_the_latest_revision_is_kept() {
        let log = UseLog::default();
        let old = first_use(&Owner::new("alice").unwrap());
        let new = TokenUse { revision: Revision::new(2), ..old };
        log.record(old);
        log.record(new);
        // This check loaded the record before it changed.
        log.record(TokenUse { at: at_minute(2), ..old });
        assert_eq!(all(&log), [new]);
    }

    #[test]
    fn uses_beyond_the_capacity_are_dropped_and_counted() {
        let log = UseLog::default();
        let owner = Owner::new("alice").unwrap();
        let first = first_use(&owner);
        log.record(first);
        for _ in 1..CAPACITY {
            log.record(first_use(&owner));
        }
        log.record(first_use(&owner));
        assert_eq!(log.dropped(), 1);
        log.record(TokenUse { at: at_minute(2), ..first });
        assert_eq!(log.dropped(), 1, "a token that is already waiting must keep its place");
        let flush = log.flush();
        log.record(first_use(&owner));
        drop(flush);
        assert_eq!(log.dropped(), 2, "the use that was recorded meanwhile must take a place");
        assert_eq!(all(&log).len(), CAPACITY);
    }
}
