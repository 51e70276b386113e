//! The limit of tokens per owner holds for concurrent inserts, too.

use hallpass_core::TokenRecord;
use hallpass_core::store::{BulkResult, ChangeSeq, ListQuery, StoreError, TokenStore};

use super::check::{Watcher, at_once, everything};
use crate::conformance::Replicas;
use crate::conformance::samples::{at, event, owner, token};

/// Makes this number of inserts for alice at the same time.
async fn race(store: &Replicas, inserts: usize, limit: u32) -> Vec<Result<ChangeSeq, StoreError>> {
    let inserts = (0..inserts).map(|_| {
        let store = store.clone();
        async move { store.insert(&token("alice", "ci"), Some(limit), &event()).await }
    });
    at_once(inserts).await
}

/// Fails unless this number of inserts has succeeded, and the others have returned the limit error.
fn assert_fit(answers: &[Result<ChangeSeq, StoreError>], expected: usize, in_use: u64) {
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), expected);
    for rejected in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(rejected.limit_in_use(), Some(in_use), "{rejected}");
    }
}

pub async fn one_of_200_concurrent_inserts_at_49_of_50_succeeds(store: Replicas) {
    for _ in 0..49 {
        store.insert(&token("alice", "ci"), Some(50), &event()).await.unwrap();
    }
    assert_fit(&race(&store, 200, 50).await, 1, 50);
    let deleted = store.delete_owner(&owner("alice"), &event()).await.unwrap();
    assert!(matches!(deleted, BulkResult { count: 50, .. }), "{deleted:?}");
}

pub async fn limit_counts_revoked_and_expired_tokens(store: Replicas) {
    let ends: [fn(&mut TokenRecord); 2] =
        [|record| record.revoked_at = Some(at(-1)), |record| record.expires_at = Some(at(-1))];
    for end in ends {
        let mut ended = token("alice", "ended");
        end(&mut ended.record);
        store.insert(&ended, Some(2), &event()).await.unwrap();
    }
    let rejected = store.insert(&token("alice", "third"), Some(2), &event()).await.unwrap_err();
    assert_eq!(rejected.limit_in_use(), Some(2));
}

pub async fn limit_applies_to_each_owner_separately(store: Replicas) {
    // Owners are compared byte for byte.
    for owner in ["alice", "Alice", "alice ", "älice", "a%", "a_", "bob"] {
        store.insert(&token(owner, "one"), Some(1), &event()).await.unwrap();
    }
    store.insert(&token("alice", "two"), None, &event()).await.unwrap();
    assert_eq!(
        store.insert(&token("alice", "x"), Some(1), &event()).await.unwrap_err().limit_in_use(),
        Some(2)
    );
    store.insert(&token("alice", "three"), Some(3), &event()).await.unwrap();
}

pub async fn fifty_of_200_concurrent_inserts_at_limit_50_succeed(store: Replicas) {
    assert_fit(&race(&store, 200, 50).await, 50, 50);
    let deleted = store.delete_owner(&owner("alice"), &event()).await.unwrap();
    assert!(matches!(deleted, BulkResult { count: 50, .. }), "{deleted:?}");
    // Deleted tokens no longer count.
    assert_fit(&race(&store, 10, 3).await, 3, 3);
}

pub async fn concurrent_inserts_and_deletes_respect_the_limit(store: Replicas) {
    const LIMIT: u32 = 5;
    let watcher = Watcher::start(&store, |store| async move {
        let hers = ListQuery { owner: Some(owner("alice")), ..everything() };
        let page = store.list(&hers).await.unwrap();
        assert!(page.counts.of(None) <= u64::from(LIMIT), "{} of {LIMIT}", page.counts.of(None));
        assert_eq!(page.counts.of(None), page.records.len() as u64);
    });
    let churn = (0..8).map(|_| {
        let store = store.clone();
        async move {
            for _ in 0..12 {
                let token = token("alice", "ci");
                match store.insert(&token, Some(LIMIT), &event()).await {
                    Ok(_) => drop(store.delete(token.record.id, None, &event()).await.unwrap()),
                    Err(rejected) => assert_eq!(rejected.limit_in_use(), Some(u64::from(LIMIT))),
                }
            }
        }
    });
    at_once(churn).await;
    watcher.end().await;
    // All tokens were deleted, so the limit allows as many as before.
    assert_fit(&race(&store, 20, LIMIT).await, LIMIT as usize, u64::from(LIMIT));
}
