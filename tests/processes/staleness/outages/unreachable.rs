//! Stores that are unreachable or return wrong or damaged records.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use hallpass_cache::Cached;
use hallpass_core::{Hallpass, Limits, Owner, OwnerStatus};
use hallpass_memory::MemoryStore;
use hallpass_sqlite::SqliteStore;
use hallpass_testkit::{FaultyStore, Operation};
use tokio::time::sleep;

use super::site::Site;
use hallpass_tests::nodes::{
    NEVER, accepts, alice, beyond, check, is_unavailable, issue, node, settings, until,
};

/// Issues a token in another store, so that it does not exist in the tested store.
async fn unknown_token() -> hallpass_core::Issued {
    issue(&Hallpass::builder(MemoryStore::new()).build()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn cached_tokens_are_served_while_the_store_is_down() {
    let site = Site::open(settings().max_staleness(NEVER)).await;
    let (warm, cold, unknown) = (site.issue().await, site.issue().await, unknown_token().await);
    assert_eq!(site.get(&warm).await, 200);
    site.faults().on(Operation::ALL).fail();
    for _ in 0..3 {
        assert_eq!(site.get(&warm).await, 200);
        assert_eq!(site.get(&cold).await, 503);
        assert_eq!(site.get(&unknown).await, 503, "an unknown token was rejected without a lookup");
    }
    let revoked = site.hallpass.revoke(&alice(), warm.record.id).await;
    assert!(
        revoked.is_err_and(|error| error.is_unavailable()),
        "a failed revocation was reported as done"
    );
    site.faults().heal();
    assert_eq!(site.get(&cold).await, 200, "the error was cached");
    assert_eq!(site.get(&unknown).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_token_gets_503_if_the_store_is_down_beyond_the_limit() {
    let bound = Duration::from_millis(300);
    let site = Site::open(settings().max_staleness(bound)).await;
    let tokens =
        [site.issue().await, site.issue().await, unknown_token().await, site.issue().await];
    let [warm, cold, _, revoked] = &tokens;
    site.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    assert_eq!(site.get(warm).await, 200);
    assert_eq!(site.get(revoked).await, 401);
    site.faults().on(Operation::ALL).fail();
    sleep(beyond(bound)).await;
    for _ in 0..3 {
        for token in &tokens {
            assert_eq!(site.get(token).await, 503);
        }
    }
    site.faults().heal();
    assert_eq!(site.get(warm).await, 200, "the cache did not recover");
    assert_eq!(site.get(cold).await, 200);
    assert_eq!(site.get(revoked).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn record_of_another_token_is_never_used() {
    let site = Site::open(settings()).await;
    let (asked, other) = (site.issue().await, site.issue().await);
    site.faults().on(Operation::Get).answer_with(other.record.id);
    for _ in 0..3 {
        assert_eq!(site.get(&asked).await, 503);
    }
    assert_eq!(site.get(&other).await, 200);
    site.faults().heal();
    assert_eq!(site.get(&asked).await, 200, "the wrong record was cached");
    assert_eq!(site.get(&other).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_row_gets_503_through_a_cache_and_is_not_cached() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tokens.db");
    let store = FaultyStore::new(SqliteStore::open(&path).await.expect("the store opens"));
    let hallpass = node(&store, settings());
    let (damaged, sound) = (issue(&hallpass).await, issue(&hallpass).await);
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::ConnectOptions::connect(&file).await.expect("a connection");
    let id = damaged.record.id.to_string();
    let mut set = async |scopes: &'static str| {
        let update = "UPDATE hallpass_tokens SET scopes = ? WHERE id = unhex(?, '-')";
        let update = sqlx::query(update).bind(scopes).bind(&id).execute(&mut connection);
        assert_eq!(update.await.expect("an update").rows_affected(), 1);
    };
    set("projects:read  jobs").await;
    for _ in 0..3 {
        assert!(is_unavailable(&check(&hallpass, &damaged).await));
        assert!(accepts(&hallpass, &sound).await);
    }
    set("").await;
    assert!(accepts(&hallpass, &damaged).await);
    let without_cache = Hallpass::builder(store).limits(Limits::default()).build();
    assert!(accepts(&without_cache, &damaged).await);
}

/// Tests that an owner directory that fails or hangs leads to 503 after the staleness limit.
#[tokio::test(flavor = "multi_thread")]
async fn failing_owner_directory_leads_to_503_after_the_limit() {
    const WORKS: u8 = 0;
    const FAILS: u8 = 1;
    const HANGS: u8 = 2;
    let bound = Duration::from_millis(300);
    let behavior = Arc::new(AtomicU8::new(WORKS));
    let asked = Arc::clone(&behavior);
    let owners = move |_: Owner| {
        let behavior = asked.load(Ordering::SeqCst);
        async move {
            match behavior {
                FAILS => return Err("the directory is down".into()),
                HANGS => std::future::pending().await,
                _ => {}
            }
            Ok(OwnerStatus::Active)
        }
    };
    let settings = settings().max_staleness(bound).load_deadline(Duration::from_millis(100));
    let cached = Cached::with_settings(FaultyStore::new(MemoryStore::new()), settings);
    let hallpass = Hallpass::builder(cached).owner_directory(owners).build();
    let token = issue(&hallpass).await;
    for fault in [FAILS, HANGS] {
        assert!(accepts(&hallpass, &token).await);
        behavior.store(fault, Ordering::SeqCst);
        let verdict = check(&hallpass, &token).await;
        assert!(verdict.is_ok() || is_unavailable(&verdict), "{verdict:?}");
        sleep(beyond(bound)).await;
        let verdict = check(&hallpass, &token).await;
        assert!(is_unavailable(&verdict), "{verdict:?}");
        behavior.store(WORKS, Ordering::SeqCst);
        until("the token is accepted again", async || accepts(&hallpass, &token).await).await;
    }
}
