//! The check: from a token's text to a [`Principal`], or the reason why not.

#[cfg(feature = "testing")]
mod acting;
mod answers;
mod cached_token;
mod grants;
mod interner;
mod pending;
mod pending_use;
mod principal;

use std::sync::Arc;

use jiff::Timestamp;

use self::grants::Known;
use self::principal::Limits;
pub(crate) use self::{answers::NUMBERED, grants::HandleId};
pub use self::{
    cached_token::{CacheMeta, CachedToken},
    interner::Interner,
    pending::PendingVerification,
    pending_use::PendingUse,
    principal::Principal,
};
use crate::actor::Origin;
use crate::digest::Digest;
use crate::digest_upgrades::DigestUpgrade;
use crate::error::Error;
use crate::event::RejectReason;
use crate::lifecycle::{Hallpass, check_record_id};
use crate::owner::OwnerStatus;
use crate::store::backend::{Freshness, Lookup};
use crate::store::{Secrets, StoreError};
use crate::token::{PresentedToken, SecretRef, TokenId};

/// Why a presented token does not let anybody in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The token is not good: 401. The reason is for the operator; the client is told the same for all.
    #[error("the token is not valid")]
    Rejected(RejectReason),
    /// It could not be found out whether the token is good: 503, never 401.
    #[error("the token could not be checked")]
    Unavailable(#[source] Error),
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

/// What a loaded record says of a presented token.
enum SecretCheck {
    Accept {
        by_previous_secret: bool,
    },
    /// The new secret came for the first time while the old one is still accepted.
    EndGracePeriod,
    /// Neither digest matches: perhaps the record is older than the secret.
    OtherSecret,
    Refuse(RejectReason),
}

impl Hallpass {
    /// Reads a token's text: prefix, length, characters, checksum. No I/O.
    ///
    /// # Errors
    ///
    /// [`RejectReason::Malformed`], for anything that is not a token of this application.
    pub fn parse(&self, text: &[u8]) -> Result<PresentedToken, AuthError> {
        crate::token::parse(text, self.prefixes())
            .ok_or_else(|| self.refused(RejectReason::Malformed, None))
    }

    /// Whether a text is a token of this application by its looks: prefix, length, characters,
    /// checksum. Nothing is reported, and it says nothing of whether the token works.
    #[must_use]
    pub fn is_well_formed(&self, text: &[u8]) -> bool {
        crate::token::parse(text, self.prefixes()).is_some()
    }

    /// Checks a token's text as far as that goes without I/O: all the way on a cache hit.
    ///
    /// This is no use of the token yet: the caller may refuse the request for lack of a scope. See
    /// [`pending_use`](Self::pending_use).
    #[must_use]
    pub fn verify(&self, text: &[u8]) -> Verification {
        let Some((id, secret)) = crate::token::read(text, self.prefixes()) else {
            return Verification::Decided(Err(self.refused(RejectReason::Malformed, None)));
        };
        let pending = |past_cache| {
            let token = PresentedToken::new(id, secret);
            Verification::Pending(PendingVerification::new(self, token, past_cache))
        };
        let mut loaded = match self.backend().peek(id) {
            Lookup::Hit(loaded) => loaded,
            Lookup::NegativeHit => return Verification::Decided(Err(self.unknown(secret))),
            Lookup::Miss => return pending(false),
        };
        let standing = if self.has_owner_directory() {
            match self.backend().peek_owner_status(loaded.owner()) {
                Some(standing) => Some(standing),
                None => return pending(false),
            }
        } else {
            None
        };
        let now = self.now();
        let mut judgement = self.judge(id, secret, &loaded, None, now);
        if let SecretCheck::Accept { by_previous_secret: true } = judgement {
            // Whether it is superseded has to be asked before the token is looked at, and is too much to ask for
            // each hit: so the token is looked at once more.
            let superseded_by = self.superseded_by(id);
            let Lookup::Hit(again) = self.backend().peek(id) else { return pending(false) };
            judgement = self.judge(id, secret, &again, superseded_by.as_ref(), now);
            loaded = again;
        }
        match judgement {
            SecretCheck::Accept { by_previous_secret } => {
                let standing = standing.as_deref();
                Verification::Decided(self.accept(loaded, standing, by_previous_secret, now))
            }
            SecretCheck::Refuse(why) => {
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
    /// As [`authenticate`](Self::authenticate).
    pub async fn recheck(&self, principal: &Principal) -> Result<Principal, AuthError> {
        let again = self.counted(self.look_again(principal).await)?;
        self.note_use(&again);
        Ok(again)
    }

    async fn look_again(&self, principal: &Principal) -> Result<Principal, AuthError> {
        let id = principal.token_id();
        let superseded_by = self.superseded_by(id);
        let mut past_cache = false;
        loop {
            let Some(loaded) = self.load(id, past_cache).await? else {
                return Err(self.refused(RejectReason::Unknown, Some(principal.loaded())));
            };
            let now = self.now();
            let proven = still_proven(principal, &loaded, superseded_by.as_ref(), now);
            let Some(by_previous_secret) = proven else {
                if !past_cache && self.backend().is_cache() {
                    past_cache = true;
                    continue;
                }
                return Err(self.refused(RejectReason::Unknown, Some(&loaded)));
            };
            if let Some(why) = loaded.ended(now) {
                return Err(self.refused(why, Some(&loaded)));
            }
            return self.accept_within_status(loaded, by_previous_secret, now).await;
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

    /// The secret is proven before any state is looked at: who does not know it learns nothing.
    fn judge(
        &self,
        id: TokenId,
        secret: SecretRef<'_>,
        loaded: &CachedToken,
        superseded_by: Option<&Digest>,
        now: Timestamp,
    ) -> SecretCheck {
        let proves = |digest| self.digester().matches(secret, digest);
        let current = proves(loaded.current());
        let grace_period = loaded.grace_period(now);
        let by_previous = !current
            && grace_period.is_some_and(|previous| {
                proves(&previous.digest)
                    && !superseded_by.is_some_and(|by| by.ct_eq(loaded.current()))
            });
        if !current && !by_previous {
            return SecretCheck::OtherSecret;
        }
        if let Some(why) = loaded.ended(now) {
            return SecretCheck::Refuse(why);
        }
        if current && grace_period.is_some() {
            return SecretCheck::EndGracePeriod;
        }
        if current && self.digester().is_outdated(loaded.current()) {
            self.digest_upgrades().record(id, || DigestUpgrade {
                owner: loaded.owner().clone(),
                outdated: loaded.current().clone(),
                secrets: Secrets {
                    current: self.digester().digest(secret),
                    // None is accepted here any more; another node's clock may be behind.
                    previous: None,
                },
            });
        }
        SecretCheck::Accept { by_previous_secret: by_previous }
    }

    fn accept(
        &self,
        loaded: Arc<CachedToken>,
        standing: Option<&OwnerStatus>,
        by_previous_secret: bool,
        now: Timestamp,
    ) -> Result<Principal, AuthError> {
        let limits = match self
            .catalog()
            .map(|catalog| loaded.grants().known(catalog, self.id(), loaded.id()))
        {
            None | Some(Known::All) => Limits::None,
            Some(Known::Less) => Limits::Catalog,
            Some(Known::Apart(left)) => Limits::Set(Arc::new(left)),
        };
        let use_is_due = loaded.use_is_due(now);
        let mut principal = Principal::new(loaded, limits, by_previous_secret, use_is_due);
        if standing.is_some_and(|standing| !principal.stand(standing)) {
            return Err(self.refused(RejectReason::OwnerDisabled, Some(principal.loaded())));
        }
        self.metrics().accepted();
        Ok(principal)
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

    /// There is no such token: refused after as much hashing as for one that exists.
    fn unknown(&self, secret: SecretRef<'_>) -> AuthError {
        let _ = std::hint::black_box(self.digester().hash(secret));
        self.refused(RejectReason::Unknown, None)
    }

    /// Reports that a credential came in a URL where only the header is allowed, if it is a token
    /// of this application at all. For layers with the tripwire on.
    #[must_use]
    pub fn report_query_token(&self, text: &[u8]) -> bool {
        let Some(token) = crate::token::parse(text, self.prefixes()) else {
            return false;
        };
        self.report_rejection(RejectReason::InUrl, None, Some(token.id()), &Origin::default());
        true
    }
}

/// Whether the secret that let the principal in would let it in again, and if so whether it is
/// the previous one by now.
fn still_proven(
    principal: &Principal,
    loaded: &CachedToken,
    superseded_by: Option<&Digest>,
    now: Timestamp,
) -> Option<bool> {
    let then = principal.loaded();
    let proven = match then.previous() {
        Some(previous) if principal.by_previous_secret() => &previous.digest,
        _ => then.current(),
    };
    // Made anew under another pepper, the digest is another one of the same secret.
    let upgraded = !principal.by_previous_secret()
        && proven.algorithm() != loaded.current().algorithm()
        && then.is_regenerated_with(loaded);
    if upgraded || loaded.current().ct_eq(proven) {
        return Some(false);
    }
    loaded
        .grace_period(now)
        .is_some_and(|previous| {
            previous.digest.ct_eq(proven)
                && !superseded_by.is_some_and(|by| by.ct_eq(loaded.current()))
        })
        .then_some(true)
}
