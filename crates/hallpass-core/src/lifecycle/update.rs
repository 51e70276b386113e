//! Edits tokens.

use super::draft::ValidationErrors;
use super::{CallKind, Hallpass, TokenUpdate};
use crate::actor::Actor;
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::record::{Revision, Status, TokenRecord};
use crate::scope::{Scope, ScopeSet};
use crate::store::{Change, ChangeKind, ChangeTarget, StoredToken};
use crate::token::TokenId;

/// The maximum number of attempts of an edit, if others change the same token at the same time.
pub(super) const ATTEMPTS: u32 = 5;

impl Hallpass {
    /// Changes the name, description, scopes, metadata or expiry of a token. The token may have any
    /// status. If nothing differs, the revision stays the same.
    ///
    /// # Errors
    ///
    /// - [`Error::NotFound`] if there is no such token for this actor
    /// - [`Error::Stale`] if the token is not at the expected revision
    /// - [`Error::NotActive`] if a new expiry would make an expired or revoked token active again
    /// - [`Error::Invalid`] with a message for each invalid field
    /// - [`Error::Forbidden`] for a token of another owner, for scopes that the actor may not add,
    ///   and for a longer life of a token whose scopes the actor may not grant
    /// - [`Error::Conflict`] if others kept changing the token
    /// - [`Error::Store`] if the store cannot be changed
    pub async fn update(
        &self,
        by: &Actor,
        id: TokenId,
        update: TokenUpdate,
        expected: Option<Revision>,
    ) -> Result<TokenRecord, Error> {
        let now = self.now();
        let mut errors = ValidationErrors::default();
        let name = update.name.as_ref().map(|name| Self::read_name(&mut errors, name));
        let description =
            update.description.as_ref().map(|text| Self::read_description(&mut errors, text));
        let scopes = update.scopes.as_ref().map(|texts| self.read_scopes(&mut errors, texts));
        if let Some(expires) = &update.expires {
            // This only checks that the expiry is valid. The limit on the lifetime is checked
            // below.
            self.read_expiry(&mut errors, expires, now, now);
        }
        errors.check()?;
        self.edit(by, id, expected, |record| {
            if let Some(name) = &name {
                record.name.clone_from(name);
            }
            if let Some(description) = &description {
                record.description.clone_from(description);
            }
            if let Some(scopes) = &scopes {
                record.scopes.clone_from(scopes);
            }
            if let Some(members) = &update.metadata {
                record.metadata = record
                    .metadata
                    .merged(members)
                    .map_err(|error| Error::invalid("metadata", error.to_string()))?;
            }
            if let Some(expires) = &update.expires {
                if record.status(now) != Status::Active {
                    return Err(Error::NotActive);
                }
                let start = record.secret_issued_at();
                let mut errors = ValidationErrors::default();
                record.expires_at = self.read_expiry(&mut errors, expires, start, now);
                errors.check()?;
            }
            Ok(())
        })
        .await
    }

    /// Adds scopes to those that the token holds.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`update`](Self::update).
    pub async fn add_scopes<T: Into<String>>(
        &self,
        by: &Actor,
        id: TokenId,
        scopes: impl IntoIterator<Item = T>,
        expected: Option<Revision>,
    ) -> Result<TokenRecord, Error> {
        let texts: Vec<String> = scopes.into_iter().map(Into::into).collect();
        let mut errors = ValidationErrors::default();
        let added = self.read_scopes(&mut errors, &texts);
        errors.check()?;
        self.edit(by, id, expected, |record| {
            let all: ScopeSet = record.scopes.iter().chain(&added).cloned().collect();
            let mut errors = ValidationErrors::default();
            record.scopes = Self::bounded(&mut errors, all);
            errors.check()
        })
        .await
    }

    /// Removes scopes from a token.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`update`](Self::update), and [`Error::NotFound`] if the token does
    /// not list one of these scopes. A broader scope that covers it does not count.
    pub async fn remove_scopes(
        &self,
        by: &Actor,
        id: TokenId,
        scopes: &[Scope],
        expected: Option<Revision>,
    ) -> Result<TokenRecord, Error> {
        self.edit(by, id, expected, |record| {
            if !scopes.iter().all(|scope| record.scopes.contains(scope)) {
                return Err(Error::NotFound);
            }
            record.scopes =
                record.scopes.iter().filter(|held| !scopes.contains(held)).cloned().collect();
            Ok(())
        })
        .await
    }

    /// Removes all scopes. The token then allows nothing.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`update`](Self::update).
    pub async fn clear_scopes(
        &self,
        by: &Actor,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<TokenRecord, Error> {
        self.update(by, id, TokenUpdate::new().scopes::<String>([]), expected).await
    }

    /// Reads, edits and writes a record. Starts again if another call has changed it meanwhile.
    async fn edit(
        &self,
        by: &Actor,
        id: TokenId,
        expected: Option<Revision>,
        edit: impl Fn(&mut TokenRecord) -> Result<(), Error>,
    ) -> Result<TokenRecord, Error> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::task::yield_now().await;
            }
            let StoredToken { record: before, .. } = self.editable(by, id).await?;
            check_revision(&before, expected)?;
            let mut after = before.clone();
            edit(&mut after)?;
            if after == before {
                return Ok(before);
            }
            // A scope that the catalog does not list allows nothing, so it covers no other scope.
            let allowed: ScopeSet =
                before.scopes.iter().filter(|held| self.knows(held)).cloned().collect();
            // Extending a token grants every one of its scopes again.
            let lives_longer = match (before.expires_at, after.expires_at) {
                (Some(before), Some(after)) => after > before,
                (Some(_), None) => true,
                (None, _) => false,
            };
            let is_new = |scope: &&Scope| !allowed.covers(scope) && !before.scopes.contains(scope);
            let granted: Vec<_> =
                after.scopes.iter().filter(|scope| lives_longer || is_new(scope)).collect();
            if !granted.is_empty() {
                self.check_grantable(by, &after.owner, granted).await?;
            }
            after.revision = before.revision.next();
            let event =
                self.event(EventKind::Updated, by).about_change(Some(&before), Some(&after));
            let change = Change { record: after, secrets: None, kind: ChangeKind::Updated };
            if let Some(record) = self.apply(by, change, event).await? {
                return Ok(record);
            }
        }
        Err(Error::Conflict)
    }

    /// Stores a change and reports it. Returns `None` if the token is at another revision.
    pub(super) async fn apply(
        &self,
        by: &Actor,
        change: Change,
        event: Event,
    ) -> Result<Option<TokenRecord>, Error> {
        let call = match event.kind {
            EventKind::Revoked | EventKind::GracePeriodEnded => CallKind::Removal,
            _ => CallKind::Edit,
        };
        let work = async move |hallpass: Self| {
            let (id, result) = (change.record.id, hallpass.backend().update(&change, &event).await);
            let seq = hallpass.refresh_if_gone(id, result).await?;
            hallpass.committed(&ChangeTarget::Token(id), seq, &event);
            Ok(change.record)
        };
        match self.run_to_completion(call, by.subject(), work).await {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Checks that the token is at the expected revision, if one is expected.
pub(super) fn check_revision(
    record: &TokenRecord,
    expected: Option<Revision>,
) -> Result<(), Error> {
    if expected.is_none_or(|expected| expected == record.revision) {
        Ok(())
    } else {
        Err(Error::Stale { current: record.revision })
    }
}
