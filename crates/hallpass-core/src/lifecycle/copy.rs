//! Copies tokens.

use super::draft::ValidationErrors;
use super::issue::Draft;
use super::{ExpiryInput, Hallpass, Issued, TokenUpdate};
use crate::actor::Actor;
use crate::error::Error;
use crate::event::EventKind;
use crate::expiry::Expiry;
use crate::token::TokenId;

impl Hallpass {
    /// Issues a new token with the name, description, scopes, metadata and expiry of an existing
    /// one, except for what `different` sets. The original may have any status and stays as it is.
    /// If its expiry has passed, the host's default applies.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotFound`] if there is no such token for this actor, [`Error::Forbidden`]
    /// for a token of another owner, and the errors of [`issue`](Self::issue).
    pub async fn copy(
        &self,
        by: &Actor,
        id: TokenId,
        different: TokenUpdate,
    ) -> Result<Issued, Error> {
        let original = self.editable(by, id).await?.record;
        let now = self.now();
        let mut errors = ValidationErrors::default();
        let name = different.name.as_ref().unwrap_or(&original.name);
        let name = Self::read_name(&mut errors, name);
        let description = different.description.as_ref().unwrap_or(&original.description);
        let description = Self::read_description(&mut errors, description);
        let scopes = match &different.scopes {
            Some(texts) => self.read_scopes(&mut errors, texts),
            None => {
                let texts: Vec<_> = original.scopes.iter().map(ToString::to_string).collect();
                self.read_scopes(&mut errors, &texts)
            }
        };
        let expires = different.expires.unwrap_or_else(|| match original.expires_at {
            None => Expiry::Never.into(),
            Some(end) if end.duration_since(now) >= Expiry::MIN_SPAN => Expiry::At(end).into(),
            Some(_) => ExpiryInput::from(self.limits().default_expiry),
        });
        let expires_at = self.read_expiry(&mut errors, &expires, now, now);
        let metadata = original.metadata.merged(&different.metadata.unwrap_or_default());
        let metadata = errors.take("metadata", metadata).unwrap_or_default();
        errors.check()?;
        let draft = Draft { name, description, scopes, metadata, expires_at, created_at: now };
        self.insert(by, &original.owner, EventKind::Copied, draft).await
    }
}
