use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;

use super::compiled_scopes::CompiledScopes;
use super::interner::Interner;
use crate::digest::{Digest, SecretMatch};
use crate::event::RejectReason;
use crate::owner::Owner;
use crate::record::{Revision, TokenRecord, minute};
use crate::scope::ScopeSet;
use crate::store::{PreviousSecret, Secrets, StoredToken, TokenUse};
use crate::token::TokenId;

/// A token as checks need it: loaded once, judged by many requests. What a cache keeps, in an
/// `Arc`.
///
/// It has no more than a check asks for, since a cache holds very many of them: no name, no
/// description.
pub struct CachedToken {
    id: TokenId,
    owner: Owner,
    scopes: Arc<CompiledScopes>,
    current: Digest,
    previous: Option<Box<PreviousSecret>>,
    /// In milliseconds since 1970, as all times here. `NEVER` is one that no token reaches.
    ends_at: i64,
    created_at: i64,
    regenerated_at: i64,
    revision: Revision,
    revoked: bool,
    /// The minute of the last use that was noted here, since 1970.
    used_minute: AtomicU32,
    note: CacheMeta,
}

/// What a cache keeps with a token, and nobody else reads. In the token's own memory, since a hit
/// looks at both.
pub type CacheMeta = [u64; 4];

const NEVER: i64 = i64::MAX;

impl CachedToken {
    /// Prepares what a store read.
    #[must_use]
    pub fn new(stored: StoredToken) -> Self {
        let apart = |scopes| Arc::new(CompiledScopes::new(scopes));
        Self::build(stored, |owner| owner, apart, CacheMeta::default())
    }

    /// The same for a cache. What is equal is shared with the pool's other tokens: much less memory
    /// where owners have several tokens, or tokens the same scopes.
    #[must_use]
    pub fn for_cache(stored: StoredToken, pool: &Interner, note: CacheMeta) -> Self {
        Self::build(stored, |owner| pool.owner(owner), |scopes| pool.scopes(scopes), note)
    }

    /// What stands in a token's place where the host vouches for the owner.
    pub(super) fn external(owner: Owner, scopes: ScopeSet) -> Self {
        let mut record = TokenRecord::new(TokenId::NIL, owner, "", Timestamp::UNIX_EPOCH);
        record.scopes = scopes;
        // Not the digest of any secret: no text has a nil id, so it is never compared.
        let current = Digest::unmatchable();
        Self::new(StoredToken { record, secrets: Secrets { current, previous: None } })
    }

    fn build(
        stored: StoredToken,
        owner: impl FnOnce(Owner) -> Owner,
        scopes: impl FnOnce(ScopeSet) -> Arc<CompiledScopes>,
        note: CacheMeta,
    ) -> Self {
        let StoredToken { record, secrets } = stored;
        let millis = |time: Option<Timestamp>| time.map_or(NEVER, Timestamp::as_millisecond);
        Self {
            id: record.id,
            owner: owner(record.owner),
            scopes: scopes(record.scopes),
            current: secrets.current,
            previous: secrets.previous.map(Box::new),
            ends_at: millis(record.expires_at),
            created_at: record.created_at.as_millisecond(),
            regenerated_at: millis(record.regenerated_at),
            revision: record.revision,
            revoked: record.revoked_at.is_some(),
            used_minute: AtomicU32::new(record.last_used_at.map_or(0, minute)),
            note,
        }
    }

    /// What was given to [`for_cache`](Self::for_cache).
    #[must_use]
    pub fn cache_note(&self) -> &CacheMeta {
        &self.note
    }

    /// The token's public name.
    #[must_use]
    pub fn id(&self) -> TokenId {
        self.id
    }

    /// Whose it is.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// What it holds.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        self.scopes.scopes()
    }

    pub(super) fn compiled_scopes(&self) -> &CompiledScopes {
        &self.scopes
    }

    /// From when on it is refused; never if `None`.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        if self.ends_at == NEVER { None } else { Timestamp::from_millisecond(self.ends_at).ok() }
    }

    /// The digest of the secret.
    pub(super) fn current(&self) -> &Digest {
        &self.current
    }

    /// The secret before the current one, until its time is over.
    pub(super) fn grace_period(&self, now: Timestamp) -> Option<&PreviousSecret> {
        self.previous.as_deref().filter(|previous| now < previous.until)
    }

    /// The secret before the current one, over or not.
    pub(super) fn previous(&self) -> Option<&PreviousSecret> {
        self.previous.as_deref()
    }

    /// The current secret alone.
    pub(super) fn current_secret_only(&self) -> Secrets {
        Secrets { current: self.current.clone(), previous: None }
    }

    pub(super) fn is_regenerated_with(&self, other: &Self) -> bool {
        self.regenerated_at == other.regenerated_at
    }

    /// Returns why the token is rejected although its secret is right, if it is.
    pub(super) fn rejection(
        &self,
        secret: SecretMatch,
        now: Timestamp,
        not_before: Option<Timestamp>,
    ) -> Option<RejectReason> {
        let is_too_old =
            || not_before.is_some_and(|time| self.secret_issued_at(secret) < time.as_millisecond());
        if self.revoked || is_too_old() {
            Some(RejectReason::Revoked)
        } else if now.as_millisecond() >= self.ends_at {
            Some(RejectReason::Expired)
        } else {
            None
        }
    }

    /// Returns when a secret was issued. For a previous secret it is the earliest possible time: no
    /// store keeps when that was issued, only that it was not before the token itself.
    fn secret_issued_at(&self, secret: SecretMatch) -> i64 {
        match secret {
            SecretMatch::Current if self.regenerated_at != NEVER => self.regenerated_at,
            SecretMatch::Current | SecretMatch::Previous => self.created_at,
        }
    }

    /// Whether a use now would be the first in its minute. That is how fine `last_used_at` is.
    pub(super) fn use_is_due(&self, now: Timestamp) -> bool {
        self.used_minute.load(Ordering::Relaxed) < minute(now)
    }

    /// A use now, noted or not.
    pub(super) fn use_at(&self, now: Timestamp) -> TokenUse {
        TokenUse { id: self.id, revision: self.revision, at: now }
    }

    /// Notes a use: answers it if it is the first in its minute.
    pub(super) fn note_use(&self, at: Timestamp) -> Option<TokenUse> {
        // Two requests at once may both be told: the log keeps one.
        if !self.use_is_due(at) {
            return None;
        }
        self.used_minute.store(minute(at), Ordering::Relaxed);
        Some(self.use_at(at))
    }
}

impl fmt::Debug for CachedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedToken")
            .field("id", &self.id)
            .field("owner", &self.owner)
            .field("scopes", self.scopes())
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
