//! What tells nodes of changes is lost, or late. Nothing is promised of it but speed: what counts
//! is the poll, and the bound.

use std::time::{Duration, Instant};

use hallpass_servers::{Flow, Way};
use hallpass_testkit::Operation;
use hallpass_tests::nodes::{NEVER, alice, until};
use tokio::time::sleep;

use crate::backend::Backend;
use crate::node::{BOUND, Node, settings};
use crate::on_each_store;

/// Neither the bound nor the poll helps a node like this: it has its ears alone.
async fn ears_alone<B: Backend>(server: &B) -> Node {
    Node::on(server, settings().max_staleness(NEVER).poll(NEVER)).await
}

/// Three nodes: one that never hears, one that never hears but asks, and one that only hears, whose
/// connection for that is ended by the server while a token is taken back.
async fn f15_f38_what_is_said_while_nobody_listens_is_found_out<B: Backend>() {
    let server = B::shared();
    let elsewhere = Node::on(&server, settings()).await;
    let (deaf, asks) =
        (ears_alone(&server).await, Node::on(&server, settings().max_staleness(NEVER)).await);
    let hears = ears_alone(&server).await;
    for node in [&deaf, &asks] {
        node.faults.on(Operation::WaitForChange).lose_answer();
    }
    let (first, second) = (elsewhere.issue().await, elsewhere.issue().await);
    for token in [&first, &second] {
        for node in [&deaf, &asks, &hears] {
            node.recovers(token, 200).await;
        }
    }
    // Well, it is heard of.
    let ports = hears.listens(&server).await;
    elsewhere.hallpass.revoke(&alice(), first.record.id).await.unwrap();
    until("it is heard", async || hears.get(&first).await == 401).await;

    hears.network.refuse();
    ports.into_iter().for_each(|port| server.end_client(port));
    until("nobody listens", async || {
        server.listening().iter().all(|port| hears.network.connection(*port).is_none())
    })
    .await;
    elsewhere.hallpass.revoke(&alice(), second.record.id).await.unwrap();
    assert_eq!(hears.get(&second).await, 200, "nobody told it");
    hears.network.heal();
    until("it is found out", async || hears.get(&second).await == 401).await;
    until("it is found by asking", async || asks.get(&second).await == 401).await;
    for token in [&first, &second] {
        assert_eq!(deaf.get(token).await, 200, "who only hears, and hears nothing, never knows");
    }
}

async fn f43_a_push_that_comes_late_keeps_nobody_in_beyond_the_bound<B: Backend>() {
    const LATE: Duration = Duration::from_secs(60);
    let server = B::shared();
    let elsewhere = Node::on(&server, settings()).await;
    let (node, only_hears) = (Node::on(&server, settings()).await, ears_alone(&server).await);
    let token = elsewhere.issue().await;
    for node in [&node, &only_hears] {
        node.recovers(&token, 200).await;
        for port in node.listens(&server).await {
            let connection = node.network.connection(port).unwrap();
            connection.set(Way::ToClient, Flow::Delay(LATE));
        }
    }
    elsewhere.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    let revoked = Instant::now();
    let last = node.last_accepted(&token, revoked).await;
    assert!(last <= BOUND, "let in {:?} after the bound", last - BOUND);
    node.recovers(&token, 401).await;
    sleep((BOUND * 2).saturating_sub(revoked.elapsed())).await;
    assert_eq!(only_hears.get(&token).await, 200, "who only hears does not know yet");
}

on_each_store!(
    f15_f38_what_is_said_while_nobody_listens_is_found_out,
    f43_a_push_that_comes_late_keeps_nobody_in_beyond_the_bound,
);
