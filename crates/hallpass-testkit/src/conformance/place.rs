//! Places where stores keep their data.

use std::future::Future;

use hallpass_core::store::TokenStore;

/// The place where a store keeps its data. Implement it to test a store.
///
/// For a store in a file, this is the directory of the file. For a store on a server, it is the
/// name of a database.
///
/// ```
/// use hallpass_core::store::TokenStore;
/// use hallpass_memory::MemoryStore;
/// use hallpass_testkit::conformance::StoreUnderTest;
///
/// struct InMemory(MemoryStore);
///
/// impl StoreUnderTest for InMemory {
///     type Store = MemoryStore;
///
///     async fn fresh() -> Self {
///         Self(MemoryStore::new())
///     }
///
///     async fn node(&self) -> MemoryStore {
///         self.0.clone() // with a file or a server: open it again
///     }
/// }
/// ```
pub trait StoreUnderTest: Send + Sync + Sized + 'static {
    /// The store.
    type Store: TokenStore;

    /// Creates a new, empty place that shares nothing with any other. Dropping it deletes its data.
    fn fresh() -> impl Future<Output = Self> + Send;

    /// Opens another handle on the data of this place, as another process would. If the store has
    /// connections, the handle has its own.
    fn node(&self) -> impl Future<Output = Self::Store> + Send;
}
