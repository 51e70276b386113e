use std::sync::Arc;

use jiff::Timestamp;

use super::{AuthError, CachedToken, Principal, SecretCheck};
use crate::digest::SecretMatch;
use crate::digest_upgrades::DigestUpgrade;
use crate::event::{EventKind, RejectReason};
use crate::lifecycle::Hallpass;
use crate::token::PresentedToken;

/// The part of a check that needs the store. It owns all it needs and may outlive the request.
#[derive(Debug)]
#[must_use = "a pending verification does nothing until it is resolved"]
pub struct PendingVerification(Box<Undecided>);

/// Boxed, so that a hit has little to move about.
#[derive(Debug)]
struct Undecided {
    hallpass: Hallpass,
    token: PresentedToken,
    /// The cached record has another digest, so the store itself has to be asked, once.
    past_cache: bool,
}

impl PendingVerification {
    pub(super) fn new(hallpass: &Hallpass, token: PresentedToken, past_cache: bool) -> Self {
        Self(Box::new(Undecided { hallpass: hallpass.clone(), token, past_cache }))
    }

    /// Asks the store, and decides. This is no use of the token yet: see
    /// [`Hallpass::pending_use`].
    ///
    /// # Errors
    ///
    /// The token is refused, or could not be checked.
    pub async fn resolve(self) -> Result<Principal, AuthError> {
        let hallpass = self.0.hallpass.clone();
        let verdict = self.decide().await;
        hallpass.counted(verdict)
    }

    async fn decide(self) -> Result<Principal, AuthError> {
        let Undecided { hallpass, token, mut past_cache } = *self.0;
        let superseded_by = hallpass.superseded_by(token.id());
        loop {
            let Some(loaded) = hallpass.load(token.id(), past_cache).await? else {
                return Err(hallpass.unknown(token.borrow()));
            };
            let now = hallpass.now();
            match hallpass.check_secret(token.borrow(), &loaded, superseded_by.as_ref(), now) {
                SecretCheck::OtherSecret if !past_cache && hallpass.backend().is_cache() => {
                    past_cache = true;
                }
                SecretCheck::OtherSecret => {
                    return Err(hallpass.refused(RejectReason::Unknown, Some(&loaded)));
                }
                SecretCheck::Reject(why) => return Err(hallpass.refused(why, Some(&loaded))),
                SecretCheck::EndGracePeriod => {
                    hallpass.retire_previous_secret(&loaded).await;
                    return hallpass.accept_within_status(loaded, SecretMatch::Current, now).await;
                }
                SecretCheck::Accept(secret) => {
                    return hallpass.accept_within_status(loaded, secret, now).await;
                }
            }
        }
    }
}

impl Hallpass {
    pub(super) async fn accept_within_status(
        &self,
        loaded: Arc<CachedToken>,
        secret: SecretMatch,
        now: Timestamp,
    ) -> Result<Principal, AuthError> {
        let status =
            self.owner_status_for_check(loaded.owner()).await.map_err(AuthError::Unavailable)?;
        self.accept(loaded, status, secret, now)
    }

    /// Ends the grace period of the previous secret: on this node at once, elsewhere through the
    /// change log. Of many concurrent uses only one writes. If the store cannot be changed, this
    /// node remembers that the period has ended, and a use one second later tries again.
    async fn retire_previous_secret(&self, loaded: &CachedToken) {
        let (id, current) = (loaded.id(), loaded.current());
        if !self.supersede(id, current) {
            return;
        }
        let upgrade = DigestUpgrade {
            owner: loaded.owner().clone(),
            outdated: current.clone(),
            secrets: loaded.current_secret_only(),
        };
        match self.replace_digest(id, upgrade, EventKind::GracePeriodEnded).await {
            Ok(()) => self.forget_superseded(id),
            // Regenerated again or deleted meanwhile: the previous secret has ended either way.
            Err(error) if error.is_conflict() || error.is_not_found() => {
                self.forget_superseded(id);
            }
            Err(error) => {
                tracing::warn!(target: "hallpass", token = %id, %error, "could not store the end of a grace period yet, will try again at a later use");
            }
        }
    }
}
