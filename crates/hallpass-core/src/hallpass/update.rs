use super::draft::Faults;
use super::{Hallpass, TokenUpdate};
use crate::actor::Actor;
use crate::error::Error;
use crate::event::EventKind;
use crate::record::{Revision, Status, TokenRecord};
use crate::scope::{Scope, ScopeSet};
use crate::store::{Change, ChangeKind, StoredToken};
use crate::token::TokenId;

/// How often a change is tried again when others change the same token at the same time.
const ATTEMPTS: u32 = 16;

impl Hallpass {
    /// ChangeBatch name, description, scopes or expiry, in whatever state the token is. What is the
    /// same already is no change: the revision stays.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Stale`] at another revision than the one expected,
    /// [`Error::Ended`] if a new expiry would bring an ended token back, [`Error::Invalid`],
    /// [`PermissionError`](crate::PermissionError) for another's token or scopes the caller may not add, [`Error::Conflict`] if
    /// others kept changing the token, or the store's trouble.
    pub async fn update(
        &self,
        by: &Actor,
        id: TokenId,
        update: TokenUpdate,
        expected: Option<Revision>,
    ) -> Result<TokenRecord, Error> {
        let now = self.now();
        let mut faults = Faults::default();
        let name = update.name.as_ref().map(|name| Self::read_name(&mut faults, name));
        let description =
            update.description.as_ref().map(|text| Self::read_description(&mut faults, text));
        let scopes = update.scopes.as_ref().map(|texts| self.read_scopes(&mut faults, texts));
        if let Some(expires) = &update.expires {
            // Whether it is one at all; the token's own start is looked at below.
            self.read_expiry(&mut faults, expires, now, now);
        }
        faults.check()?;
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
            if let Some(expires) = &update.expires {
                if record.status(now) != Status::Active {
                    return Err(Error::Ended);
                }
                let start = record.regenerated_at.unwrap_or(record.created_at);
                let mut faults = Faults::default();
                record.expires_at = self.read_expiry(&mut faults, expires, start, now);
                faults.check()?;
            }
            Ok(())
        })
        .await
    }

    /// Adds scopes to those the token holds.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn add_scopes<T: Into<String>>(
        &self,
        by: &Actor,
        id: TokenId,
        scopes: impl IntoIterator<Item = T>,
        expected: Option<Revision>,
    ) -> Result<TokenRecord, Error> {
        let texts: Vec<String> = scopes.into_iter().map(Into::into).collect();
        let mut faults = Faults::default();
        let added = self.read_scopes(&mut faults, &texts);
        faults.check()?;
        self.edit(by, id, expected, |record| {
            let all: ScopeSet = record.scopes.iter().chain(&added).cloned().collect();
            let mut faults = Faults::default();
            record.scopes = Self::bounded(&mut faults, all);
            faults.check()
        })
        .await
    }

    /// Takes one scope away.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update); [`Error::NotFound`] too if the token does not hold exactly this scope.
    pub async fn remove_scope(
        &self,
        by: &Actor,
        id: TokenId,
        scope: &Scope,
        expected: Option<Revision>,
    ) -> Result<TokenRecord, Error> {
        self.edit(by, id, expected, |record| {
            if !record.scopes.contains(scope) {
                return Err(Error::NotFound);
            }
            record.scopes = record.scopes.iter().filter(|held| *held != scope).cloned().collect();
            Ok(())
        })
        .await
    }

    /// Takes all scopes away: the token is then allowed nothing.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn clear_scopes(
        &self,
        by: &Actor,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<TokenRecord, Error> {
        self.update(by, id, TokenUpdate::new().scopes::<String>([]), expected).await
    }

    /// Reads, edits and writes a record until nobody came between, and reports the change.
    async fn edit(
        &self,
        by: &Actor,
        id: TokenId,
        expected: Option<Revision>,
        edit: impl Fn(&mut TokenRecord) -> Result<(), Error>,
    ) -> Result<TokenRecord, Error> {
        for _ in 0..ATTEMPTS {
            let StoredToken { record: before, .. } = self.editable(by, id).await?;
            at_revision(&before, expected)?;
            let mut after = before.clone();
            edit(&mut after)?;
            if after == before {
                return Ok(before);
            }
            // What is held but unknown to the catalog allows nothing: it vouches for no other scope.
            let allowed: ScopeSet =
                before.scopes.iter().filter(|held| self.knows(held)).cloned().collect();
            let added: Vec<_> = after
                .scopes
                .iter()
                .filter(|scope| !allowed.covers(scope) && !before.scopes.contains(scope))
                .collect();
            if !added.is_empty() {
                self.check_grantable(by, &after.owner, &added).await?;
            }
            after.revision = before.revision.next();
            let change = Change { record: after, secrets: None, kind: ChangeKind::Updated };
            if let Some(record) = self.apply(change, by, EventKind::Updated).await? {
                return Ok(record);
            }
        }
        Err(Error::Conflict)
    }

    /// Stores a change and reports it; `None` if somebody else was faster.
    pub(super) async fn apply(
        &self,
        change: Change,
        by: &Actor,
        kind: EventKind,
    ) -> Result<Option<TokenRecord>, Error> {
        match self.store().change(&change).await {
            Ok(_) => {
                self.emit(&self.event(kind, by).about_token(&change.record));
                Ok(Some(change.record))
            }
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether the token is at the revision that the caller looked at.
pub(super) fn at_revision(record: &TokenRecord, expected: Option<Revision>) -> Result<(), Error> {
    if expected.is_none_or(|expected| expected == record.revision) {
        Ok(())
    } else {
        Err(Error::Stale { current: record.revision })
    }
}
