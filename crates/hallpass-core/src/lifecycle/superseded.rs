use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::Hallpass;
use crate::digest::Digest;
use crate::token::TokenId;

/// Overlaps that this node has seen end and could not store yet.
#[derive(Default)]
pub(super) struct SupersededSecrets(Mutex<HashMap<TokenId, Superseded>>);

/// An overlap that is over, here.
struct Superseded {
    /// The digest of the secret whose use ended it.
    by: Digest,
    /// From when on another use shall try to store that.
    try_again_at: Timestamp,
}

impl Hallpass {
    /// Notes that the current secret was used. Answers whether that is for the caller to store: not if
    /// another use was told so within the last second.
    pub(crate) fn supersede(&self, id: TokenId, by: &Digest) -> bool {
        let now = self.now();
        let mut superseded = self.superseded();
        if superseded.get(&id).is_some_and(|noted| noted.by.ct_eq(by) && now < noted.try_again_at) {
            return false;
        }
        let try_again_at = now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(now);
        superseded.insert(id, Superseded { by: by.clone(), try_again_at });
        true
    }

    pub(crate) fn forget_superseded(&self, id: TokenId) {
        self.superseded().remove(&id);
    }

    /// The digest of the secret that this node has seen in use, if the one before it may still look alive in the store.
    /// To be asked before the token is loaded: once this is forgotten, what is loaded says so itself.
    pub(crate) fn superseded_by(&self, id: TokenId) -> Option<Digest> {
        self.superseded().get(&id).map(|noted| noted.by.clone())
    }

    fn superseded(&self) -> MutexGuard<'_, HashMap<TokenId, Superseded>> {
        self.0.superseded.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
