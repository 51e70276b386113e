use std::sync::Arc;

use jiff::Timestamp;

use super::{AuthError, CachedToken, Judgement, Principal};
use crate::event::{Event, EventKind, RejectReason};
use crate::hallpass::Hallpass;
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
    /// The cached record has another digest: ask the store itself, once.
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
                return Err(hallpass.unknown(token.secret()));
            };
            let now = hallpass.now();
            match hallpass.judge(token.id(), token.secret(), &loaded, superseded_by.as_ref(), now) {
                Judgement::OtherSecret if !past_cache && hallpass.store().is_cache() => {
                    past_cache = true;
                }
                Judgement::OtherSecret => {
                    return Err(hallpass.refused(RejectReason::Unknown, Some(&loaded)));
                }
                Judgement::Refuse(why) => return Err(hallpass.refused(why, Some(&loaded))),
                Judgement::EndGracePeriod => {
                    hallpass.end_overlap(&loaded).await;
                    return hallpass.accept_within_standing(loaded, false, now).await;
                }
                Judgement::Accept { by_previous_secret } => {
                    return hallpass.accept_within_standing(loaded, by_previous_secret, now).await;
                }
            }
        }
    }
}

impl Hallpass {
    pub(super) async fn accept_within_standing(
        &self,
        loaded: Arc<CachedToken>,
        by_previous_secret: bool,
        now: Timestamp,
    ) -> Result<Principal, AuthError> {
        let standing =
            self.standing_for_check(loaded.owner()).await.map_err(AuthError::Unavailable)?;
        self.accept(loaded, standing.as_deref(), by_previous_secret, now)
    }

    /// Shuts the previous secret out: on this node at once, elsewhere by the change log. Of many uses
    /// at once one writes; if the store cannot be written now, this node remembers, and a use a second
    /// later tries again.
    async fn end_overlap(&self, loaded: &CachedToken) {
        let (id, current) = (loaded.id(), loaded.current());
        if !self.supersede(id, current) {
            return;
        }
        match self.store().rekey(id, current, &loaded.without_overlap()).await {
            Ok(_) => {
                let mut event = Event::new(EventKind::GracePeriodEnded, self.now());
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
