//! The table in front: a set of four places for each hash, one cache line per set.
//!
//! A hit reads the set's line, the token's own memory, and nothing that is shared and written.
//! Eviction is the clock algorithm: a bit per place records a use, and the hand takes the first
//! place whose bit is not set, clearing bits as it passes.
//!
//! **Invariant.** A look-up returns the token asked for or none, never another one. Tags and places
//! are not written in one step and in no particular order, so a tag is only a hint: the id in the
//! place decides. Everything else that may go wrong between threads is a miss or an eviction that
//! was not the best one.

use std::array::from_fn;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::quality::RandomState;
use hallpass_core::__private::CachedToken;
use hallpass_core::TokenId;

use crate::entry::Entry;
use crate::sizes::{FEWEST_SETS, WAYS};
use crate::sync::{ArcSwapOption, AtomicU8, AtomicU32, Guard, Ordering};

const MOST_SETS: u64 = 16_384;

/// The memory per place: about one place for every ninth token. The others compete in moka, which
/// knows better which of them are worth keeping.
const BYTES_PER_PLACE: u64 = 4096;

#[derive(Debug)]
pub(super) struct Slots {
    sets: Box<[Set]>,
    hasher: RandomState,
}

/// One cache line. Its fields are written independently, see the module.
#[derive(Debug)]
#[repr(align(64))]
struct Set {
    /// A part of each token's hash, so that mostly only the right place is read. 0 if empty.
    tags: [AtomicU32; WAYS],
    places: [ArcSwapOption<CachedToken>; WAYS],
    /// A bit for each place whose token was used since the hand last passed it.
    used: AtomicU8,
    /// The place that the hand looks at next.
    hand: AtomicU8,
}

/// The result of a look-up.
pub(super) enum Look {
    Nothing,
    /// The token is here and not usable.
    Unusable,
    /// The token is here, and this is its first use since the hand last passed it.
    First(Entry),
    Again(Entry),
}

impl Default for Set {
    fn default() -> Self {
        Self {
            tags: from_fn(|_| AtomicU32::new(0)),
            places: from_fn(|_| ArcSwapOption::empty()),
            used: AtomicU8::new(0),
            hand: AtomicU8::new(0),
        }
    }
}

impl Slots {
    pub(super) fn new(capacity_bytes: u64, hasher: RandomState) -> Self {
        let sets = capacity_bytes / BYTES_PER_PLACE / WAYS as u64;
        let sets = sets.clamp(FEWEST_SETS, MOST_SETS).next_power_of_two();
        Self { sets: (0..sets).map(|_| Set::default()).collect(), hasher }
    }

    pub(super) fn get(&self, id: TokenId, is_usable: impl Fn(&CachedToken) -> bool) -> Look {
        let (set, tag) = self.set(id);
        let Some((way, guard)) = set.find(tag, id) else { return Look::Nothing };
        if !guard.as_ref().is_some_and(|token| is_usable(token)) {
            return Look::Unusable;
        }
        match Guard::into_inner(guard).map(Entry::from_token) {
            Some(entry) if set.mark_used(way) => Look::First(entry),
            Some(entry) => Look::Again(entry),
            None => Look::Nothing,
        }
    }

    /// Returns whether the token is here, without counting it as a use.
    pub(super) fn holds(&self, id: TokenId) -> bool {
        let (set, tag) = self.set(id);
        set.find(tag, id).is_some()
    }

    pub(super) fn put(&self, entry: &Entry) {
        let (set, tag) = self.set(entry.id());
        let way = set.way_for(tag);
        set.places[way].store(Some(entry.clone().into_token()));
        set.tags[way].store(tag, Ordering::Relaxed);
    }

    fn set(&self, id: TokenId) -> (&Set, u32) {
        let hash = self.hasher.hash_one(id.as_uuid().as_u128());
        // The number of sets is a power of two. Zero is the tag of an empty place.
        (&self.sets[hash as usize & (self.sets.len() - 1)], (hash >> 32) as u32 | 1)
    }
}

impl Set {
    fn find(&self, tag: u32, id: TokenId) -> Option<(usize, Guard<Option<Arc<CachedToken>>>)> {
        for (way, known) in self.tags.iter().enumerate() {
            if known.load(Ordering::Relaxed) == tag {
                let guard = self.places[way].load();
                if guard.as_ref().is_some_and(|token| token.id() == id) {
                    return Some((way, guard));
                }
            }
        }
        None
    }

    /// Returns `true` if this call set the mark. Mostly it is set already, and nothing is written.
    fn mark_used(&self, way: usize) -> bool {
        let bit = 1 << way;
        self.used.load(Ordering::Relaxed) & bit == 0
            && self.used.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// Returns the token's own place, or a free one, or that of a token that was not used since the
    /// hand last passed it.
    fn way_for(&self, tag: u32) -> usize {
        let tagged =
            |wanted| self.tags.iter().position(|known| known.load(Ordering::Relaxed) == wanted);
        tagged(tag).or_else(|| tagged(0)).unwrap_or_else(|| {
            for _ in 0..WAYS {
                let way = self.advance();
                let bit = 1 << way;
                if self.used.fetch_and(!bit, Ordering::Relaxed) & bit == 0 {
                    return way;
                }
            }
            // All were in use. Their bits are cleared now.
            self.advance()
        })
    }

    fn advance(&self) -> usize {
        usize::from(self.hand.fetch_add(1, Ordering::Relaxed)) % WAYS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_is_one_cache_line() {
        assert_eq!(size_of::<Set>(), 64);
    }
}
