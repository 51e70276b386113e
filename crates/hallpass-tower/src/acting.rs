//! Requests that tests authenticate without a token.

use hallpass_core::{Hallpass, Owner, Principal, ScopeSet};
use http::Extensions;

/// Authenticates a request as `owner` with these scopes, without a token, if this value is in the
/// request's extensions. Layers, policy tables and requirements treat the request like one with a
/// token that has these scopes.
///
/// Extensions are created within a process, so no request from the network can contain this. It
/// exists only with the feature `testing`, which is for tests. See the crate `hallpass-testkit`.
#[derive(Clone, Debug)]
pub struct ActingAs {
    owner: Owner,
    scopes: ScopeSet,
}

impl ActingAs {
    /// Creates the value for this owner, with these scopes.
    #[must_use]
    pub fn new(owner: Owner, scopes: ScopeSet) -> Self {
        Self { owner, scopes }
    }
}

/// Returns the principal that a test has set for the request, if there is one.
pub(crate) fn principal(extensions: &Extensions, hallpass: &Hallpass) -> Option<Principal> {
    let ActingAs { owner, scopes } = extensions.get()?;
    tracing::warn!(target: "hallpass", %owner, "a request was accepted without a token, because \
        the feature `testing` is on: turn it on only in tests");
    Some(hallpass.acting_as(owner, scopes))
}
