//! What a store stands on, and what the same file or server does without it.

use anyhow::Result;
use hallpass_core::TokenId;
use hallpass_core::store::StoredToken;

use crate::site::Site;

/// A file or server that tokens can be put on past the store, and that has a bare table beside it.
pub(super) trait Ground: Site {
    type Bare: Bare;

    /// Puts tokens where the store has them, as it would write them itself, but faster. It must
    /// find them.
    async fn fill(&self, store: &Self::Store, tokens: &[StoredToken]) -> Result<()>;

    /// What the tokens of the store take by now, more or less something that stays the same: with
    /// all indexes, without the change log.
    async fn bytes(&self) -> Result<u64>;

    /// An empty bare table.
    async fn bare(&self) -> Result<Self::Bare>;
}

/// A table of the same tokens with a key and nothing else, used with nothing around it: as good as
/// it gets.
pub(super) trait Bare {
    async fn fill(&self, tokens: &[StoredToken]) -> Result<()>;

    /// As [`Ground::bytes`].
    async fn bytes(&self) -> Result<u64>;

    /// Reads every column of a token, by its key. Returns whether the token exists.
    async fn find(&self, id: TokenId) -> Result<bool>;

    /// Notes that a token was used now, as a request would.
    async fn note_use(&self, id: TokenId) -> Result<()>;
}
