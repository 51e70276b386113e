//! The queue of digests to replace, because they use a retired pepper or an older algorithm.
//!
//! A new digest can be computed only from the token itself, so a digest is replaced after its token
//! was used. This allows rotating keys without invalidating tokens.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::digest::Digest;
use crate::owner::Owner;
use crate::store::Secrets;
use crate::token::TokenId;

/// The maximum number of waiting tokens. Further tokens are queued at a later use.
const CAPACITY: usize = 4_096;

/// The tokens that were used with an outdated digest, together with their new digests.
#[derive(Debug, Default)]
pub(crate) struct DigestUpgrades(Mutex<HashMap<TokenId, DigestUpgrade>>);

/// A digest to replace.
#[derive(Debug)]
pub(crate) struct DigestUpgrade {
    /// The token's owner, for the audit trail.
    pub(crate) owner: Owner,
    /// The outdated digest. If the token has another digest by now, it is not replaced.
    pub(crate) outdated: Digest,
    /// The digests that replace it.
    pub(crate) secrets: Secrets,
}

impl DigestUpgrades {
    /// Queues a token. `upgrade` computes a hash, so it is called only if the token is not queued
    /// yet.
    pub(crate) fn record(&self, id: TokenId, upgrade: impl FnOnce() -> DigestUpgrade) {
        let mut waiting = self.lock();
        if waiting.len() < CAPACITY {
            waiting.entry(id).or_insert_with(upgrade);
        }
    }

    /// Removes and returns all queued tokens.
    pub(crate) fn take(&self) -> Vec<(TokenId, DigestUpgrade)> {
        std::mem::take(&mut *self.lock()).into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenId, DigestUpgrade>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
