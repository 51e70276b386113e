use jiff::Timestamp;

use super::draft::Faults;
use super::{Hallpass, NewToken};
use crate::actor::Actor;
use crate::error::Error;
use crate::event::EventKind;
use crate::owner::Owner;
use crate::record::TokenRecord;
use crate::scope::ScopeSet;
use crate::store::{Secrets, StoreError, StoredToken};
use crate::token::{PlainToken, Secret, TokenId};

/// A token that has just got a secret: the only time that it is seen.
#[derive(Debug)]
#[must_use = "the secret is not kept anywhere else"]
pub struct Issued {
    /// The whole token, to show its owner once.
    pub token: PlainToken,
    /// What is kept of it.
    pub record: TokenRecord,
}

/// A token that is valid in every part, and lacks an id and a secret.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) scopes: ScopeSet,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) created_at: Timestamp,
}

impl Draft {
    pub(super) fn record(&self, id: TokenId, owner: &Owner) -> TokenRecord {
        TokenRecord {
            description: self.description.clone(),
            scopes: self.scopes.clone(),
            expires_at: self.expires_at,
            ..TokenRecord::new(id, owner.clone(), self.name.clone(), self.created_at)
        }
    }
}

impl Hallpass {
    /// Issues a new token in the caller's name.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence a field, [`Error::LimitReached`],
    /// [`PermissionError`](crate::PermissionError) scopes, or the store's trouble.
    pub async fn issue(&self, by: &Actor, new: NewToken) -> Result<Issued, Error> {
        let owner = by.require_subject()?;
        let now = self.now();
        let mut faults = Faults::default();
        let mut draft = self.read_new(&mut faults, &new, now);
        draft.expires_at = self.read_end(&mut faults, &new, now);
        faults.check()?;
        self.insert(by, owner, EventKind::Issued, draft).await
    }

    /// All of a new token but its end.
    pub(super) fn read_new(&self, faults: &mut Faults, new: &NewToken, now: Timestamp) -> Draft {
        let name = Self::read_name(faults, &new.name);
        let description = Self::read_description(faults, &new.description);
        let mut scopes = self.read_scopes(faults, &new.scopes);
        if let Some(preset) = &new.preset {
            match self.catalog().and_then(|catalog| catalog.find_preset(preset)) {
                Some(preset) => {
                    let all = scopes.into_iter().chain(preset.scopes().iter().cloned()).collect();
                    scopes = Self::bounded(faults, all);
                }
                None => faults.add("preset", "there is no such preset"),
            }
        }
        Draft { name, description, scopes, expires_at: None, created_at: now }
    }

    /// When a new token ends.
    pub(super) fn read_end(
        &self,
        faults: &mut Faults,
        new: &NewToken,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let default = || self.limits().default_expiry.into();
        let expires = new.expires.clone().unwrap_or_else(default);
        self.read_expiry(faults, &expires, now, now)
    }

    /// What a store means that did not add a token.
    pub(super) fn not_inserted(&self, error: StoreError) -> Error {
        match (error.limit_in_use(), self.limits().tokens_per_owner) {
            (Some(in_use), Some(limit)) => Error::LimitReached { limit, in_use },
            _ => error.into(),
        }
    }

    /// Gives a draft an id and a secret and stores it, if the caller may give what it holds.
    pub(super) async fn insert(
        &self,
        by: &Actor,
        owner: &Owner,
        kind: EventKind,
        draft: Draft,
    ) -> Result<Issued, Error> {
        self.check_grantable(by, owner, &draft.scopes.iter().collect::<Vec<_>>()).await?;
        // An id that is taken is chance once in 2^58, and a broken source of randomness twice.
        let mut attempts_left = 2;
        loop {
            let record = draft.record(TokenId::generate(owner, self.now())?, owner);
            let secret = Secret::generate()?;
            let secrets =
                Secrets { current: self.digester().digest(secret.borrow()), previous: None };
            let stored = StoredToken { record, secrets };
            match self.store().insert(&stored, self.limits().tokens_per_owner).await {
                Ok(_) => {
                    let record = stored.record;
                    self.emit(&self.event(kind, by).about_token(&record));
                    let token = PlainToken::assemble(self.prefix(), record.id, &secret);
                    return Ok(Issued { token, record });
                }
                Err(error) if error.is_duplicate() && attempts_left > 0 => attempts_left -= 1,
                Err(error) => return Err(self.not_inserted(error)),
            }
        }
    }
}
