//! Revokes tokens.

use jiff::Timestamp;

use super::{CallKind, Hallpass};
use crate::actor::{Actor, Role};
use crate::error::{Error, PermissionError};
use crate::event::{Event, EventKind};
use crate::expiry::boundary;
use crate::owner::Owner;
use crate::record::TokenRecord;
use crate::store::{BulkResult, Change, ChangeKind, ChangeTarget, StoreError};
use crate::token::TokenId;

/// The maximum number of attempts of a revocation. It is high, because a revocation must succeed
/// even if others keep editing the token.
const ATTEMPTS: u32 = 64;

/// The maximum number of attempts whose outcome is unknown. It is low, because each of them may
/// take as long as the store's deadline.
const UNKNOWN_OUTCOMES: u32 = 4;

/// The number of tokens that one step of [`Hallpass::revoke_everyone`] revokes.
const BATCH: u32 = 1000;

/// The result of revoking several tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RevokedTokens {
    /// The tokens that are revoked now, including those that were revoked before.
    pub revoked: Vec<TokenId>,
    /// The tokens that do not exist, or that the actor may not see.
    pub not_found: Vec<TokenId>,
}

impl Hallpass {
    /// Revokes a token. When this returns, this node rejects the token. Other nodes reject it
    /// within their cache's maximum staleness.
    ///
    /// Revoking a revoked token changes nothing. Regenerating it makes it active again, with
    /// another secret.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
    /// use hallpass_core::{Actor, Hallpass, NewToken};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let alice = Actor::owner("alice");
    /// let issued = hallpass.issue(&alice, NewToken::named("ci")).await?;
    ///
    /// hallpass.revoke(&alice, issued.record.id).await?;
    /// assert!(hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotFound`] if there is no such token for this actor, [`Error::Conflict`] if
    /// others kept changing the token, and [`Error::Store`] if the store cannot be changed. After
    /// an error, the token may still work.
    pub async fn revoke(&self, by: &Actor, id: TokenId) -> Result<TokenRecord, Error> {
        Ok(self.revoke_older(by, id, None).await?.1)
    }

    /// Revokes a token, if `issued_before` is not given or its secret is older than that. Returns
    /// whether the token is revoked for that reason, and its record.
    ///
    /// Each attempt checks the age of the secret that it replaces: if the token is regenerated in
    /// the meantime, the revision differs, and the next attempt sees the new secret.
    async fn revoke_older(
        &self,
        by: &Actor,
        id: TokenId,
        issued_before: Option<Timestamp>,
    ) -> Result<(bool, TokenRecord), Error> {
        let now = self.now();
        let mut unknown: Option<StoreError> = None;
        let mut unknown_outcomes = 0;
        for _ in 0..ATTEMPTS {
            let before = match self.visible(CallKind::Removal, by, id).await {
                Ok(visible) => visible.record,
                Err(error) => return Err(still_unknown(unknown, error)),
            };
            if issued_before.is_some_and(|limit| before.secret_issued_at() >= limit) {
                return Ok((false, before));
            }
            if before.revoked_at.is_some() {
                // An earlier attempt, whose outcome was unknown, has revoked the token. The store
                // has recorded the event, so only the sink still needs it.
                if unknown.is_some() && before.revoked_at == Some(now) {
                    let mut active = before.clone();
                    active.revoked_at = None;
                    let event = self.event(EventKind::Revoked, by);
                    self.emit(&event.about_change(Some(&active), Some(&before)));
                }
                return Ok((true, before));
            }
            let mut after = before.clone();
            after.revoked_at = Some(now);
            after.revision = before.revision.next();
            let event =
                self.event(EventKind::Revoked, by).about_change(Some(&before), Some(&after));
            let change = Change { record: after, secrets: None, kind: ChangeKind::Revoked };
            match self.apply(by, change, event).await {
                Ok(Some(record)) => return Ok((true, record)),
                Ok(None) => {}
                // The next attempt reads the token again, which shows whether the change was
                // committed. It does not show whether replicas have the change.
                Err(Error::Store(error))
                    if error.is_outcome_unknown()
                        && !error.is_unconfirmed()
                        && unknown_outcomes < UNKNOWN_OUTCOMES =>
                {
                    unknown_outcomes += 1;
                    unknown = Some(error);
                }
                Err(error) => return Err(still_unknown(unknown, error)),
            }
        }
        Err(Error::Conflict)
    }

