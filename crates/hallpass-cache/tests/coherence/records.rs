//! Versioned records: each record is compared with the changes that were applied since it was read.

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::{Error, RegenerateOptions};
use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;

use super::{Flaw, Node, alice, owner_alice, settings};

/// A load reads a valid token, then the token is revoked, and then the reply to the load arrives.
async fn a_fill_races_a_revocation(flaw: Flaw) -> bool {
    let node = Arc::new(Node::build(&MemoryStore::new(), flaw, settings(), |builder| builder));
    let issued = Arc::new(node.issue().await);
    let (gate, late) = node.accepts_late(&issued).await;
    node.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    gate.open();
    // This check began before the revocation, so it may see either state. Later checks may not.
    let _ = late.await.unwrap();
    node.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn late_load_does_not_bring_a_revoked_token_back() {
    assert!(!a_fill_races_a_revocation(Flaw::None).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn store_without_snapshot_numbers_accepts_a_late_load() {
    assert!(a_fill_races_a_revocation(Flaw::ClockIsReadLater).await);
    assert!(!a_fill_races_a_revocation(Flaw::None).await);
}

/// All tokens of an owner are revoked with a single log entry.
async fn accepts_any_after_all_are_revoked() -> bool {
    let node = Node::new(&MemoryStore::new());
    let (one, two) = (node.issue().await, node.issue().await);
    assert!(node.accepts(&one).await && node.accepts(&two).await);
    assert_eq!(node.hallpass.revoke_owner(&alice(), &owner_alice(), None).await.unwrap(), 2);
    node.accepts(&one).await | node.accepts(&two).await
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_change_invalidates_all_their_tokens() {
    assert!(!accepts_any_after_all_are_revoked().await);
}

/// A node revokes a token and checks it at once, before it has read the log again.
async fn own_revocation() -> bool {
    let node = Node::new(&MemoryStore::new());
    let issued = node.issue().await;
    assert!(node.accepts(&issued).await);
    node.cut_the_log();
    node.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    // Revoking reads the token first, so the cache holds the record from before the revocation.
    node.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn node_never_accepts_a_token_that_it_has_revoked() {
    assert!(!own_revocation().await);
}

/// Another node has made the change, and this node makes the same one before it has read the log.
async fn a_call_finds_nothing_left_to_do(revoke: bool) -> bool {
    let store = MemoryStore::new();
    let here = Node::with(&store, settings().poll(Duration::from_secs(3600)));
    let there = Node::new(&store);
    here.faults().on(Operation::WaitForChange).lose_answer();
    let issued = there.issue().await;
    assert!(here.accepts(&issued).await);
    let owner = owner_alice();
    for (node, count) in [(&there, 1), (&here, 0)] {
        let done = if revoke {
            node.hallpass.revoke_owner(&alice(), &owner, None).await.unwrap()
        } else {
            node.hallpass.delete_all(&alice()).await.unwrap()
        };
        assert_eq!(done, count);
    }
    here.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn call_without_a_change_still_invalidates() {
    for revoke in [true, false] {
        assert!(!a_call_finds_nothing_left_to_do(revoke).await);
    }
}

/// Another node deletes a token while this node changes or deletes it.
async fn a_token_is_gone(operation: Operation) -> bool {
    let store = MemoryStore::new();
    let here = Arc::new(Node::with(&store, settings().poll(Duration::from_secs(3600))));
    let there = Node::new(&store);
    here.faults().on(Operation::WaitForChange).lose_answer();
    let issued = there.issue().await;
    let id = issued.record.id;
    assert!(here.accepts(&issued).await);
    let gate = here.faults().on(operation).once().stall();
    let call = tokio::spawn({
        let here = Arc::clone(&here);
        async move {
            match operation {
                Operation::Delete => here.hallpass.delete(&alice(), id, None).await,
                _ => here.hallpass.revoke(&alice(), id).await.map(drop),
            }
        }
    });
    gate.arrived(1).await;
    there.hallpass.delete(&alice(), id, None).await.unwrap();
    gate.open();
    assert!(matches!(call.await.unwrap(), Err(Error::NotFound)));
    here.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn node_rejects_a_token_that_it_has_reported_as_not_found() {
    for operation in [Operation::Delete, Operation::Update] {
        assert!(!a_token_is_gone(operation).await, "{operation:?}");
    }
}

/// This node reads that a token was revoked on another node. Then a load ends that has read the
/// token before.
async fn a_fill_races_what_was_shown() -> bool {
    let store = MemoryStore::new();
    let (here, there) = (Arc::new(Node::new(&store)), Node::new(&store));
    let issued = Arc::new(there.issue().await);
    here.cut_the_log();
    let (gate, late) = here.accepts_late(&issued).await;
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    let shown = here.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    assert!(shown.revoked_at.is_some());
    gate.open();
    let _ = late.await.unwrap();
    here.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn node_rejects_a_token_that_it_has_shown_as_revoked() {
    assert!(!a_fill_races_what_was_shown().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_secret_works_everywhere_at_once() {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store), Node::new(&store));
    let issued = there.issue().await;
    assert!(here.accepts(&issued).await);
    here.cut_the_log();
    let again = there
        .hallpass
        .regenerate(&alice(), issued.record.id, RegenerateOptions::new())
        .await
        .unwrap();
    let before = here.reads();
    assert!(here.accepts(&again).await, "the node must read the store, because the digest differs");
    assert_eq!(here.reads(), before + 1);
    assert!(!here.accepts(&issued).await, "the old secret must be rejected without another read");
}

/// The new secret was used, and the end of the grace period is being stored. A check of the
/// previous secret reads the token before that is done, and compares the secret afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn superseded_secret_is_rejected_while_its_end_is_stored() {
    let node = Arc::new(Node::new(&MemoryStore::new()));
    let old = Arc::new(node.issue().await);
    let grace_period = RegenerateOptions::new().grace_period("1h");
    let new =
        Arc::new(node.hallpass.regenerate(&alice(), old.record.id, grace_period).await.unwrap());
    assert!(node.accepts(&old).await);
    let storing = node.faults().on(Operation::ReplaceDigest).once().stall();
    let first_use = tokio::spawn({
        let (node, new) = (Arc::clone(&node), Arc::clone(&new));
        async move { node.accepts(&new).await }
    });
    storing.arrived(1).await;
    assert!(node.accepts(&new).await, "the second use must not wait");
    let (reading, late) = node.accepts_late(&old).await;
    storing.open();
    assert!(first_use.await.unwrap());
    reading.open();
    assert!(!late.await.unwrap());
    assert!(!node.accepts(&old).await);
}

/// The new secret is used on a node that has not seen yet that the token was regenerated again, so
/// the end of the first grace period cannot be stored.
#[tokio::test(flavor = "multi_thread")]
async fn superseded_secret_is_rejected_on_a_node_that_is_behind() {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store), Node::new(&store));
    let first = there.issue().await;
    let regenerate = async || {
        let grace_period = RegenerateOptions::new().grace_period("1h");
        there.hallpass.regenerate(&alice(), first.record.id, grace_period).await.unwrap()
    };
    let second = regenerate().await;
    assert!(here.accepts(&first).await);
    here.cut_the_log();
    drop(regenerate().await);
    assert!(here.accepts(&second).await);
    assert!(!here.accepts(&first).await);
}
