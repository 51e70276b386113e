//! Checks of tokens: from a token's text to a [`Principal`] or an [`AuthError`].
//!
//! [`Hallpass::verify`] decides without I/O if the cache holds a fresh record. Otherwise it returns
//! a [`PendingVerification`], which loads the record from the store. Both compare the secret first,
//! and look at the token's status only after that.

#[cfg(feature = "testing")]
mod acting;
pub(crate) mod backend;
mod cached_token;
mod compiled_scopes;
mod interner;
mod pending;
mod pending_use;
mod principal;
mod recheck;

use std::sync::Arc;

use jiff::Timestamp;

use self::backend::{Freshness, Lookup};
pub(crate) use self::compiled_scopes::HandleId;
use self::compiled_scopes::ListedScopes;
pub use self::{
    cached_token::{CacheMeta, CachedToken},
    interner::Interner,
    pending::PendingVerification,
    pending_use::PendingUse,
    principal::Principal,
};
use crate::actor::Origin;
use crate::digest::{Digest, SecretMatch};
use crate::digest_upgrades::DigestUpgrade;
use crate::error::Error;
use crate::event::RejectReason;
use crate::lifecycle::{Hallpass, check_record_id};
use crate::metrics::Outcome;
use crate::owner::OwnerStatus;
use crate::store::{Secrets, StoreError};
use crate::token::{PresentedToken, TokenId, TokenRef};

/// The error of a check that did not accept a token.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use hallpass_core::{AuthError, Hallpass};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let status = match hallpass.authenticate(b"not a token").await {
///     Ok(principal) => unreachable!("{principal:?}"),
///     Err(AuthError::Rejected(_)) => 401,
///     Err(AuthError::Unavailable(_)) => 503,
///     Err(_) => 500,
/// };
/// assert_eq!(status, 401);
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The token is not valid. Respond with 401, and do not disclose the reason to the client: it
    /// is for the operator.
    #[error("the token is not valid")]
    Rejected(RejectReason),
    /// The check could not be completed, because the store or the owner directory failed. Respond
    /// with 503, and never with 401: the token may be valid.
    #[error("the token could not be checked")]
    Unavailable(#[source] Error),
    /// There is no token to check again, because the host authenticated the principal itself. Check
    /// the host's session instead.
    #[error(
        "the principal has no token to check again: check the session of the host's own sign-in \
         instead"
    )]
    External,
}

impl AuthError {
    /// Returns whether the check could not be completed. The response is then a 503.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Error::Store(error))
    }
}

/// The result of [`Hallpass::verify`], which checks a token as far as possible without I/O.
#[derive(Debug)]
pub enum Verification {
    /// The check is complete.
    Decided(Result<Principal, AuthError>),
    /// The check needs the store.
    Pending(PendingVerification),
}

/// The result of comparing a presented token with a loaded record.
enum SecretCheck {
    /// The token is valid.
    Accept(SecretMatch),
    /// The token is valid. Its new secret was used for the first time, and the previous one is
    /// still accepted.
    EndGracePeriod,
    /// The secret matches neither digest. The loaded record may be older than the secret.
    OtherSecret,
    /// The secret is right, but the token is revoked or has expired.
    Reject(RejectReason),
}

impl Hallpass {
    /// Parses a token's text: prefix, length, characters and checksum. Does no I/O.
    ///
    /// # Errors
    ///
    /// Returns [`RejectReason::Malformed`] for anything that is not a token of this application.
    pub fn parse(&self, text: &[u8]) -> Result<PresentedToken, AuthError> {
        let token = self.read_text(text).map(PresentedToken::new);
        token.ok_or_else(|| self.reject_token(RejectReason::Malformed, None, &Origin::default()))
    }

    /// Returns whether a text looks like a token of this application: prefix, length, characters
    /// and checksum. It does not check whether the token works, and reports no rejection.
    #[must_use]
    pub fn is_well_formed(&self, text: &[u8]) -> bool {
        self.read_text(text).is_some()
    }

    /// Returns whether a text starts with a prefix of this application's tokens and `_`. The rest
    /// of the text may be malformed.
    #[must_use]
    pub fn has_prefix(&self, text: &[u8]) -> bool {
        self.prefixes().iter().any(|prefix| {
            let rest = text.strip_prefix(prefix.as_str().as_bytes());
            rest.is_some_and(|rest| rest.starts_with(b"_"))
        })
    }

