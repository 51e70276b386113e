use std::fmt;

use super::{Secret, SecretRef, TokenId};

/// A token that arrived with a request: well-formed, and nothing more is known of it yet.
///
/// [`Hallpass::parse`](crate::Hallpass::parse) makes it from the text without touching a cache or a
/// store. Its secret is wiped when it is dropped and cannot be printed.
pub struct PresentedToken {
    id: TokenId,
    secret: Secret,
}

impl PresentedToken {
    pub(crate) fn new(id: TokenId, secret: SecretRef<'_>) -> Self {
        Self { id, secret: secret.to_secret() }
    }

    /// The id the token claims. Anybody can write one: it says nothing before the secret is proven.
    #[must_use]
    pub fn id(&self) -> TokenId {
        self.id
    }

    pub(crate) fn secret(&self) -> SecretRef<'_> {
        self.secret.borrow()
    }
}

impl fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedToken").field("id", &self.id).finish_non_exhaustive()
    }
}
