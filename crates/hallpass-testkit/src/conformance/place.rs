use std::future::Future;

use hallpass_core::store::TokenStore;

/// Where stores of one kind are opened: what the suite is given by whoever proves a store.
///
/// For a store in a file, the directory with the file; for one on a server, the name of a database of its own.
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

    /// A new place with nothing in it, apart from every other. What the place holds is cleaned away when it is dropped.
    fn fresh() -> impl Future<Output = Self> + Send;

    /// Another handle on the data of this place, as another process would have one: with connections of its
    /// own, if the store has connections.
    fn node(&self) -> impl Future<Output = Self::Store> + Send;
}
