//! The values that a store reads and writes.

use jiff::Timestamp;

use crate::digest::Digest;
use crate::owner::Owner;
use crate::record::{Revision, TokenRecord};
use crate::token::TokenId;

/// A token as a store keeps it: its record and the digests of its secrets.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The record.
    pub record: TokenRecord,
    /// The digests of the token's secrets.
    pub secrets: Secrets,
}

/// The digests of a token's secrets: the current one and, during a grace period, the previous one.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// The digest of the current secret.
    pub current: Digest,
    /// The digest of the previous secret, while both are accepted.
    pub previous: Option<PreviousSecret>,
}

/// The previous secret, which is accepted in addition to the current one during a grace period.
#[derive(Clone, Debug)]
pub struct PreviousSecret {
    /// The digest.
    pub digest: Digest,
    /// The time at which the secret stops working.
    pub until: Timestamp,
}

/// A change to a token. [`TokenStore::update`](super::TokenStore::update) applies it if the token
/// is still at the revision before.
#[derive(Clone, Debug)]
pub struct Change {
    /// The record after the change, with its revision increased by one. The store takes every field
    /// except `last_used_at`, which only [`record_uses`](super::TokenStore::record_uses) changes.
    pub record: TokenRecord,
    /// The secrets after the change. `None` leaves them as they are.
    pub secrets: Option<Secrets>,
    /// The kind of change.
    pub kind: ChangeKind,
}

impl Change {
    /// Returns the revision that the token must be at.
    #[must_use]
    pub fn expected(&self) -> Revision {
        Revision::new(self.record.revision.get() - 1)
    }
}

/// The kind of a change. A store may treat kinds differently: revoking must work even when memory
/// is short, and must not wait behind edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The name, description, scopes, expiry or metadata was changed.
    Updated,
    /// The token got a new secret.
    Regenerated,
    /// The token was revoked.
    Revoked,
}

/// A use of a token, for [`TokenStore::record_uses`](super::TokenStore::record_uses).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenUse {
    /// The token.
    pub id: TokenId,
    /// The revision of the token when it was used. If the token has changed since, the use is
    /// dropped.
    pub revision: Revision,
    /// The time of the use.
    pub at: Timestamp,
}

/// The result of a change to many tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkResult {
    /// The number of changed tokens.
    pub count: u64,
    /// The sequence number of the log entry, or `None` if nothing was changed.
    pub seq: Option<super::ChangeSeq>,
}

/// The result of [`TokenStore::delete_many`](super::TokenStore::delete_many).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The deleted tokens and their owners.
    pub tokens: Vec<(TokenId, Owner)>,
    /// The sequence number of the last log entry, or `None` if nothing was deleted.
    pub seq: Option<super::ChangeSeq>,
}
