//! Random numbers. Runs are concurrent, so a fixed seed could not reproduce them.

use std::hash::{BuildHasher as _, RandomState};

/// A `SplitMix64` generator.
pub(super) struct Random(u64);

/// Returns a new random seed.
pub(super) fn seed() -> u64 {
    RandomState::new().hash_one(())
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % bound
    }
}
