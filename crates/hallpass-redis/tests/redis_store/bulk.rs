//! Tests of changes to many tokens, and of pruning.

use hallpass_core::store::{BulkResult, Deleted, TokenStore as _, TokenUse};
use hallpass_core::{Revision, Status};

use super::*;

#[tokio::test]
async fn delete_many_writes_one_entry_for_each_token() {
    let store = store().await;
    let tokens = [token("alice", "1"), token("bob", "2"), token("alice", "3")];
    for token in &tokens {
        store.insert(token, None, &event()).await.unwrap();
    }
    let [a, b, c] = tokens.map(|token| token.record.id);
    let alice = owner("alice");
    let deleted = store.delete_many(Some(&alice), &[a, b, a], &event()).await.unwrap();
    assert_eq!(deleted.tokens, [(a, alice.clone())]);
    assert_eq!(deleted.seq.unwrap().get(), 4);
    let nothing = store.delete_many(Some(&alice), &[a, b], &event()).await.unwrap();
    assert_eq!(nothing, Deleted::default());
    assert_eq!(store.delete_many(None, &[], &event()).await.unwrap(), Deleted::default());
    let deleted = store.delete_many(None, &[c, b], &event()).await.unwrap();
    assert_eq!(deleted.tokens, [(c, alice), (b, owner("bob"))]);
    assert_eq!(deleted.seq.unwrap().get(), 6);
    assert!(store.list(&everything()).await.unwrap().records.is_empty());
}

#[tokio::test]
async fn delete_many_deletes_and_returns_thousands_of_tokens() {
    let store = store().await;
    let mut ids = Vec::new();
    for _ in 0..4_100 {
        let token = token("alice", "ci");
        store.insert(&token, None, &event()).await.unwrap();
        ids.push(token.record.id);
    }
    let deleted = store.delete_many(None, &ids, &event()).await.unwrap();
    assert_eq!(deleted.tokens.len(), 4_100);
    assert_eq!(deleted.seq.unwrap().get(), 8_200);
}

#[tokio::test]
async fn deleting_all_tokens_of_an_owner_writes_one_entry() {
    let store = store().await;
    for name in ["alice", "alice", "bob"] {
        store.insert(&token(name, "ci"), None, &event()).await.unwrap();
    }
    let result = store.delete_owner(&owner("alice"), &event()).await.unwrap();
    assert_eq!((result.count, result.seq.unwrap().get()), (2, 4));
    let nothing = store.delete_owner(&owner("alice"), &event()).await.unwrap();
    assert_eq!(nothing, BulkResult::default());
    assert_eq!(store.list(&everything()).await.unwrap().records.len(), 1);
    assert_eq!(head(&store).await, 4);
}

