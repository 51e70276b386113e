//! Tests with many tokens and many log entries, and of what remains after deletions.

use hallpass_core::store::{BulkResult, ChangeSeq, ChangeTarget, LogPosition, TokenStore as _};
use hallpass_tests::tokens::{at, event, owner, token};
use sqlx::Row as _;

use super::{open, place, run, stranger};

#[tokio::test]
async fn deleting_10_000_tokens_of_an_owner_is_one_entry() {
    let (_directory, path) = place();
    let store = open(&path).await;
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    let copy = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 9999) \
                INSERT INTO hallpass_tokens SELECT randomblob(16), owner, name, description, name_key, \
                description_key, scopes, metadata, created_at, expires_at, last_used_at, revoked_at, regenerated_at, \
                revision, algorithm, digest, NULL, NULL, NULL FROM hallpass_tokens, number";
    run(&mut stranger(&path).await, copy).await;
    let other = token("bob", "other");
    let seq = store.insert(&other, None, &event()).await.unwrap();

    let revoked = store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap();
    assert_eq!(revoked, BulkResult { count: 10_000, seq: Some(seq.next()) });
    let deleted = store.delete_owner(&owner("alice"), &event()).await.unwrap();
    assert_eq!(deleted, BulkResult { count: 10_000, seq: Some(seq.next().next()) });
    let log = store.changes(Some(LogPosition { seq: seq.next(), nonce: 0 }), 100).await.unwrap();
    let logged: Vec<_> = log.entries.into_iter().map(|entry| entry.target).collect();
    assert_eq!(logged, [ChangeTarget::Owner(owner("alice")), ChangeTarget::Owner(owner("alice"))]);
    assert!(store.get(other.record.id).await.unwrap().value.is_some());
}

#[tokio::test]
async fn pruning_the_log_leaves_no_gap_after_a_clock_change() {
    let (_directory, path) = place();
    let store = open(&path).await;
    for _ in 0..10 {
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    }
    // Six entries are old. The system's clock was wrong when the second one was written.
    run(
        &mut stranger(&path).await,
        "UPDATE hallpass_changes SET at = iif(seq <= 6 AND seq <> 2, 1000, 9000000000000)",
    )
    .await;
    let head = store.changes(None, 0).await.unwrap().head;
    let start = LogPosition { seq: ChangeSeq::new(1), nonce: 0 };
    let old = jiff::Timestamp::from_second(60).unwrap();
    for pruned in [6, 0] {
        assert_eq!(store.prune_log(old, 100).await.unwrap(), pruned);
        let log = store.changes(Some(start), 100).await.unwrap();
        let kept: Vec<_> = log.entries.iter().map(|entry| entry.position.seq.get()).collect();
        assert_eq!(kept, [7, 8, 9, 10]);
        assert_eq!(log.head, head);
    }
}

#[tokio::test]
async fn deleted_token_is_removed_from_the_table() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    store.delete(token.record.id, None, &event()).await.unwrap();
    let mut connection = stranger(&path).await;
    let row = sqlx::query("SELECT count(*) FROM hallpass_tokens")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(row.get::<i64, _>(0), 0);
}
