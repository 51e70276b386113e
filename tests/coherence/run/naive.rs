//! Two caches as one would write them at first: that the checker finds what is wrong with them
//! shows that it would find it here.

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
use crate::action::Place;
use crate::history::Broken;
use crate::node::Node;

/// Entries that live for the bound, removed when this node changes them, or when another one says
/// so.
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
            // Fails only if no node listens any more.
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
