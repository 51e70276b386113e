//! The follower of the log: it is started again if it ends, and it detects another history.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::store::TokenStore as _;
use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;
use tokio::runtime::Runtime;

use super::{BOUND, Flaw, Node, alice, event, owner_alice, settings};

#[test]
fn ended_follower_is_started_again() {
    let store = MemoryStore::new();
    let node = Arc::new(Node::new(&store));
    let first = Runtime::new().unwrap();
    let issued = first.block_on(async {
        let issued = node.issue().await;
        node.catch_up_by(&issued).await;
        issued
    });
    drop(first);
    Runtime::new().unwrap().block_on(async {
        tokio::time::sleep(BOUND).await;
        assert!(node.accepts(&issued).await);
        let follows = tokio::time::timeout(Duration::from_secs(5), node.catch_up()).await;
        follows.expect("the follower was not started again");
        let reads = node.reads();
        tokio::time::sleep(BOUND + Duration::from_millis(100)).await;
        assert!(node.accepts(&issued).await);
        assert_eq!(node.reads(), reads, "the lease was not renewed");
    });
}

/// The store is restored from a backup while no node follows its log, so the numbers go back.
#[test]
fn tokens_work_after_a_backup_is_restored() {
    let (old, backup) = (MemoryStore::new(), MemoryStore::new());
    let node = Arc::new(Node::new(&old));
    let first = Runtime::new().unwrap();
    let issued = first.block_on(async {
        let issued = node.issue().await;
        let stored = old.get(issued.record.id).await.unwrap().value.unwrap();
        backup.insert(&stored, None, &event()).await.unwrap();
        for _ in 0..10 {
            node.hallpass
                .owner_changed(&hallpass_core::Actor::system("test"), &owner_alice())
                .await
                .unwrap();
        }
        node.catch_up_by(&issued).await;
        issued
    });
    drop(first);
    node.store.fail_over_to(backup);
    Runtime::new().unwrap().block_on(async {
        let restored = Instant::now();
        tokio::time::sleep(BOUND).await;
        while !node.accepts(&issued).await {
            assert!(restored.elapsed() < BOUND * 3, "the token is still rejected");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

/// A change that was made before a failover is applied after the follower has begun a new epoch.
#[tokio::test(flavor = "multi_thread")]
async fn number_of_another_history_does_not_reject_a_token_forever() {
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    let node = Node::new(&old);
    let issued = node.issue().await;
    let stored = old.get(issued.record.id).await.unwrap().value.unwrap();
    new.insert(&stored, None, &event()).await.unwrap();
    for _ in 0..10 {
        old.log_owner_change(&owner_alice(), &event()).await.unwrap();
    }
    node.catch_up_by(&issued).await;
    let gate = node.faults().on(Operation::LogOwnerChange).once().hold();
    let late = {
        let hallpass = node.hallpass.clone();
        tokio::spawn(async move {
            hallpass.owner_changed(&hallpass_core::Actor::system("test"), &owner_alice()).await
        })
    };
    gate.arrived(1).await;
    node.store.fail_over_to(new);
    node.catch_up().await;
    gate.open();
    late.await.unwrap().unwrap();
    node.catch_up().await;
    assert!(node.accepts(&issued).await);
    let _ = alice();
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_do_not_repeat_a_failed_read_of_the_log() {
    let store = MemoryStore::new();
    let node = Node::with(&store, settings().poll(Duration::from_secs(3600)));
    let issued = node.issue().await;
    let first = node.faults().on(Operation::Changes).once().hold();
    assert!(node.accepts(&issued).await);
    first.arrived(1).await;
    node.cut_the_log();
    first.open();
    // The notification of this change stays due, because the follower cannot read the change.
    store.log_owner_change(&owner_alice(), &event()).await.unwrap();
    let reads = node.faults().calls(Operation::Changes);
    tokio::time::sleep(BOUND / 4).await;
    let more = node.faults().calls(Operation::Changes) - reads;
    assert!(more <= 2, "{more} reads");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_false_notifications_are_followed_ever_more_rarely() {
    let store = MemoryStore::new();
    let node = Node::with(&store, settings().poll(Duration::from_secs(3600)));
    let issued = node.issue().await;
    node.faults().on(Operation::WaitForChange).repeat();
    node.faults().notify();
    node.catch_up_by(&issued).await;
    let reads = node.faults().calls(Operation::Changes);
    tokio::time::sleep(BOUND / 2).await;
    let more = node.faults().calls(Operation::Changes) - reads;
    assert!(more <= 10, "{more} reads");
    // The next read finds a change, so the pauses are short again.
    let there = Node::new(&store);
    let reads = node.faults().calls(Operation::Changes);
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    let revoked = Instant::now();
    while node.accepts(&issued).await {
        assert!(revoked.elapsed() <= BOUND, "accepted beyond the bound");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(BOUND * 3 / 10).await;
    let more = node.faults().calls(Operation::Changes) - reads;
    assert!(more >= 5, "{more} reads");
}

#[tokio::test(flavor = "multi_thread")]
async fn follower_waits_after_it_has_started_over() {
    let store = MemoryStore::new();
    let settings = settings().poll(Duration::from_secs(3600));
    let node = Node::build(&store, Flaw::ForksAtEachRead, settings, |builder| builder);
    node.faults().on(Operation::WaitForChange).repeat();
    node.faults().notify();
    let issued = node.issue().await;
    assert!(node.accepts(&issued).await);
    tokio::time::sleep(BOUND).await;
    let reads = node.faults().calls(Operation::Changes);
    // The first read finds the position, and the second one another history. Between each two of
    // the others are three eighths of the bound or more.
    assert!((3..=6).contains(&reads), "{reads} reads");
    assert!(node.accepts(&issued).await, "the token must be accepted, because it has not changed");
}

#[tokio::test]
async fn settings_outside_their_bounds_are_rejected() {
    for (settings, setting) in [
        (CacheSettings::default().poll(Duration::MAX), "poll"),
        (CacheSettings::default().poll(Duration::ZERO), "poll"),
        (settings().max_staleness(Duration::MAX), "max_staleness"),
        (settings().max_age(Duration::MAX), "max_age"),
        (settings().stale_if_error(Duration::from_secs(61)), "stale_if_error"),
        (settings().load_deadline(Duration::ZERO), "load_deadline"),
        (settings().concurrent_loads(0), "concurrent_loads"),
        (settings().queued_loads(usize::MAX), "queued_loads"),
        (settings().capacity_bytes(u64::MAX), "capacity_bytes"),
        (settings().negative_capacity(usize::MAX), "negative_capacity"),
    ] {
        let error = Cached::try_with_settings(MemoryStore::new(), settings).unwrap_err();
        assert!(error.to_string().starts_with(&format!("invalid cache setting `{setting}`: ")));
    }
}
