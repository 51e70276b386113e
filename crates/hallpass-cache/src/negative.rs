//! What does not exist: apart from what does, in a table of fixed size, so that a flood of random
//! tokens evicts nothing good.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass_core::TokenId;

use crate::entry::Reading;
use crate::moment::Moment;
use crate::order::Judge;
use crate::stripes::Stripes;

/// The longest that the store is not asked again for an unknown token.
const LONGEST: Duration = Duration::from_secs(2);

/// Slots under one lock.
const SLOTS_PER_SHARD: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Absence {
    id: TokenId,
    reading: Reading,
}

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

    /// Whether it is known, and may be relied on, that there is no such token.
    pub(crate) fn holds(&self, id: TokenId, stripes: &Stripes, judge: Judge<'_>) -> bool {
        let (mut shard, slot) = self.place(id);
        let Some(absence) = shard[slot].filter(|absence| absence.id == id) else { return false };
        let reading = absence.reading;
        if reading.started.age(Moment::glance()) > LONGEST {
            shard[slot] = None;
            return false;
        }
        judge.allows_absence(stripes.token_stripe(id), reading)
    }

    pub(crate) fn put(&self, id: TokenId, reading: Reading) {
        let (mut shard, slot) = self.place(id);
        shard[slot] = Some(Absence { id, reading });
    }

    fn place(&self, id: TokenId) -> (MutexGuard<'_, [Option<Absence>; SLOTS_PER_SHARD]>, usize) {
        let hash = self.hasher.hash_one(id) as usize;
        let shard = &self.shards[hash / SLOTS_PER_SHARD % self.shards.len()];
        // A slot is written in one step: a panic elsewhere leaves none half done.
        (shard.lock().unwrap_or_else(PoisonError::into_inner), hash % SLOTS_PER_SHARD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_token_takes_at_most_64_bytes() {
        assert!(size_of::<Option<Absence>>() <= 64, "{}", size_of::<Option<Absence>>());
    }
}
