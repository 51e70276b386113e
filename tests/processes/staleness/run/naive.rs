//! Two naive caches. The checker must find their flaws, which shows that it would find the same
//! flaw in the real cache.

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::__private::{
    Backend, CachedToken, Freshness, HostError, Lookup, OwnerStatusQuery,
};
use hallpass_core::store::{
    ChangeSeq, ChangeTarget, Snapshot, StoreError, StoredToken, TokenStore,
};
use hallpass_core::{Owner, OwnerStatus, TokenId};
use hallpass_memory::MemoryStore;
use hallpass_testkit::FaultyStore;
use moka::sync::Cache;
use tokio::sync::broadcast;

use super::faults::answer_late;
use super::{BOUND, Plan, report};
use crate::action::LocalNode;
use crate::history::ViolationKind;
use crate::node::Node;

/// A cache with a time to live equal to the staleness limit. An entry is removed when this node
/// changes the token or when another node sends a notification.
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
}

fn forget(cache: &Cache<TokenId, Arc<CachedToken>>, affected: &ChangeTarget) {
    match affected {
        ChangeTarget::Token(id) => cache.invalidate(id),
        _ => cache.invalidate_all(),
    }
}

impl<S: TokenStore> Backend for Naive<S> {
    type Store = S;

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
        forget(&self.cache, target);
        if let Some(push) = &self.push {
            // Fails only if no node receives notifications.
            let _ = push.send(target.clone());
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

/// Runs three nodes with such a cache, on a store that sometimes responds late. Returns whether the
/// checker finds the flaw, which may need several runs.
async fn flaw_is_found(push: Option<broadcast::Sender<ChangeTarget>>) -> bool {
    for _ in 0..5 {
        let truth = MemoryStore::new();
        let mut nodes = Vec::new();
        for _ in 0..3 {
            let store = FaultyStore::new(truth.clone());
            answer_late(store.faults(), BOUND / 2);
            nodes.push(Node::Local(LocalNode::new(Naive::new(store, push.as_ref()), None)));
        }
        let report = report(nodes, &Plan::PLAIN).await;
        println!("{report}");
        if report.count(ViolationKind::AcceptedEnded) + report.count(ViolationKind::AcceptedStale)
            > 0
        {
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn checker_finds_the_flaw_of_a_cache_with_ttl_and_push() {
    let (push, _) = broadcast::channel(10_000);
    assert!(flaw_is_found(Some(push)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn checker_finds_the_flaw_of_a_cache_with_ttl_only() {
    assert!(flaw_is_found(None).await);
}
