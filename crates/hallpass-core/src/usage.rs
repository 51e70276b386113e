//! Uses of tokens, kept in memory until they are flushed: no write on the request path.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::metrics;
use crate::record::minute;
use crate::store::TokenUse;
use crate::token::TokenId;

/// The most tokens whose uses wait for a flush. Past it, uses of further tokens are dropped and
/// counted.
const CAPACITY: usize = 65_536;

/// The latest use of each token since the last flush.
#[derive(Debug, Default)]
pub(crate) struct UseLog {
    waiting: Mutex<HashMap<TokenId, TokenUse>>,
    /// Uses by requests that may be refused yet, by number: no more than there are requests.
    under_way: Mutex<HashMap<u64, TokenUse>>,
    next: AtomicU64,
    dropped: AtomicU64,
}

impl UseLog {
    /// Notes a use.
    pub(crate) fn record(&self, usage: TokenUse) {
        let mut waiting = self.lock();
        if let Some(known) = waiting.get_mut(&usage.id) {
            // A check that began at an earlier revision is no news.
            if (known.revision, minute(known.at)) < (usage.revision, minute(usage.at)) {
                *known = usage;
            }
        } else if waiting.len() < CAPACITY {
            waiting.insert(usage.id, usage);
        } else {
            self.count_dropped(1);
        }
    }

    /// Remembers a use by a request that may be refused yet. Answers its number.
    pub(crate) fn begin(&self, usage: TokenUse) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        locked(&self.under_way).insert(number, usage);
        number
    }

    /// Forgets a use of [`begin`](Self::begin). Answers whether it was still there: not if it has
    /// been counted.
    pub(crate) fn end(&self, number: u64) -> bool {
        locked(&self.under_way).remove(&number).is_some()
    }

    /// Counts the uses by requests that are under way: nobody will wait for what becomes of them.
    pub(crate) fn count_all_under_way(&self) {
        let under_way = std::mem::take(&mut *locked(&self.under_way));
        under_way.into_values().for_each(|usage| self.record(usage));
    }

    /// Takes what waits, in id order, so that two nodes that flush at once lock rows in one order.
    pub(crate) fn flush(&self) -> Flush<'_> {
        let mut uses: Vec<_> = std::mem::take(&mut *self.lock()).into_values().collect();
        uses.sort_unstable_by_key(|usage| usage.id);
        Flush { log: self, uses, written: 0 }
    }

    /// Takes the use of one token, if it waits.
    pub(crate) fn flush_one(&self, id: TokenId) -> Flush<'_> {
        let uses = self.lock().remove(&id).into_iter().collect();
        Flush { log: self, uses, written: 0 }
    }

    /// Puts back what was not written, unless something newer waits.
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

    /// Drops what waits. Answers how much that was.
    pub(crate) fn drop_all(&self) -> u64 {
        let dropped = std::mem::take(&mut *self.lock()).len() as u64;
        self.count_dropped(dropped);
        dropped
    }

    fn count_dropped(&self, uses: u64) {
        if uses > 0 {
            self.dropped.fetch_add(uses, Ordering::Relaxed);
            metrics::uses_dropped(uses);
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

/// Every update is one map operation: a panic elsewhere leaves nothing half done.
fn locked<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Uses on their way to the store. Those that are not written when it is dropped wait again: a
/// flush that fails, or whose caller goes away, loses nothing.
#[derive(Debug)]
pub(crate) struct Flush<'l> {
    log: &'l UseLog,
    uses: Vec<TokenUse>,
    written: usize,
}

impl Flush<'_> {
    /// How many uses go in one statement.
    const BATCH: usize = 5000;

    /// What to write next; `None` when all is written.
    pub(crate) fn next_batch(&self) -> Option<&[TokenUse]> {
        self.uses[self.written..].chunks(Self::BATCH).next()
    }

    /// The batch is in the store.
    pub(crate) fn batch_written(&mut self) {
        let written = self.next_batch().map_or(0, <[TokenUse]>::len);
        metrics::uses_flushed(written);
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

    /// The first use of another token of the owner.
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
    fn the_latest_use_of_the_latest_revision_waits() {
        let log = UseLog::default();
        let old = first_use(&Owner::new("alice").unwrap());
        let new = TokenUse { revision: Revision::new(2), ..old };
        log.record(old);
        log.record(new);
        // A check that had loaded the record before it changed.
        log.record(TokenUse { at: at_minute(2), ..old });
        assert_eq!(all(&log), [new]);
    }

    #[test]
    fn past_its_capacity_uses_of_further_tokens_are_dropped_and_counted() {
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
        assert_eq!(log.dropped(), 1, "a token that waits already has its place");
        let flush = log.flush();
        log.record(first_use(&owner));
        drop(flush);
        assert_eq!(log.dropped(), 2, "what came meanwhile took one of the places");
        assert_eq!(all(&log).len(), CAPACITY);
    }
}
