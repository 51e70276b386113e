//! Tests in which change notifications are lost or late. Notifications only reduce latency.
//! Correctness depends on polling and on the bound.

use std::time::{Duration, Instant};

use hallpass_servers::{Flow, Way};
use hallpass_testkit::Operation;
use hallpass_tests::nodes::{NEVER, alice, until};
use tokio::time::sleep;

use crate::backend::Backend;
use crate::node::{BOUND, Node, settings};
use crate::on_each_store;

/// Starts a node without a staleness bound and without polling, which depends on notifications
/// alone.
async fn listening_only<B: Backend>(server: &B) -> Node {
    Node::on(server, settings().max_staleness(NEVER).poll(NEVER)).await
}

/// Starts three nodes: `isolated` gets no notifications and does not poll, `polling` only polls,
/// and `listening` only gets notifications. The server closes the connection of `listening` while a
/// token is revoked.
async fn changes_are_found_after_a_lost_listen_connection<B: Backend>() {
    let server = B::shared();
    let elsewhere = Node::on(&server, settings()).await;
    let (isolated, polling) =
        (listening_only(&server).await, Node::on(&server, settings().max_staleness(NEVER)).await);
    let listening = listening_only(&server).await;
    for node in [&isolated, &polling] {
        node.faults.on(Operation::WaitForChange).lose_answer();
    }
    let (first, second) = (elsewhere.issue().await, elsewhere.issue().await);
    for token in [&first, &second] {
        for node in [&isolated, &polling, &listening] {
            node.recovers(token, 200).await;
        }
    }
    // The node receives notifications as long as its connection works.
    let ports = listening.listens(&server).await;
    elsewhere.hallpass.revoke(&alice(), first.record.id).await.unwrap();
    until("the listening node rejects the token", async || listening.get(&first).await == 401)
        .await;

    listening.network.reject();
    ports.into_iter().for_each(|port| server.end_client(port));
    until("the node no longer listens", async || {
        server.listening().iter().all(|port| listening.network.connection(*port).is_none())
    })
    .await;
    elsewhere.hallpass.revoke(&alice(), second.record.id).await.unwrap();
    // The node reads the log once more after it has lost the connection, maybe only now. So it may
    // reject the token already.
    listening.network.heal();
    until("the node rejects the token after it has reconnected", async || {
        listening.get(&second).await == 401
    })
    .await;
    until("the polling node rejects the token", async || polling.get(&second).await == 401).await;
    for token in [&first, &second] {
        assert_eq!(
            isolated.get(token).await,
            200,
            "a node that neither polls nor gets notifications accepts the token"
        );
    }
}

async fn late_notification_does_not_extend_the_bound<B: Backend>() {
    const LATE: Duration = Duration::from_secs(60);
    let server = B::shared();
    let elsewhere = Node::on(&server, settings()).await;
    let (node, listening) = (Node::on(&server, settings()).await, listening_only(&server).await);
    let token = elsewhere.issue().await;
    for node in [&node, &listening] {
        node.recovers(&token, 200).await;
        for port in node.listens(&server).await {
            let connection = node.network.connection(port).unwrap();
            connection.set(Way::ToClient, Flow::Delay(LATE));
        }
    }
    elsewhere.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    let revoked = Instant::now();
    let last = node.last_accepted(&token, revoked).await;
    assert!(last <= BOUND, "accepted {:?} after the bound", last - BOUND);
    node.recovers(&token, 401).await;
    sleep((BOUND * 2).saturating_sub(revoked.elapsed())).await;
    assert_eq!(
        listening.get(&token).await,
        200,
        "a node that depends on the late notification still accepts the token"
    );
}

on_each_store!(
    changes_are_found_after_a_lost_listen_connection,
    late_notification_does_not_extend_the_bound,
);
