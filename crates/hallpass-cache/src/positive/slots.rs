//! The table in front: a few places for each hash, one line of a processor's cache each.

use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use arc_swap::{ArcSwapOption, Guard};
use foldhash::quality::RandomState;
use hallpass_core::{LoadedToken, TokenId};

use crate::entry::Entry;

/// How many tokens whose ids fall on the same set have a place at once.
const WAYS: usize = 4;

const MOST_SETS: u64 = 16_384;

/// The memory that a place stands for: fewer places than tokens fit, for most tokens.
const BYTES_PER_PLACE: u64 = 1024;

#[derive(Debug)]
pub(super) struct Slots {
    sets: Box<[Set]>,
    hasher: RandomState,
}

/// Tags and places are written one after the other, and read so. Whoever reads between finds another token or none in the
/// place, and that is a miss.
#[derive(Debug)]
#[repr(align(64))]
struct Set {
    /// A part of each token's hash, so that only the right place is looked into.
    tags: [AtomicU32; WAYS],
    places: [ArcSwapOption<LoadedToken>; WAYS],
    /// Whose turn it is to make room.
    next: AtomicU8,
}

impl Default for Set {
    fn default() -> Self {
        Self {
            tags: [const { AtomicU32::new(0) }; WAYS],
            places: [(); WAYS].map(|()| ArcSwapOption::empty()),
            next: AtomicU8::new(0),
        }
    }
}

impl Slots {
    pub(super) fn new(capacity_bytes: u64, hasher: RandomState) -> Self {
        let sets = capacity_bytes / BYTES_PER_PLACE / WAYS as u64;
        let sets = sets.clamp(4, MOST_SETS).next_power_of_two();
        Self { sets: (0..sets).map(|_| Set::default()).collect(), hasher }
    }

    /// `None` if the token is not here, `Some(None)` if it is and that says it is not usable.
    pub(super) fn get(
        &self,
        id: TokenId,
        is_usable: impl Fn(&LoadedToken) -> bool,
    ) -> Option<Option<Entry>> {
        let (set, tag) = self.set(id);
        let guard = set.find(tag, id)?;
        let usable = guard.as_ref().is_some_and(|token| is_usable(token));
        if !usable {
            return Some(None);
        }
        Some(Guard::into_inner(guard).map(Entry::from_token))
    }

    pub(super) fn put(&self, entry: &Entry) {
        let (set, tag) = self.set(entry.id());
        let way = set.way_for(tag);
        set.places[way].store(Some(entry.clone().into_token()));
        set.tags[way].store(tag, Ordering::Release);
    }

    fn set(&self, id: TokenId) -> (&Set, u32) {
        let hash = self.hasher.hash_one(id.as_uuid().as_u128());
        // The number of sets is a power of two. Zero is the tag of an empty place.
        (&self.sets[hash as usize & (self.sets.len() - 1)], (hash >> 32) as u32 | 1)
    }
}

impl Set {
    fn find(&self, tag: u32, id: TokenId) -> Option<Guard<Option<Arc<LoadedToken>>>> {
        for (known, place) in self.tags.iter().zip(&self.places) {
            if known.load(Ordering::Acquire) == tag {
                let guard = place.load();
                if guard.as_ref().is_some_and(|token| token.id() == id) {
                    return Some(guard);
                }
            }
        }
        None
    }

    /// The token's own place, else a free one, else the one whose turn it is.
    fn way_for(&self, tag: u32) -> usize {
        let tagged =
            |wanted| self.tags.iter().position(|known| known.load(Ordering::Relaxed) == wanted);
        tagged(tag)
            .or_else(|| tagged(0))
            .unwrap_or_else(|| usize::from(self.next.fetch_add(1, Ordering::Relaxed)) % WAYS)
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
