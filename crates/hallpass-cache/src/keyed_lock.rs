use std::hash::{BuildHasher as _, RandomState};

use hallpass_core::TokenId;
use tokio::sync::Mutex;

/// How many tokens can be read past the cache at the same time.
const LOCKS: usize = 32;

/// Locks by token id, so that only one check at a time reads a token past the cache.
///
/// Anybody who knows a token's public id can cause such a read by sending a wrong secret. Two ids
/// may share a lock, which costs time and nothing else.
#[derive(Debug)]
pub(crate) struct KeyedLock {
    locks: Box<[Mutex<()>]>,
    hasher: RandomState,
}

impl KeyedLock {
    pub(crate) fn new() -> Self {
        Self { locks: (0..LOCKS).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }

    pub(crate) fn of(&self, id: TokenId) -> &Mutex<()> {
        &self.locks[self.hasher.hash_one(id) as usize % LOCKS]
    }
}
