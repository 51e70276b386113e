use std::sync::Arc;

use hallpass_core::store::{Lookup, TokenStore};
use hallpass_core::{CachedToken, ScopeSet};

use super::check::head;
use crate::conformance::Nodes;
use crate::conformance::samples::{edited, owner, token};

pub async fn a_store_that_works_says_so(store: Nodes) {
    store.ping().await.unwrap();
}

pub async fn a_reload_is_of_after_the_call(store: Nodes) {
    let token = token("alice", "ci");
    let id = token.record.id;
    // What was changed on one node is what another loads, if it asks the store itself.
    macro_rules! after {
        ($call:expr => $expected:expr) => {
            $call.await.unwrap();
            let scopes = |loaded: Arc<CachedToken>| loaded.scopes().to_string();
            let expected: Option<&str> = $expected;
            for _ in 0..3 {
                let reloaded = store.reload(id).await.unwrap().map(scopes);
                assert_eq!(reloaded.as_deref(), expected);
            }
            if !store.is_cache() {
                let loaded = store.load(id).await.unwrap().map(scopes);
                assert_eq!(loaded.as_deref(), expected);
                let at_hand = store.cached(id);
                assert!(matches!(at_hand, Lookup::Miss), "only a cache has anything at hand");
            }
        };
    }
    after!(store.announce(&owner("alice")) => None);
    after!(store.insert(&token, None) => Some(""));
    let scopes = |text: &str| ScopeSet::parse(text.split(' ')).unwrap();
    let wider = edited(&token.record, |record| record.scopes = scopes("jobs projects"));
    after!(store.change(&wider) => Some("jobs projects"));
    let narrower = edited(&wider.record, |record| record.scopes = scopes("jobs"));
    after!(store.change(&narrower) => Some("jobs"));
    after!(store.delete(id, None) => None);
    after!(store.insert(&token, None) => Some(""));
    after!(store.delete_owner(&owner("alice")) => None);
}

pub async fn waiting_for_a_nudge_keeps_nobody_from_anything(store: Nodes) {
    for _ in 0..20 {
        let seen = head(&store).await;
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { store.nudged(seen).await }
        });
        let token = token("alice", "ci");
        store.insert(&token, None).await.unwrap();
        assert!(store.find(token.record.id).await.unwrap().value.is_some());
        // It may have come or not; either way nobody waits for it any longer.
        waiting.abort();
    }
    assert_eq!(store.changes(None, 0).await.unwrap().head.seq.get(), 20);
}
