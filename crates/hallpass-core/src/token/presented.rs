//! Tokens as requests present them.

use std::fmt;

use zeroize::Zeroizing;

use super::{Secret, TokenId};

/// A well-formed token that has not been checked yet.
///
/// [`Hallpass::parse`](crate::Hallpass::parse) creates it from text, without querying a cache or a
/// store. Its text is wiped when it is dropped, and cannot be printed.
pub struct PresentedToken {
    id: TokenId,
    text: Zeroizing<Box<[u8]>>,
}

impl PresentedToken {
    pub(crate) fn new(token: TokenRef<'_>) -> Self {
        Self { id: token.id, text: Zeroizing::new(token.text.into()) }
    }

    /// Returns the id that the token claims to have. It proves nothing until the secret is checked.
    #[must_use]
    pub fn id(&self) -> TokenId {
        self.id
    }

    pub(crate) fn borrow(&self) -> TokenRef<'_> {
        TokenRef { id: self.id, text: &self.text }
    }
}

impl fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedToken").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A borrowed token. A check uses the text in place, so that there is no copy to wipe.
#[derive(Clone, Copy)]
pub(crate) struct TokenRef<'t> {
    id: TokenId,
    text: &'t [u8],
}

impl<'t> TokenRef<'t> {
    /// Creates a token from the text in front of the checksum, `<prefix>_<id><secret>`. The caller
    /// has checked its characters.
    pub(super) fn new(id: TokenId, text: &'t [u8]) -> Self {
        Self { id, text }
    }

    pub(crate) fn id(self) -> TokenId {
        self.id
    }

    /// Returns the prefix's characters.
    pub(crate) fn prefix(self) -> &'t [u8] {
        &self.text[..self.text.len() - Secret::TEXT_LEN - TokenId::TEXT_LEN - 1]
    }

    /// Returns the secret's characters.
    pub(crate) fn secret(self) -> &'t [u8; Secret::TEXT_LEN] {
        self.text.last_chunk().expect("a token ends with its secret")
    }
}
