//! Uses of tokens, kept in memory until they are flushed: no write on the request path.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use crate::record::TokenRecord;
use crate::store::Use;
use crate::token::TokenId;

/// The most tokens whose uses wait for a flush. Past it, uses of further tokens are dropped and counted.
const CAPACITY: usize = 65_536;

/// The latest use of each token since the last flush.
#[derive(Debug, Default)]
pub(crate) struct UseLog {
    waiting: Mutex<HashMap<TokenId, Use>>,
    dropped: AtomicU64,
}

impl UseLog {
    /// Notes a use, once a minute and token: that is how fine `last_used_at` is.
    pub(crate) fn record(&self, record: &TokenRecord, now: Timestamp) {
        let minute = |time: Timestamp| time.as_second().div_euclid(60);
        if record.last_used_at.is_some_and(|last| minute(last) >= minute(now)) {
            return;
        }
        let mut waiting = self.lock();
        let usage = Use { id: record.id, revision: record.revision, at: now };
        if let Some(known) = waiting.get_mut(&record.id) {
            if known.revision < usage.revision || minute(known.at) < minute(now) {
                *known = usage;
            }
        } else if waiting.len() < CAPACITY {
            waiting.insert(record.id, usage);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes what waits, in id order, so that two nodes that flush at once lock rows in one order.
    pub(crate) fn take(&self) -> Vec<Use> {
        let mut uses: Vec<_> = std::mem::take(&mut *self.lock()).into_values().collect();
        uses.sort_unstable_by_key(|usage| usage.id);
        uses
    }

    /// Puts back what could not be flushed, unless something newer waits.
    pub(crate) fn put_back(&self, uses: Vec<Use>) {
        let mut waiting = self.lock();
        for usage in uses {
            if waiting.len() >= CAPACITY {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            } else {
                waiting.entry(usage.id).or_insert(usage);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TokenId, Use>> {
        // Every update is one map operation: a panic elsewhere leaves nothing half done.
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
