//! Notifications: lost, late, repeated and false ones.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hallpass_core::store::{LogPosition, TokenStore as _};
use hallpass_core::{Actor, Hallpass, NewToken};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Operation};

type Store = FaultyStore<MemoryStore>;

/// The position up to which the log was read.
fn head(store: &Store) -> LogPosition {
    let inner = store.inner();
    let changes = pin!(inner.changes(None, 0)).poll(&mut Context::from_waker(Waker::noop()));
    match changes {
        Poll::Ready(Ok(changes)) => changes.head,
        other => panic!("a store in memory never waits: {other:?}"),
    }
}

/// Returns whether a notification arrives. Otherwise it stops waiting after a while.
fn comes(store: &Store) -> bool {
    let notified = pin!(store.wait_for_change(head(store)));
    notified.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[tokio::test]
async fn test_can_send_a_notification() {
    let store = Store::new(MemoryStore::new());
    assert!(!comes(&store));
    store.faults().notify();
    assert!(comes(&store));
    assert!(!comes(&store), "one notification is delivered once");
    assert_eq!(store.faults().calls(Operation::WaitForChange), 1);
}

#[tokio::test]
async fn notifications_of_the_inner_store_are_delivered() {
    let behind = Store::new(MemoryStore::new());
    let seen = head(&behind);
    let store = FaultyStore::new(behind.clone());
    let waits = tokio::spawn({
        let store = store.clone();
        async move { store.wait_for_change(seen).await }
    });
    tokio::task::yield_now().await;
    behind.faults().notify();
    waits.await.unwrap();
}

#[tokio::test]
async fn lost_notifications_are_never_delivered() {
    let store = Store::new(MemoryStore::new());
    store.faults().on(Operation::WaitForChange).times(2).lose_answer();
    for _ in 0..2 {
        store.faults().notify();
        assert!(!comes(&store));
    }
    store.faults().notify();
    assert!(comes(&store));
    store.faults().on(Operation::ALL).fail();
    store.faults().notify();
    assert!(!comes(&store), "an unreachable store delivers no notification");
    store.faults().heal();
    assert!(!comes(&store), "a lost notification does not come later");
}

#[tokio::test]
async fn late_notifications_are_delivered_when_the_gate_opens() {
    let store = Store::new(MemoryStore::new());
    let gate = store.faults().on(Operation::WaitForChange).hold();
    store.faults().notify();
    assert!(!comes(&store));
    assert!(!comes(&store));
    assert_eq!(
        store.faults().calls(Operation::WaitForChange),
        1,
        "it is still the same notification"
    );
    gate.open();
    assert!(comes(&store));
    assert!(!comes(&store));
}

#[tokio::test]
async fn repeated_notifications_are_delivered_again() {
    let store = Store::new(MemoryStore::new());
    store.faults().on(Operation::WaitForChange).times(2).repeat();
    store.faults().notify();
    for _ in 0..3 {
        assert!(comes(&store));
    }
    assert!(!comes(&store));
}

#[tokio::test(start_paused = true)]
async fn lost_notifications_cause_no_busy_loop() {
    let behind = MemoryStore::new();
    let store = Store::new(behind.clone());
    let seen = head(&store);
    let hallpass = Hallpass::builder(behind).build();
    let _ = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    store.faults().on(Operation::WaitForChange).lose_answer();
    // The inner store keeps reporting that there is something after that position.
    let waited = tokio::time::timeout(Duration::from_secs(1), store.wait_for_change(seen)).await;
    assert!(waited.is_err());
    assert_eq!(store.faults().calls(Operation::WaitForChange), 1);
}