    /// Checks a token's text as far as possible without I/O. On a cache hit, the check is complete.
    ///
    /// The check does not count as a use of the token, because the caller may still reject the
    /// request for lack of a scope: see [`pending_use`](Self::pending_use).
    #[must_use]
    pub fn verify(&self, text: &[u8]) -> Verification {
        self.verify_from(text, &Origin::default())
    }

    /// Checks a token's text as [`verify`](Self::verify) does. If the token is rejected, the event
    /// names the origin of the request.
    #[must_use]
    pub fn verify_from(&self, text: &[u8], origin: &Origin) -> Verification {
        let Some(token) = self.read_text(text) else {
            let error = self.reject_token(RejectReason::Malformed, None, origin);
            return Verification::Decided(Err(error));
        };
        let pending = |freshness| {
            let token = PresentedToken::new(token);
            Verification::Pending(PendingVerification::new(self, token, freshness, origin))
        };
        let mut loaded = match self.backend().peek(token.id()) {
            Lookup::Hit(loaded) => loaded,
            Lookup::NegativeHit => {
                return Verification::Decided(Err(self.reject_unknown(token, origin)));
            }
            Lookup::Miss => return pending(Freshness::Bounded),
        };
        let status = if self.has_owner_directory() {
            match self.backend().peek_owner_status(loaded.owner()) {
                Some(status) => Some(status),
                None => return pending(Freshness::Bounded),
            }
        } else {
            None
        };
        let now = self.now();
        let mut check = self.check_secret(token, &loaded, &[], now);
        if let SecretCheck::Accept(SecretMatch::Previous) = check {
            // The previous secret ends at the first use of the new one. `superseded_by` must be
            // called before the token is looked up: otherwise the note could be removed in between,
            // and the record would still be the old one. It takes a lock, which is too slow for
            // every hit. So it is called only now, and the token is looked up a second time after
            // it.
            let superseded_by = self.superseded_by(token.id());
            let Lookup::Hit(again) = self.backend().peek(token.id()) else {
                return pending(Freshness::Bounded);
            };
            check = self.check_secret(token, &again, &superseded_by, now);
            loaded = again;
        }
        match check {
            SecretCheck::Accept(secret) => {
                Verification::Decided(self.accept(loaded, status, secret, now, origin))
            }
            SecretCheck::Reject(why) => {
                Verification::Decided(Err(self.reject_token(why, Some(&loaded), origin)))
            }
            SecretCheck::EndGracePeriod => pending(Freshness::Bounded),
            SecretCheck::OtherSecret => pending(Freshness::AfterCall),
        }
    }

