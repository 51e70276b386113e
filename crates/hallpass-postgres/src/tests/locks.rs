use hallpass_core::store::TokenStore as _;

use super::*;

/// Whether two who issue at once get a token each for an owner who may have one.
async fn there_is_one_too_many(guards: Guards) -> bool {
    let url = database();
    let store = open(&url, guards).await;
    let mut other = Stranger::at(&url).await;
    let mut observer = Stranger::at(&url).await;
    // Nobody comes to an end.
    other.run("BEGIN; SELECT FROM hallpass.clock FOR UPDATE").await;
    let inserts = [1, 2].map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.insert(&token("alice", "ci"), Some(1), &event()).await })
    });
    observer.until_they_wait(2).await;
    other.run("COMMIT").await;
    let mut issued = 0;
    for insert in inserts {
        match insert.await.unwrap() {
            Ok(_) => issued += 1,
            Err(error) => assert_eq!(error.limit_in_use(), Some(1), "{error:?}"),
        }
    }
    issued == 2
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_an_owner_is_exact() {
    const OWNERS_LOCK: Guards =
        Guards::without_part("; SELECT pg_advisory_xact_lock(1213227379, hashtext($1))", "");
    assert!(there_is_one_too_many(OWNERS_LOCK).await);
    assert!(!there_is_one_too_many(Guards::ON).await);
}

/// Whether two who delete the same tokens keep each other from it.
async fn each_waits_for_the_other(guards: Guards) -> bool {
    let url = database();
    let (store, another) = (open(&url, Guards::ON).await, open(&url, guards).await);
    let mut tokens = ["ci"; 3].map(|name| token("alice", name));
    tokens.sort_by_key(|token| token.record.id.as_uuid());
    tokens[1].record.name = "in the middle".into();
    for token in &tokens {
        store.insert(token, None, &event()).await.unwrap();
    }
    let ids = tokens.map(|token| token.record.id);
    let mut other = Stranger::at(&url).await;
    let mut observer = Stranger::at(&url).await;
    other.run("BEGIN; SELECT FROM hallpass.tokens WHERE name = 'in the middle' FOR UPDATE").await;
    let mut deletions = Vec::new();
    for (waiting, store) in (1..).zip([store, another]) {
        deletions.push(tokio::spawn(async move { store.delete_many(None, &ids, &event()).await }));
        observer.until_they_wait(waiting).await;
    }
    other.run("COMMIT").await;
    let (mut deleted, mut refused) = (0, 0);
    for deletion in deletions {
        match deletion.await.unwrap() {
            Ok(done) => deleted += done.tokens.len(),
            Err(error) => {
                assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(deleted == 3 || refused > 0, "{deleted}");
    refused > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn all_lock_tokens_in_one_order() {
    const ORDER: Guards =
        Guards::without_part("ORDER BY id FOR UPDATE", "ORDER BY id DESC FOR UPDATE");
    assert!(each_waits_for_the_other(ORDER).await);
    assert!(!each_waits_for_the_other(Guards::ON).await);
}
