//! Large numbers: of an owner's tokens, and of lines in the log.

use hallpass_core::store::{BulkResult, ChangeSeq, ChangeTarget, LogPosition, TokenStore as _};
use hallpass_tests::tokens::{at, owner, token};
use sqlx::Row as _;

use super::{open, place, run, stranger};

#[tokio::test]
async fn deleting_10_000_tokens_of_an_owner_is_one_logged_change() {
    let (_directory, path) = place();
    let store = open(&path).await;
    store.insert(&token("alice", "ci"), None).await.unwrap();
    let copy = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 9999) \
                INSERT INTO tokens SELECT randomblob(16), owner, name, description, name_key, \
                description_key, scopes, created_at, expires_at, last_used_at, revoked_at, regenerated_at, \
                revision, algorithm, digest, NULL, NULL, NULL FROM tokens, number";
    run(&mut stranger(&path).await, copy).await;
    let other = token("bob", "other");
    let seq = store.insert(&other, None).await.unwrap();

    let revoked = store.revoke_owner(&owner("alice"), at(1)).await.unwrap();
    assert_eq!(revoked, BulkResult { count: 10_000, seq: Some(seq.next()) });
    let deleted = store.delete_owner(&owner("alice")).await.unwrap();
    assert_eq!(deleted, BulkResult { count: 10_000, seq: Some(seq.next().next()) });
    let log = store.changes(Some(LogPosition { seq: seq.next(), nonce: 0 }), 100).await.unwrap();
    let logged: Vec<_> = log.lines.into_iter().map(|line| line.scope).collect();
    assert_eq!(logged, [ChangeTarget::Owner(owner("alice")), ChangeTarget::Owner(owner("alice"))]);
    assert!(store.find(other.record.id).await.unwrap().value.is_some());
}

#[tokio::test]
async fn the_log_keeps_a_day_and_prune_lets_go_of_the_rest() {
    let (_directory, path) = place();
    let store = open(&path).await;
    for _ in 0..10 {
        store.announce(&owner("alice")).await.unwrap();
    }
    let mut connection = stranger(&path).await;
    // Six are older than a day; the clock of the system was wrong when the second was written.
    run(
        &mut connection,
        "UPDATE changes SET at = at - 86400000 - 60000 WHERE seq <= 6; \
         UPDATE changes SET at = at + 86400000 WHERE seq = 2",
    )
    .await;
    let head = store.changes(None, 0).await.unwrap().head;
    let from_the_start = LogPosition { seq: ChangeSeq::new(1), nonce: 0 };
    for _ in 0..2 {
        assert_eq!(store.prune(at(0), 1).await.unwrap(), 0, "there are no tokens to prune");
        let log = store.changes(Some(from_the_start), 100).await.unwrap();
        let kept: Vec<_> = log.lines.iter().map(|line| line.at.seq.get()).collect();
        assert_eq!(kept, [7, 8, 9, 10], "the first are gone, without a gap");
        assert_eq!(log.head, head);
    }
    // When all of it is old, the head's own line stays: whoever followed the log knows their place by it.
    run(&mut connection, "UPDATE changes SET at = 0").await;
    store.prune(at(0), 100).await.unwrap();
    let log = store.changes(Some(head), 100).await.unwrap();
    assert_eq!((log.lines.len(), log.lines[0].at, log.head), (1, head, head));
    assert_eq!(store.announce(&owner("alice")).await.unwrap(), head.seq.next());
    let log = store.changes(Some(head), 100).await.unwrap();
    assert_eq!((log.lines.len(), log.lines[0].at), (2, head), "and goes on from it");
}

#[tokio::test]
async fn what_is_deleted_is_gone_from_the_tables() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    store.delete(token.record.id, None).await.unwrap();
    let mut connection = stranger(&path).await;
    let row = sqlx::query("SELECT count(*) FROM tokens").fetch_one(&mut connection).await.unwrap();
    assert_eq!(row.get::<i64, _>(0), 0);
}
