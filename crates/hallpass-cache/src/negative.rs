//! The negative cache: ids of tokens that do not exist.
//!
//! It is a separate table of fixed size, so that a flood of random ids does not evict cached
//! tokens.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass_core::TokenId;

use crate::dual_instant::DualInstant;
use crate::entry::Reading;
use crate::freshness::FreshnessCheck;
use crate::invalidation::Invalidation;

/// The time after which the store is queried again about an unknown id.
const MAX_AGE: Duration = Duration::from_secs(2);

/// The number of slots under one lock.
const SLOTS_PER_SHARD: usize = 64;

/// An absence: the fact that a token does not exist.
#[derive(Clone, Copy, Debug)]
struct Absence {
    id: TokenId,
    reading: Reading,
}

/// The table of absences. Each id has one slot, and a newer id replaces an older one there.
#[derive(Debug)]
pub(crate) struct Negative {
    shards: Box<[Mutex<[Option<Absence>; SLOTS_PER_SHARD]>]>,
    hasher: RandomState,
}

impl Negative {
    pub(crate) fn new(capacity: usize) -> Self {
        let shards = capacity.div_ceil(SLOTS_PER_SHARD).max(1);
        Self {
            shards: (0..shards).map(|_| Mutex::new([None; SLOTS_PER_SHARD])).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Returns the reading of a fresh entry which shows that the token does not exist.
    pub(crate) fn get(
        &self,
        id: TokenId,
        invalidation: &Invalidation,
        check: FreshnessCheck<'_>,
    ) -> Option<Reading> {
        let (mut shard, slot) = self.lock_slot(id);
        let Absence { reading, .. } = shard[slot].filter(|absence| absence.id == id)?;
        if reading.started.age(DualInstant::coarse_now()) > MAX_AGE {
            shard[slot] = None;
            return None;
        }
        check.allows_absence(invalidation.token_stripe(id), reading).then_some(reading)
    }

    /// Records that a token does not exist.
    pub(crate) fn put(&self, id: TokenId, reading: Reading) {
        let (mut shard, slot) = self.lock_slot(id);
        shard[slot] = Some(Absence { id, reading });
    }

    /// Locks the shard of an id, and returns it with the index of the id's slot.
    fn lock_slot(
        &self,
        id: TokenId,
    ) -> (MutexGuard<'_, [Option<Absence>; SLOTS_PER_SHARD]>, usize) {
        let hash = self.hasher.hash_one(id) as usize;
        let shard = &self.shards[hash / SLOTS_PER_SHARD % self.shards.len()];
        // A slot is written in one step, so a panic cannot leave it half written.
        (shard.lock().unwrap_or_else(PoisonError::into_inner), hash % SLOTS_PER_SHARD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_takes_at_most_64_bytes() {
        assert!(size_of::<Option<Absence>>() <= 64, "{}", size_of::<Option<Absence>>());
    }
}
