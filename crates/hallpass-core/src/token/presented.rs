use std::fmt;

use zeroize::Zeroizing;

use super::{Secret, TokenId};

/// A token that arrived with a request. It is well-formed, and nothing more is known about it yet.
///
/// [`Hallpass::parse`](crate::Hallpass::parse) creates it from the text without touching a cache or
/// a store. Its text is wiped when it is dropped, and cannot be printed.
pub struct PresentedToken {
    id: TokenId,
    text: Zeroizing<Box<[u8]>>,
}

impl PresentedToken {
    pub(crate) fn new(token: TokenRef<'_>) -> Self {
        Self { id: token.id, text: Zeroizing::new(token.text.into()) }
    }

    /// Returns the id that the token claims. Anybody can write one, so it proves nothing before the
    /// secret is checked.
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

/// A token's text where it was sent, so that a check needs no copy that would have to be wiped.
#[derive(Clone, Copy)]
pub(crate) struct TokenRef<'t> {
    id: TokenId,
    text: &'t [u8],
}

impl<'t> TokenRef<'t> {
    /// Takes the text in front of the checksum, `<prefix>_<id><secret>`, whose characters the
    /// caller has checked.
    pub(super) fn new(id: TokenId, text: &'t [u8]) -> Self {
        Self { id, text }
    }

    pub(crate) fn id(self) -> TokenId {
        self.id
    }

    /// The text in front of the checksum. No two tokens have the same: there is no `_` in a prefix,
    /// and id and secret have fixed lengths.
    pub(crate) fn text(self) -> &'t [u8] {
        self.text
    }

    /// The secret's characters.
    pub(crate) fn secret(self) -> &'t [u8; Secret::TEXT_LEN] {
        self.text.last_chunk().expect("a token ends with its secret")
    }
}
