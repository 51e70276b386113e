use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_core::{Owner, Regenerate};
use hallpass_memory::MemoryStore;

use super::{BOUND, Guards, Node, alice};

/// A load has read "valid"; the token is revoked; the load's answer arrives.
async fn a_fill_races_a_revocation(guards: Guards) -> bool {
    let node = Arc::new(Node::new(&MemoryStore::new(), guards));
    let issued = Arc::new(node.issue().await);
    node.gate.shut();
    let late = tokio::spawn({
        let (node, issued) = (Arc::clone(&node), Arc::clone(&issued));
        async move { node.accepts(&issued).await }
    });
    node.gate.until_read(1).await;
    let by_owner = Owner::new("alice").unwrap();
    // All of the owner's, because that reads no token and so is not held back.
    assert_eq!(node.passes.revoke_all(&alice(), &by_owner).await.unwrap(), 1);
    node.gate.open();
    // The check itself began before the revocation and may see either. What counts is what stays.
    let _ = late.await.unwrap();
    node.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_fill_brings_nothing_back() {
    assert!(
        a_fill_races_a_revocation(Guards { stripes: false, ..Guards::ON }).await,
        "without the guard the stale record is served"
    );
    assert!(!a_fill_races_a_revocation(Guards::ON).await);
}

/// The revoking node itself, right after revoke has returned, before the log was read again.
async fn own_revocation(guards: Guards) -> bool {
    let node = Node::new(&MemoryStore::new(), guards);
    let issued = node.issue().await;
    assert!(node.accepts(&issued).await);
    node.gate.cut_the_log(true);
    node.passes.revoke(&alice(), issued.record.id).await.unwrap();
    // Revoking has looked at the token, and so at the record before: that is what the cache holds.
    node.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_never_accepts_what_it_has_revoked() {
    assert!(own_revocation(Guards { own_changes: false, ..Guards::ON }).await);
    assert!(!own_revocation(Guards::ON).await);
}

/// Another node revokes while this one can no longer read the log; then more than the bound passes.
async fn partitioned_beyond_the_bound(guards: Guards) -> bool {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store, guards), Node::new(&store, guards));
    let issued = there.issue().await;
    assert!(here.accepts(&issued).await);
    here.gate.cut_the_log(true);
    there.passes.revoke(&alice(), issued.record.id).await.unwrap();
    here.gate.set_broken(true);
    tokio::time::sleep(BOUND + Duration::from_millis(100)).await;
    here.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_prove_freshness_trusts_its_cache_no_longer() {
    assert!(partitioned_beyond_the_bound(Guards { freshness: false, ..Guards::ON }).await);
    assert!(!partitioned_beyond_the_bound(Guards::ON).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_bridged_within_the_bound_and_is_503_beyond() {
    let node = Node::new(&MemoryStore::new(), Guards::ON);
    let issued = node.issue().await;
    let asked = Instant::now();
    assert!(node.accepts(&issued).await);
    node.gate.set_broken(true);
    let bridged = node.accepts(&issued).await;
    assert!(bridged || asked.elapsed() > BOUND, "a fresh record is used while the store is away");
    tokio::time::sleep(BOUND + Duration::from_millis(100)).await;
    assert!(node.check(&issued).await.is_err_and(|denied| denied.is_unavailable()), "503, not 401");
    node.gate.set_broken(false);
    assert!(node.accepts(&issued).await, "and it comes back by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_learns_of_a_revocation_from_the_log() {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store, Guards::ON), Node::new(&store, Guards::ON));
    let issued = there.issue().await;
    assert!(here.accepts(&issued).await);
    there.passes.revoke(&alice(), issued.record.id).await.unwrap();
    let revoked = Instant::now();
    while here.accepts(&issued).await {
        assert!(revoked.elapsed() <= BOUND, "accepted beyond the bound");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_works_everywhere_at_once() {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store, Guards::ON), Node::new(&store, Guards::ON));
    let issued = there.issue().await;
    assert!(here.accepts(&issued).await);
    here.gate.cut_the_log(true);
    let again =
        there.passes.regenerate(&alice(), issued.record.id, Regenerate::new()).await.unwrap();
    let before = here.gate.reads();
    assert!(here.accepts(&again).await, "the cached record has another digest: the store is asked");
    assert_eq!(here.gate.reads(), before + 1);
    assert!(!here.accepts(&issued).await, "and what it answered is cached");
}

/// This node is told that a token was revoked elsewhere; then a load lands that had read it before.
async fn a_fill_races_what_was_shown(guards: Guards) -> bool {
    let store = MemoryStore::new();
    let (here, there) = (Arc::new(Node::new(&store, guards)), Node::new(&store, guards));
    let issued = Arc::new(there.issue().await);
    here.gate.cut_the_log(true);
    here.gate.hold_one();
    let late = tokio::spawn({
        let (here, issued) = (Arc::clone(&here), Arc::clone(&issued));
        async move { here.accepts(&issued).await }
    });
    here.gate.until_read(1).await;
    there.passes.revoke(&alice(), issued.record.id).await.unwrap();
    let shown = here.passes.revoke(&alice(), issued.record.id).await.unwrap();
    assert!(shown.revoked_at.is_some());
    here.gate.open();
    let _ = late.await.unwrap();
    here.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_has_shown_it_does_not_take_back() {
    assert!(a_fill_races_what_was_shown(Guards { shown_is_known: false, ..Guards::ON }).await);
    assert!(!a_fill_races_what_was_shown(Guards::ON).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owners_change_voids_all_of_their_tokens() {
    let node = Node::new(&MemoryStore::new(), Guards::ON);
    let (one, two) = (node.issue().await, node.issue().await);
    assert!(node.accepts(&one).await && node.accepts(&two).await);
    let owner = Owner::new("alice").unwrap();
    assert_eq!(node.passes.revoke_all(&alice(), &owner).await.unwrap(), 2);
    assert!(!node.accepts(&one).await && !node.accepts(&two).await);
}

/// A failover to a standby whose log has other lines under the same numbers.
async fn history_forks(guards: Guards) -> bool {
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    let here = Node::new(&old, guards);
    let issued = here.issue().await;
    assert!(here.accepts(&issued).await);
    // Once the log has been read, the node has a place in the old history.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(here.accepts(&issued).await);
    // The standby never heard of the token, and has a change of its own at the same number.
    let _unknown_here = Node::new(&new, Guards::ON).issue().await;
    here.gate.fail_over_to(&new);
    let forked = Instant::now();
    while here.accepts(&issued).await {
        if forked.elapsed() > BOUND * 3 / 4 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forked_history_voids_everything() {
    assert!(history_forks(Guards { history: false, ..Guards::ON }).await);
    assert!(!history_forks(Guards::ON).await);
}
