//! Calls through several handles: they see each other's changes and do not block each other.

use hallpass_core::ScopeSet;
use hallpass_core::store::TokenStore;

use super::check::head;
use crate::conformance::Replicas;
use crate::conformance::samples::{edited, event, owner, token};

pub async fn ping_succeeds(store: Replicas) {
    store.ping().await.unwrap();
}

pub async fn get_sees_changes_of_other_replicas(store: Replicas) {
    let token = token("alice", "ci");
    let id = token.record.id;
    // Each replica sees a change as soon as it has returned on another one.
    macro_rules! after {
        ($call:expr => $expected:expr) => {
            $call.await.unwrap();
            let expected: Option<&str> = $expected;
            for _ in 0..3 {
                let token = store.get(id).await.unwrap().value;
                let scopes = token.map(|token| token.record.scopes.to_string());
                assert_eq!(scopes.as_deref(), expected);
            }
        };
    }
    after!(store.log_owner_change(&owner("alice"), &event()) => None);
    after!(store.insert(&token, None, &event()) => Some(""));
    let scopes = |text: &str| ScopeSet::parse(text.split(' ')).unwrap();
    let wider = edited(&token.record, |record| record.scopes = scopes("jobs projects"));
    after!(store.update(&wider, &event()) => Some("jobs projects"));
    let narrower = edited(&wider.record, |record| record.scopes = scopes("jobs"));
    after!(store.update(&narrower, &event()) => Some("jobs"));
    after!(store.delete(id, None, &event()) => None);
    after!(store.insert(&token, None, &event()) => Some(""));
    after!(store.delete_owner(&owner("alice"), &event()) => None);
}

pub async fn wait_for_change_blocks_no_other_call(store: Replicas) {
    for _ in 0..20 {
        let head_before = head(&store).await;
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { store.wait_for_change(head_before).await }
        });
        let token = token("alice", "ci");
        store.insert(&token, None, &event()).await.unwrap();
        assert!(store.get(token.record.id).await.unwrap().value.is_some());
        // The call may have returned or not. Dropping it must release all its locks.
        waiting.abort();
    }
    assert_eq!(head(&store).await.seq.get(), 20);
}
