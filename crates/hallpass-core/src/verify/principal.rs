use std::fmt;
use std::sync::Arc;

use super::LoadedToken;
use crate::owner::Owner;
use crate::record::TokenRecord;
use crate::requirement::{Check, PathParameters, Requirement};
use crate::scope::{Scope, ScopeSet};
use crate::token::TokenId;

/// Who calls, proven by a token: in the request's extensions once the layer has let it in.
///
/// A snapshot of the moment of the check. Work that goes on long after the request asks again
/// with [`Hallpass::recheck`](crate::Hallpass::recheck). Cloning is cheap.
#[derive(Clone)]
pub struct Principal {
    token: Arc<LoadedToken>,
    /// What is left of the token's scopes under the owner's standing; the token's own if `None`.
    narrowed: Option<Arc<ScopeSet>>,
    by_previous_secret: bool,
}

impl Principal {
    pub(super) fn new(
        token: Arc<LoadedToken>,
        narrowed: Option<Arc<ScopeSet>>,
        by_previous_secret: bool,
    ) -> Self {
        Self { token, narrowed, by_previous_secret }
    }

    /// Whose token it is.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.record().owner
    }

    /// The token's public name.
    #[must_use]
    pub fn token_id(&self) -> TokenId {
        self.record().id
    }

    /// The token's record, as it was when it was loaded.
    #[must_use]
    pub fn record(&self) -> &TokenRecord {
        self.token.record()
    }

    /// What the caller may do: what the token holds, within what its owner may do now.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        self.narrowed.as_deref().unwrap_or(&self.record().scopes)
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
        requirement.check(self.scopes(), parameters)
    }

    pub(super) fn loaded(&self) -> &LoadedToken {
        &self.token
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
