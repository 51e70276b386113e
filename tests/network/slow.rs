//! Tests in which the store is slow or locked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use hallpass_core::Error;
use hallpass_servers::Flow;
use hallpass_testkit::Operation;
use hallpass_tests::nodes::{NEVER, alice, issue_many};

use crate::backend::Backend;
use crate::node::{Node, settings, truth};
use crate::on_each_store;

/// A number of connections that is larger than any store needs, for lookups, changes, lists,
/// polling and listening together.
const CONNECTIONS: usize = 12;

async fn late_lookup_is_503_and_serves_the_next_request<B: Backend>() {
    let server = B::shared();
    let (deadline, late) = (Duration::from_millis(100), Duration::from_millis(200));
    let node = Node::on(&server, settings().max_staleness(NEVER).load_deadline(deadline)).await;
    // Open the connections before the network becomes slow.
    let (token, other) = (node.issue().await, node.issue().await);
    node.recovers(&other, 200).await;
    node.network.set_both(Flow::Delay(late));
    let asked = node.faults.calls(Operation::Get);
    let answers = join_all((0..20).map(|_| node.get(&token))).await;
    assert!(answers.iter().all(|status| *status == 503), "{answers:?}");
    node.recovers(&token, 200).await;
    let asked = node.faults.calls(Operation::Get) - asked;
    assert!(asked <= 4, "{asked} lookups of one token");
}

async fn lookups_do_not_pile_up_behind_a_slow_store<B: Backend>() {
    let server = B::shared();
    let node = Node::on(&server, settings()).await;
    let tokens = issue_many(&node.hallpass, 150).await;
    node.network.set_both(Flow::Delay(Duration::from_millis(300)));
    let began = Instant::now();
    let mut most = 0;
    while began.elapsed() < Duration::from_secs(2) {
        for status in join_all(tokens.iter().map(|token| node.get(token))).await {
            assert!(status == 200 || status == 503, "{status}");
        }
        most = most.max(node.network.connections().len());
        println!(
            "{:?} {} {}",
            began.elapsed(),
            node.network.connections().len(),
            node.network.accepted()
        );
    }
    assert!(most <= CONNECTIONS, "{most} connections");
    node.network.heal();
    for token in &tokens {
        node.recovers(token, 200).await;
    }
}

/// On PostgreSQL another session locks the table. On Redis the server pauses all clients.
async fn calls_to_a_locked_store_end_in_time_with_503<B: Backend>() {
    let server = B::alone();
    let node = Arc::new(Node::on(&server, settings().max_staleness(NEVER)).await);
    let [warm, cold, ended] = [node.issue().await, node.issue().await, node.issue().await];
    node.recovers(&warm, 200).await;
    let lock = server.lock().await;
    assert_eq!(node.get(&cold).await, 503);
    assert_eq!(node.get(&warm).await, 200);
    let asked = Instant::now();
    let error = node.hallpass.revoke(&alice(), ended.record.id).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    drop(lock);
    node.recovers(&cold, 200).await;
    let is_unknown = matches!(&error, Error::Store(error) if error.is_outcome_unknown());
    let record = truth(&server).await.get(&alice(), ended.record.id).await.unwrap();
    assert!(
        is_unknown || record.revoked_at.is_none(),
        "a change was made although it was reported as failed: {error}"
    );
    node.hallpass.revoke(&alice(), ended.record.id).await.unwrap();
    node.recovers(&ended, 401).await;
}

on_each_store!(
    late_lookup_is_503_and_serves_the_next_request,
    lookups_do_not_pile_up_behind_a_slow_store,
    calls_to_a_locked_store_end_in_time_with_503,
);
