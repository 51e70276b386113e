//! Two caches as one would write them at first: that the checker finds what is wrong with them shows that
//! it would find it here.

use std::sync::Arc;

use hallpass_core::store::{
    BulkResult, Change, ChangeBatch, ChangeSeq, ChangeTarget, Deleted, ListPage, ListQuery,
    LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{CachedToken, Digest, Owner, Revision, TokenId};
use hallpass_memory::MemoryStore;
use hallpass_testkit::FaultyStore;
use jiff::Timestamp;
use moka::sync::Cache;
use tokio::sync::broadcast;

use super::faults::answer_late;
use super::{BOUND, Plan, report};
use crate::action::Place;
use crate::history::Broken;
use crate::node::Node;

/// Entries that live for the bound, removed when this node changes them, or when another one says so.
struct Naive<S> {
    store: S,
    cache: Cache<TokenId, Arc<CachedToken>>,
    push: Option<broadcast::Sender<ChangeTarget>>,
}

impl<S: TokenStore> Naive<S> {
    fn new(store: S, push: Option<&broadcast::Sender<ChangeTarget>>) -> Self {
        let cache = Cache::builder().time_to_live(BOUND).build();
        if let Some(push) = push {
            let (cache, mut pushed) = (cache.clone(), push.subscribe());
            tokio::spawn(async move {
                while let Ok(affected) = pushed.recv().await {
                    forget(&cache, &affected);
                }
            });
        }
        Self { store, cache, push: push.cloned() }
    }

    fn changed<T>(
        &self,
        affected: ChangeTarget,
        done: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        forget(&self.cache, &affected);
        if let Some(push) = &self.push {
            push.send(affected).map_err(StoreError::unavailable)?;
        }
        done
    }
}

fn forget(cache: &Cache<TokenId, Arc<CachedToken>>, affected: &ChangeTarget) {
    match affected {
        ChangeTarget::Token(id) => cache.invalidate(id),
        _ => cache.invalidate_all(),
    }
}

impl<S: TokenStore> TokenStore for Naive<S> {
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

    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
    ) -> Result<ChangeSeq, StoreError> {
        let done = self.store.insert(token, limit).await;
        self.changed(ChangeTarget::Token(token.record.id), done)
    }

    async fn change(&self, change: &Change) -> Result<ChangeSeq, StoreError> {
        let done = self.store.change(change).await;
        self.changed(ChangeTarget::Token(change.record.id), done)
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<ChangeSeq, StoreError> {
        let done = self.store.rekey(id, expected, secrets).await;
        self.changed(ChangeTarget::Token(id), done)
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<ChangeSeq, StoreError> {
        let done = self.store.delete(id, expected).await;
        self.changed(ChangeTarget::Token(id), done)
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<BulkResult, StoreError> {
        let done = self.store.revoke_owner(owner, at).await;
        self.changed(ChangeTarget::Owner(owner.clone()), done)
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        self.store.find(id).await
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.store.list(query).await
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> Result<Deleted, StoreError> {
        self.store.delete_many(owner, ids).await
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<BulkResult, StoreError> {
        self.store.delete_owner(owner).await
    }

    async fn announce(&self, owner: &Owner) -> Result<ChangeSeq, StoreError> {
        self.store.announce(owner).await
    }

    async fn touch(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        self.store.touch(uses).await
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.store.prune(ended_before, limit).await
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        self.store.changes(from, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}

/// Three nodes with such a cache, on a store whose answers come late now and then. Answers whether the
/// checker finds what is wrong; chance may need several runs to show it.
async fn found_out(push: Option<broadcast::Sender<ChangeTarget>>) -> bool {
    for _ in 0..5 {
        let truth = MemoryStore::new();
        let mut nodes = Vec::new();
        for _ in 0..3 {
            let store = FaultyStore::new(truth.clone());
            answer_late(store.faults(), BOUND / 2);
            nodes.push(Node::Here(Place::new(Naive::new(store, push.as_ref()), None)));
        }
        let report = report(nodes, &Plan::PLAIN).await;
        println!("{report}");
        if report.count(Broken::AcceptedDead) + report.count(Broken::AcceptedStale) > 0 {
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cache_with_a_time_to_live_and_a_push_breaks_the_promise_and_is_found_out() {
    let (push, _) = broadcast::channel(10_000);
    assert!(found_out(Some(push)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cache_with_a_time_to_live_alone_breaks_the_promise_and_is_found_out() {
    assert!(found_out(None).await);
}
