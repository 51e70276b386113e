//! The table in front: a few places for each hash, one line of a processor's cache each.

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

/// The memory that a place stands for: a place for every ninth token or so. The others compete in moka, which
/// knows better than a few places can which of them are worth keeping.
const BYTES_PER_PLACE: u64 = 4096;

#[derive(Debug)]
pub(super) struct Slots {
    sets: Box<[Set]>,
    hasher: RandomState,
}

/// Tags and places are not written in one step, nor in any order that counts: a tag is a hint. Who follows it
/// finds the token in the place, or another one or none, and that is a miss.
#[derive(Debug)]
#[repr(align(64))]
struct Set {
    /// A part of each token's hash, so that only the right place is looked into.
    tags: [AtomicU32; WAYS],
    places: [ArcSwapOption<CachedToken>; WAYS],
    /// A bit for each place whose token was asked for since the bit was last cleared.
    used: AtomicU8,
    /// Whose turn it is to make room.
    hand: AtomicU8,
}

/// What is in the slots of a token.
pub(super) enum Look {
    Nothing,
    /// It is here, and says that it is not usable.
    Unusable,
    /// It is here, and asked for the first time since it had to prove its worth.
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

    /// Whether the token is here. Looking does not count as asking for it.
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

    /// Answers whether it was not marked yet. Mostly it is, and then nothing is written.
    fn mark_used(&self, way: usize) -> bool {
        let bit = 1 << way;
        self.used.load(Ordering::Relaxed) & bit == 0
            && self.used.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// The token's own place, else a free one, else that of a token which nobody asked for since the hand
    /// passed it last.
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
            // All were in use, and have been warned.
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
    fn a_set_is_one_line_of_the_processors_cache() {
        assert_eq!(size_of::<Set>(), 64);
    }
}
