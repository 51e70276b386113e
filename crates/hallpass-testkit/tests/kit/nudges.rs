//! Nudges: lost, late, repeated, and for nothing.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hallpass_core::store::{LogPosition, TokenStore as _};
use hallpass_core::{Actor, Hallpass, NewToken};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Operation};

type Store = FaultyStore<MemoryStore>;

/// The place up to which everything was seen.
fn head(store: &Store) -> LogPosition {
    let inner = store.inner();
    let changes = pin!(inner.changes(None, 0)).poll(&mut Context::from_waker(Waker::noop()));
    match changes {
        Poll::Ready(Ok(changes)) => changes.head,
        other => panic!("a store in memory answers at once: {other:?}"),
    }
}

/// Whether a nudge is there. If not, whoever waited goes away.
fn comes(store: &Store) -> bool {
    let nudged = pin!(store.wait_for_change(head(store)));
    nudged.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[tokio::test]
async fn a_nudge_comes_when_a_test_gives_one() {
    let store = Store::new(MemoryStore::new());
    assert!(!comes(&store));
    store.faults().nudge();
    assert!(comes(&store));
    assert!(!comes(&store), "one is one");
    assert_eq!(store.faults().calls(Operation::WaitForChange), 1);
}

#[tokio::test]
async fn the_nudges_of_the_store_behind_come_through() {
    let behind = Store::new(MemoryStore::new());
    let seen = head(&behind);
    let store = FaultyStore::new(behind.clone());
    let waits = tokio::spawn({
        let store = store.clone();
        async move { store.wait_for_change(seen).await }
    });
    tokio::task::yield_now().await;
    behind.faults().nudge();
    waits.await.unwrap();
}

#[tokio::test]
async fn lost_nudges_never_come() {
    let store = Store::new(MemoryStore::new());
    store.faults().on(Operation::WaitForChange).times(2).lose_answer();
    for _ in 0..2 {
        store.faults().nudge();
        assert!(!comes(&store));
    }
    store.faults().nudge();
    assert!(comes(&store));
    store.faults().on(Operation::ALL).fail();
    store.faults().nudge();
    assert!(!comes(&store), "who cannot be reached nudges nobody");
    store.faults().heal();
    assert!(!comes(&store), "and what is lost is lost");
}

#[tokio::test]
async fn late_nudges_come_when_the_gate_opens_to_whoever_waits_then() {
    let store = Store::new(MemoryStore::new());
    let gate = store.faults().on(Operation::WaitForChange).hold();
    store.faults().nudge();
    assert!(!comes(&store));
    assert!(!comes(&store));
    assert_eq!(store.faults().calls(Operation::WaitForChange), 1, "it is still the same one");
    gate.open();
    assert!(comes(&store));
    assert!(!comes(&store));
}

#[tokio::test]
async fn repeated_nudges_come_again() {
    let store = Store::new(MemoryStore::new());
    store.faults().on(Operation::WaitForChange).times(2).repeat();
    store.faults().nudge();
    for _ in 0..3 {
        assert!(comes(&store));
    }
    assert!(!comes(&store));
}

#[tokio::test(start_paused = true)]
async fn nudges_that_are_lost_for_good_keep_nobody_busy() {
    let behind = MemoryStore::new();
    let store = Store::new(behind.clone());
    let seen = head(&store);
    let hallpass = Hallpass::builder(behind).build();
    let _ = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    store.faults().on(Operation::WaitForChange).lose_answer();
    // The store behind says again and again that there is something after that place.
    let waited = tokio::time::timeout(Duration::from_secs(1), store.wait_for_change(seen)).await;
    assert!(waited.is_err());
    assert_eq!(store.faults().calls(Operation::WaitForChange), 1);
}
