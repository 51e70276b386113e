//! The check: from a token's text to a [`Principal`], or the reason why not.

#[cfg(feature = "testing")]
mod acting;
pub(crate) mod backend;
mod cached_token;
mod compiled_scopes;
mod interner;
mod pending;
mod pending_use;
mod principal;

use std::sync::Arc;

use jiff::Timestamp;

use self::backend::{Freshness, Lookup};
pub(crate) use self::compiled_scopes::HandleId;
use self::compiled_scopes::InCatalog;
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
use crate::owner::OwnerStatus;
use crate::store::{Secrets, StoreError};
use crate::token::{PresentedToken, TokenId, TokenRef};

/// Why a presented token does not let anybody in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The token is not good: 401. The reason is for the operator; the client is told the same for
    /// all.
    #[error("the token is not valid")]
    Rejected(RejectReason),
    /// It could not be found out whether the token is good: 503, never 401.
    #[error("the token could not be checked")]
    Unavailable(#[source] Error),
    /// There is no token to check again, because the host vouches for the principal: ask the host.
    #[error("the principal has no token: ask the sign-in that vouched for it")]
    External,
}

impl AuthError {
    /// Whether it could not be found out if the token is good: the answer is 503.
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

/// Where a check stands after what can be decided at once.
#[derive(Debug)]
pub enum Verification {
    /// Decided without I/O.
    Decided(Result<Principal, AuthError>),
    /// A look at the store is needed.
    Pending(PendingVerification),
}

/// The result of comparing a presented token with a loaded record.
enum SecretCheck {
    /// The token is valid.
    Accept(SecretMatch),
    /// The token is valid. Its new secret was used for the first time, and the previous one is
    /// still accepted.
    EndGracePeriod,
    /// The secret matches neither digest. The record may be older than the secret.
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
        token.ok_or_else(|| self.refused(RejectReason::Malformed, None))
    }

    /// Returns whether a text looks like a token of this application: prefix, length, characters
    /// and checksum. Nothing is reported, and it does not say whether the token works.
    #[must_use]
    pub fn is_well_formed(&self, text: &[u8]) -> bool {
        self.read_text(text).is_some()
    }

    /// Returns whether a text starts as tokens of this application do, right or misspelt.
    #[must_use]
    pub fn has_prefix(&self, text: &[u8]) -> bool {
        self.prefixes().iter().any(|prefix| {
            let rest = text.strip_prefix(prefix.as_str().as_bytes());
            rest.is_some_and(|rest| rest.starts_with(b"_"))
        })
    }

    /// Checks a token's text as far as possible without I/O. On a cache hit, this is all of it.
    ///
    /// This does not count as a use of the token yet, because the caller may reject the request for
    /// lack of a scope. See [`pending_use`](Self::pending_use).
    #[must_use]
    pub fn verify(&self, text: &[u8]) -> Verification {
        let Some(token) = self.read_text(text) else {
            return Verification::Decided(Err(self.refused(RejectReason::Malformed, None)));
        };
        let pending = |past_cache| {
            let token = PresentedToken::new(token);
            Verification::Pending(PendingVerification::new(self, token, past_cache))
        };
        let mut loaded = match self.backend().peek(token.id()) {
            Lookup::Hit(loaded) => loaded,
            Lookup::NegativeHit => return Verification::Decided(Err(self.unknown(token))),
            Lookup::Miss => return pending(false),
        };
        let status = if self.has_owner_directory() {
            match self.backend().peek_owner_status(loaded.owner()) {
                Some(status) => Some(status),
                None => return pending(false),
            }
        } else {
            None
        };
        let now = self.now();
        let mut check = self.check_secret(token, &loaded, None, now);
        if let SecretCheck::Accept(SecretMatch::Previous) = check {
            // Whether this node has seen the new secret has to be asked before the token is looked up,
            // and is too expensive to ask for each hit. So the token is looked up once more.
            let superseded_by = self.superseded_by(token.id());
            let Lookup::Hit(again) = self.backend().peek(token.id()) else {
                return pending(false);
            };
            check = self.check_secret(token, &again, superseded_by.as_ref(), now);
            loaded = again;
        }
        match check {
            SecretCheck::Accept(secret) => {
                Verification::Decided(self.accept(loaded, status, secret, now))
            }
            SecretCheck::Reject(why) => {
                Verification::Decided(Err(self.refused(why, Some(&loaded))))
            }
            SecretCheck::EndGracePeriod => pending(false),
            SecretCheck::OtherSecret => pending(true),
        }
    }

    /// Checks a token's text from anywhere: a message queue, a WebSocket, a command line.
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
    /// The token is refused, or could not be checked.
    pub async fn authenticate(&self, text: &[u8]) -> Result<Principal, AuthError> {
        let principal = match self.verify(text) {
            Verification::Decided(verdict) => verdict,
            Verification::Pending(pending) => pending.resolve().await,
        }?;
        self.note_use(&principal);
        Ok(principal)
    }

    /// Looks again whether a principal's token still lets it in, and with what scopes: for work
    /// that goes on after the request, such as a stream or a job.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`authenticate`](Self::authenticate), and [`AuthError::External`] for an
    /// [external](Principal::external) principal.
    pub async fn recheck(&self, principal: &Principal) -> Result<Principal, AuthError> {
        let again = self.counted(self.look_again(principal).await)?;
        self.note_use(&again);
        Ok(again)
    }

