//! A cache that is stale on purpose.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass_core::__private::{
    Backend, CachedToken, Freshness, HostError, Lookup, OwnerStatusQuery,
};
use hallpass_core::store::{
    ChangeSeq, ChangeTarget, Snapshot, StoreError, StoredToken, TokenStore,
};
use hallpass_core::{Owner, OwnerStatus, TokenId};

/// A cache that serves old records of chosen tokens, as if it had missed all later changes.
///
/// Everything else comes from the store. Clones share the chosen tokens.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use hallpass_core::{Actor, Hallpass, NewToken};
/// use hallpass_memory::MemoryStore;
/// use hallpass_testkit::StaleCache;
///
/// let cache = StaleCache::new(MemoryStore::new());
/// let hallpass = Hallpass::builder(cache.clone()).build();
/// let alice = Actor::owner("alice");
/// let issued = hallpass.issue(&alice, NewToken::named("ci")).await?;
/// cache.pin(issued.record.id).await?;
/// hallpass.revoke(&alice, issued.record.id).await?;
/// assert!(hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_ok());
/// # Ok(()) }
/// ```
pub struct StaleCache<S>(Arc<Inner<S>>);

struct Inner<S> {
    store: S,
    pinned: Mutex<HashMap<TokenId, Arc<CachedToken>>>,
}

impl<S: TokenStore> StaleCache<S> {
    /// Creates a cache without tokens in front of a store.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self(Arc::new(Inner { store, pinned: Mutex::default() }))
    }

    /// Pins a token: from now on, the cache serves its current record.
    ///
    /// # Errors
    ///
    /// Returns [`not_found`](StoreError::not_found) if the token does not exist, and the store's
    /// error if it cannot be read.
    pub async fn pin(&self, id: TokenId) -> Result<(), StoreError> {
        let token = self.0.store.get(id).await?.value.ok_or_else(StoreError::not_found)?;
        self.pinned().insert(id, Arc::new(CachedToken::new(token)));
        Ok(())
    }

    fn pinned(&self) -> MutexGuard<'_, HashMap<TokenId, Arc<CachedToken>>> {
        self.0.pinned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: TokenStore> Backend for StaleCache<S> {
    type Store = S;

    fn store(&self) -> &S {
        &self.0.store
    }

    fn is_cache(&self) -> bool {
        !self.pinned().is_empty()
    }

    fn peek(&self, id: TokenId) -> Lookup {
        self.pinned().get(&id).cloned().map_or(Lookup::Miss, Lookup::Hit)
    }

    async fn load(
        &self,
        id: TokenId,
        freshness: Freshness,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        if freshness == Freshness::Bounded
            && let Lookup::Hit(token) = self.peek(id)
        {
            return Ok(Some(token));
        }
        self.0.store.load(id, freshness).await
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        TokenStore::get(&self.0.store, id).await
    }

    fn peek_owner_status(&self, _: &Owner) -> Option<Arc<OwnerStatus>> {
        None
    }

    async fn load_owner_status(
        &self,
        _: &Owner,
        query: OwnerStatusQuery,
    ) -> Result<Arc<OwnerStatus>, HostError> {
        query.ask().await.map(Arc::new)
    }

    fn apply(&self, _: &ChangeTarget, _: ChangeSeq) {}

    async fn refresh(&self, _: &[ChangeTarget]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn catch_up(&self, _: ChangeSeq) {}

    fn clock_offset(&self) -> Duration {
        Duration::ZERO
    }

    async fn close(&self) {
        TokenStore::close(&self.0.store).await;
    }
}

impl<S> Clone for StaleCache<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: fmt::Debug> fmt::Debug for StaleCache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaleCache").field("store", &self.0.store).finish_non_exhaustive()
    }
}
