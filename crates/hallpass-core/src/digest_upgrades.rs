//! Digests that are replaced when their token is used: those of a retired pepper or of an older
//! algorithm. So keys can be rotated without a flag day.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::digest::Digest;
use crate::owner::Owner;
use crate::store::Secrets;
use crate::token::TokenId;

/// How many tokens may wait. Others are noted at their next use.
const CAPACITY: usize = 4_096;

/// The tokens whose secret matched an outdated digest, with their new digests.
#[derive(Debug, Default)]
pub(crate) struct DigestUpgrades(Mutex<HashMap<TokenId, DigestUpgrade>>);

/// One digest to replace.
#[derive(Debug)]
pub(crate) struct DigestUpgrade {
    /// The token's owner, for the audit trail.
    pub(crate) owner: Owner,
    /// The outdated digest. If the token has another one by now, nothing is done.
    pub(crate) outdated: Digest,
    /// The secrets that the token gets.
    pub(crate) secrets: Secrets,
}

impl DigestUpgrades {
    /// Notes a token. `upgrade` computes a hash, so it is called only if the token is not noted
    /// yet.
    pub(crate) fn record(&self, id: TokenId, upgrade: impl FnOnce() -> DigestUpgrade) {
        let mut waiting = self.lock();
        if waiting.len() < CAPACITY {
            waiting.entry(id).or_insert_with(upgrade);
        }
    }

    pub(crate) fn take(&self) -> Vec<(TokenId, DigestUpgrade)> {
        std::mem::take(&mut *self.lock()).into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenId, DigestUpgrade>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
