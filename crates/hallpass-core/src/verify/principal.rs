use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::CachedToken;
use crate::owner::{Owner, OwnerStatus};
use crate::requirement::{Check, PathParameters, Requirement};
use crate::scope::{Scope, ScopeSet};
use crate::token::TokenId;

/// Who calls, proven by a token: in the request's extensions once the layer has let it in.
///
/// A snapshot of the moment of the check. Work that goes on long after the request asks again
/// with [`Hallpass::recheck`](crate::Hallpass::recheck). Cloning is cheap.
#[derive(Clone)]
pub struct Principal {
    token: Arc<CachedToken>,
    limits: Limits,
    by_previous_secret: bool,
    /// When it was let in, no use of its token had been noted within the minute.
    use_is_due: bool,
}

/// What is left of the token's scopes.
#[derive(Clone)]
pub(super) enum Limits {
    /// All of them.
    None,
    /// What the catalog knows, as the token itself remembers.
    Catalog,
    /// These: by the owner's standing, or by a catalog that the token does not remember.
    Set(Arc<ScopeSet>),
}

impl Principal {
    pub(super) fn new(
        token: Arc<CachedToken>,
        limits: Limits,
        by_previous_secret: bool,
        use_is_due: bool,
    ) -> Self {
        Self { token, limits, by_previous_secret, use_is_due }
    }

    /// Whose token it is.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        self.token.owner()
    }

    /// The token's public name.
    #[must_use]
    pub fn token_id(&self) -> TokenId {
        self.token.id()
    }

    /// From when on the token is refused; never if `None`.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.token.expires_at()
    }

    /// What the caller may do: what the token holds, within what its owner may do now.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        match &self.limits {
            Limits::None => self.token.scopes(),
            Limits::Catalog => self.token.grants().narrowed().scopes(),
            Limits::Set(scopes) => scopes,
        }
    }

    /// Whether the caller may do what this scope is about.
    #[must_use]
    pub fn allows(&self, scope: &Scope) -> bool {
        self.scopes().covers(scope)
    }

    /// Whether the caller meets a route's requirement.
    pub fn check<'r, P: PathParameters + ?Sized>(
        &self,
        requirement: &'r Requirement,
        parameters: &P,
    ) -> Check<'r> {
        match &self.limits {
            Limits::None => requirement.check_held(self.token.grants(), parameters),
            Limits::Catalog => requirement.check_held(self.token.grants().narrowed(), parameters),
            Limits::Set(scopes) => requirement.check_held(&**scopes, parameters),
        }
    }

    /// Limits the scopes to what the owner may do now. Answers whether that is anything at all.
    pub(super) fn stand(&mut self, standing: &OwnerStatus) -> bool {
        let left = match standing {
            OwnerStatus::Active => return true,
            OwnerStatus::Limited(ceiling) => self.scopes().intersection(ceiling),
            OwnerStatus::Disabled => return false,
        };
        self.limits = Limits::Set(Arc::new(left));
        true
    }

    pub(super) fn loaded(&self) -> &Arc<CachedToken> {
        &self.token
    }

    pub(super) fn use_is_due(&self) -> bool {
        self.use_is_due
    }

    pub(super) fn by_previous_secret(&self) -> bool {
        self.by_previous_secret
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("owner", self.owner())
            .field("token_id", &self.token_id())
            .field("scopes", self.scopes())
            .finish_non_exhaustive()
    }
}
