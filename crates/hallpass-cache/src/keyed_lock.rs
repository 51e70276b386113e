//! Locks by token id.

use std::hash::{BuildHasher as _, RandomState};

use hallpass_core::TokenId;
use tokio::sync::Mutex;

/// The maximum number of concurrent reads that bypass the cache.
const LOCKS: usize = 32;

/// A set of locks by token id, so that only one check at a time bypasses the cache for the same
/// token.
///
/// A client with a token's public id can cause such a read by sending a wrong secret. The locks
/// limit how many of them run at once. Two ids may share a lock, which only costs time.
#[derive(Debug)]
pub(crate) struct KeyedLock {
    locks: Box<[Mutex<()>]>,
    hasher: RandomState,
}

impl KeyedLock {
    pub(crate) fn new() -> Self {
        Self { locks: (0..LOCKS).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }

    /// Returns the lock of a token.
    pub(crate) fn of(&self, id: TokenId) -> &Mutex<()> {
        &self.locks[self.hasher.hash_one(id) as usize % LOCKS]
    }
}
