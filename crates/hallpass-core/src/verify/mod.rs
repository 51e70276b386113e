//! The check: from a token's text to a [`Principal`], or the reason why not.

#[cfg(feature = "testing")]
mod acting;
mod grants;
mod loaded;
mod pool;
mod principal;

use std::sync::Arc;

use jiff::Timestamp;

use self::grants::Known;
pub(crate) use self::grants::{HandleId, NUMBERED};
use self::principal::Limits;
pub use self::{
    loaded::{CacheNote, LoadedToken},
    pool::LoadPool,
    principal::Principal,
};
use crate::error::Error;
use crate::event::{Event, EventKind, RefusedBecause};
use crate::hallpass::{Hallpass, must_be_about};
use crate::owner::Standing;
use crate::rekey::Rekey;
use crate::store::{AtHand, Secrets, StoreError};
use crate::token::{PresentedToken, SecretRef, TokenId};

/// Why a presented token does not let anybody in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The token is not good: 401. The reason is for the operator; the client is told the same for all.
    #[error("the token is not valid")]
    Refused(RefusedBecause),
    /// It could not be found out whether the token is good: 503, never 401.
    #[error("the token could not be checked")]
    Unavailable(#[source] Error),
}

impl Denied {
    /// Whether it could not be found out if the token is good: the answer is 503.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<StoreError> for Denied {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Error::Store(error))
    }
}

/// Where a check stands after what can be decided at once.
#[derive(Debug)]
pub enum Verification {
    /// Decided without I/O.
    Decided(Result<Principal, Denied>),
    /// A look at the store is needed.
    Pending(PendingVerification),
}

/// The part of a check that needs the store. It owns all it needs and may outlive the request.
#[derive(Debug)]
#[must_use = "a pending verification does nothing until it is resolved"]
pub struct PendingVerification {
    passes: Hallpass,
    token: PresentedToken,
    /// The cached record has another digest: ask the store itself, once.
    past_cache: bool,
}

/// What a loaded record says of a presented token.
enum Judgement {
    Accept {
        by_previous_secret: bool,
    },
    /// The new secret came for the first time while the old one is still accepted.
    EndOverlap,
    /// Neither digest matches: perhaps the record is older than the secret.
    OtherSecret,
    Refuse(RefusedBecause),
}

impl Hallpass {
    /// Reads a token's text: prefix, length, characters, checksum. No I/O.
    ///
    /// # Errors
    ///
    /// [`RefusedBecause::Malformed`], for anything that is not a token of this application.
    pub fn parse(&self, text: &[u8]) -> Result<PresentedToken, Denied> {
        crate::token::parse(text, self.prefixes())
            .ok_or_else(|| self.refused(RefusedBecause::Malformed, None))
    }

    /// Whether a text is a token of this application by its looks: prefix, length, characters,
    /// checksum. Nothing is reported, and it says nothing of whether the token works.
    #[must_use]
    pub fn is_well_formed(&self, text: &[u8]) -> bool {
        crate::token::parse(text, self.prefixes()).is_some()
    }

    /// Checks a token's text as far as that goes without I/O: all the way on a cache hit.
    #[must_use]
    pub fn verify(&self, text: &[u8]) -> Verification {
        let Some((id, secret)) = crate::token::read(text, self.prefixes()) else {
            return Verification::Decided(Err(self.refused(RefusedBecause::Malformed, None)));
        };
        let pending = |past_cache| {
            let token = PresentedToken::new(id, secret);
            Verification::Pending(PendingVerification { passes: self.clone(), token, past_cache })
        };
        let loaded = match self.store().cached(id) {
            AtHand::Token(loaded) => loaded,
            AtHand::NoSuchToken => return Verification::Decided(Err(self.unknown(secret))),
            AtHand::Nothing => return pending(false),
        };
        let standing = if self.has_owners() {
            match self.store().cached_standing(loaded.owner()) {
                Some(standing) => Some(standing),
                None => return pending(false),
            }
        } else {
            None
        };
        let now = self.now();
        match self.judge(id, secret, &loaded, now) {
            Judgement::Accept { by_previous_secret } => {
                let standing = standing.as_deref();
                Verification::Decided(self.accept(loaded, standing, by_previous_secret, now))
            }
            Judgement::Refuse(why) => Verification::Decided(Err(self.refused(why, Some(&loaded)))),
            Judgement::EndOverlap => pending(false),
            Judgement::OtherSecret => pending(true),
        }
    }

