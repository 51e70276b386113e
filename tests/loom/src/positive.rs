//! The table of cached tokens. The tags and hints are the shipped code. The slot that holds a token
//! is a model of `ArcSwapOption`.

#[path = "../../../crates/hallpass-cache/src/positive/slots.rs"]
#[expect(dead_code, reason = "models use a part of it")]
mod slots;

use foldhash::quality::RandomState;
use hallpass_core::__private::CachedToken;
use hallpass_core::TokenId;

use self::slots::{Look, Slots};
use crate::entry::Entry;

/// A table that consists of one set of slots.
pub(crate) struct SlotTable(Slots);

impl SlotTable {
    pub(crate) fn new() -> Self {
        Self(Slots::new(0, RandomState::default()))
    }

    pub(crate) fn put(&self, entry: &Entry) {
        self.0.put(entry);
    }

    /// Returns the entry of a token, if it is found and `is_usable` returns `true`.
    pub(crate) fn get(
        &self,
        id: TokenId,
        is_usable: impl Fn(&CachedToken) -> bool,
    ) -> Option<Entry> {
        match self.0.get(id, is_usable) {
            Look::First(entry) | Look::Again(entry) => Some(entry),
            Look::Nothing | Look::Unusable => None,
        }
    }
}
