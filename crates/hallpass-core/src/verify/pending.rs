//! The part of a check that needs the store.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::backend::Freshness;
use super::{AuthError, CachedToken, Principal, SecretCheck};
use crate::actor::Origin;
use crate::digest::{Digest, SecretMatch};
use crate::digest_upgrades::DigestUpgrade;
use crate::event::{EventKind, RejectReason};
use crate::lifecycle::{CallKind, Hallpass};
use crate::metrics::Outcome;
use crate::token::{PresentedToken, TokenId};

/// A check that needs the store. It owns all its data, so it may outlive the request.
#[derive(Debug)]
#[must_use = "a pending verification does nothing until it is resolved"]
pub struct PendingVerification(Box<Undecided>);

/// The data of a pending check. It is boxed, because a cache hit moves the enum [`Verification`]
/// around, which should be small.
///
/// [`Verification`]: super::Verification
#[derive(Debug)]
struct Undecided {
    hallpass: Hallpass,
    token: PresentedToken,
    freshness: Freshness,
    /// The origin of the request, for the event of a rejection.
    origin: Origin,
}

impl PendingVerification {
    pub(super) fn new(
        hallpass: &Hallpass,
        token: PresentedToken,
        freshness: Freshness,
        origin: &Origin,
    ) -> Self {
        let (hallpass, origin) = (hallpass.clone(), origin.clone());
        Self(Box::new(Undecided { hallpass, token, freshness, origin }))
    }

    /// Loads the token's record and completes the check. This does not count as a use of the token:
    /// see [`Hallpass::pending_use`].
    ///
    /// # Errors
    ///
    /// Returns [`AuthError::Rejected`] if the token is not valid, and [`AuthError::Unavailable`] if
    /// the store or the owner directory failed.
    pub async fn resolve(self) -> Result<Principal, AuthError> {
        let hallpass = self.0.hallpass.clone();
        let started = Instant::now();
        let result = self.decide().await;
        let outcome = match &result {
            Ok(_) => Outcome::Accepted,
            Err(error) if error.is_unavailable() => Outcome::Unavailable,
            Err(_) => Outcome::Rejected,
        };
        hallpass.metrics().record_duration(outcome, started.elapsed());
        hallpass.count_unavailable(result)
    }

    async fn decide(self) -> Result<Principal, AuthError> {
        let Undecided { hallpass, token, freshness, ref origin } = *self.0;
        let check = |loaded: &CachedToken, superseded_by: &[Digest], now| {
            hallpass.check_secret(token.borrow(), loaded, superseded_by, now)
        };
        let unknown = || hallpass.reject_unknown(token.borrow(), origin);
        hallpass.decide(token.id(), freshness, origin, check, unknown).await
    }
}

impl Hallpass {
    /// Loads a token and completes a check of it. If `check` finds another secret in a cached
    /// record, the token is loaded again past the cache.
    pub(super) async fn decide(
        &self,
        id: TokenId,
        mut freshness: Freshness,
        origin: &Origin,
        check: impl Fn(&CachedToken, &[Digest], Timestamp) -> SecretCheck,
        unknown: impl FnOnce() -> AuthError,
    ) -> Result<Principal, AuthError> {
        let mut known_status = None;
        loop {
            // This must come before the load: see `superseded_by`.
            let superseded_by = self.superseded_by(id);
            let Some(loaded) = self.load(id, freshness).await? else { return Err(unknown()) };
            let now = self.now();
            let (secret, ends_grace_period) = match check(&loaded, &superseded_by, now) {
                SecretCheck::OtherSecret
                    if freshness == Freshness::Bounded && self.backend().is_cache() =>
                {
                    freshness = Freshness::AfterCall;
                    continue;
                }
                SecretCheck::OtherSecret => {
                    return Err(self.reject_token(RejectReason::Unknown, Some(&loaded), origin));
                }
                SecretCheck::Reject(why) => {
                    return Err(self.reject_token(why, Some(&loaded), origin));
                }
                SecretCheck::EndGracePeriod => (SecretMatch::Current, true),
                SecretCheck::Accept(secret) => (secret, false),
            };
            let known = known_status.take().filter(|(owner, _)| owner == loaded.owner());
            let status = match known {
                Some((_, status)) => status,
                None => {
                    let status = self.owner_status_for_check(loaded.owner()).await;
                    let status = status.map_err(AuthError::Unavailable)?;
                    if ends_grace_period && status.is_some() {
                        // The token may have been regenerated while the directory was queried.
                        known_status = Some((loaded.owner().clone(), status));
                        continue;
                    }
                    status
                }
            };
            let principal = self.accept(Arc::clone(&loaded), status, secret, now, origin)?;
            // If the owner is disabled or the directory fails, the client cannot use the new secret
            // yet, so the previous one must keep working.
            if ends_grace_period {
                self.retire_previous_secret(&loaded, origin).await;
            }
            return Ok(principal);
        }
    }

    /// Ends the grace period of the previous secret: on this node at once, and on other nodes
    /// through the change log.
    ///
    /// Of many concurrent uses only one writes to the store. If the write fails, the grace period
    /// has still ended on this node, and a use after one second tries again.
    async fn retire_previous_secret(&self, loaded: &CachedToken, origin: &Origin) {
        let (id, current) = (loaded.id(), loaded.current().clone());
        if !self.supersede(id, &current) {
            return;
        }
        let upgrade = DigestUpgrade {
            owner: loaded.owner().clone(),
            outdated: current.clone(),
            secrets: loaded.current_secret_only(),
        };
        let origin = origin.clone();
        // The note must be removed even if the client has disconnected.
        let work = async move |hallpass: Self| {
            let kind = EventKind::GracePeriodEnded;
            match hallpass.replace_digest(id, upgrade, kind, origin).await {
                Ok(()) => hallpass.forget_superseded(id, &current),
                // The token was regenerated again or deleted, which has ended the previous secret
                // in the store. The cache may still hold the older record, so it is invalidated
                // before the note is removed.
                Err(error) if error.is_conflict() || error.is_not_found() => {
                    if hallpass.load(id, Freshness::AfterCall).await.is_ok() {
                        hallpass.forget_superseded(id, &current);
                    }
                }
                Err(error) => {
                    tracing::warn!(target: "hallpass", token = %id, %error, "could not store the end of a grace period, a later use will try again");
                }
            }
            Ok(())
        };
        let _ = self.run_to_completion(CallKind::Edit, None, work).await;
    }
}
