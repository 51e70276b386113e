//! Tokens as checks need them, and as a cache keeps them.

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

/// The part of a token that checks need. It is loaded once and used by many requests.
///
/// A cache may hold millions of these, so it contains no name, description or metadata. The fields
/// that every check reads come first and stay together, because a check of one of many tokens
/// mostly waits for cache lines.
#[repr(C)]
pub struct CachedToken {
    id: TokenId,
    meta: CacheMeta,
    current: Digest,
    /// The expiry, in milliseconds since 1970 like all times here. `NEVER` stands for no time.
    ends_at: i64,
    previous: Option<Box<Previous>>,
    scopes: Arc<CompiledScopes>,
    /// The minute of the last recorded use, since 1970.
    used_minute: AtomicU32,
    revoked: bool,
    regenerated: bool,
    // Most checks do not read the rest.
    owner: Owner,
    /// When the current secret was issued: when the token was regenerated, or else created.
    issued_at: i64,
    revision: Revision,
}

/// The previous secret of a token. Few tokens have one, so it is not part of the record.
struct Previous {
    secret: PreviousSecret,
    /// The creation of the token. No store keeps the time at which a previous secret was issued,
    /// and this is the earliest possible one.
    created_at: i64,
}

/// The cache's own data about a token. Only the cache reads it. It is stored inside the token,
/// because a cache hit reads both, and one cache line is faster than two.
pub type CacheMeta = [u64; 4];

const NEVER: i64 = i64::MAX;

impl CachedToken {
    /// Creates a token from a stored one, for a single check.
    #[must_use]
    pub fn new(stored: StoredToken) -> Self {
        let own_scopes = |scopes| Arc::new(CompiledScopes::new(scopes));
        Self::build(stored, own_scopes, CacheMeta::default())
    }

    /// Creates a token from a stored one, for a cache. It shares equal sets of scopes with other
    /// tokens of the interner, which saves much memory.
    #[must_use]
    pub fn for_cache(stored: StoredToken, interner: &Interner, meta: CacheMeta) -> Self {
        Self::build(stored, |scopes| interner.scopes(scopes), meta)
    }

    /// Creates the placeholder for a token if the host's sign-in authenticates the owner.
    pub(super) fn external(owner: Owner, scopes: ScopeSet) -> Self {
        let mut record = TokenRecord::new(TokenId::NIL, owner, "", Timestamp::UNIX_EPOCH);
        record.scopes = scopes;
        // This is not the digest of a secret. It is never compared, because the nil id is never
        // assigned.
        let current = Digest::unmatchable();
        Self::new(StoredToken { record, secrets: Secrets { current, previous: None } })
    }

    fn build(
        stored: StoredToken,
        scopes: impl FnOnce(ScopeSet) -> Arc<CompiledScopes>,
        meta: CacheMeta,
    ) -> Self {
        let StoredToken { record, secrets } = stored;
        let created_at = record.created_at.as_millisecond();
        Self {
            id: record.id,
            owner: record.owner,
            scopes: scopes(record.scopes),
            current: secrets.current,
            previous: secrets.previous.map(|secret| Box::new(Previous { secret, created_at })),
            ends_at: record.expires_at.map_or(NEVER, Timestamp::as_millisecond),
            issued_at: record.regenerated_at.map_or(created_at, Timestamp::as_millisecond),
            regenerated: record.regenerated_at.is_some(),
            revision: record.revision,
            revoked: record.revoked_at.is_some(),
            used_minute: AtomicU32::new(record.last_used_at.map_or(0, minute)),
            meta,
        }
    }

    /// Returns the cache's own data, as it was passed to [`for_cache`](Self::for_cache).
    #[must_use]
    pub fn cache_meta(&self) -> &CacheMeta {
        &self.meta
    }

    /// Returns the token's id.
    #[must_use]
    pub fn id(&self) -> TokenId {
        self.id
    }

    /// Returns the token's owner.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Returns the scopes that the token holds.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        self.scopes.scopes()
    }

    /// Returns the scopes in the form that checks use.
    pub(super) fn compiled_scopes(&self) -> &CompiledScopes {
        &self.scopes
    }

    /// Returns the time at which the token expires, or `None` for never.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        if self.ends_at == NEVER { None } else { Timestamp::from_millisecond(self.ends_at).ok() }
    }

    /// Returns the digest of the current secret.
    pub(super) fn current(&self) -> &Digest {
        &self.current
    }

    /// Returns the previous secret while its grace period lasts.
    pub(super) fn grace_period(&self, now: Timestamp) -> Option<&PreviousSecret> {
        self.previous().filter(|previous| now < previous.until)
    }

    /// Returns the previous secret, even after its grace period.
    pub(super) fn previous(&self) -> Option<&PreviousSecret> {
        self.previous.as_deref().map(|previous| &previous.secret)
    }

    /// Returns the secrets without the previous one.
    pub(super) fn current_secret_only(&self) -> Secrets {
        Secrets { current: self.current.clone(), previous: None }
    }

    /// Returns whether both records are of the same regeneration, and so have the same secret.
    pub(super) fn is_regenerated_with(&self, other: &Self) -> bool {
        (self.regenerated, self.issued_at) == (other.regenerated, other.issued_at)
    }

    /// Returns the reason to reject the token although its secret is right, if there is one.
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

    /// Returns the time at which a secret was issued, or an earlier one.
    fn secret_issued_at(&self, secret: SecretMatch) -> i64 {
        match secret {
            SecretMatch::Current => self.issued_at,
            SecretMatch::Previous => self.previous.as_ref().map_or(i64::MIN, |it| it.created_at),
        }
    }

    /// Returns whether a use at `now` would be the first one in its minute. `last_used_at` has a
    /// resolution of one minute, so further uses in that minute need not be recorded.
    pub(super) fn use_is_due(&self, now: Timestamp) -> bool {
        self.used_minute.load(Ordering::Relaxed) < minute(now)
    }

    /// Creates a use at `now`.
    pub(super) fn use_at(&self, now: Timestamp) -> TokenUse {
        TokenUse { id: self.id, revision: self.revision, at: now }
    }

    /// Marks a use. Returns it if it is the first one in its minute, so that the caller records it.
    pub(super) fn mark_use(&self, at: Timestamp) -> Option<TokenUse> {
        // Two requests may both pass this test at once. The log then records the same use twice,
        // which is harmless.
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
