//! The lease: for how long what is cached may be used without word from the store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_core::store::TokenStore as _;
use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;

use super::{BOUND, Guards, Node, alice, settings};
use crate::entry::Reading;
use crate::moment::Moment;

/// Another node revokes while this one can reach nothing; then more than the bound hallpass.
async fn partitioned_beyond_the_bound(guards: Guards) -> bool {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store, guards), Node::new(&store, guards));
    let issued = there.issue().await;
    assert!(here.accepts(&issued).await);
    here.cut_the_log();
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    here.faults().on(Operation::ALL).fail();
    here.accepts_beyond_the_bound(&issued, Instant::now()).await
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
    node.faults().on(Operation::ALL).fail();
    let bridged = node.accepts(&issued).await;
    assert!(bridged || asked.elapsed() > BOUND, "a fresh record is used while the store is away");
    tokio::time::sleep(BOUND + Duration::from_millis(100)).await;
    assert!(node.check(&issued).await.is_err_and(|denied| denied.is_unavailable()), "503, not 401");
    node.faults().heal();
    assert!(node.accepts(&issued).await, "and it comes back by itself");
}

/// The store is away for longer than the bound. Answers whether a token is let in that was cached, and one that was
/// cached and then known to have been changed.
async fn away_beyond_the_bound(grace: Duration) -> (bool, bool) {
    let store = MemoryStore::new();
    let there = Node::new(&store, Guards::ON);
    let node = Node::with(&store, settings(Guards::ON).stale_if_error(grace));
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
async fn a_grace_bridges_a_longer_outage_but_for_tokens_that_were_changed() {
    assert_eq!(away_beyond_the_bound(Duration::ZERO).await, (false, false));
    assert_eq!(away_beyond_the_bound(Duration::from_secs(30)).await, (true, false));
    // It ends, too: a tenth of a second more than the bound is more than this.
    assert_eq!(away_beyond_the_bound(Duration::from_millis(50)).await, (false, false));
}

/// The log is read, a token is revoked, and only then the answer arrives. It is the last one.
async fn the_log_answers_late(guards: Guards) -> bool {
    let store = MemoryStore::new();
    let (here, there) = (Node::new(&store, guards), Node::new(&store, guards));
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

/// The same with the token's own record.
async fn a_record_arrives_late(guards: Guards) -> bool {
    let store = MemoryStore::new();
    let (here, there) = (Arc::new(Node::new(&store, guards)), Node::new(&store, guards));
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
async fn freshness_counts_from_the_question() {
    let off = Guards { asked_first: false, ..Guards::ON };
    assert!(the_log_answers_late(off).await);
    assert!(!the_log_answers_late(Guards::ON).await);
    assert!(a_record_arrives_late(off).await);
    assert!(!a_record_arrives_late(Guards::ON).await);
}

/// The machine was suspended for an hour since the node heard of the store last, and so was its monotonic clock.
async fn wakes_up_after_an_hour(guards: Guards) -> bool {
    let node = Node::new(&MemoryStore::new(), guards);
    let issued = node.issue().await;
    node.faults().on(Operation::Changes).fail();
    let [monotonic, wall] = Moment::now().to_words();
    let an_hour = Duration::from_secs(3600).as_nanos() as u64;
    let fell_asleep = Moment::from_words([monotonic, wall - an_hour]);
    let found = node.store.inner().find(issued.record.id).await.unwrap();
    let reading = Reading { as_of: found.as_of, history: 0, started: fell_asleep };
    node.cache.keep(issued.record.id, found.value, reading);
    node.cache.lease.renew(fell_asleep);
    node.faults().on(Operation::ALL).fail();
    node.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn time_in_which_the_machine_slept_counts() {
    assert!(wakes_up_after_an_hour(Guards { wall_clock: false, ..Guards::ON }).await);
    assert!(!wakes_up_after_an_hour(Guards::ON).await);
}
