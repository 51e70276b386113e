//! Nodes that cannot follow the change log as they should.

use std::path::Path;
use std::time::{Duration, Instant};

use hallpass_core::store::TokenStore as _;
use hallpass_memory::MemoryStore;
use hallpass_sqlite::SqliteStore;
use hallpass_testkit::{FaultyStore, Operation};
use hallpass_tests::late::Late;
use hallpass_tests::nodes::{
    accepts, alice, beyond, check, is_refused, issue, node, owner, settings,
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
async fn c45_a_log_trimmed_below_a_late_node_in_memory_voids_its_cache() {
    let store = MemoryStore::new();
    let late = Late::new(store.clone(), store.clone()).await;
    // As many lines as are kept, and one.
    for _ in 0..10_001 {
        store.log_owner_change(&owner("carol"), &event()).await.unwrap();
    }
    late.finds_out().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c45_a_log_trimmed_below_a_late_node_on_a_file_voids_its_cache() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tokens.db");
    let late = Late::new(file(&path).await, file(&path).await).await;
    late.elsewhere.owner_changed(&alice(), &owner("carol")).await.unwrap();
    run(&path, "DELETE FROM hallpass_changes WHERE seq < (SELECT max(seq) FROM hallpass_changes)")
        .await;
    late.finds_out().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f44_a_line_of_the_log_that_nobody_can_read_voids_the_cache_and_it_goes_on() {
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
        late.finds_out().await;
    }
}

/// Until the log was read for the first time, a record is good for the bound after it was asked
/// for.
#[tokio::test(flavor = "multi_thread")]
async fn c46_a_node_that_never_read_the_log_trusts_what_it_reads_for_the_bound() {
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
        assert_eq!(store.faults().calls(Operation::Get), round, "what is older is read again");
    }
    elsewhere.revoke(&alice(), token.record.id).await.unwrap();
    sleep(beyond(bound)).await;
    assert!(is_refused(&check(&hallpass, &token).await));
}

/// The bound is no rule of thumb: by an exact clock, no check that starts later accepts.
#[tokio::test(flavor = "multi_thread")]
async fn c46_no_check_that_starts_after_the_bound_accepts_what_another_node_has_ended() {
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
        assert!(latest <= bound, "accepted {:?} after the bound", latest - bound);
    }
}
