use jiff::Timestamp;

use super::Hallpass;
use crate::actor::{Actor, Role};
use crate::error::{Error, PermissionError};
use crate::event::{Event, EventKind};
use crate::owner::Owner;
use crate::record::TokenRecord;
use crate::store::{BulkResult, Change, ChangeKind, ChangeTarget, StoreError};
use crate::token::TokenId;

/// How often a revocation is tried again. Others may edit the token meanwhile; it is revoked all
/// the same.
const ATTEMPTS: u32 = 64;

/// How often it is tried again when the store cannot tell whether the change was committed. Each
/// attempt may take as long as the store's deadline.
const UNKNOWN_OUTCOMES: u32 = 4;

/// How many tokens one step of [`Hallpass::revoke_everyone`] revokes.
const BATCH: u32 = 1000;

/// The result of revoking several tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RevokedTokens {
    /// The tokens that are revoked now, including those that were revoked before.
    pub revoked: Vec<TokenId>,
    /// The tokens that do not exist, or not for this actor.
    pub not_found: Vec<TokenId>,
}

impl Hallpass {
    /// Revokes a token. When this returns, this node rejects the token. A token that is already
    /// revoked stays as it is. Regenerating makes it active again, with another secret.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotFound`] if there is no such token for this actor, [`Error::Conflict`] if
    /// others kept changing the token, and [`Error::Store`] if the store cannot be changed: the
    /// token may still work then.
    pub async fn revoke(&self, by: &Actor, id: TokenId) -> Result<TokenRecord, Error> {
        let now = self.now();
        let mut unknown: Option<StoreError> = None;
        let mut unknown_outcomes = 0;
        for _ in 0..ATTEMPTS {
            let before = match self.visible(by, id).await {
                Ok(visible) => visible.record,
                Err(error) => return Err(still_unknown(unknown, error)),
            };
            if before.revoked_at.is_some() {
                // An attempt whose answer was lost did it after all. The store has recorded it.
                if unknown.is_some() && before.revoked_at == Some(now) {
                    let mut active = before.clone();
                    active.revoked_at = None;
                    let event = self.event(EventKind::Revoked, by);
                    self.emit(&event.about_change(Some(&active), Some(&before)));
                }
                return Ok(before);
            }
            let mut after = before.clone();
            after.revoked_at = Some(now);
            after.revision = before.revision.next();
            let event =
                self.event(EventKind::Revoked, by).about_change(Some(&before), Some(&after));
            let change = Change { record: after, secrets: None, kind: ChangeKind::Revoked };
            match self.apply(change, event).await {
                Ok(Some(record)) => return Ok(record),
                Ok(None) => {}
                // Reading the token again tells whether the change was committed.
                Err(Error::Store(error))
                    if error.is_outcome_unknown() && unknown_outcomes < UNKNOWN_OUTCOMES =>
                {
                    unknown_outcomes += 1;
                    unknown = Some(error);
                }
                Err(error) => return Err(still_unknown(unknown, error)),
            }
        }
        Err(Error::Conflict)
    }

    /// Revokes several tokens, one after the other. Tokens that do not exist, or not for this
    /// actor, are listed in the result. With `issued_before`, only tokens whose secret is older are
    /// revoked.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`revoke`](Self::revoke) except [`Error::NotFound`]. What was revoked
    /// before the error stays revoked.
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
            let outcome = async {
                if let Some(limit) = issued_before
                    && self.visible(by, id).await?.record.secret_issued_at() >= limit
                {
                    return Ok(false);
                }
                self.revoke(by, id).await.map(|_| true)
            };
            match outcome.await {
                Ok(true) => result.revoked.push(id),
                Ok(false) => {}
                Err(Error::NotFound) => result.not_found.push(id),
                Err(error) => return Err(error),
            }
        }
        Ok(result)
    }

    /// Revokes all tokens of an owner: for that owner, an admin or a system actor. Returns how many
    /// were revoked by this call. With `issued_before`, only tokens whose secret is older are
    /// revoked.
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
        if by.role() == Role::Owner && by.subject() != Some(owner) {
            return Err(self.not_permitted(by, None, PermissionError::OnlyAdmins));
        }
        let mut event = self.event(EventKind::Revoked, by).about(owner, None);
        let (owner, now) = (owner.clone(), self.now());
        let work = async move |hallpass: Self| {
            let result =
                hallpass.backend().revoke_owner(&owner, issued_before, now, &event).await?;
            event.count = result.count;
            hallpass.committed_bulk(ChangeTarget::Owner(owner), &result, &event).await?;
            Ok(result.count)
        };
        Ok(self.run_to_completion(work).await?)
    }

    /// Revokes the tokens of all owners, in batches: for an emergency. Returns how many were
    /// revoked by this call. With `issued_before`, only tokens whose secret is older are revoked.
    ///
    /// # Errors
    ///
    /// Returns [`PermissionError::OnlyAdmins`] for an ordinary actor, and [`Error::Store`] if the
    /// store cannot be changed. What was revoked before the error stays revoked; call it again.
    pub async fn revoke_everyone(
        &self,
        by: &Actor,
        issued_before: Option<Timestamp>,
    ) -> Result<u64, Error> {
        if by.role() == Role::Owner {
            return Err(self.not_permitted(by, None, PermissionError::OnlyAdmins));
        }
        let now = self.now();
        let mut revoked = 0;
        loop {
            let mut event = self.event(EventKind::Revoked, by);
            let work = async move |hallpass: Self| {
                let backend = hallpass.backend();
                let result = backend.revoke_everyone(issued_before, now, BATCH, &event).await?;
                event.count = result.count;
                hallpass.committed_bulk(ChangeTarget::All, &result, &event).await?;
                Ok(result.count)
            };
            match self.run_to_completion(work).await? {
                0 => return Ok(revoked),
                batch => revoked += batch,
            }
        }
    }

    /// Follows up on a change to many tokens. If nothing was left to change, another node may have
    /// changed it, and this node must not accept it any longer either.
    pub(super) async fn committed_bulk(
        &self,
        target: ChangeTarget,
        result: &BulkResult,
        event: &Event,
    ) -> Result<(), StoreError> {
        match result.seq {
            Some(seq) => {
                self.committed(&target, seq, event);
                Ok(())
            }
            None => self.backend().refresh(&[target]).await,
        }
    }
}

/// Chooses the error to return if the store fails while the outcome of a change is looked up: the
/// outcome is still unknown then.
fn still_unknown(unknown: Option<StoreError>, error: Error) -> Error {
    match unknown {
        Some(unknown) if error.is_unavailable() => Error::Store(unknown),
        _ => error,
    }
}
