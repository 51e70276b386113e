//! Issues tokens.

use jiff::Timestamp;

use super::draft::ValidationErrors;
use super::{CallKind, Hallpass, NewToken, require_subject};
use crate::actor::Actor;
use crate::error::Error;
use crate::event::EventKind;
use crate::metadata::Metadata;
use crate::owner::Owner;
use crate::record::TokenRecord;
use crate::scope::ScopeSet;
use crate::store::{ChangeTarget, Secrets, StoreError, StoredToken};
use crate::token::{PlainToken, Secret, TokenId};

/// A token that was issued or regenerated. The secret is available only here.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "the secret is not stored anywhere else"]
pub struct Issued {
    /// The whole token, to show to its owner once.
    pub token: PlainToken,
    /// The token's record.
    pub record: TokenRecord,
}

/// A validated token without id and secret.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) scopes: ScopeSet,
    pub(super) metadata: Metadata,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) created_at: Timestamp,
}

impl Draft {
    pub(super) fn record(&self, id: TokenId, owner: &Owner) -> TokenRecord {
        TokenRecord {
            description: self.description.clone(),
            scopes: self.scopes.clone(),
            metadata: self.metadata.clone(),
            expires_at: self.expires_at,
            ..TokenRecord::new(id, owner.clone(), self.name.clone(), self.created_at)
        }
    }
}

impl Hallpass {
    /// Issues a new token for the owner that the actor acts for.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
    /// use hallpass_core::{Actor, Error, Hallpass, Limits, NewToken};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let limits = Limits::default().tokens_per_owner(1);
    /// let hallpass = Hallpass::builder(MemoryStore::new()).limits(limits).build();
    /// let alice = Actor::owner("alice");
    ///
    /// let issued = hallpass.issue(&alice, NewToken::named("ci").expires("30d")).await?;
    /// assert_eq!(issued.record.name, "ci");
    /// let error = hallpass.issue(&alice, NewToken::named("second")).await.unwrap_err();
    /// assert!(matches!(error, Error::LimitReached { limit: 1, .. }));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Error::Invalid`] with a message for each field, [`Error::LimitReached`] if the
    /// owner has too many tokens, [`Error::Forbidden`] if the actor may not grant a scope, and
    /// [`Error::Store`] if the store cannot be changed.
    pub async fn issue(&self, by: &Actor, new: NewToken) -> Result<Issued, Error> {
        let owner = require_subject(by)?;
        let draft = self.draft(&new)?;
        self.insert(by, owner, EventKind::Issued, draft).await
    }

    /// Validates a new token.
    pub(super) fn draft(&self, new: &NewToken) -> Result<Draft, Error> {
        let now = self.now();
        let mut errors = ValidationErrors::default();
        let mut draft = self.read_new(&mut errors, new, now);
        draft.expires_at = self.read_end(&mut errors, new, now);
        errors.check()?;
        Ok(draft)
    }

    /// Validates everything about a new token except its expiry.
    pub(super) fn read_new(
        &self,
        errors: &mut ValidationErrors,
        new: &NewToken,
        now: Timestamp,
    ) -> Draft {
        let name = Self::read_name(errors, &new.name);
        let metadata = new.metadata.clone();
        let description = Self::read_description(errors, &new.description);
        let mut scopes = self.read_scopes(errors, &new.scopes);
        if let Some(preset) = &new.preset {
            match self.catalog().and_then(|catalog| catalog.find_preset(preset)) {
                Some(preset) => {
                    let all = scopes.into_iter().chain(preset.scopes().iter().cloned()).collect();
                    scopes = Self::bounded(errors, all);
                }
                None => errors.add("preset", "unknown preset"),
            }
        }
        Draft { name, description, scopes, metadata, expires_at: None, created_at: now }
    }

    /// Validates the expiry of a new token.
    pub(super) fn read_end(
        &self,
        errors: &mut ValidationErrors,
        new: &NewToken,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let default = || self.limits().default_expiry.into();
        let expires = new.expires.clone().unwrap_or_else(default);
        self.read_expiry(errors, &expires, now, now)
    }

    /// Converts the error of a store that did not add a token.
    pub(super) fn not_inserted(&self, error: StoreError) -> Error {
        match (error.limit_in_use(), self.limits().tokens_per_owner) {
            (Some(in_use), Some(limit)) => Error::LimitReached { limit, in_use },
            _ => error.into(),
        }
    }

    /// Stores a draft with a new id and secret, if the actor may grant its scopes.
    pub(super) async fn insert(
        &self,
        by: &Actor,
        owner: &Owner,
        kind: EventKind,
        draft: Draft,
    ) -> Result<Issued, Error> {
        self.check_grantable(by, owner, &draft.scopes).await?;
        // A duplicate id has a chance of 2^-58. If it happens several times in a row, the source of
        // randomness is broken.
        let mut attempts_left = 2;
        loop {
            let (token, stored) = self.assemble_draft(&draft, owner)?;
            match self.insert_token(by, kind, stored).await {
                Ok(record) => return Ok(Issued { token, record }),
                Err(error) if error.is_duplicate() && attempts_left > 0 => attempts_left -= 1,
                Err(error) => return Err(self.not_inserted(error)),
            }
        }
    }

    /// Gives a draft an id and a secret.
    pub(super) fn assemble_draft(
        &self,
        draft: &Draft,
        owner: &Owner,
    ) -> Result<(PlainToken, StoredToken), Error> {
        let record = draft.record(TokenId::generate(owner, self.now())?, owner);
        let (token, digest) = self.assemble(record.id, &Secret::generate()?);
        let secrets = Secrets { current: digest, previous: None };
        Ok((token, StoredToken { record, secrets }))
    }

    /// Stores a token and reports it.
    pub(super) async fn insert_token(
        &self,
        by: &Actor,
        kind: EventKind,
        token: StoredToken,
    ) -> Result<TokenRecord, StoreError> {
        let event = self.event(kind, by).about_change(None, Some(&token.record));
        self.run_to_completion(CallKind::Edit, by.subject(), async move |hallpass: Self| {
            let limit = hallpass.limits().tokens_per_owner;
            let seq = hallpass.backend().insert(&token, limit, &event).await?;
            hallpass.committed(&ChangeTarget::Token(token.record.id), seq, &event);
            Ok(token.record)
        })
        .await
    }
}
