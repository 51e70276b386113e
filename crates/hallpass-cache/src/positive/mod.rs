//! The cache of tokens, in two tiers. The front tier is a table of slots, which always admits a new
//! token. The second tier is moka, for tokens that are used less often.
//!
//! moka alone does not suffice. Its `get` queues a record of each read and takes 400 to 800 ns,
//! while the table takes 30 to 50 ns. Also, if moka is full of frequently used tokens, it admits no
//! new ones. A revocation does not have to remove a token from either tier, because freshness is
//! checked at each use.

mod slots;

use foldhash::quality::RandomState;
use hallpass_core::__private::CachedToken;
use hallpass_core::TokenId;
use moka::sync::Cache;

use self::slots::{Look, Slots};
use crate::entry::Entry;

/// The two tiers.
#[derive(Debug)]
pub(crate) struct Positive {
    slots: Slots,
    warm: Cache<TokenId, Entry, RandomState>,
}

impl Positive {
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        // The hasher has a random seed, because attackers choose the ids of forged tokens.
        let hasher = RandomState::default();
        Self {
            slots: Slots::new(capacity_bytes, hasher.clone()),
            warm: Cache::builder()
                .max_capacity(capacity_bytes)
                .weigher(|_, entry: &Entry| entry.weight())
                .build_with_hasher(hasher),
        }
    }

    /// Returns the token's entry if `is_usable` allows it.
    pub(crate) fn get(
        &self,
        id: TokenId,
        is_usable: impl Fn(&CachedToken) -> bool,
    ) -> Option<Entry> {
        match self.slots.get(id, &is_usable) {
            Look::Again(entry) => Some(entry),
            Look::First(entry) => {
                // This records the use in moka. Otherwise moka would evict the most frequently used
                // tokens, because their lookups end in the table.
                let _ = self.warm.get(&id);
                Some(entry)
            }
            Look::Unusable => None,
            // `get` would count the ids of forged tokens as popular, so `contains_key` comes first.
            Look::Nothing if !self.warm.contains_key(&id) => None,
            Look::Nothing => {
                let token = self.warm.get(&id)?.into_token();
                let usable = is_usable(&token);
                let entry = Entry::from_token(token);
                self.slots.put(&entry);
                usable.then_some(entry)
            }
        }
    }

    /// Returns whether the token is cached, usable or not.
    pub(crate) fn contains(&self, id: TokenId) -> bool {
        self.slots.contains(id) || self.warm.contains_key(&id)
    }

    /// Caches an entry in both tiers.
    pub(crate) fn put(&self, entry: &Entry) {
        self.slots.put(entry);
        self.warm.insert(entry.id(), entry.clone());
    }
}
