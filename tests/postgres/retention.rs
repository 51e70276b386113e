//! Tests with many tokens of an owner, and with many log entries.

use hallpass_core::store::{BulkResult, ChangeSeq, ChangeTarget, LogPosition, TokenStore as _};
use hallpass_tests::tokens::{at, event, owner, token};

use jiff::{SignedDuration, Timestamp};

use super::{ask, database, open, stranger, until};

#[tokio::test]
async fn deleting_10_000_tokens_of_an_owner_is_one_logged_change() {
    let url = database();
    let store = open(&url).await;
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    let copy = "INSERT INTO hallpass.tokens (id, owner, name, description, scopes, created_at, \
                revision, algorithm, digest) SELECT gen_random_uuid(), owner, name, description, scopes, \
                created_at, revision, algorithm, digest FROM hallpass.tokens, generate_series(1, 9999)";
    ask(&url, copy);
    let other = token("bob", "other");
    let seq = store.insert(&other, None, &event()).await.unwrap();

    let revoked = store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap();
    assert_eq!(revoked, BulkResult { count: 10_000, seq: Some(seq.next()) });
    let deleted = store.delete_owner(&owner("alice"), &event()).await.unwrap();
    assert_eq!(deleted, BulkResult { count: 10_000, seq: Some(seq.next().next()) });
    let log = store.changes(Some(LogPosition { seq: seq.next(), nonce: 0 }), 100).await.unwrap();
    let logged: Vec<_> = log.entries.into_iter().map(|line| line.target).collect();
    assert_eq!(logged, [ChangeTarget::Owner(owner("alice")), ChangeTarget::Owner(owner("alice"))]);
    assert!(store.get(other.record.id).await.unwrap().value.is_some());
}

#[tokio::test]
async fn prune_log_deletes_a_gapless_prefix_and_keeps_the_newest_entry() {
    let url = database();
    let store = open(&url).await;
    for _ in 0..10 {
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    }
    // Six entries are old. The clock was wrong when the second one was written.
    let day = Timestamp::now() - SignedDuration::from_hours(24);
    ask(&url, "UPDATE hallpass.changes SET at = now()");
    ask(&url, "UPDATE hallpass.changes SET at = now() - interval '25 hours' WHERE seq <= 6");
    ask(&url, "UPDATE hallpass.changes SET at = now() + interval '1 year' WHERE seq = 2");
    assert_eq!(store.prune_log(day, 100).await.unwrap(), 6);
    let first = "SELECT min(seq) || ' to ' || max(seq) || ', ' || count(*) FROM hallpass.changes";
    assert_eq!(ask(&url, first), "7 to 10, 4");
    ask(&url, "UPDATE hallpass.changes SET at = now() - interval '25 hours'");
    assert_eq!(store.prune_log(day, 100).await.unwrap(), 3);
    assert_eq!(ask(&url, first), "10 to 10, 1");
    let head = store.changes(None, 0).await.unwrap().head;
    assert_eq!(head.seq, ChangeSeq::new(10));
    assert_eq!(store.changes(Some(head), 10).await.unwrap().entries[0].position, head);
    let token = token("alice", "ci");
    assert_eq!(store.get(token.record.id).await.unwrap().as_of, ChangeSeq::new(10));
    assert_eq!(store.insert(&token, None, &event()).await.unwrap(), ChangeSeq::new(11));
}

#[tokio::test]
async fn clock_row_stays_on_its_page() {
    let url = database();
    let store = open(&url).await;
    for _ in 0..1_000 {
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    }
    // A server process reports its statistics when it ends.
    store.close().await;
    // Most updates must be heap-only. Those that find the page full of dead row versions are not.
    let hot = "SELECT n_tup_hot_upd >= 990 FROM pg_stat_user_tables WHERE relname = 'clock'";
    until(&mut stranger(&url).await, hot).await;
    let pages = ask(&url, "SELECT pg_relation_size('hallpass.clock') / 8192");
    assert!(pages.parse::<u32>().unwrap() <= 10, "{pages} pages");
}
