//! The table of slots, as far as it can be tried: the tags and hints are the shipped ones, a place
//! is a model of arc-swap's.

#[path = "../../../crates/hallpass-cache/src/positive/slots.rs"]
#[expect(dead_code, reason = "models use a part of it")]
mod slots;

use foldhash::quality::RandomState;
use hallpass_core::__private::CachedToken;
use hallpass_core::TokenId;

use self::slots::{Look, Slots};
use crate::entry::Entry;

/// One set of slots.
pub(crate) struct Places(Slots);

impl Places {
    pub(crate) fn new() -> Self {
        Self(Slots::new(0, RandomState::default()))
    }

    pub(crate) fn put(&self, entry: &Entry) {
        self.0.put(entry);
    }

    /// The token that is found, if that says it is usable.
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