#[tokio::test]
async fn revoke_owner_leaves_newer_secrets() {
    let store = store().await;
    let mut tokens = Vec::new();
    for (created, regenerated, revoked) in [
        (1, None, None),
        (5, None, None),
        (1, Some(5), None),
        (1, Some(4), None),
        (1, None, Some(3)),
    ] {
        let mut token = token("alice", "ci");
        token.record.created_at = at(created);
        token.record.regenerated_at = regenerated.map(at);
        token.record.revoked_at = revoked.map(at);
        store.insert(&token, None, &event()).await.unwrap();
        tokens.push(token.record.id);
    }
    let alice = owner("alice");
    let result = store.revoke_owner(&alice, Some(at(5)), at(9), &event()).await.unwrap();
    assert_eq!((result.count, result.seq.unwrap().get()), (2, 6));
    for (number, revoked) in [Some(9), None, None, Some(9), Some(3)].into_iter().enumerate() {
        let record = record(&store, tokens[number]).await;
        assert_eq!(record.revoked_at, revoked.map(at), "{number}");
        assert_eq!(record.revision.get(), if revoked == Some(9) { 2 } else { 1 });
    }
    let nothing = store.revoke_owner(&alice, Some(at(5)), at(9), &event()).await.unwrap();
    assert_eq!(nothing, BulkResult::default());
    assert_eq!(store.revoke_owner(&alice, None, at(9), &event()).await.unwrap().count, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn revoke_everyone_works_in_batches_until_none_is_left() {
    let store = store().await;
    for number in 0..1_050_i64 {
        let mut token = token(&format!("owner {}", number % 7), "ci");
        token.record.created_at = at(number % 100);
        store.insert(&token, None, &event()).await.unwrap();
    }
    let before = head(&store).await;
    let mut counts = Vec::new();
    loop {
        let result = store.revoke_everyone(Some(at(90)), at(200), 400, &event()).await.unwrap();
        assert_eq!(result.seq.is_some(), result.count > 0);
        if result.count == 0 {
            break;
        }
        assert!(result.count <= 400);
        counts.push(result.count);
    }
    assert_eq!(counts.iter().sum::<u64>(), 950);
    assert_eq!(head(&store).await - before, counts.len() as u64);
    // The next call starts over, so it also finds a token before the position of the last one.
    let mut early = token("alice", "early");
    early.record.created_at = at(-1);
    store.insert(&early, None, &event()).await.unwrap();
    let result = store.revoke_everyone(Some(at(90)), at(200), 400, &event()).await.unwrap();
    assert_eq!(result.count, 1);
    let counts = store.list(&everything()).await.unwrap().counts;
    assert_eq!((counts.active, counts.of(Some(Status::Revoked))), (100, 951));
    let mut left = 100;
    while left > 0 {
        let some = store.revoke_everyone(None, at(200), 400, &event()).await.unwrap();
        assert!((1..=left).contains(&some.count));
        left -= some.count;
    }
    let mut pruned = 0;
    while pruned < 1_051 {
        let some = store.prune(at(300), 2_000, &event()).await.unwrap();
        assert!((1..=128).contains(&some));
        pruned += some;
    }
    assert_eq!(store.prune(at(300), 2_000, &event()).await.unwrap(), 0);
}

#[tokio::test]
async fn prune_deletes_tokens_that_ended_before_the_given_time() {
    let store = store().await;
    let cases = [
        (None, None, true),
        (Some(99), None, false),
        (Some(100), None, true),
        (None, Some(99), false),
        (None, Some(100), true),
        (Some(99), Some(150), false),
        (Some(150), Some(99), false),
        (Some(150), Some(150), true),
    ];
    let mut ids = Vec::new();
    for (expires, revoked, stays) in cases {
        let mut token = token("alice", "ci");
        token.record.expires_at = expires.map(at);
        token.record.revoked_at = revoked.map(at);
        store.insert(&token, None, &event()).await.unwrap();
        ids.push((token.record.id, stays));
    }
    assert_eq!(store.prune(at(100), 0, &event()).await.unwrap(), 0);
    assert_eq!(store.prune(at(100), 3, &event()).await.unwrap(), 3);
    assert_eq!(store.prune(at(100), 1_000, &event()).await.unwrap(), 1);
    for (id, stays) in ids {
        assert_eq!(store.get(id).await.unwrap().value.is_some(), stays);
    }
    let before = head(&store).await;
    assert_eq!(store.prune(at(100), 1_000, &event()).await.unwrap(), 0);
    assert_eq!(head(&store).await, before, "a call that deleted nothing wrote a log entry");
}

#[tokio::test]
async fn prolonged_token_is_not_pruned() {
    let store = store().await;
    let mut token = token("alice", "ci");
    token.record.expires_at = Some(at(1));
    store.insert(&token, None, &event()).await.unwrap();
    let longer = edited(&token.record, |record| record.expires_at = Some(at(500)));
    store.update(&longer, &event()).await.unwrap();
    assert_eq!(store.prune(at(100), 10, &event()).await.unwrap(), 0);
    assert_eq!(store.prune(at(501), 10, &event()).await.unwrap(), 1);
}

#[tokio::test]
async fn thousands_of_uses_are_recorded_at_once() {
    let store = store().await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let unknown = super::token("alice", "ci").record.id;
    let uses: Vec<_> = (0..3_000)
        .map(|number| TokenUse {
            id: if number % 2 == 0 { token.record.id } else { unknown },
            revision: Revision::FIRST,
            at: at(number),
        })
        .collect();
    assert_eq!(store.record_uses(&uses).await.unwrap(), 1);
    assert_eq!(record(&store, token.record.id).await.last_used_at, Some(at(2_998)));
    assert_eq!(head(&store).await, 1, "a use wrote a log entry");
}

#[tokio::test]
async fn deleting_tokens_leaves_no_keys_of_theirs() {
    let server = server();
    let store = open(server.url()).await;
    let mut ended = token("alice", "ci");
    ended.record.expires_at = Some(at(1));
    store.insert(&ended, None, &event()).await.unwrap();
    store.insert(&full_token(), None, &event()).await.unwrap();
    let other = token("bob", "ci");
    store.insert(&other, None, &event()).await.unwrap();
    store.delete(other.record.id, None, &event()).await.unwrap();
    store.prune(at(2), 1, &event()).await.unwrap();
    store.delete_owner(&full_token().record.owner, &event()).await.unwrap();
    let keys = run(&server, &["KEYS", "*"]);
    let mut left: Vec<_> = keys.lines().filter(|key| !key.starts_with("{hallpass}f")).collect();
    left.sort_unstable();
    assert_eq!(left, ["{hallpass}c", "{hallpass}l", "{hallpass}m"]);
}
