use super::Hallpass;
use crate::actor::{Actor, Role};
use crate::error::{Error, PermissionError};
use crate::event::EventKind;
use crate::owner::Owner;
use crate::record::TokenRecord;
use crate::store::{Change, ChangeKind, StoreError};
use crate::token::TokenId;

/// How often a revocation is tried again: others may rename the token meanwhile, it is taken back all the same.
const ATTEMPTS: u32 = 64;

/// How often it is tried again when nobody can tell whether it stands: each time may take as long as a
/// store takes to give up.
const UNKNOWN_OUTCOMES: u32 = 4;

impl Hallpass {
    /// Takes a token back. Once this has returned, this node accepts it no more. A token that is
    /// revoked already stays as it is. Regenerating brings it back, with another secret.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Conflict`] if others kept changing the token, or the store's trouble: then it
    /// may still work.
    pub async fn revoke(&self, by: &Actor, id: TokenId) -> Result<TokenRecord, Error> {
        let now = self.now();
        let (mut unknown_outcomes, mut unknown) = (0, None);
        for _ in 0..ATTEMPTS {
            let mut record = match self.visible(by, id).await {
                Ok(visible) => visible.record,
                Err(error) => return Err(still_unknown(unknown, error)),
            };
            if record.revoked_at.is_some() {
                if unknown_outcomes > 0 && record.revoked_at == Some(now) {
                    self.emit(&self.event(EventKind::Revoked, by).about_token(&record));
                }
                return Ok(record);
            }
            record.revoked_at = Some(now);
            record.revision = record.revision.next();
            let change = Change { record, secrets: None, kind: ChangeKind::Revoked };
            match self.apply(change, by, EventKind::Revoked).await {
                Ok(Some(record)) => return Ok(record),
                Ok(None) => {}
                // Whether it stands is found out by looking again.
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

    /// Takes all of an owner's tokens back, for an admin, an operator or the owner. Answers how
    /// many were not revoked before.
    ///
    /// # Errors
    ///
    /// [`PermissionError::OnlyAdmins`], or the store's trouble.
    pub async fn revoke_all(&self, by: &Actor, owner: &Owner) -> Result<u64, Error> {
        if by.role() == Role::Owner && by.subject() != Some(owner) {
            return Err(PermissionError::OnlyAdmins.into());
        }
        let revoked = self.store().revoke_owner(owner, self.now()).await?.count;
        if revoked > 0 {
            let mut event = self.event(EventKind::Revoked, by).about(None, owner);
            event.count = revoked;
            self.emit(&event);
        }
        Ok(revoked)
    }
}

/// What to answer if the store fails while it is found out what became of a change: that is not known yet.
fn still_unknown(unknown: Option<StoreError>, error: Error) -> Error {
    match unknown {
        Some(unknown) if error.is_unavailable() => Error::Store(unknown),
        _ => error,
    }
}