    /// Checks a token's text, and records a use of the token if it is valid. The text may come from
    /// anywhere, such as a message queue, a WebSocket or a command line.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use hallpass_core::{Actor, Hallpass, NewToken};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    /// let principal = hallpass.authenticate(issued.token.reveal().as_bytes()).await.unwrap();
    /// assert_eq!(principal.owner().as_str(), "alice");
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`AuthError::Rejected`] if the token is not valid, and [`AuthError::Unavailable`] if
    /// the store or the owner directory failed.
    pub async fn authenticate(&self, text: &[u8]) -> Result<Principal, AuthError> {
        let principal = match self.verify(text) {
            Verification::Decided(verdict) => verdict,
            Verification::Pending(pending) => pending.resolve().await,
        }?;
        self.record_use(&principal);
        Ok(principal)
    }

    /// Loads a token for a check.
    async fn load(
        &self,
        id: TokenId,
        freshness: Freshness,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let loaded = self.backend().load(id, freshness).await?;
        if let Some(loaded) = &loaded {
            check_record_id(id, loaded.id())?;
        }
        Ok(loaded)
    }

    /// Compares a presented token with a loaded record.
    ///
    /// The secret is compared before the token's status is looked at. If the order were reversed, a
    /// client without the secret could find out whether a token is revoked or expired.
    /// `superseded_by` are the digests whose first use has ended a grace period on this node.
    fn check_secret(
        &self,
        token: TokenRef<'_>,
        loaded: &CachedToken,
        superseded_by: &[Digest],
        now: Timestamp,
    ) -> SecretCheck {
        let grace_period = loaded.grace_period(now);
        let is_superseded = superseded_by.iter().any(|by| by.ct_eq(loaded.current()));
        let previous = grace_period.filter(|_| !is_superseded).map(|previous| &previous.digest);
        let Some(secret) = self.digester().compare(token, loaded.current(), previous) else {
            return SecretCheck::OtherSecret;
        };
        if let Some(why) = loaded.rejection(secret, now, self.not_before()) {
            return SecretCheck::Reject(why);
        }
        if secret == SecretMatch::Current {
            if grace_period.is_some() {
                return SecretCheck::EndGracePeriod;
            }
            if self.digester().is_outdated(loaded.current()) {
                self.digest_upgrades().record(token.id(), || DigestUpgrade {
                    owner: loaded.owner().clone(),
                    outdated: loaded.current().clone(),
                    secrets: Secrets {
                        current: self.digester().digest(token),
                        // The grace period is over on this node. Without the previous secret in the
                        // store, it is over on a node whose clock is behind, too.
                        previous: None,
                    },
                });
            }
        }
        SecretCheck::Accept(secret)
    }

    /// Creates the principal of a token whose secret is right, unless its owner is disabled.
    fn accept(
        &self,
        loaded: Arc<CachedToken>,
        status: Option<Arc<OwnerStatus>>,
        secret: SecretMatch,
        now: Timestamp,
        origin: &Origin,
    ) -> Result<Principal, AuthError> {
        if matches!(status.as_deref(), Some(OwnerStatus::Disabled)) {
            return Err(self.reject_token(RejectReason::OwnerDisabled, Some(&loaded), origin));
        }
        let scopes = self.listed_scopes(&loaded);
        let use_is_due = loaded.use_is_due(now);
        self.metrics().count_check(Outcome::Accepted);
        Ok(Principal::new(loaded, scopes, status, secret, use_is_due))
    }

    /// Returns which of the token's scopes the catalog of this handle lists.
    fn listed_scopes(&self, token: &CachedToken) -> ListedScopes {
        self.catalog().map_or(ListedScopes::All, |catalog| {
            token.compiled_scopes().listed_in(catalog, self.id(), token.owner())
        })
    }

    /// Counts a check that could not be completed. All others are counted where they are decided.
    fn count_unavailable(
        &self,
        result: Result<Principal, AuthError>,
    ) -> Result<Principal, AuthError> {
        if result.as_ref().is_err_and(AuthError::is_unavailable) {
            self.metrics().count_check(Outcome::Unavailable);
        }
        result
    }

    /// Counts and reports a rejected token, and returns the error.
    fn reject_token(
        &self,
        why: RejectReason,
        loaded: Option<&CachedToken>,
        origin: &Origin,
    ) -> AuthError {
        self.metrics().count_check(Outcome::Rejected);
        let (owner, id) = (loaded.map(CachedToken::owner), loaded.map(CachedToken::id));
        self.report_rejection(why, owner, id, origin);
        AuthError::Rejected(why)
    }

    /// Rejects a token that does not exist. It hashes the token first, so that the time until the
    /// rejection does not reveal whether the id exists.
    ///
    /// One difference in time remains. A wrong secret for an existing id costs one more read of the
    /// store, because the cached record may be older than a secret that another node has just
    /// issued. Limiting these reads would reject such a fresh secret while an attacker tries wrong
    /// secrets for its id. So a patient attacker can find out that an id exists. Ids are not
    /// secret.
    fn reject_unknown(&self, token: TokenRef<'_>, origin: &Origin) -> AuthError {
        let _ = std::hint::black_box(self.digester().hash(token));
        self.reject_token(RejectReason::Unknown, None, origin)
    }

    /// Reports that a token was sent in a URL although only the header is allowed. Returns `false`,
    /// and reports nothing, if the text is not a token of this application.
    #[must_use]
    pub fn report_query_token(&self, text: &[u8], origin: &Origin) -> bool {
        let Some(token) = self.read_text(text) else { return false };
        self.report_rejection(RejectReason::TokenInUrl, None, Some(token.id()), origin);
        true
    }
}
