//! What exists, in two tiers: a table of slots in front, where a newcomer always gets in, and moka
//! behind it for what is merely warm.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use hallpass_core::TokenId;
use moka::sync::Cache;

use crate::entry::Entry;

const MOST_SLOTS: u64 = 8192;

/// The memory that a slot stands for: fewer slots than fit pin less than the capacity, for most tokens.
const BYTES_PER_SLOT: u64 = 2048;

#[derive(Debug)]
pub(crate) struct Positive {
    slots: Box<[ArcSwapOption<Entry>]>,
    warm: Cache<TokenId, Arc<Entry>, RandomState>,
    hasher: RandomState,
}

impl Positive {
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        let hasher = RandomState::new();
        Self {
            slots: (0..(capacity_bytes / BYTES_PER_SLOT).clamp(16, MOST_SLOTS))
                .map(|_| ArcSwapOption::empty())
                .collect(),
            warm: Cache::builder()
                .max_capacity(capacity_bytes)
                .weigher(|_, entry: &Arc<Entry>| entry.weight())
                .build_with_hasher(hasher.clone()),
            hasher,
        }
    }

    /// The entry of that token, whether it may be used or not.
    pub(crate) fn get(&self, id: TokenId) -> Option<Arc<Entry>> {
        let slot = self.slot(id);
        if let Some(entry) = &*slot.load()
            && entry.token.record().id == id
        {
            return Some(Arc::clone(entry));
        }
        let entry = self.warm.get(&id)?;
        slot.store(Some(Arc::clone(&entry)));
        Some(entry)
    }

    pub(crate) fn put(&self, entry: &Arc<Entry>) {
        let id = entry.token.record().id;
        self.slot(id).store(Some(Arc::clone(entry)));
        self.warm.insert(id, Arc::clone(entry));
    }

    fn slot(&self, id: TokenId) -> &ArcSwapOption<Entry> {
        &self.slots[self.hasher.hash_one(id) as usize % self.slots.len()]
    }
}
