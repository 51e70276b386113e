//! A standby takes over that has not heard of the last changes.

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

/// A node that takes every history for the same.
async fn blind<B: Backend>(server: &B) -> (Hallpass, Proxy) {
    let network = Proxy::to(server.address()).unwrap();
    let store = Blind(B::open(&network.url(server.url())).await);
    (node(&FaultyStore::new(store), settings().max_staleness(NEVER)), network)
}

/// The old primary's last changes and the new one's first have the same numbers. A node that has
/// heard of the ones must not take them for the others.
async fn f11_f37_a_failover_that_loses_changes_is_found_out_and_voids_what_is_cached<B: Backend>() {
    let old = B::alone();
    let elsewhere = Node::on(&old, settings()).await;
    let node = Node::on(&old, settings().max_staleness(NEVER)).await;
    let (blind, to_blind) = blind(&old).await;
    let (lost, next) = (elsewhere.issue().await, elsewhere.issue().await);
    let new = old.standby();
    let knows = async |token: &Issued| {
        until("all nodes have heard of it", async || {
            node.get(token).await == 401 && !accepts(&blind, token).await
        })
        .await;
    };
    for token in [&lost, &next] {
        node.recovers(token, 200).await;
        until("it is cached", async || accepts(&blind, token).await).await;
    }
    old.wait_for(&new);
    new.stop_following();
    elsewhere.hallpass.owner_changed(&alice(), &owner("carol")).await.unwrap();
    elsewhere.hallpass.revoke(&alice(), lost.record.id).await.unwrap();
    knows(&lost).await;

    // None of them sees the new one before it has come as far.
    for network in [&elsewhere.network, &node.network, &to_blind] {
        network.refuse();
        network.cut();
        network.lead_to(new.address());
    }
    old.kill();
    new.promote();
    elsewhere.network.heal();
    until("the change is made", async || {
        elsewhere.hallpass.revoke(&alice(), next.record.id).await.is_ok()
    })
    .await;
    elsewhere.hallpass.owner_changed(&alice(), &owner("carol")).await.unwrap();
    node.network.heal();
    to_blind.heal();
    until("it is found out", async || node.get(&next).await == 401).await;
    sleep(Duration::from_secs(1)).await;
    assert!(accepts(&blind, &next).await, "who does not compare nonces never knows");
    // What the old primary took with it is lost: nobody can tell the new one.
    until("it is as the new one has it", async || node.get(&lost).await == 200).await;
    // And it goes on in the new history.
    elsewhere.hallpass.revoke(&alice(), lost.record.id).await.unwrap();
    until("it is heard", async || node.get(&lost).await == 401).await;
}

on_each_store!(f11_f37_a_failover_that_loses_changes_is_found_out_and_voids_what_is_cached);
