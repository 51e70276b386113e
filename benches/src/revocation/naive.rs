//! A simple cache: entries have a time to live, and are removed when this node changes a token or
//! another node announces a change.

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::__private::{
    Backend, CachedToken, Freshness, HostError, Lookup, OwnerStatusQuery,
};
use hallpass_core::store::{
    ChangeSeq, ChangeTarget, Snapshot, StoreError, StoredToken, TokenStore,
};
use hallpass_core::{Hallpass, Owner, OwnerStatus, TokenId};
use hallpass_memory::MemoryStore;
use moka::sync::Cache;
use tokio::sync::broadcast;

use super::fleet::{LAST, NODES, Troubled};

/// A simple cache in front of a store.
struct Naive {
    store: Troubled<MemoryStore>,
    cache: Cache<TokenId, Arc<CachedToken>>,
    /// The channel to all nodes. Without it they receive no changes.
    push: Option<broadcast::Sender<TokenId>>,
}

/// Starts nodes with this time to live. With `is_pushed` they notify each other of changes. Lookups
/// of the last node are delayed by `late`.
pub(super) async fn fleet(live: Duration, is_pushed: bool, late: Duration) -> Vec<Hallpass> {
    let truth = MemoryStore::new();
    let push = is_pushed.then(|| broadcast::channel(100_000).0);
    let nodes = (0..NODES).map(|number| {
        let late = if number == LAST { late } else { Duration::ZERO };
        let store = Troubled { store: truth.clone(), deaf: true, late };
        let cache = Cache::builder().time_to_live(live).build();
        if let Some(push) = &push {
            let (cache, mut pushed) = (cache.clone(), push.subscribe());
            tokio::spawn(async move {
                while let Ok(id) = pushed.recv().await {
                    cache.invalidate(&id);
                }
            });
        }
        Hallpass::builder(Naive { store, cache, push: push.clone() }).build()
    });
    nodes.collect()
}

impl Backend for Naive {
    type Store = Troubled<MemoryStore>;

    fn store(&self) -> &Self::Store {
        &self.store
    }

    fn is_cache(&self) -> bool {
        true
    }

    fn peek(&self, id: TokenId) -> Lookup {
        self.cache.get(&id).map_or(Lookup::Miss, Lookup::Hit)
    }

    async fn load(
        &self,
        id: TokenId,
        freshness: Freshness,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        if freshness == Freshness::Bounded
            && let Some(hit) = self.cache.get(&id)
        {
            return Ok(Some(hit));
        }
        let loaded = self.store.load(id, freshness).await?;
        if let Some(loaded) = &loaded {
            self.cache.insert(id, Arc::clone(loaded));
        }
        Ok(loaded)
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        TokenStore::get(&self.store, id).await
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

    fn apply(&self, target: &ChangeTarget, _: ChangeSeq) {
        if let ChangeTarget::Token(id) = target {
            self.cache.invalidate(id);
            if let Some(push) = &self.push {
                // Sending fails only if all other nodes have ended.
                let _ = push.send(*id);
            }
        }
    }

    async fn refresh(&self, _: &[ChangeTarget]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn catch_up(&self, _: ChangeSeq) {}

    fn clock_offset(&self) -> Duration {
        Duration::ZERO
    }

    async fn close(&self) {
        TokenStore::close(&self.store).await;
    }
}