    /// Checks a token's text from anywhere: a message queue, a WebSocket, a command line.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use hallpass_core::{Caller, Hallpass, NewToken};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let passes = Hallpass::builder(MemoryStore::new()).build();
    /// let issued = passes.issue(&Caller::owner("alice"), NewToken::named("ci")).await.unwrap();
    /// let principal = passes.authenticate(issued.token.reveal().as_bytes()).await.unwrap();
    /// assert_eq!(principal.owner().as_str(), "alice");
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The token is refused, or could not be checked.
    pub async fn authenticate(&self, text: &[u8]) -> Result<Principal, Denied> {
        match self.verify(text) {
            Verification::Decided(verdict) => verdict,
            Verification::Pending(pending) => pending.resolve().await,
        }
    }

    /// Looks again whether a principal's token still lets it in, and with what scopes: for work
    /// that goes on after the request, such as a stream or a job.
    ///
    /// # Errors
    ///
    /// As [`authenticate`](Self::authenticate).
    pub async fn recheck(&self, principal: &Principal) -> Result<Principal, Denied> {
        let id = principal.token_id();
        let mut past_cache = false;
        loop {
            let Some(loaded) = self.load(id, past_cache).await? else {
                return Err(self.refused(RefusedBecause::Unknown, Some(principal.loaded())));
            };
            let now = self.now();
            let Some(by_previous_secret) = self.still_proven(principal, &loaded, now) else {
                if !past_cache && self.store().is_cache() {
                    past_cache = true;
                    continue;
                }
                return Err(self.refused(RefusedBecause::Unknown, Some(&loaded)));
            };
            if let Some(why) = loaded.ended(now) {
                return Err(self.refused(why, Some(&loaded)));
            }
            return self.accept_within_standing(loaded, by_previous_secret, now).await;
        }
    }

    /// Whether the secret that let the principal in would let it in again, and if so whether it is
    /// the previous one by now.
    fn still_proven(
        &self,
        principal: &Principal,
        loaded: &LoadedToken,
        now: Timestamp,
    ) -> Option<bool> {
        let then = principal.loaded();
        let proven = match then.previous() {
            Some(previous) if principal.by_previous_secret() => &previous.digest,
            _ => then.current(),
        };
        // Made anew under another pepper, the digest is another one of the same secret.
        let rekeyed = !principal.by_previous_secret()
            && proven.algorithm() != loaded.current().algorithm()
            && then.is_regenerated_with(loaded);
        if rekeyed || loaded.current().ct_eq(proven) {
            return Some(false);
        }
        loaded
            .overlap(now)
            .is_some_and(|previous| {
                previous.digest.ct_eq(proven) && !self.is_superseded(then.id(), loaded.current())
            })
            .then_some(true)
    }

    /// The token for a check; past the cache if what that holds may be older than the secret.
    async fn load(
        &self,
        id: TokenId,
        past_cache: bool,
    ) -> Result<Option<Arc<LoadedToken>>, StoreError> {
        let loaded =
            if past_cache { self.store().reload(id).await? } else { self.store().load(id).await? };
        if let Some(loaded) = &loaded {
            must_be_about(id, loaded.id())?;
        }
        Ok(loaded)
    }

    /// The secret is proven before any state is looked at: who does not know it learns nothing.
    fn judge(
        &self,
        id: TokenId,
        secret: SecretRef<'_>,
        loaded: &LoadedToken,
        now: Timestamp,
    ) -> Judgement {
        let proves = |digest| self.digester().matches(secret, digest);
        let current = proves(loaded.current());
        let overlap = loaded.overlap(now);
        let by_previous = !current
            && overlap.is_some_and(|previous| {
                proves(&previous.digest) && !self.is_superseded(id, loaded.current())
            });
        if !current && !by_previous {
            return Judgement::OtherSecret;
        }
        if let Some(why) = loaded.ended(now) {
            return Judgement::Refuse(why);
        }
        if current && overlap.is_some() {
            return Judgement::EndOverlap;
        }
        if current && self.digester().is_outdated(loaded.current()) {
            self.rekeys().record(id, || Rekey {
                outdated: loaded.current().clone(),
                secrets: Secrets {
                    current: self.digester().digest(secret),
                    // None is accepted here any more; another node's clock may be behind.
                    previous: None,
                },
            });
        }
        Judgement::Accept { by_previous_secret: by_previous }
    }

