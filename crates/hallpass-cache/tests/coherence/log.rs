//! The change log: a node that follows it misses no change, and detects a log that it cannot
//! follow.

use std::time::{Duration, Instant};

use hallpass_core::Owner;
use hallpass_core::store::TokenStore as _;
use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;

use super::{BOUND, Flaw, Node, alice, event, settings};

#[tokio::test(flavor = "multi_thread")]
async fn other_node_detects_a_revocation_through_the_log() {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store), Node::new(&store));
    let issued = there.issue().await;
    assert!(here.accepts(&issued).await);
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    let revoked = Instant::now();
    while here.accepts(&issued).await {
        assert!(revoked.elapsed() <= BOUND, "accepted beyond the bound");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A revocation takes its number. Another change overtakes it, and a node reads that one. Then the
/// revocation is committed.
async fn a_revocation_is_overtaken(flaw: Flaw) -> bool {
    let store = MemoryStore::new();
    let here = Node::build(&store, flaw, settings(), |builder| builder);
    let there = Node::new(&store);
    let issued = there.issue().await;
    here.catch_up_by(&issued).await;
    here.flawed.overtake().await;
    here.catch_up().await;
    assert!(here.accepts(&issued).await);
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    here.accepts_beyond_the_bound(&issued, Instant::now()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn store_that_numbers_before_commit_loses_a_revocation() {
    assert!(a_revocation_is_overtaken(Flaw::NumbersBeforeCommit).await);
    assert!(!a_revocation_is_overtaken(Flaw::None).await);
}

/// The log entry of a revocation is missing between two others.
async fn a_line_is_missing() -> bool {
    let store = MemoryStore::new();
    let here = Node::build(&store, Flaw::LineIsLost, settings(), |builder| builder);
    let there = Node::new(&store);
    let issued = there.issue().await;
    here.catch_up_by(&issued).await;
    let gate = here.faults().on(Operation::Changes).stall();
    gate.arrived(1).await;
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    let revoked = Instant::now();
    here.flawed.lose_the_last_line().await;
    store.log_owner_change(&somebody_else(), &event()).await.unwrap();
    gate.open();
    here.accepts_beyond_the_bound(&issued, revoked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn gap_in_the_log_invalidates_the_whole_cache() {
    assert!(!a_line_is_missing().await);
}

/// The store fails over to a standby whose log has other entries with the same numbers.
async fn history_forks() -> bool {
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    let here = Node::new(&old);
    let issued = here.issue().await;
    here.catch_up_by(&issued).await;
    // The standby has not received the token, and has another change at the same number.
    let _unknown_here = Node::new(&new).issue().await;
    here.store.fail_over_to(new.clone());
    here.accepts_beyond_the_bound(&issued, Instant::now()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn forked_history_invalidates_the_whole_cache() {
    assert!(!history_forks().await);
}

/// A token is read and then revoked on another node, before this node has read the log for the
/// first time.
async fn a_change_comes_before_the_first_place() -> bool {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store), Node::new(&store));
    let issued = there.issue().await;
    let gate = here.faults().on(Operation::Changes).once().stall();
    assert!(here.accepts(&issued).await);
    gate.arrived(1).await;
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    // Otherwise the entry of the revocation would be the first one that this node reads.
    store.log_owner_change(&somebody_else(), &event()).await.unwrap();
    gate.open();
    here.accepts_beyond_the_bound(&issued, Instant::now()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn records_read_before_the_log_was_followed_are_invalid() {
    assert!(!a_change_comes_before_the_first_place().await);
}

/// A node is so far behind that it needs two reads of the log to catch up, and the second reply is
/// lost.
async fn the_log_is_read_half_way() -> bool {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store), Node::new(&store));
    let issued = there.issue().await;
    here.catch_up_by(&issued).await;
    here.cut_the_log();
    for _ in 0..1000 {
        store.log_owner_change(&somebody_else(), &event()).await.unwrap();
    }
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    let revoked = Instant::now();
    tokio::time::sleep(BOUND * 6 / 10).await;
    // From here on, the first query gets a reply and the second one does not.
    let on_changes = || here.faults().on(Operation::Changes);
    let (first, nothing) = (on_changes().once().stall(), async {});
    first.arrived(1).await;
    on_changes().meanwhile(nothing);
    let second = on_changes().stall();
    first.open();
    second.arrived(1).await;
    here.accepts_beyond_the_bound(&issued, revoked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn incomplete_log_batch_does_not_renew_the_lease() {
    assert!(!the_log_is_read_half_way().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn false_repeated_or_lost_push_costs_only_time() {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store), Node::new(&store));
    let (one, two) = (there.issue().await, there.issue().await);
    here.catch_up_by(&one).await;
    here.catch_up_by(&two).await;
    here.faults().on(Operation::WaitForChange).repeat();
    for _ in 0..10 {
        here.faults().notify();
        here.catch_up().await;
    }
    assert!(here.accepts(&one).await, "the token must be accepted, because it has not changed");
    there.hallpass.revoke(&alice(), one.record.id).await.unwrap();
    assert!(!here.accepts_beyond_the_bound(&one, Instant::now()).await);
    here.faults().on(Operation::WaitForChange).lose_answer();
    there.hallpass.revoke(&alice(), two.record.id).await.unwrap();
    assert!(!here.accepts_beyond_the_bound(&two, Instant::now()).await);
}

/// Returns an owner who does not share a stripe with alice.
fn somebody_else() -> Owner {
    Owner::new("somebody-else").unwrap()
}
