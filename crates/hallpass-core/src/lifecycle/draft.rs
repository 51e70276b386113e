//! Requests to issue or change a token, and their validation. All errors are reported at once.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Hallpass;
use crate::actor::Actor;
use crate::error::{Error, FieldError, PermissionError};
use crate::expiry::{Expiry, ExpiryError};
use crate::metadata::Metadata;
use crate::owner::{Owner, OwnerStatus};
use crate::scope::{Scope, ScopeError, ScopeSet};
use crate::text;

/// A token to issue. Its texts are validated when it is issued, with a message for each field.
///
/// ```
/// use hallpass_core::NewToken;
///
/// let token = NewToken::named("nightly build")
///     .description("fetches the artefacts")
///     .scopes(["projects:list", "projects:read:42"])
///     .expires("31-03-2027");
/// # let _ = token;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a new token exists only after it is issued"]
pub struct NewToken {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) scopes: Vec<String>,
    pub(super) metadata: Metadata,
    pub(super) preset: Option<String>,
    pub(super) expires: Option<ExpiryInput>,
}

impl NewToken {
    /// Creates a request for a token with a name of 1 to 100 characters.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Sets the description, which has up to 1000 characters.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Adds a scope, as text or as a [`Scope`](crate::Scope).
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Adds scopes. A token without scopes allows nothing.
    ///
    /// ```
    /// use hallpass_core::{NewToken, ScopeSet};
    ///
    /// let read = ScopeSet::parse(["projects:read", "files:read"])?;
    /// let new = NewToken::named("ci").scopes(["jobs:list"]).scopes(read.iter());
    /// # assert!(format!("{new:?}").contains("files:read"));
    /// # Ok::<(), hallpass_core::ScopeError>(())
    /// ```
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Sets the host's own data about the token.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Adds the scopes of a preset of the catalog.
    pub fn preset(mut self, name: impl Into<String>) -> Self {
        self.preset = Some(name.into());
        self
    }

    /// Sets the expiry, as an [`Expiry`] or as text in one of its forms. Without it, the host's
    /// [`Limits::default_expiry`](crate::Limits::default_expiry) applies.
    pub fn expires(mut self, expires: impl Into<ExpiryInput>) -> Self {
        self.expires = Some(expires.into());
        self
    }
}

/// Changes to a token, for an update or a copy. Fields that are not set stay as they are.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "an update does nothing until it is given to the handle"]
pub struct TokenUpdate {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) metadata: Option<Map<String, Value>>,
    pub(super) expires: Option<ExpiryInput>,
}

impl TokenUpdate {
    /// Creates an update that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the description. An empty one clears it.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Replaces the scopes.
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Sets members of the metadata. A `null` removes a member; members that are not named stay.
    pub fn metadata(mut self, members: Map<String, Value>) -> Self {
        self.metadata = Some(members);
        self
    }

    /// Sets the expiry.
    pub fn expires(mut self, expires: impl Into<ExpiryInput>) -> Self {
        self.expires = Some(expires.into());
        self
    }
}

/// An expiry, as a value or as text that has not been parsed yet.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpiryInput {
    /// A value.
    Value(Expiry),
    /// Text in one of the forms of [`Expiry`].
    Text(String),
}

impl From<Expiry> for ExpiryInput {
    fn from(expiry: Expiry) -> Self {
        Self::Value(expiry)
    }
}

impl From<String> for ExpiryInput {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for ExpiryInput {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl ExpiryInput {
    fn read(&self) -> Result<Expiry, ExpiryError> {
        match self {
            Self::Value(expiry) => Ok(*expiry),
            Self::Text(text) => text.parse(),
        }
    }
}

/// Collects validation errors, field by field.
#[derive(Default)]
pub(super) struct ValidationErrors(Vec<FieldError>);

impl ValidationErrors {
    pub(super) fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push(FieldError::new(field, message));
    }

    /// Returns the value, or `None` after recording the error.
    pub(super) fn take<T, E: ToString>(
        &mut self,
        field: &'static str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.add(field, error.to_string())).ok()
    }

    pub(super) fn check(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

impl Hallpass {
    pub(super) fn read_name(errors: &mut ValidationErrors, name: &str) -> String {
        errors.take("name", text::name(name)).unwrap_or_default()
    }

    pub(super) fn read_description(errors: &mut ValidationErrors, description: &str) -> String {
        errors.take("description", text::description(description)).unwrap_or_default()
    }

    /// Parses scopes. The catalog must list each of them.
    pub(super) fn read_scopes(&self, errors: &mut ValidationErrors, texts: &[String]) -> ScopeSet {
        let scopes = texts.iter().map(|text| self.read_scope(text)).collect::<Result<_, _>>();
        let scopes = errors.take("scopes", scopes).unwrap_or_default();
        Self::bounded(errors, scopes)
    }

    /// Parses a scope. The message does not repeat a text that is not a scope, because it may
    /// contain anything.
    fn read_scope(&self, text: &str) -> Result<Scope, String> {
        // A token has the form of a scope. If a person pastes one into this field by mistake, it
        // must not be stored and shown as a scope.
        if self.is_well_formed(text.as_bytes()) {
            return Err(
                "this is a token, not a scope: tokens are secret, so do not share it".into()
            );
        }
        let scope: Scope = text.parse().map_err(|error: ScopeError| error.to_string())?;
        if self.knows(&scope) { Ok(scope) } else { Err(format!("unknown scope {scope}")) }
    }

    /// Returns whether the catalog lists this scope. An unknown scope allows nothing.
    pub(super) fn knows(&self, scope: &Scope) -> bool {
        self.catalog().is_none_or(|catalog| catalog.knows(scope))
    }

    /// Checks the number of scopes.
    pub(super) fn bounded(errors: &mut ValidationErrors, scopes: ScopeSet) -> ScopeSet {
        if scopes.len() > ScopeSet::MAX_LEN {
            errors.add("scopes", format!("use at most {} scopes", ScopeSet::MAX_LEN));
            return ScopeSet::default();
        }
        scopes
    }

    /// Validates the expiry of a token whose secret is issued at `start`.
    pub(super) fn read_expiry(
        &self,
        errors: &mut ValidationErrors,
        input: &ExpiryInput,
        start: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let end = errors.take(
            "expires",
            input.read().and_then(|expiry| expiry.resolve(now, &self.0.settings.zone)),
        )?;
        errors.take("expires", self.within_lifetime(start, end))?;
        end
    }

    /// Checks that both the actor and the owner's status allow granting these scopes.
    pub(super) async fn check_grantable(
        &self,
        by: &Actor,
        owner: &Owner,
        added: impl IntoIterator<Item = &Scope>,
    ) -> Result<(), Error> {
        let status = self.ask_owner_status(owner).await?;
        let ceiling = match &status {
            OwnerStatus::Disabled => {
                return Err(self.not_permitted(by, None, PermissionError::OwnerDisabled));
            }
            OwnerStatus::Limited(ceiling) => Some(ceiling),
            OwnerStatus::Active => None,
        };
        let is_beyond = |scope: &&Scope| {
            !by.may_grant(scope, self.catalog())
                || ceiling.is_some_and(|ceiling| !ceiling.covers(scope))
        };
        let beyond: Vec<_> = added.into_iter().filter(is_beyond).cloned().collect();
        if beyond.is_empty() {
            Ok(())
        } else {
            Err(self.not_permitted(by, None, PermissionError::Scopes(beyond)))
        }
    }
}
