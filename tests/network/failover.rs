//! Tests in which a standby takes over that has not received the last changes.

use std::time::Duration;

use hallpass_core::{Hallpass, Issued};
use hallpass_servers::Proxy;
use hallpass_testkit::FaultyStore;
use hallpass_tests::nodes::{NEVER, accepts, alice, node, owner, until};
use tokio::time::sleep;

use crate::backend::Backend;
use crate::blind::Blind;
use crate::node::{Node, settings};
use crate::on_each_store;

/// Starts a node that does not compare nonces, so it takes every history for the same one.
async fn blind<B: Backend>(server: &B) -> (Hallpass, Proxy) {
    let network = Proxy::to(server.address()).unwrap();
    let store = Blind(B::open(&network.url(server.url())).await);
    (node(&FaultyStore::new(store), settings().max_staleness(NEVER)), network)
}

/// The last changes of the old primary and the first ones of the new primary have the same numbers.
/// A node that has read the former must not treat the latter as the same changes.
async fn failover_that_loses_changes_voids_the_cache<B: Backend>() {
    let old = B::alone();
    let elsewhere = Node::on(&old, settings()).await;
    let node = Node::on(&old, settings().max_staleness(NEVER)).await;
    let (blind, to_blind) = blind(&old).await;
    let (lost, next) = (elsewhere.issue().await, elsewhere.issue().await);
    let new = old.standby();
    let knows = async |token: &Issued| {
        until("all nodes reject the token", async || {
            node.get(token).await == 401 && !accepts(&blind, token).await
        })
        .await;
    };
    for token in [&lost, &next] {
        node.recovers(token, 200).await;
        until("the node has cached the token", async || accepts(&blind, token).await).await;
    }
    old.wait_for(&new);
    new.stop_following();
    elsewhere.hallpass.owner_changed(&alice(), &owner("carol")).await.unwrap();
    elsewhere.hallpass.revoke(&alice(), lost.record.id).await.unwrap();
    knows(&lost).await;

    // The nodes must not see the new primary before its numbers have caught up.
    for network in [&elsewhere.network, &node.network, &to_blind] {
        network.reject();
        network.cut();
        network.lead_to(new.address());
    }
    old.kill();
    new.promote();
    elsewhere.network.heal();
    until("the new primary accepts the change", async || {
        elsewhere.hallpass.revoke(&alice(), next.record.id).await.is_ok()
    })
    .await;
    elsewhere.hallpass.owner_changed(&alice(), &owner("carol")).await.unwrap();
    node.network.heal();
    to_blind.heal();
    until("the node detects the failover and rejects the token", async || {
        node.get(&next).await == 401
    })
    .await;
    sleep(Duration::from_secs(1)).await;
    assert!(
        accepts(&blind, &next).await,
        "a node that does not compare nonces does not detect the failover"
    );
    // The revocation that only the old primary had is lost, and nodes cannot restore it.
    until("the node accepts the token, as the new primary does", async || {
        node.get(&lost).await == 200
    })
    .await;
    // The nodes follow the new history.
    elsewhere.hallpass.revoke(&alice(), lost.record.id).await.unwrap();
    until("the node rejects the token", async || node.get(&lost).await == 401).await;
}

on_each_store!(failover_that_loses_changes_voids_the_cache);
