//! What exists, in two tiers: a table of slots in front, where a newcomer always gets in, and moka
//! behind it for what is merely warm.

mod slots;

use foldhash::quality::RandomState;
use hallpass_core::__private::CachedToken;
use hallpass_core::TokenId;
use moka::sync::Cache;

use self::slots::{Look, Slots};
use crate::entry::Entry;

#[derive(Debug)]
pub(crate) struct Positive {
    slots: Slots,
    warm: Cache<TokenId, Entry, RandomState>,
}

impl Positive {
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        // Keyed by chance: ids are text that strangers choose.
        let hasher = RandomState::default();
        Self {
            slots: Slots::new(capacity_bytes, hasher.clone()),
            warm: Cache::builder()
                .max_capacity(capacity_bytes)
                .weigher(|_, entry: &Entry| entry.weight())
                .build_with_hasher(hasher),
        }
    }

    /// The token's entry, if that says it is usable.
    pub(crate) fn get(
        &self,
        id: TokenId,
        is_usable: impl Fn(&CachedToken) -> bool,
    ) -> Option<Entry> {
        match self.slots.get(id, &is_usable) {
            Look::Again(entry) => Some(entry),
            Look::First(entry) => {
                // Or moka would never hear of those that are asked for most.
                let _ = self.warm.get(&id);
                Some(entry)
            }
            Look::Unusable => None,
            // Asked first, since `get` would count what strangers make up among what is popular.
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

    /// Whether the token was seen here before, usable or not.
    pub(crate) fn remembers(&self, id: TokenId) -> bool {
        self.slots.holds(id) || self.warm.contains_key(&id)
    }

    pub(crate) fn put(&self, entry: &Entry) {
        self.slots.put(entry);
        self.warm.insert(entry.id(), entry.clone());
    }
}
