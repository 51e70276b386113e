//! Tests of the shutdown of a handle with a cache in front of a real store: all uses are written,
//! and no valid token is rejected.

use hallpass::store::StoreError;
use hallpass::{Actor, AuthError, Cached, Hallpass, Issued, MemoryStore, NewToken, SqliteStore};
use hallpass_testkit::{FaultyStore, Operation};

fn alice() -> Actor {
    Actor::owner("alice")
}

/// Issues a token and uses it.
async fn used(hallpass: &Hallpass) -> Issued {
    let issued = hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap();
    hallpass.authenticate(issued.token.reveal().as_bytes()).await.unwrap();
    assert!(hallpass.has_unflushed_uses());
    issued
}

/// Checks that no valid token is rejected, and that a malformed token is still rejected without the
/// store.
async fn assert_no_verdict_is_wrong(hallpass: &Hallpass, good: &[&Issued]) {
    for issued in good {
        let checked = hallpass.authenticate(issued.token.reveal().as_bytes()).await;
        assert!(!matches!(checked, Err(AuthError::Rejected(_))), "{checked:?}");
    }
    let checked = hallpass.authenticate(b"hp_nonsense").await;
    assert!(matches!(checked, Err(AuthError::Rejected(_))), "{checked:?}");
}

#[tokio::test]
async fn shutdown_with_a_cached_file_writes_uses_and_closes_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let hallpass = Hallpass::builder(Cached::new(store)).build();
    let token = used(&hallpass).await;
    let unasked = hallpass.issue(&alice(), NewToken::named("unasked")).await.unwrap();
    hallpass.shutdown().await.unwrap();
    assert!(!hallpass.has_unflushed_uses());
    assert!(hallpass.ping().await.is_err(), "the file must be closed");
    assert_no_verdict_is_wrong(&hallpass, &[&token, &unasked]).await;
    hallpass.shutdown().await.expect("a second shutdown must succeed");
    assert_no_verdict_is_wrong(&hallpass, &[&token, &unasked]).await;

    let next = Hallpass::builder(SqliteStore::open(&path).await.unwrap()).build();
    assert!(next.get(&alice(), token.record.id).await.unwrap().last_used_at.is_some());
    assert!(next.get(&alice(), unasked.record.id).await.unwrap().last_used_at.is_none());
}

#[tokio::test]
async fn uses_in_cached_memory_are_written_too() {
    let store = MemoryStore::new();
    let hallpass = Hallpass::builder(Cached::new(store.clone())).build();
    let token = used(&hallpass).await;
    hallpass.shutdown().await.unwrap();
    assert_no_verdict_is_wrong(&hallpass, &[&token]).await;
    let other = Hallpass::builder(store).build();
    assert!(other.get(&alice(), token.record.id).await.unwrap().last_used_at.is_some());
}

#[tokio::test]
async fn uses_that_cannot_be_written_are_reported_and_counted() {
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = Hallpass::builder(Cached::new(store.clone())).build();
    let token = used(&hallpass).await;
    store.faults().on(Operation::RecordUses).fail_with(|| StoreError::read_only("a standby"));
    assert!(hallpass.shutdown().await.unwrap_err().is_unavailable());
    assert_eq!(hallpass.dropped_uses(), 1);
    hallpass.shutdown().await.expect("a second shutdown must succeed");
    assert_no_verdict_is_wrong(&hallpass, &[&token]).await;
}
