//! Grace periods that have ended on this node but not yet in the store.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::Hallpass;
use crate::digest::Digest;
use crate::token::TokenId;

/// The grace periods that have ended on this node and whose end is not stored yet. A token has
/// several if it was regenerated again before the end of the last one was stored.
#[derive(Default)]
pub(super) struct SupersededSecrets(Mutex<HashMap<TokenId, Vec<Superseded>>>);

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
        let try_again_at = now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(now);
        let mut superseded = self.superseded();
        let notes = superseded.entry(id).or_default();
        match notes.iter_mut().find(|note| note.by.ct_eq(by)) {
            Some(note) if now < note.try_again_at => return false,
            Some(note) => note.try_again_at = try_again_at,
            None => notes.push(Superseded { by: by.clone(), try_again_at }),
        }
        true
    }

    /// Removes the note about a token and its new secret, after the end of the grace period was
    /// stored.
    pub(crate) fn forget_superseded(&self, id: TokenId, by: &Digest) {
        let mut superseded = self.superseded();
        if let Entry::Occupied(mut notes) = superseded.entry(id) {
            notes.get_mut().retain(|note| !note.by.ct_eq(by));
            if notes.get().is_empty() {
                notes.remove();
            }
        }
    }

    /// Returns the digests of the new secrets whose first use has ended a grace period on this
    /// node, although the store may not show it yet.
    ///
    /// Call this before the token is loaded. A note is removed only after the end was stored. So if
    /// this returns no digest, a token that is loaded afterwards shows the end itself. In the
    /// reverse order, the end could be stored and the note removed between the two steps, and the
    /// previous secret would be accepted once more.
    pub(crate) fn superseded_by(&self, id: TokenId) -> Vec<Digest> {
        let superseded = self.superseded();
        let notes = superseded.get(&id).into_iter().flatten();
        notes.map(|note| note.by.clone()).collect()
    }

    fn superseded(&self) -> MutexGuard<'_, HashMap<TokenId, Vec<Superseded>>> {
        self.0.superseded.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
