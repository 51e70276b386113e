//! The file or server that a store uses, and a bare table on it for comparison.

use anyhow::Result;
use hallpass_core::TokenId;
use hallpass_core::store::StoredToken;

use crate::backend::Backend;

/// A file or server that tokens can be written to directly, and that also holds a bare table.
pub(super) trait ComparedBackend: Backend {
    type Bare: Bare;

    /// Writes tokens in the store's own format, but faster than the store would. The store must
    /// find them.
    async fn fill(&self, store: &Self::Store, tokens: &[StoredToken]) -> Result<()>;

    /// Returns the size of the store's tokens in bytes, including all indexes and a constant
    /// overhead, without the change log.
    async fn bytes(&self) -> Result<u64>;

    /// Returns the size of the change log in bytes, including all indexes. May delete the log.
    async fn log_bytes(&self) -> Result<u64>;

    /// Creates an empty bare table.
    async fn bare(&self) -> Result<Self::Bare>;
}

/// A table of the same tokens that has only a primary key and is queried directly. It is the
/// optimum that a store is compared with.
pub(super) trait Bare {
    async fn fill(&self, tokens: &[StoredToken]) -> Result<()>;

    /// Returns the size in bytes, as [`ComparedBackend::bytes`] does.
    async fn bytes(&self) -> Result<u64>;

    /// Reads every column of a token by its key. Returns whether the token exists.
    async fn find(&self, id: TokenId) -> Result<bool>;

    /// Records that a token was used now, with one statement.
    async fn note_use(&self, id: TokenId) -> Result<()>;
}
