use hallpass_core::TokenRecord;
use hallpass_core::store::{BulkResult, ChangeSeq, ListQuery, StoreError, TokenStore};

use super::check::{Watcher, at_once, everything};
use crate::conformance::Nodes;
use crate::conformance::samples::{at, owner, token};

/// So many inserts for alice at the same time.
async fn race(store: &Nodes, inserts: usize, limit: u32) -> Vec<Result<ChangeSeq, StoreError>> {
    let inserts = (0..inserts).map(|_| {
        let store = store.clone();
        async move { store.insert(&token("alice", "ci"), Some(limit)).await }
    });
    at_once(inserts).await
}

/// Fails unless so many succeeded, and the others were told of the limit.
fn assert_fit(answers: &[Result<ChangeSeq, StoreError>], expected: usize, in_use: u64) {
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), expected);
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(refused.limit_in_use(), Some(in_use), "{refused}");
    }
}

pub async fn of_200_concurrent_inserts_at_49_of_50_one_succeeds(store: Nodes) {
    for _ in 0..49 {
        store.insert(&token("alice", "ci"), Some(50)).await.unwrap();
    }
    assert_fit(&race(&store, 200, 50).await, 1, 50);
    let deleted = store.delete_owner(&owner("alice")).await.unwrap();
    assert!(matches!(deleted, BulkResult { count: 50, .. }), "{deleted:?}");
}

pub async fn the_limit_counts_revoked_and_expired_tokens(store: Nodes) {
    let ends: [fn(&mut TokenRecord); 2] =
        [|record| record.revoked_at = Some(at(-1)), |record| record.expires_at = Some(at(-1))];
    for end in ends {
        let mut ended = token("alice", "ended");
        end(&mut ended.record);
        store.insert(&ended, Some(2)).await.unwrap();
    }
    let refused = store.insert(&token("alice", "third"), Some(2)).await.unwrap_err();
    assert_eq!(refused.limit_in_use(), Some(2));
}

pub async fn the_limit_is_each_owners_own(store: Nodes) {
    // Owners are compared byte for byte.
    for owner in ["alice", "Alice", "alice ", "älice", "a%", "a_", "bob"] {
        store.insert(&token(owner, "one"), Some(1)).await.unwrap();
    }
    store.insert(&token("alice", "two"), None).await.unwrap();
    assert_eq!(
        store.insert(&token("alice", "x"), Some(1)).await.unwrap_err().limit_in_use(),
        Some(2)
    );
    store.insert(&token("alice", "three"), Some(3)).await.unwrap();
}

pub async fn of_200_concurrent_inserts_of_a_new_owner_50_succeed(store: Nodes) {
    assert_fit(&race(&store, 200, 50).await, 50, 50);
    let deleted = store.delete_owner(&owner("alice")).await.unwrap();
    assert!(matches!(deleted, BulkResult { count: 50, .. }), "{deleted:?}");
    // What is gone counts no more.
    assert_fit(&race(&store, 10, 3).await, 3, 3);
}

pub async fn tokens_that_come_and_go_never_exceed_the_limit(store: Nodes) {
    const LIMIT: u32 = 5;
    let watcher = Watcher::start(&store, |store| async move {
        let hers = ListQuery { owner: Some(owner("alice")), ..everything() };
        let page = store.list(&hers).await.unwrap();
        assert!(page.total <= u64::from(LIMIT), "{} of {LIMIT}", page.total);
        assert_eq!(page.total, page.records.len() as u64);
    });
    let churn = (0..8).map(|_| {
        let store = store.clone();
        async move {
            for _ in 0..12 {
                let token = token("alice", "ci");
                match store.insert(&token, Some(LIMIT)).await {
                    Ok(_) => drop(store.delete(token.record.id, None).await.unwrap()),
                    Err(refused) => assert_eq!(refused.limit_in_use(), Some(u64::from(LIMIT))),
                }
            }
        }
    });
    at_once(churn).await;
    watcher.end().await;
    // All went, so there is room for as many as before.
    assert_fit(&race(&store, 20, LIMIT).await, LIMIT as usize, u64::from(LIMIT));
}
