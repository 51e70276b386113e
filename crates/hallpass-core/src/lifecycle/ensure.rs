use super::draft::ValidationErrors;
use super::{Hallpass, NewToken, TokenUpdate};
use crate::actor::{Actor, Role};
use crate::digest::Digest;
use crate::error::{Error, PermissionError};
use crate::event::EventKind;
use crate::owner::Owner;
use crate::record::{Status, TokenRecord};
use crate::store::{Secrets, StoredToken};
use crate::token::TokenId;

/// A token that shall exist, whose secret was made elsewhere: see [`Hallpass::ensure`].
#[derive(Clone, Debug)]
#[must_use = "it is ensured by the handle"]
pub struct KnownToken {
    /// The id in its text.
    pub id: TokenId,
    /// Proves its secret.
    pub digest: Digest,
}

/// What became of a token that shall exist.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Ensured {
    /// It was not there, and is now.
    Created(TokenRecord),
    /// It was there, and something about it was another.
    Updated(TokenRecord),
    /// It was there as it shall be.
    Unchanged(TokenRecord),
}

impl Ensured {
    /// The token as it is now.
    #[must_use]
    pub fn record(&self) -> &TokenRecord {
        match self {
            Self::Created(record) | Self::Updated(record) | Self::Unchanged(record) => record,
        }
    }
}

impl Hallpass {
    /// Sees to it that a token exists with this name, description and these scopes, whose secret somebody else holds: to set a
    /// service up from a manifest that holds no secret. Nobody but an operator may, in an owner's name.
    ///
    /// The id and the digest are those of a whole token, made for the same owner anywhere: see
    /// [`PresentedToken::inspect`](crate::PresentedToken::inspect). Called again it changes nothing; with another name,
    /// description or scopes it changes those. The expiry counts when the token is created, so that a span does not move on
    /// with every call. A digest that was made anew since, under a pepper, cannot be compared, and is believed to be the same.
    ///
    /// # Errors
    ///
    /// [`Error::Taken`] if the id is another owner's or proves another secret, [`Error::Ended`] if the token was revoked
    /// or has expired (nothing brings it back here), [`PermissionError::SystemOnly`], and as
    /// [`issue`](Self::issue).
    pub async fn ensure(
        &self,
        by: &Actor,
        known: &KnownToken,
        new: NewToken,
    ) -> Result<Ensured, Error> {
        if by.role() != Role::System {
            return Err(self.not_permitted(by, None, PermissionError::SystemOnly));
        }
        let owner = by.require_subject()?;
        if known.id.owner_tag() != TokenId::tag_of(owner) {
            return Err(Error::invalid("id", "this id was not made for a token of that owner"));
        }
        let mut last_try = false;
        loop {
            match self.create_or_update(by, owner, known, &new).await {
                // Somebody else created it meanwhile: then it is there to be compared.
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
    ) -> Result<Ensured, Error> {
        let now = self.now();
        let mut errors = ValidationErrors::default();
        let mut draft = self.read_new(&mut errors, new, now);
        let Some(StoredToken { record, secrets }) = self.read(known.id).await? else {
            draft.expires_at = self.read_end(&mut errors, new, now);
            errors.check()?;
            self.check_grantable(by, owner, &draft.scopes.iter().collect::<Vec<_>>()).await?;
            let secrets = Secrets { current: known.digest.clone(), previous: None };
            let stored = StoredToken { record: draft.record(known.id, owner), secrets };
            let event = self.event(EventKind::Issued, by).about_change(None, Some(&stored.record));
            let inserted = self.insert_token(stored, event).await;
            return inserted.map(Ensured::Created).map_err(|error| self.not_inserted(error));
        };
        errors.check()?;
        let made_anew = secrets.current.algorithm() != known.digest.algorithm();
        let same_secret =
            record.regenerated_at.is_none() && (made_anew || secrets.current.ct_eq(&known.digest));
        if record.owner != *owner || !same_secret {
            return Err(Error::Taken);
        }
        if record.status(now) != Status::Active {
            return Err(Error::Ended);
        }
        let update = TokenUpdate::new()
            .name(draft.name)
            .description(draft.description)
            .scopes(draft.scopes.iter().map(ToString::to_string));
        let after = self.update(by, known.id, update, None).await?;
        Ok(if after.revision == record.revision {
            Ensured::Unchanged(after)
        } else {
            Ensured::Updated(after)
        })
    }
}
