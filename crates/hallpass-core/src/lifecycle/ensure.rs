//! Makes sure that tokens exist whose secrets were generated elsewhere.

use super::draft::ValidationErrors;
use super::{Hallpass, NewToken, TokenUpdate, require_subject};
use crate::actor::{Actor, Role};
use crate::digest::Digest;
use crate::error::{Error, PermissionError};
use crate::event::EventKind;
use crate::owner::Owner;
use crate::record::{Status, TokenRecord};
use crate::store::{AuditQuery, Secrets, StoredToken};
use crate::token::TokenId;

/// A token whose secret was generated elsewhere, for [`Hallpass::ensure`].
#[derive(Clone, Debug)]
#[must_use = "pass it to `Hallpass::ensure`"]
pub struct KnownToken {
    /// The id from the token's text.
    pub id: TokenId,
    /// The digest of its secret.
    pub digest: Digest,
}

/// The result of [`Hallpass::ensure`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EnsureOutcome {
    /// The token did not exist and was created.
    Created(TokenRecord),
    /// The token existed and was changed.
    Updated(TokenRecord),
    /// The token existed and was not changed.
    Unchanged(TokenRecord),
}

impl EnsureOutcome {
    /// Returns the token's record.
    #[must_use]
    pub fn record(&self) -> &TokenRecord {
        match self {
            Self::Created(record) | Self::Updated(record) | Self::Unchanged(record) => record,
        }
    }
}

impl Hallpass {
    /// Makes sure that a token with this name, description and scopes exists. The token's secret
    /// was generated elsewhere. Use this to configure a service from a manifest that contains no
    /// secret. Only a system actor that acts on behalf of an owner may call it.
    ///
    /// Id and digest come from a whole token that was generated for the same owner: see
    /// [`PresentedToken::inspect`](crate::PresentedToken::inspect). If the token exists, the call
    /// updates its name, description and scopes. The expiry is used only when the token is created,
    /// so that a duration does not start again with each call. A digest that was replaced since
    /// then cannot be compared and is assumed to belong to the same secret.
    ///
    /// # Errors
    ///
    /// Returns [`Error::IdInUse`] if the id belongs to another owner or another secret,
    /// [`Error::NotActive`] if the token is revoked, has expired, or was deleted or pruned
    /// according to the audit trail, [`PermissionError::SystemOnly`] for other actors, and the
    /// errors of [`issue`](Self::issue).
    pub async fn ensure(
        &self,
        by: &Actor,
        known: &KnownToken,
        new: NewToken,
    ) -> Result<EnsureOutcome, Error> {
        if by.role() != Role::System {
            return Err(self.not_permitted(by, None, PermissionError::SystemOnly));
        }
        let owner = require_subject(by)?;
        if known.id.owner_tag() != TokenId::tag_of(owner) {
            return Err(Error::invalid("id", "this id belongs to a token of another owner"));
        }
        let mut last_try = false;
        loop {
            match self.create_or_update(by, owner, known, &new).await {
                // Another call has created the token in the meantime, so compare with that token.
                Err(Error::Store(error)) if error.is_duplicate() && !last_try => last_try = true,
                ensured => return ensured,
            }
        }
    }

    async fn create_or_update(
        &self,
        by: &Actor,
        owner: &Owner,
        known: &KnownToken,
        new: &NewToken,
    ) -> Result<EnsureOutcome, Error> {
        let now = self.now();
        let mut errors = ValidationErrors::default();
        let mut draft = self.read_new(&mut errors, new, now);
        // The trail is read first. If it has an entry, the token existed before it is looked up.
        let entries = AuditQuery { token_id: Some(known.id), ..AuditQuery::newest(1) };
        let is_recorded = !self.backend().audit(&entries).await?.entries.is_empty();
        let Some(StoredToken { record, secrets }) = self.read(known.id).await? else {
            // Otherwise a manifest that is applied again would revive a token that was revoked and
            // then pruned.
            if is_recorded {
                return Err(Error::NotActive);
            }
            draft.expires_at = self.read_end(&mut errors, new, now);
            if self.digester().lacks_required_pepper(&known.digest) {
                errors.add(
                    "digest",
                    "this service rejects digests without a pepper: issue a token instead",
                );
            }
            errors.check()?;
            self.check_grantable(by, owner, &draft.scopes).await?;
            let secrets = Secrets { current: known.digest.clone(), previous: None };
            let stored = StoredToken { record: draft.record(known.id, owner), secrets };
            let inserted = self.insert_token(by, EventKind::Issued, stored).await;
            return inserted.map(EnsureOutcome::Created).map_err(|error| self.not_inserted(error));
        };
        errors.check()?;
        let was_replaced = secrets.current.algorithm() != known.digest.algorithm();
        let same_secret = record.regenerated_at.is_none()
            && (was_replaced || secrets.current.ct_eq(&known.digest));
        if record.owner != *owner || !same_secret {
            return Err(Error::IdInUse);
        }
        if record.status(now) != Status::Active {
            return Err(Error::NotActive);
        }
        let update = TokenUpdate::new()
            .name(draft.name)
            .description(draft.description)
            .scopes(draft.scopes.iter().map(ToString::to_string));
        let after = self.update(by, known.id, update, None).await?;
        Ok(if after.revision == record.revision {
            EnsureOutcome::Unchanged(after)
        } else {
            EnsureOutcome::Updated(after)
        })
    }
}
