//! The lease: how long cached records may be used while the store does not reply.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;

use super::{BOUND, Node, alice, settings};

/// Another node revokes a token while this node is disconnected, and then more time than the bound
/// passes.
async fn partitioned_beyond_the_bound() -> bool {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store), Node::new(&store));
    let issued = there.issue().await;
    assert!(here.accepts(&issued).await);
    here.cut_the_log();
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    here.faults().on(Operation::ALL).fail();
    here.accepts_beyond_the_bound(&issued, Instant::now()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn node_that_cannot_prove_freshness_stops_trusting_its_cache() {
    assert!(!partitioned_beyond_the_bound().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn outage_is_bridged_within_max_staleness_only() {
    let node = Node::new(&MemoryStore::new());
    let issued = node.issue().await;
    let start = Instant::now();
    assert!(node.accepts(&issued).await);
    node.faults().on(Operation::ALL).fail();
    let bridged = node.accepts(&issued).await;
    assert!(bridged || start.elapsed() > BOUND, "a fresh record must be used during an outage");
    tokio::time::sleep(BOUND + Duration::from_millis(100)).await;
    assert!(node.check(&issued).await.is_err_and(|denied| denied.is_unavailable()), "503, not 401");
    node.faults().heal();
    assert!(node.accepts(&issued).await, "the node must recover by itself");
}

/// Makes the store unreachable for longer than the bound. Returns whether checks accept a cached
/// token, and a cached token of which this node has seen a change.
async fn away_beyond_the_bound(grace: Duration) -> (bool, bool) {
    let store = MemoryStore::new();
    let there = Node::new(&store);
    let node = Node::with(&store, settings().stale_if_error(grace));
    let (cached, changed) = (node.issue().await, node.issue().await);
    node.catch_up_by(&cached).await;
    node.catch_up_by(&changed).await;
    there.hallpass.revoke(&alice(), changed.record.id).await.unwrap();
    node.catch_up().await;
    node.faults().on(Operation::ALL).fail();
    tokio::time::sleep(BOUND + Duration::from_millis(100)).await;
    (node.accepts(&cached).await, node.accepts(&changed).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_if_error_bridges_a_longer_outage_except_for_changed_tokens() {
    assert_eq!(away_beyond_the_bound(Duration::ZERO).await, (false, false));
    assert_eq!(away_beyond_the_bound(Duration::from_secs(30)).await, (true, false));
    // The outage is longer than the bound and `stale_if_error` together.
    assert_eq!(away_beyond_the_bound(Duration::from_millis(50)).await, (false, false));
}

/// The log is read, then a token is revoked, and then the reply arrives. No other reply follows.
async fn the_log_answers_late() -> bool {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store), Node::new(&store));
    let issued = there.issue().await;
    here.catch_up_by(&issued).await;
    let gate = here.faults().on(Operation::Changes).once().hold();
    here.cut_the_log();
    gate.arrived(1).await;
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    let revoked = Instant::now();
    tokio::time::sleep(BOUND * 6 / 10).await;
    gate.open();
    here.accepts_beyond_the_bound(&issued, revoked).await
}

/// The same happens with the reply to a load of the token.
async fn a_record_arrives_late() -> bool {
    let store = MemoryStore::new();
    let (here, there) = (Arc::new(Node::new(&store)), Node::new(&store));
    let issued = Arc::new(there.issue().await);
    here.cut_the_log();
    let (gate, late) = here.accepts_late(&issued).await;
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    let revoked = Instant::now();
    tokio::time::sleep(BOUND * 6 / 10).await;
    gate.open();
    let _ = late.await.unwrap();
    here.accepts_beyond_the_bound(&issued, revoked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn freshness_counts_from_the_request_to_the_log() {
    assert!(!the_log_answers_late().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn freshness_counts_from_the_request_to_the_store() {
    assert!(!a_record_arrives_late().await);
}

/// A record is changed by hand in the database, so the log does not contain the change.
#[tokio::test(flavor = "multi_thread")]
async fn record_changed_by_hand_is_reloaded_after_max_age() {
    let max_age = Duration::from_millis(1500);
    let node = Node::with(&MemoryStore::new(), settings().max_age(max_age));
    let issued = node.issue().await;
    node.catch_up_by(&issued).await;
    let changed = Instant::now();
    node.faults().on(Operation::Get).answer_with(node.issue().await.record.id);
    tokio::time::sleep(BOUND + Duration::from_millis(100)).await;
    assert!(node.accepts(&issued).await, "the lease was not renewed");
    while changed.elapsed() < max_age + Duration::from_millis(200) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!node.accepts(&issued).await);
}
