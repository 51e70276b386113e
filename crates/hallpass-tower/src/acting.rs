use hallpass_core::{Hallpass, Owner, Principal, ScopeSet};
use http::Extensions;

/// In a request's extensions: lets it in as `owner` with these scopes, without a token. Layers,
/// policy tables and requirements treat it as they treat a token that holds them.
///
/// Extensions are made within a process: nothing that comes over a network can hold one. Only with
/// the feature `testing`, which is for tests: see the crate `hallpass-testkit`.
#[derive(Clone, Debug)]
pub struct ActingAs {
    owner: Owner,
    scopes: ScopeSet,
}

impl ActingAs {
    /// As this owner, with these scopes.
    #[must_use]
    pub fn new(owner: Owner, scopes: ScopeSet) -> Self {
        Self { owner, scopes }
    }
}

/// Returns the principal that a test lets the request act as, if there is one.
pub(crate) fn principal(extensions: &Extensions, hallpass: &Hallpass) -> Option<Principal> {
    let ActingAs { owner, scopes } = extensions.get()?;
    tracing::warn!(target: "hallpass", %owner, "a request is let in without a token: the feature `testing` is on");
    Some(hallpass.acting_as(owner, scopes))
}
