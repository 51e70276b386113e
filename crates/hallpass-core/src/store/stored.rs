use jiff::Timestamp;

use crate::digest::Digest;
use crate::owner::Owner;
use crate::record::{Revision, TokenRecord};
use crate::token::TokenId;

/// A token as a store keeps it: its record, and the digests that prove a secret.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// What lists and pages show.
    pub record: TokenRecord,
    /// What proves a secret.
    pub secrets: Secrets,
}

/// The digests of a token's secrets: the current one, and during an overlap the one before.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Proves the current secret.
    pub current: Digest,
    /// Proves the secret before, while both are accepted.
    pub previous: Option<PreviousSecret>,
}

/// The secret before the last regeneration, accepted for a while beside the new one.
#[derive(Clone, Debug)]
pub struct PreviousSecret {
    /// Proves it.
    pub digest: Digest,
    /// From when on it is refused.
    pub until: Timestamp,
}

/// A change to a token: [`TokenStore::change`](super::TokenStore::change) applies it if the token
/// is still at the revision before.
#[derive(Clone, Debug)]
pub struct Change {
    /// The record as it shall be, its revision one up. The store takes every field but
    /// `last_used_at`, which only moves by [`touch`](super::TokenStore::touch).
    pub record: TokenRecord,
    /// The secrets as they shall be; `None` leaves them untouched, whatever they are by now.
    pub secrets: Option<Secrets>,
    /// What sort of change it is.
    pub kind: ChangeKind,
}

impl Change {
    /// The revision that the token must be at.
    #[must_use]
    pub fn expected(&self) -> Revision {
        Revision::new(self.record.revision.get() - 1)
    }
}

/// What sort of change is made. A store may treat them apart: taking rights away must work even
/// when memory is tight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// Name, description, scopes or expiry.
    Updated,
    /// A new secret.
    Regenerated,
    /// Taken back.
    Revoked,
}

/// That a token was used: for [`touch`](super::TokenStore::touch).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenUse {
    /// The token.
    pub id: TokenId,
    /// The revision it was at. If it is at another by now, the use is dropped.
    pub revision: Revision,
    /// When.
    pub at: Timestamp,
}

/// What a change to many tokens did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkResult {
    /// How many tokens were changed.
    pub count: u64,
    /// The last number of the change log that it took; `None` if nothing was changed.
    pub seq: Option<super::ChangeSeq>,
}

/// What [`TokenStore::delete_many`](super::TokenStore::delete_many) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The tokens that are gone now, with their owners.
    pub tokens: Vec<(TokenId, Owner)>,
    /// The last number of the change log that it took; `None` if nothing was deleted.
    pub seq: Option<super::ChangeSeq>,
}
