//! Tests of locks that other sessions hold: calls do not wait long for them, and do not block other
//! calls.

use std::time::Duration;

use hallpass_core::store::{TokenStore as _, TokenUse};
use hallpass_tests::tokens::{at, event, owner, token};
use tokio::time::Instant;

use super::{SOMEBODY_WAITS, ask, database, open, run, stranger, until};

#[tokio::test]
async fn locked_token_can_be_checked_but_not_changed() {
    let url = database();
    let store = open(&url).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let mut other = stranger(&url).await;
    run(&mut other, "BEGIN; SELECT FROM hallpass.tokens FOR UPDATE").await;

    let started = Instant::now();
    let rejected = store.delete(token.record.id, None, &event()).await.unwrap_err();
    assert!(rejected.is_unavailable() && !rejected.is_outcome_unknown(), "{rejected:?}");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(store.get(token.record.id).await.unwrap().value.is_some());
    // Tokens of other owners can be changed in the meantime.
    store.log_owner_change(&owner("bob"), &event()).await.unwrap();
    run(&mut other, "COMMIT").await;
    store.delete(token.record.id, None, &event()).await.unwrap();
}

#[tokio::test]
async fn locked_clock_stops_changes_but_not_checks() {
    let url = database();
    let store = open(&url).await;
    let first = token("alice", "ci");
    store.insert(&first, None, &event()).await.unwrap();
    let mut other = stranger(&url).await;
    run(&mut other, "BEGIN; SELECT FROM hallpass.clock FOR UPDATE").await;
    let changes: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.insert(&token("bob", "ci"), Some(50), &event()).await })
        })
        .collect();
    until(&mut stranger(&url).await, SOMEBODY_WAITS).await;
    for _ in 0..20 {
        assert!(store.get(first.record.id).await.unwrap().value.is_some());
    }
    for change in changes {
        let rejected = change.await.unwrap().unwrap_err();
        assert!(rejected.is_unavailable() && !rejected.is_outcome_unknown(), "{rejected:?}");
    }
    run(&mut other, "COMMIT").await;
    assert_eq!(ask(&url, "SELECT count(*) FROM hallpass.tokens"), "1");
    store.insert(&token("bob", "ci"), Some(50), &event()).await.unwrap();
}

#[tokio::test]
async fn locked_token_does_not_block_the_uses_of_other_tokens() {
    let url = database();
    let store = open(&url).await;
    let mut uses = Vec::new();
    for name in ["locked", "free", "free too"] {
        let record = token("alice", name).record;
        let stored = hallpass_core::store::StoredToken { record, ..token("alice", name) };
        store.insert(&stored, None, &event()).await.unwrap();
        let id = stored.record.id;
        uses.push(TokenUse { id, revision: stored.record.revision, at: at(60_000) });
    }
    let mut other = stranger(&url).await;
    run(&mut other, "BEGIN; SELECT FROM hallpass.tokens WHERE name = 'locked' FOR UPDATE").await;
    assert_eq!(store.record_uses(&uses).await.unwrap(), 2);
    run(&mut other, "COMMIT").await;
    assert_eq!(store.record_uses(&uses).await.unwrap(), 1);
}

#[tokio::test]
async fn prune_skips_locked_tokens() {
    let url = database();
    let store = open(&url).await;
    for name in ["locked", "free"] {
        let mut token = token("alice", name);
        token.record.expires_at = Some(at(1));
        store.insert(&token, None, &event()).await.unwrap();
    }
    let mut other = stranger(&url).await;
    run(&mut other, "BEGIN; SELECT FROM hallpass.tokens WHERE name = 'locked' FOR UPDATE").await;
    assert_eq!(store.prune(at(2), 10, &event()).await.unwrap(), 1);
    assert_eq!(store.prune(at(2), 10, &event()).await.unwrap(), 0);
    run(&mut other, "COMMIT").await;
    assert_eq!(store.prune(at(2), 10, &event()).await.unwrap(), 1);
}

#[tokio::test]
async fn long_transaction_of_another_client_blocks_no_call() {
    let url = database();
    let store = open(&url).await;
    let token = token("alice", "ci");
    let head = store.insert(&token, None, &event()).await.unwrap();
    let mut other = stranger(&url).await;
    // The transaction keeps all earlier row versions of the clock alive, and has a transaction id.
    run(&mut other, "BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE TABLE public.theirs (x int)")
        .await;
    for _ in 0..300 {
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    }
    let found = store.get(token.record.id).await.unwrap();
    assert_eq!(found.as_of.get(), head.get() + 300);
    assert_eq!(store.changes(None, 0).await.unwrap().head.seq, found.as_of);
}
