use hallpass_core::EventKind;
use hallpass_core::store::{Change, ChangeKind, TokenStore as _};
use hallpass_testkit::conformance::samples::{at, edited, event, secrets, token};
use tokio::time::timeout;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn limit_is_exact_under_concurrent_inserts() {
    let url = database();
    let mut other = Stranger::connect(&url).await;
    let mut observer = Stranger::connect(&url).await;
    // Two nodes, because one node makes one change of an owner at a time.
    let stores = [open(&url).await, open(&url).await];
    other.run("BEGIN; SELECT FROM hallpass.clock FOR UPDATE").await;
    let inserts = stores.map(|store| {
        tokio::spawn(async move { store.insert(&token("alice", "ci"), Some(1), &event()).await })
    });
    observer.until_waiting(2).await;
    other.run("COMMIT").await;
    let mut inserted = 0;
    for insert in inserts {
        match insert.await.unwrap() {
            Ok(_) => inserted += 1,
            Err(error) => assert_eq!(error.limit_in_use(), Some(1), "{error:?}"),
        }
    }
    assert_eq!(inserted, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_that_becomes_active_again_is_revoked_with_the_others() {
    let url = database();
    let stores = [open(&url).await, open(&url).await];
    let (active, revoked) = (token("alice", "active"), token("alice", "revoked"));
    for token in [&active, &revoked] {
        stores[0].insert(token, None, &event()).await.unwrap();
    }
    let revoke = edited(&revoked.record, |record| record.revoked_at = Some(at(1)));
    stores[0].update(&revoke, &event()).await.unwrap();
    let mut other = Stranger::connect(&url).await;
    let mut observer = Stranger::connect(&url).await;
    other.run("BEGIN; SELECT FROM hallpass.clock FOR UPDATE").await;
    let [one, two] = stores.clone();
    let regenerated = tokio::spawn(async move {
        let mut change = edited(&revoke.record, |record| record.revoked_at = None);
        change.secrets = Some(secrets(2));
        one.update(&change, &event()).await
    });
    observer.until_waiting(1).await;
    let all =
        tokio::spawn(async move { two.revoke_owner(&owner("alice"), None, at(2), &event()).await });
    observer.until_waiting(2).await;
    other.run("COMMIT").await;
    let (regenerated, all) = (regenerated.await.unwrap().unwrap(), all.await.unwrap().unwrap());
    assert!(all.seq.unwrap() > regenerated);
    let found = stores[0].get(revoked.record.id).await.unwrap().value.unwrap();
    assert_eq!(found.record.revoked_at, Some(at(2)));
}

/// Floods a node with edits that wait at the server, and then revokes another token. Returns
/// whether the revocation reaches the server while the edits wait.
async fn revocation_overtakes_edits() -> bool {
    let url = database();
    let store = open(&url).await;
    let (token, revoked) = (token("alice", "ci"), token("alice", "ci"));
    for token in [&token, &revoked] {
        store.insert(token, None, &event()).await.unwrap();
    }
    let mut other = Stranger::connect(&url).await;
    let mut observer = Stranger::connect(&url).await;
    other.run("BEGIN; SELECT FROM hallpass.clock FOR UPDATE").await;
    let change = |change: Change, kind| {
        let (store, mut event) = (store.clone(), event());
        event.kind = kind;
        tokio::spawn(async move { store.update(&change, &event).await })
    };
    for _ in 0..20 {
        let rename = edited(&token.record, |record| record.name = "renamed".into());
        change(rename, EventKind::Updated);
    }
    observer.until_waiting(4).await;
    let revoke = edited(&revoked.record, |record| record.revoked_at = Some(at(1)));
    let revoking = change(Change { kind: ChangeKind::Revoked, ..revoke }, EventKind::Revoked);
    // The server has four edits and the revocation. The other edits wait for a permit. All of them
    // are given up after 1.4 s.
    let arrival = timeout(Duration::from_secs(1), observer.until_waiting(5)).await;
    other.run("COMMIT").await;
    revoking.await.unwrap().is_ok() && arrival.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn token_can_be_revoked_during_a_flood_of_edits() {
    for _ in 0..5 {
        if revocation_overtakes_edits().await {
            return;
        }
        // On a busy machine, the edits may be given up too early.
    }
    panic!("the revocation waits for the edits");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_locked_in_the_order_of_their_ids() {
    let url = database();
    let store = open(&url).await;
    let mut tokens = ["first", "second", "third"].map(|_| token("alice", "ci"));
    tokens.sort_by_key(|token| token.record.id.as_uuid());
    for (token, name) in tokens.iter_mut().zip(["first", "second", "third"]) {
        token.record.name = name.into();
        store.insert(token, None, &event()).await.unwrap();
    }
    let ids = tokens.map(|token| token.record.id);
    let mut other = Stranger::connect(&url).await;
    other
        .run(
            "SET lock_timeout = 200; BEGIN; \
             SELECT FROM hallpass.tokens WHERE name = 'first' FOR UPDATE",
        )
        .await;
    let deleting = tokio::spawn({
        let store = store.clone();
        async move { store.delete_many(None, &ids, &event()).await }
    });
    Stranger::connect(&url).await.until_waiting(1).await;
    // The store waits for the first token, and has not locked a later one.
    other.run("SELECT FROM hallpass.tokens WHERE name = 'third' FOR UPDATE; COMMIT").await;
    assert_eq!(deleting.await.unwrap().unwrap().tokens.len(), 3);
}
