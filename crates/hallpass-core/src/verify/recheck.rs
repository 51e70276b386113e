//! A second check of a token, for work that continues after the request.

use jiff::Timestamp;

use super::backend::Freshness;
use super::{AuthError, CachedToken, Principal, SecretCheck};
use crate::actor::Origin;
use crate::digest::{Digest, SecretMatch};
use crate::event::RejectReason;
use crate::lifecycle::Hallpass;

impl Hallpass {
    /// Checks a principal's token again, and returns a principal with its current scopes. Use it
    /// for work that continues after the request, such as a stream or a job.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use hallpass_core::{Actor, Hallpass, NewToken};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let alice = Actor::owner("alice");
    /// let issued = hallpass.issue(&alice, NewToken::named("stream")).await?;
    /// let principal = hallpass.authenticate(issued.token.reveal().as_bytes()).await?;
    ///
    /// assert!(hallpass.recheck(&principal).await.is_ok());
    /// hallpass.revoke(&alice, issued.record.id).await?;
    /// assert!(hallpass.recheck(&principal).await.is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`authenticate`](Self::authenticate), and [`AuthError::External`] for
    /// an [external](Principal::external) principal.
    pub async fn recheck(&self, principal: &Principal) -> Result<Principal, AuthError> {
        let again = self.count_unavailable(self.recheck_token(principal).await)?;
        self.record_use(&again);
        Ok(again)
    }

    async fn recheck_token(&self, principal: &Principal) -> Result<Principal, AuthError> {
        let id = principal.token_id().ok_or(AuthError::External)?;
        let origin = &Origin::default();
        let check = |loaded: &CachedToken, superseded_by: &[Digest], now| {
            let Some(secret) = still_proven(principal, loaded, superseded_by, now) else {
                return SecretCheck::OtherSecret;
            };
            let rejection = loaded.rejection(secret, now, self.not_before());
            rejection.map_or(SecretCheck::Accept(secret), SecretCheck::Reject)
        };
        let known = Some(&**principal.token());
        let unknown = || self.reject_token(RejectReason::Unknown, known, origin);
        self.decide(id, Freshness::Bounded, origin, check, unknown).await
    }
}

/// Returns which secret of the loaded record is the one that authenticated the principal. Returns
/// `None` if that secret is no longer accepted.
fn still_proven(
    principal: &Principal,
    loaded: &CachedToken,
    superseded_by: &[Digest],
    now: Timestamp,
) -> Option<SecretMatch> {
    let then = principal.token();
    let proven = match (principal.secret(), then.previous()) {
        (SecretMatch::Previous, Some(previous)) => &previous.digest,
        _ => then.current(),
    };
    // After a digest upgrade, the record has another digest of the same secret.
    let upgraded = principal.secret() == SecretMatch::Current
        && proven.algorithm() != loaded.current().algorithm()
        && then.is_regenerated_with(loaded);
    if upgraded || loaded.current().ct_eq(proven) {
        return Some(SecretMatch::Current);
    }
    let is_superseded = superseded_by.iter().any(|by| by.ct_eq(loaded.current()));
    loaded
        .grace_period(now)
        .is_some_and(|previous| previous.digest.ct_eq(proven) && !is_superseded)
        .then_some(SecretMatch::Previous)
}