    /// Revokes several tokens, one after the other. With `issued_before`, only tokens whose secret
    /// is older are revoked. The result lists the tokens that do not exist or that the actor may
    /// not see.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`revoke`](Self::revoke) except [`Error::NotFound`]. Tokens that were
    /// revoked before the error stay revoked.
    pub async fn revoke_many(
        &self,
        by: &Actor,
        ids: &[TokenId],
        issued_before: Option<Timestamp>,
    ) -> Result<RevokedTokens, Error> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut result = RevokedTokens::default();
        for id in ids {
            match self.revoke_older(by, id, issued_before).await {
                Ok((true, _)) => result.revoked.push(id),
                Ok((false, _)) => {}
                Err(Error::NotFound) => result.not_found.push(id),
                Err(error) => return Err(error),
            }
        }
        Ok(result)
    }

    /// Revokes all tokens of an owner. Returns how many this call has revoked. With
    /// `issued_before`, only tokens whose secret is older are revoked.
    ///
    /// The owner, an admin or a system actor may call it.
    ///
    /// # Errors
    ///
    /// Returns [`PermissionError::OnlyAdmins`] if an ordinary actor names another owner, and
    /// [`Error::Store`] if the store cannot be changed.
    pub async fn revoke_owner(
        &self,
        by: &Actor,
        owner: &Owner,
        issued_before: Option<Timestamp>,
    ) -> Result<u64, Error> {
        self.check_may_end_tokens_of(by, owner)?;
        let event = self.event(EventKind::Revoked, by).about(owner, None);
        let (owner, now) = (owner.clone(), self.now());
        let issued_before = issued_before.map(boundary);
        let work = async move |hallpass: Self| {
            let result =
                hallpass.backend().revoke_owner(&owner, issued_before, now, &event).await?;
            hallpass.committed_bulk(ChangeTarget::Owner(owner), &result, event).await
        };
        Ok(self.run_to_completion(CallKind::Removal, by.subject(), work).await?)
    }

    /// Revokes the tokens of all owners, for an emergency. Returns how many this call has revoked.
    /// With `issued_before`, only tokens whose secret is older are revoked.
    ///
    /// It works in batches. An admin or a system actor may call it.
    ///
    /// # Errors
    ///
    /// Returns [`PermissionError::OnlyAdmins`] for an ordinary actor, and [`Error::Store`] if the
    /// store cannot be changed. Tokens that were revoked before the error stay revoked: call it
    /// again to revoke the rest.
    pub async fn revoke_everyone(
        &self,
        by: &Actor,
        issued_before: Option<Timestamp>,
    ) -> Result<u64, Error> {
        if by.role() == Role::Owner {
            return Err(self.not_permitted(by, None, PermissionError::OnlyAdmins));
        }
        let (now, issued_before) = (self.now(), issued_before.map(boundary));
        let mut revoked = 0;
        loop {
            let event = self.event(EventKind::Revoked, by);
            let work = async move |hallpass: Self| {
                let backend = hallpass.backend();
                let result = backend.revoke_everyone(issued_before, now, BATCH, &event).await?;
                hallpass.committed_bulk(ChangeTarget::All, &result, event).await
            };
            match self.run_to_completion(CallKind::Removal, by.subject(), work).await? {
                0 => return Ok(revoked),
                batch => revoked += batch,
            }
        }
    }

    /// Invalidates cached tokens after a change to many of them, and reports the event. Returns how
    /// many were changed.
    ///
    /// If there was nothing left to change, another node may have revoked or deleted the tokens.
    /// The caller then expects that this node rejects them as well, so their cached records are
    /// refreshed.
    pub(super) async fn committed_bulk(
        &self,
        target: ChangeTarget,
        result: &BulkResult,
        mut event: Event,
    ) -> Result<u64, StoreError> {
        event.count = result.count;
        match result.seq {
            Some(seq) => self.committed(&target, seq, &event),
            None => self.backend().refresh(&[target]).await?,
        }
        Ok(result.count)
    }
}

/// Chooses the error to return if the store fails while the outcome of a change is looked up. The
/// outcome is still unknown in that case.
fn still_unknown(unknown: Option<StoreError>, error: Error) -> Error {
    match unknown {
        Some(unknown) if error.is_unavailable() => Error::Store(unknown),
        _ => error,
    }
}