    async fn look_again(&self, principal: &Principal) -> Result<Principal, AuthError> {
        let id = principal.token().ok_or(AuthError::External)?;
        let superseded_by = self.superseded_by(id);
        let mut past_cache = false;
        loop {
            let Some(loaded) = self.load(id, past_cache).await? else {
                return Err(self.refused(RejectReason::Unknown, Some(principal.loaded())));
            };
            let now = self.now();
            let proven = still_proven(principal, &loaded, superseded_by.as_ref(), now);
            let Some(secret) = proven else {
                if !past_cache && self.backend().is_cache() {
                    past_cache = true;
                    continue;
                }
                return Err(self.refused(RejectReason::Unknown, Some(&loaded)));
            };
            if let Some(why) = loaded.rejection(secret, now, self.not_before()) {
                return Err(self.refused(why, Some(&loaded)));
            }
            return self.accept_within_status(loaded, secret, now).await;
        }
    }

    /// The token for a check; past the cache if what that holds may be older than the secret.
    async fn load(
        &self,
        id: TokenId,
        past_cache: bool,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let freshness = if past_cache { Freshness::AfterCall } else { Freshness::Bounded };
        let loaded = self.backend().load(id, freshness).await?;
        if let Some(loaded) = &loaded {
            check_record_id(id, loaded.id())?;
        }
        Ok(loaded)
    }

    /// Compares a presented token with a loaded record. The secret is checked before any state is
    /// looked at, so that somebody who does not know it learns nothing.
    fn check_secret(
        &self,
        token: TokenRef<'_>,
        loaded: &CachedToken,
        superseded_by: Option<&Digest>,
        now: Timestamp,
    ) -> SecretCheck {
        let grace_period = loaded.grace_period(now);
        let is_superseded = superseded_by.is_some_and(|by| by.ct_eq(loaded.current()));
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
                        // No previous secret is accepted here any more, but the clock of another node
                        // may be behind.
                        previous: None,
                    },
                });
            }
        }
        SecretCheck::Accept(secret)
    }

    fn accept(
        &self,
        loaded: Arc<CachedToken>,
        status: Option<Arc<OwnerStatus>>,
        secret: SecretMatch,
        now: Timestamp,
    ) -> Result<Principal, AuthError> {
        if matches!(status.as_deref(), Some(OwnerStatus::Disabled)) {
            return Err(self.refused(RejectReason::OwnerDisabled, Some(&loaded)));
        }
        let scopes = self.in_catalog(&loaded);
        let use_is_due = loaded.use_is_due(now);
        self.metrics().accepted();
        Ok(Principal::new(loaded, scopes, status, secret, use_is_due))
    }

    /// Returns which of the token's scopes the catalog of this handle knows.
    fn in_catalog(&self, token: &CachedToken) -> InCatalog {
        self.catalog().map_or(InCatalog::All, |catalog| {
            token.compiled_scopes().in_catalog(catalog, self.id(), token.id())
        })
    }

    /// Counts a check that could not be made; the others are counted where they are decided.
    fn counted(&self, verdict: Result<Principal, AuthError>) -> Result<Principal, AuthError> {
        if verdict.as_ref().is_err_and(AuthError::is_unavailable) {
            self.metrics().unavailable();
        }
        verdict
    }

    fn refused(&self, why: RejectReason, loaded: Option<&CachedToken>) -> AuthError {
        self.metrics().refused();
        let (owner, id) = (loaded.map(CachedToken::owner), loaded.map(CachedToken::id));
        self.report_rejection(why, owner, id, &Origin::default());
        AuthError::Rejected(why)
    }

    /// Rejects a token that does not exist, after as much hashing as for one that exists.
    ///
    /// One difference in time remains. A wrong secret for an id that exists costs one more read of
    /// the store, because the cached record may be older than a secret that another node has just
    /// issued. To skip that read now and then would reject a fresh secret while somebody guesses at
    /// its id. So a patient stranger can find out that an id exists, which is not secret, and
    /// nothing else.
    fn unknown(&self, token: TokenRef<'_>) -> AuthError {
        let _ = std::hint::black_box(self.digester().hash(token));
        self.refused(RejectReason::Unknown, None)
    }

    /// Reports that a credential came in a URL where only the header is allowed, if it is a token
    /// of this application at all. For layers with the tripwire on.
    #[must_use]
    pub fn report_query_token(&self, text: &[u8]) -> bool {
        let Some(token) = self.read_text(text) else { return false };
        self.report_rejection(RejectReason::InUrl, None, Some(token.id()), &Origin::default());
        true
    }
}

/// Returns which secret of the record is the one that let the principal in, if that is still
/// accepted.
fn still_proven(
    principal: &Principal,
    loaded: &CachedToken,
    superseded_by: Option<&Digest>,
    now: Timestamp,
) -> Option<SecretMatch> {
    let then = principal.loaded();
    let proven = match (principal.secret(), then.previous()) {
        (SecretMatch::Previous, Some(previous)) => &previous.digest,
        _ => then.current(),
    };
    // After an upgrade, the record has another digest of the same secret.
    let upgraded = principal.secret() == SecretMatch::Current
        && proven.algorithm() != loaded.current().algorithm()
        && then.is_regenerated_with(loaded);
    if upgraded || loaded.current().ct_eq(proven) {
        return Some(SecretMatch::Current);
    }
    let is_superseded = superseded_by.is_some_and(|by| by.ct_eq(loaded.current()));
    loaded
        .grace_period(now)
        .is_some_and(|previous| previous.digest.ct_eq(proven) && !is_superseded)
        .then_some(SecretMatch::Previous)
}
