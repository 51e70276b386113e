//! Grace periods that have ended on this node but not yet in the store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::Hallpass;
use crate::digest::Digest;
use crate::token::TokenId;

/// The grace periods that have ended on this node and whose end is not stored yet.
#[derive(Default)]
pub(super) struct SupersededSecrets(Mutex<HashMap<TokenId, Superseded>>);

/// The end of a grace period.
struct Superseded {
    /// The digest of the new secret, whose first use has ended the grace period.
    by: Digest,
    /// The time from which on another use may try to store the end.
    try_again_at: Timestamp,
}

impl Hallpass {
    /// Notes that the new secret was used, which ends the grace period. Returns `true` if the
    /// caller has to store the end, and `false` if another use has tried to within the last second.
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

    /// Removes the note about a token, after the end of its grace period was stored.
    pub(crate) fn forget_superseded(&self, id: TokenId) {
        self.superseded().remove(&id);
    }

    /// Returns the digest of the new secret, if the grace period has ended on this node although
    /// the store may not show it yet.
    ///
    /// Call this before the token is loaded. The note is removed only after the end was stored. So
    /// if this returns `None`, a token that is loaded afterwards shows the end itself. In the
    /// reverse order, the end could be stored and the note removed between the two steps, and the
    /// previous secret would be accepted once more.
    pub(crate) fn superseded_by(&self, id: TokenId) -> Option<Digest> {
        self.superseded().get(&id).map(|noted| noted.by.clone())
    }

    fn superseded(&self) -> MutexGuard<'_, HashMap<TokenId, Superseded>> {
        self.0.superseded.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
