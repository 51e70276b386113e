//! The store is gone, or answers nonsense.

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

/// A token that exists elsewhere, but not here.
async fn stranger() -> hallpass_core::Issued {
    issue(&Hallpass::builder(MemoryStore::new()).build()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_with_the_store_down_cached_tokens_are_served_within_the_bound_and_others_get_503() {
    let site = Site::open(settings().max_staleness(NEVER)).await;
    let (warm, cold, unknown) = (site.issue().await, site.issue().await, stranger().await);
    assert_eq!(site.get(&warm).await, 200);
    site.faults().on(Operation::ALL).fail();
    for _ in 0..3 {
        assert_eq!(site.get(&warm).await, 200);
        assert_eq!(site.get(&cold).await, 503);
        assert_eq!(site.get(&unknown).await, 503, "nobody can tell");
    }
    let revoked = site.hallpass.revoke(&alice(), warm.record.id).await;
    assert!(revoked.is_err_and(|error| error.is_unavailable()), "it is not said to be done");
    site.faults().heal();
    assert_eq!(site.get(&cold).await, 200, "an error is not remembered");
    assert_eq!(site.get(&unknown).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn f2_with_the_store_down_beyond_the_bound_everything_is_503() {
    let bound = Duration::from_millis(300);
    let site = Site::open(settings().max_staleness(bound)).await;
    let tokens = [site.issue().await, site.issue().await, stranger().await, site.issue().await];
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
    assert_eq!(site.get(warm).await, 200, "and it comes back by itself");
    assert_eq!(site.get(cold).await, 200);
    assert_eq!(site.get(revoked).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn f52_another_tokens_record_is_nobodys() {
    let site = Site::open(settings()).await;
    let (asked, other) = (site.issue().await, site.issue().await);
    site.faults().on(Operation::Get).answer_with(other.record.id);
    for _ in 0..3 {
        assert_eq!(site.get(&asked).await, 503);
    }
    assert_eq!(site.get(&other).await, 200);
    site.faults().heal();
    assert_eq!(site.get(&asked).await, 200, "it was not kept");
    assert_eq!(site.get(&other).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_a_damaged_row_is_503_behind_a_cache_too_and_is_not_remembered() {
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

/// What the host can be asked of its people: nothing, or with an error, or for ever.
#[tokio::test(flavor = "multi_thread")]
async fn f2_without_the_hosts_word_beyond_the_bound_everything_is_503_and_nothing_hangs() {
    const WELL: u8 = 0;
    const FAILS: u8 = 1;
    const HANGS: u8 = 2;
    let bound = Duration::from_millis(300);
    let mood = Arc::new(AtomicU8::new(WELL));
    let asked = Arc::clone(&mood);
    let owners = move |_: Owner| {
        let mood = asked.load(Ordering::SeqCst);
        async move {
            match mood {
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
    for trouble in [FAILS, HANGS] {
        assert!(accepts(&hallpass, &token).await);
        mood.store(trouble, Ordering::SeqCst);
        let verdict = check(&hallpass, &token).await;
        assert!(verdict.is_ok() || is_unavailable(&verdict), "{verdict:?}");
        sleep(beyond(bound)).await;
        let verdict = check(&hallpass, &token).await;
        assert!(is_unavailable(&verdict), "{verdict:?}");
        mood.store(WELL, Ordering::SeqCst);
        until("it comes back", async || accepts(&hallpass, &token).await).await;
    }
}
