//! Tests in which a node is disconnected from the store while another one revokes a token.

use std::time::Instant;

use hallpass_servers::Flow;
use hallpass_tests::nodes::{NEVER, alice};
use tokio::time::sleep;

use crate::backend::Backend;
use crate::node::{BOUND, Node, settings};
use crate::on_each_store;

/// Checks that a disconnected node accepts a revoked token no longer than the bound allows and then
/// responds with 503, and that a node without a bound still accepts it.
async fn is_accepted_no_longer_than_the_bound<B: Backend>(cut: impl Fn(&Node)) {
    let server = B::shared();
    let elsewhere = Node::on(&server, settings()).await;
    let node = Node::on(&server, settings()).await;
    let unbound = Node::on(&server, settings().max_staleness(NEVER)).await;
    let (token, other) = (elsewhere.issue().await, elsewhere.issue().await);
    for node in [&node, &unbound] {
        node.recovers(&token, 200).await;
        node.recovers(&other, 200).await;
        cut(node);
    }
    elsewhere.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    let revoked = Instant::now();
    elsewhere.recovers(&token, 401).await;

    let last = node.last_accepted(&token, revoked).await;
    assert!(last <= BOUND, "accepted {:?} after the bound", last - BOUND);
    sleep((BOUND * 2).saturating_sub(revoked.elapsed())).await;
    assert_eq!(node.get(&token).await, 503);
    assert_eq!(node.get(&other).await, 503);
    assert_eq!(
        unbound.get(&token).await,
        200,
        "a node without a staleness bound accepts the token"
    );
    elsewhere.recovers(&other, 200).await;

    for node in [&node, &unbound] {
        node.network.heal();
        node.recovers(&other, 200).await;
    }
    node.recovers(&token, 401).await;
}

async fn node_with_rejected_connections_accepts_nothing_beyond_the_bound<B: Backend>() {
    is_accepted_no_longer_than_the_bound::<B>(Node::unplug).await;
}

async fn node_with_lost_packets_accepts_nothing_beyond_the_bound<B: Backend>() {
    is_accepted_no_longer_than_the_bound::<B>(Node::silence).await;
}

async fn node_with_delayed_packets_accepts_nothing_beyond_the_bound<B: Backend>() {
    is_accepted_no_longer_than_the_bound::<B>(|node| node.network.set_both(Flow::Hold)).await;
}

on_each_store!(
    node_with_rejected_connections_accepts_nothing_beyond_the_bound,
    node_with_lost_packets_accepts_nothing_beyond_the_bound,
    node_with_delayed_packets_accepts_nothing_beyond_the_bound,
);