    fn accept(
        &self,
        loaded: Arc<LoadedToken>,
        standing: Option<&Standing>,
        by_previous_secret: bool,
        now: Timestamp,
    ) -> Result<Principal, Denied> {
        let limits = match self
            .catalog()
            .map(|catalog| loaded.grants().known(catalog, self.id(), loaded.id()))
        {
            None | Some(Known::All) => Limits::None,
            Some(Known::Less) => Limits::Catalog,
            Some(Known::Apart(left)) => Limits::Set(Arc::new(left)),
        };
        let mut principal = Principal::new(loaded, limits, by_previous_secret);
        if standing.is_some_and(|standing| !principal.stand(standing)) {
            return Err(self.refused(RefusedBecause::OwnerDisabled, Some(principal.loaded())));
        }
        if let Some(usage) = principal.loaded().note_use(now) {
            self.uses().record(usage);
        }
        Ok(principal)
    }

    fn refused(&self, why: RefusedBecause, loaded: Option<&LoadedToken>) -> Denied {
        self.emit_refusal(why, loaded.map(LoadedToken::id), loaded.map(LoadedToken::owner));
        Denied::Refused(why)
    }

    /// There is no such token: refused after as much hashing as for one that exists.
    fn unknown(&self, secret: SecretRef<'_>) -> Denied {
        let _ = std::hint::black_box(self.digester().digest(secret));
        self.refused(RefusedBecause::Unknown, None)
    }

    /// Reports that a credential came in a URL where only the header is allowed, if it is a token
    /// of this application at all. For layers with the tripwire on.
    #[must_use]
    pub fn token_in_url(&self, text: &[u8]) -> bool {
        let Some(token) = crate::token::parse(text, self.prefixes()) else {
            return false;
        };
        self.emit_refusal(RefusedBecause::InUrl, Some(token.id()), None);
        true
    }
}

impl PendingVerification {
    /// Asks the store, and decides.
    ///
    /// # Errors
    ///
    /// The token is refused, or could not be checked.
    pub async fn resolve(self) -> Result<Principal, Denied> {
        let Self { passes, token, mut past_cache } = self;
        loop {
            let Some(loaded) = passes.load(token.id(), past_cache).await? else {
                return Err(passes.unknown(token.secret()));
            };
            let now = passes.now();
            match passes.judge(token.id(), token.secret(), &loaded, now) {
                Judgement::OtherSecret if !past_cache && passes.store().is_cache() => {
                    past_cache = true;
                }
                Judgement::OtherSecret => {
                    return Err(passes.refused(RefusedBecause::Unknown, Some(&loaded)));
                }
                Judgement::Refuse(why) => return Err(passes.refused(why, Some(&loaded))),
                Judgement::EndOverlap => {
                    passes.end_overlap(&loaded).await;
                    return passes.accept_within_standing(loaded, false, now).await;
                }
                Judgement::Accept { by_previous_secret } => {
                    return passes.accept_within_standing(loaded, by_previous_secret, now).await;
                }
            }
        }
    }
}

impl Hallpass {
    async fn accept_within_standing(
        &self,
        loaded: Arc<LoadedToken>,
        by_previous_secret: bool,
        now: Timestamp,
    ) -> Result<Principal, Denied> {
        let standing =
            self.standing_for_check(loaded.owner()).await.map_err(Denied::Unavailable)?;
        self.accept(loaded, standing.as_deref(), by_previous_secret, now)
    }

    /// Shuts the previous secret out: on this node at once, elsewhere by the change log. Of many uses
    /// at once one writes; if the store cannot be written now, this node remembers, and a use a second
    /// later tries again.
    async fn end_overlap(&self, loaded: &LoadedToken) {
        let (id, current) = (loaded.id(), loaded.current());
        if !self.supersede(id, current) {
            return;
        }
        match self.store().rekey(id, current, &loaded.without_overlap()).await {
            Ok(_) => {
                let mut event = Event::new(EventKind::OverlapEnded, self.now());
                event.actor = Some(loaded.owner().clone());
                event.owner = Some(loaded.owner().clone());
                event.token = Some(id);
                self.emit(&event);
                self.forget_superseded(id);
            }
            // Regenerated again or deleted meanwhile: that secret is dead either way.
            Err(error) if error.is_conflict() || error.is_not_found() => {
                self.forget_superseded(id);
            }
            Err(error) => {
                tracing::warn!(target: "hallpass", token = %id, %error, "the end of an overlap could not be stored yet");
            }
        }
    }
}
