//! The front tier: a set-associative table. Each set has four places and fits into one cache line.
//!
//! A hit reads the set's cache line and the token's own memory. It writes nothing that other
//! threads read, except the first time. Eviction is the clock algorithm: a bit for each place
//! records a use, and the hand evicts the first place whose bit is not set, clearing the bits of
//! the places that it passes.
//!
//! **Invariant.** A lookup returns the requested token or nothing, and never another token. The tag
//! and the place of a token are not written in one step, so a tag is only a hint. The id inside the
//! token decides. Any other interleaving of threads only causes a miss, or an eviction of a token
//! that was not the best choice.

use std::array::from_fn;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::quality::RandomState;
use hallpass_core::__private::CachedToken;
use hallpass_core::TokenId;

use crate::entry::Entry;
use crate::sizes::{MIN_SETS, WAYS};
use crate::sync::{ArcSwapOption, AtomicU8, AtomicU32, Guard, Ordering};

/// The maximum number of sets.
const MAX_SETS: u64 = 16_384;

/// The capacity in bytes for which there is one place. That is about one place for every fifth
/// token. The other tokens are in moka, whose eviction policy is better. With fewer places, more
/// sets would have more than four frequently used tokens, and these would be looked up in moka.
const BYTES_PER_PLACE: u64 = 2048;

/// The table.
#[derive(Debug)]
pub(super) struct Slots {
    sets: Box<[Set]>,
    hasher: RandomState,
}

/// A set of places, in one cache line. Its fields are written independently: see the module.
#[derive(Debug)]
#[repr(align(64))]
struct Set {
    /// A part of the hash of each token, or 0 for an empty place. A lookup reads only the places
    /// whose tag matches.
    tags: [AtomicU32; WAYS],
    places: [ArcSwapOption<CachedToken>; WAYS],
    /// One bit for each place, set if its token was used since the hand last passed it.
    used: AtomicU8,
    /// The place that the hand looks at next.
    hand: AtomicU8,
}

/// The result of a lookup.
pub(super) enum Look {
    /// The token is not in the table.
    Nothing,
    /// The token is in the table, but may not be used.
    Unusable,
    /// The token is in the table, and this is its first use since the hand last passed it.
    First(Entry),
    /// The token is in the table, and its use was recorded before.
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
        let sets = sets.clamp(MIN_SETS, MAX_SETS).next_power_of_two();
        Self { sets: (0..sets).map(|_| Set::default()).collect(), hasher }
    }

    /// Looks a token up.
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

    /// Returns whether the token is in the table. This does not count as a use.
    pub(super) fn contains(&self, id: TokenId) -> bool {
        let (set, tag) = self.set(id);
        set.find(tag, id).is_some()
    }

    /// Puts a token into the table. It replaces an older record of the same token.
    pub(super) fn put(&self, entry: &Entry) {
        let (set, tag) = self.set(entry.id());
        let way = set.way_for(tag);
        set.places[way].store(Some(entry.clone().into_token()));
        set.tags[way].store(tag, Ordering::Relaxed);
    }

    /// Returns the set and the tag of a token.
    fn set(&self, id: TokenId) -> (&Set, u32) {
        let hash = self.hasher.hash_one(id.as_uuid().as_u128());
        // The number of sets is a power of two. The lowest bit is set, because 0 is the tag of an
        // empty place.
        (&self.sets[hash as usize & (self.sets.len() - 1)], (hash >> 32) as u32 | 1)
    }
}

impl Set {
    /// Finds the place of a token.
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

    /// Records a use. Returns `true` if this call has set the bit. In most calls it is set already,
    /// and nothing is written, so that threads do not contend for the cache line.
    fn mark_used(&self, way: usize) -> bool {
        let bit = 1 << way;
        self.used.load(Ordering::Relaxed) & bit == 0
            && self.used.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// Chooses the place for a token: its own place, or else a free one, or else the place of a
    /// token that was not used since the hand last passed it.
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
            // All four tokens were used. Their bits are cleared now, so any place will do.
            self.advance()
        })
    }

    /// Moves the hand, and returns the place that it has left.
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
