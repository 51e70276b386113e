//! A cache as one would write it at first: entries live for a time, and are removed when this node changes them, or
//! when another one says so.

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::jiff::Timestamp;
use hallpass_core::store::{
    BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage, ListQuery, LogPosition, Secrets,
    Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{CachedToken, Digest, Hallpass, Owner, Revision, TokenId};
use hallpass_memory::MemoryStore;
use moka::sync::Cache;
use tokio::sync::broadcast;

use super::fleet::{LAST, NODES, Troubled};
use crate::passed_on::passed_on;

/// The cache in front of a store.
struct Naive {
    store: Troubled<MemoryStore>,
    cache: Cache<TokenId, Arc<CachedToken>>,
    /// To all nodes; they are told of nothing without it.
    push: Option<broadcast::Sender<TokenId>>,
}

/// Nodes whose entries live so long. With `is_pushed` they tell each other of changes; the last node's look-ups are
/// answered so much later than they were made.
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

impl TokenStore for Naive {
    async fn load(&self, id: TokenId) -> Result<Option<Arc<CachedToken>>, StoreError> {
        match self.cache.get(&id) {
            Some(hit) => Ok(Some(hit)),
            None => self.reload(id).await,
        }
    }

    async fn reload(&self, id: TokenId) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let loaded = self.store.reload(id).await?;
        if let Some(loaded) = &loaded {
            self.cache.insert(id, Arc::clone(loaded));
        }
        Ok(loaded)
    }

    fn is_cache(&self) -> bool {
        true
    }

    async fn change(&self, change: &Change) -> Result<ChangeSeq, StoreError> {
        let done = self.store.change(change).await;
        let id = change.record.id;
        self.cache.invalidate(&id);
        if let Some(push) = &self.push {
            push.send(id).map_err(StoreError::unavailable)?;
        }
        done
    }

    passed_on!(store: find insert list rekey delete delete_many delete_owner revoke_owner announce touch prune changes ping);
}
