//! Digests made under a retired pepper, or none, that shall be made anew: no flag day when keys rotate.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::digest::Digest;
use crate::store::Secrets;
use crate::token::TokenId;

/// The most tokens that wait; the others wait for their next use.
const CAPACITY: usize = 4_096;

/// The tokens whose secret was proven by an outdated digest, with the digests to replace it.
#[derive(Debug, Default)]
pub(crate) struct RekeyLog(Mutex<HashMap<TokenId, Rekey>>);

/// One digest to replace.
#[derive(Debug)]
pub(crate) struct Rekey {
    /// The outdated digest: if the token has another by now, nothing is done.
    pub(crate) outdated: Digest,
    /// What the token shall have.
    pub(crate) secrets: Secrets,
}

impl RekeyLog {
    /// Notes a token once; `rekey` hashes, so it is called only if the token does not wait yet.
    pub(crate) fn record(&self, id: TokenId, rekey: impl FnOnce() -> Rekey) {
        let mut waiting = self.lock();
        if waiting.len() < CAPACITY {
            waiting.entry(id).or_insert_with(rekey);
        }
    }

    pub(crate) fn take(&self) -> Vec<(TokenId, Rekey)> {
        std::mem::take(&mut *self.lock()).into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenId, Rekey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
