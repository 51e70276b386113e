//! The end of a service on a cache in front of a real store: nothing waits any longer, and no good
//! token is called bad.

use hallpass::store::StoreError;
use hallpass::{Actor, AuthError, Cached, Hallpass, Issued, MemoryStore, NewToken, SqliteStore};
use hallpass_testkit::{FaultyStore, Operation};

fn alice() -> Actor {
    Actor::owner("alice")
}

/// A token that was just used.
async fn used(hallpass: &Hallpass) -> Issued {
    let issued = hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap();
    hallpass.authenticate(issued.token.reveal().as_bytes()).await.unwrap();
    assert!(hallpass.has_unflushed_uses());
    issued
}

/// Asks for a good token, a good one that was not asked for yet, and a made-up one: none may be
/// called bad that is good, and what needs no store is answered as ever.
async fn assert_no_verdict_is_wrong(hallpass: &Hallpass, good: &[&Issued]) {
    for issued in good {
        let checked = hallpass.authenticate(issued.token.reveal().as_bytes()).await;
        assert!(!matches!(checked, Err(AuthError::Rejected(_))), "{checked:?}");
    }
    let checked = hallpass.authenticate(b"hp_nonsense").await;
    assert!(matches!(checked, Err(AuthError::Rejected(_))), "{checked:?}");
}

#[tokio::test]
async fn uses_on_a_cached_file_are_written_and_then_it_is_let_go_of() {
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
    hallpass.shutdown().await.expect("uses are still waiting");
    assert_no_verdict_is_wrong(&hallpass, &[&token]).await;
}
