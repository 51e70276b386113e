//! Nodes that cannot read the change log, or only parts of it.

use std::path::Path;
use std::time::{Duration, Instant};

use hallpass_core::store::TokenStore as _;
use hallpass_memory::MemoryStore;
use hallpass_sqlite::SqliteStore;
use hallpass_testkit::{FaultyStore, Operation};
use hallpass_tests::late::Late;
use hallpass_tests::nodes::{
    accepts, alice, beyond, check, is_rejected, issue, node, owner, settings,
};
use hallpass_tests::tokens::event;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::time::sleep;

async fn file(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.expect("the store opens")
}

async fn run(path: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.expect("a connection");
    sqlx::raw_sql(sql).execute(&mut connection).await.expect("the statements run");
}

#[tokio::test(flavor = "multi_thread")]
async fn trimmed_log_in_memory_invalidates_the_cache_of_a_late_node() {
    let store = MemoryStore::new();
    let late = Late::new(store.clone(), store.clone()).await;
    // One entry more than the log keeps.
    for _ in 0..10_001 {
        store.log_owner_change(&owner("carol"), &event()).await.unwrap();
    }
    late.catches_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trimmed_log_in_a_file_invalidates_the_cache_of_a_late_node() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tokens.db");
    let late = Late::new(file(&path).await, file(&path).await).await;
    late.elsewhere.owner_changed(&alice(), &owner("carol")).await.unwrap();
    run(&path, "DELETE FROM hallpass_changes WHERE seq < (SELECT max(seq) FROM hallpass_changes)")
        .await;
    late.catches_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_log_entry_invalidates_the_cache_and_is_skipped() {
    let damages = [
        "PRAGMA ignore_check_constraints = ON; \
         UPDATE hallpass_changes SET target = 'new' WHERE seq = (SELECT max(seq) FROM hallpass_changes)",
        "UPDATE hallpass_changes SET token_id = x'01' WHERE seq = (SELECT max(seq) FROM hallpass_changes)",
    ];
    for damage in damages {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("tokens.db");
        let late = Late::new(file(&path).await, file(&path).await).await;
        run(&path, damage).await;
        late.catches_up().await;
    }
}

/// Tests that before the first successful read of the log, a record is used for at most the
/// staleness limit, counted from its request.
#[tokio::test(flavor = "multi_thread")]
async fn node_that_never_read_the_log_reloads_after_the_limit() {
    let bound = Duration::from_millis(400);
    let truth = MemoryStore::new();
    let store = FaultyStore::new(truth.clone());
    let elsewhere = node(&FaultyStore::new(truth), settings());
    let token = issue(&elsewhere).await;
    let _never = store.faults().on(Operation::Changes).stall();
    let hallpass = node(&store, settings().max_staleness(bound));
    assert!(accepts(&hallpass, &token).await);
    assert_eq!(store.faults().calls(Operation::Get), 1);
    for round in 2..4 {
        sleep(beyond(bound)).await;
        assert!(accepts(&hallpass, &token).await);
        assert_eq!(
            store.faults().calls(Operation::Get),
            round,
            "an older record was not read again"
        );
    }
    elsewhere.revoke(&alice(), token.record.id).await.unwrap();
    sleep(beyond(bound)).await;
    assert!(is_rejected(&check(&hallpass, &token).await));
}

/// Tests that the staleness limit is exact: no check that starts later accepts the token.
#[tokio::test(flavor = "multi_thread")]
async fn check_after_the_bound_rejects_a_token_revoked_on_another_node() {
    let bound = Duration::from_millis(60);
    let truth = MemoryStore::new();
    let elsewhere = node(&FaultyStore::new(truth.clone()), settings());
    let store = FaultyStore::new(truth);
    let hallpass = node(&store, settings().max_staleness(bound));
    store.faults().on(Operation::Changes).fail();
    for _ in 0..20 {
        let token = issue(&elsewhere).await;
        assert!(accepts(&hallpass, &token).await);
        elsewhere.revoke(&alice(), token.record.id).await.unwrap();
        let ended = Instant::now();
        let mut latest = Duration::ZERO;
        loop {
            let start = ended.elapsed();
            if !accepts(&hallpass, &token).await {
                break;
            }
            latest = start;
        }
        assert!(latest <= bound, "accepted {:?} after the staleness limit", latest - bound);
    }
}
