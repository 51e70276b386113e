//! Tests of locks that others hold, and of errors after which SQLite itself ends the transaction.

use std::time::Duration;

use hallpass_core::store::TokenStore as _;
use hallpass_tests::tokens::{at, edited, event, token};
use sqlx::Connection as _;
use tokio::time::timeout;

use super::{open, place, run, stranger};

/// A time limit far above the two seconds that a call may take.
const BOUND: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn held_lock_makes_changes_unavailable_but_not_checks() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let known = token("alice", "known");
    store.insert(&known, None, &event()).await.unwrap();
    let mut writer = stranger(&path).await;
    run(&mut writer, "BEGIN IMMEDIATE; UPDATE hallpass_tokens SET name = 'not committed'").await;

    let revoke = edited(&known.record, |record| record.revoked_at = Some(at(1)));
    let inserts = (0..20).map(|_| async {
        let token = token("alice", "ci");
        store
            .insert(&token, None, &event())
            .await
            .expect_err("the insert must fail while the lock is held")
    });
    let all = async {
        futures::join!(futures::future::join_all(inserts), async {
            store
                .update(&revoke, &event())
                .await
                .expect_err("the update must fail while the lock is held")
        })
    };
    let reads = async {
        for _ in 0..100 {
            let found = store
                .get(known.record.id)
                .await
                .expect("reads must succeed while the lock is held")
                .value
                .unwrap();
            assert_eq!(found.record, known.record, "uncommitted data is visible");
        }
    };
    let ((errors, error), ()) =
        timeout(BOUND, async { futures::join!(all, reads) }).await.expect("bounded");
    for error in errors.iter().chain([&error]) {
        assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
    }

    run(&mut writer, "ROLLBACK").await;
    store
        .update(&revoke, &event())
        .await
        .expect("the update must succeed after the lock was released");
    assert_eq!(
        store.changes(None, 0).await.unwrap().head.seq.get(),
        2,
        "a failed change was made later"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn short_lock_is_waited_for() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let mut writer = stranger(&path).await;
    run(&mut writer, "BEGIN IMMEDIATE").await;
    let token = token("alice", "ci");
    let event = event();
    let mut insert = Box::pin(store.insert(&token, None, &event));
    // The insert cannot succeed while the lock is held, however slow the machine is.
    assert!(timeout(Duration::from_millis(50), &mut insert).await.is_err());
    run(&mut writer, "ROLLBACK").await;
    insert.await.expect("the insert must succeed after the lock was released");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_reader_blocks_no_other_call() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let mut reader = stranger(&path).await;
    run(&mut reader, "BEGIN; SELECT count(*) FROM hallpass_tokens").await;
    for _ in 0..10 {
        store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    }
    assert_eq!(store.changes(None, 0).await.unwrap().head.seq.get(), 10);
    reader.close().await.unwrap();
}

/// When the disk is full, for example, SQLite itself ends the transaction, and the driver does not
/// notice.
#[tokio::test]
async fn transaction_that_sqlite_rolls_back_does_not_affect_the_next() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let bomb = "CREATE TRIGGER bomb BEFORE INSERT ON hallpass_tokens WHEN NEW.name = 'bomb' \
                BEGIN SELECT RAISE(ROLLBACK, 'boom'); END";
    run(&mut stranger(&path).await, bomb).await;
    for _ in 0..3 {
        let rejected = store.insert(&token("alice", "bomb"), None, &event()).await.unwrap_err();
        assert!(rejected.is_unavailable(), "{rejected:?}");
        store
            .insert(&token("alice", "ci"), None, &event())
            .await
            .expect("the next insert must succeed");
    }
    assert_eq!(store.changes(None, 0).await.unwrap().head.seq.get(), 3);
}
