//! A failover to a standby that has lost the last changes. Until a node reads the log of the
//! standby, it knows higher numbers than the standby assigns.

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::store::TokenStore as _;
use hallpass_core::{Actor, Event, Issued, ListOptions, NewToken, Owner, Status};
use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;

use super::{Node, alice, event, owner_alice, settings};

/// A node that does not read the log by itself, and a standby with some of the store's tokens.
struct Failover {
    node: Arc<Node>,
    standby: MemoryStore,
    issued: Arc<Issued>,
    /// A token of another owner.
    other: Issued,
}

impl Failover {
    async fn prepare() -> Self {
        let (store, standby) = (MemoryStore::new(), MemoryStore::new());
        let node = Node::with(&store, settings().poll(Duration::from_secs(3600)));
        node.faults().on(Operation::WaitForChange).lose_answer();
        let issued = Arc::new(node.issue().await);
        let bob = Actor::owner("bob");
        let other = node.hallpass.issue(&bob, NewToken::named("ci")).await.unwrap();
        for id in [issued.record.id, other.record.id] {
            let stored = store.get(id).await.unwrap().value.unwrap();
            standby.insert(&stored, None, &event()).await.unwrap();
        }
        assert!(node.accepts(&other).await, "the first check starts the follower");
        // A list waits until the node has read the log.
        node.hallpass.list(&alice(), &ListOptions::new()).await.unwrap();
        for _ in 0..10 {
            store.log_owner_change(&Owner::new("somebody-else").unwrap(), &event()).await.unwrap();
        }
        Self { node: Arc::new(node), standby, issued, other }
    }

    /// Reads the log, caches the token, and then fails over.
    async fn after_a_check() -> Self {
        let failover = Self::prepare().await;
        let node = &failover.node;
        node.hallpass.list(&alice(), &ListOptions::new()).await.unwrap();
        assert!(node.accepts(&failover.issued).await);
        node.store.fail_over_to(failover.standby.clone());
        failover
    }

    async fn revoke_on_the_standby(&self) {
        let now = self.node.hallpass.now();
        let revoked = self.standby.revoke_owner(&owner_alice(), None, now, &event()).await;
        assert_eq!(revoked.unwrap().count, 1);
    }

    /// Checks that the node rejects the token, and that it accepts the other one soon.
    async fn check(&self) {
        assert!(!self.node.accepts(&self.issued).await);
        let recovers = async {
            while !self.node.accepts(&self.other).await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), recovers).await.expect("the node recovers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn own_change_after_a_failover_is_applied_at_once() {
    let failover = Failover::after_a_check().await;
    let revoked = failover.node.hallpass.revoke_owner(&alice(), &owner_alice(), None).await;
    assert_eq!(revoked.unwrap(), 1);
    failover.check().await;

    let failover = Failover::after_a_check().await;
    let id = failover.issued.record.id;
    let deleted = failover.node.hallpass.delete_many(&alice(), &[id]).await;
    assert_eq!(deleted.unwrap().deleted, [id]);
    failover.check().await;

    let failover = Failover::after_a_check().await;
    let delete =
        async |owner: &Owner, event: &Event| failover.node.store.delete_owner(owner, event).await;
    let uncommitted =
        failover.node.hallpass.delete_owner_with(&alice(), &owner_alice(), delete).await.unwrap();
    assert_eq!(uncommitted.committed(), 1);
    failover.check().await;
}

/// The record of the token has a higher number than the node's position in the log.
#[tokio::test(flavor = "multi_thread")]
async fn own_change_after_a_failover_is_compared_with_loaded_records() {
    let failover = Failover::prepare().await;
    let node = &failover.node;
    assert!(node.accepts(&failover.issued).await);
    node.store.fail_over_to(failover.standby.clone());
    let revoked = node.hallpass.revoke_owner(&alice(), &owner_alice(), None).await;
    assert_eq!(revoked.unwrap(), 1);
    failover.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn call_without_a_change_invalidates_after_a_failover() {
    let failover = Failover::after_a_check().await;
    failover.revoke_on_the_standby().await;
    let revoked = failover.node.hallpass.revoke_owner(&alice(), &owner_alice(), None).await;
    assert_eq!(revoked.unwrap(), 0);
    failover.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn token_listed_as_revoked_after_a_failover_is_rejected() {
    let failover = Failover::after_a_check().await;
    failover.revoke_on_the_standby().await;
    let hallpass = &failover.node.hallpass;
    let page = hallpass.list(&alice(), &ListOptions::new()).await.unwrap();
    assert_eq!(page.items[0].status(hallpass.now()), Status::Revoked);
    failover.check().await;
}

/// A load has read the token on the old primary, and ends after the token was read on the new one.
#[tokio::test(flavor = "multi_thread")]
async fn token_shown_as_revoked_after_a_failover_is_rejected() {
    let failover = Failover::prepare().await;
    let (node, issued) = (&failover.node, &failover.issued);
    node.hallpass.list(&alice(), &ListOptions::new()).await.unwrap();
    let (gate, late) = node.accepts_late(issued).await;
    node.store.fail_over_to(failover.standby.clone());
    failover.revoke_on_the_standby().await;
    let shown = node.hallpass.get(&alice(), issued.record.id).await.unwrap();
    assert_eq!(shown.status(node.hallpass.now()), Status::Revoked);
    gate.open();
    let _ = late.await.unwrap();
    failover.check().await;
}
