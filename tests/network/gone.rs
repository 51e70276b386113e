//! Tests of outages: cached tokens are accepted within the bound and everything else gets 503,
//! however the store failed.

use std::time::Instant;

use futures::future::join_all;
use hallpass_core::{Error, Hallpass};
use hallpass_memory::MemoryStore;
use hallpass_tests::nodes::{NEVER, alice, issue};

use crate::backend::Backend;
use crate::node::{Node, beyond_the_bound, settings, truth};
use crate::on_each_store;

/// The functions that start and end an outage.
struct Outage<'o, B> {
    begins: &'o dyn Fn(&B, &[&Node]),
    ends: &'o dyn Fn(&B, &[&Node]),
}

fn heal<B>(_: &B, nodes: &[&Node]) {
    nodes.iter().for_each(|node| node.network.heal());
}

impl<B: Backend> Outage<'_, B> {
    async fn befalls(self, server: &B) {
        // The bound of the first node is far away, that of the second one passes during the outage.
        let patient = Node::on(server, settings().max_staleness(NEVER)).await;
        let node = Node::on(server, settings()).await;
        let [warm, cold] = [node.issue().await, node.issue().await];
        let [revoked, ended] = [node.issue().await, node.issue().await];
        let unknown = issue(&Hallpass::builder(MemoryStore::new()).build()).await;
        node.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
        for node in [&node, &patient] {
            node.recovers(&warm, 200).await;
            node.recovers(&revoked, 401).await;
        }

        (self.begins)(server, &[&node, &patient]);
        for _ in 0..2 {
            assert_eq!(patient.get(&warm).await, 200, "a cached token is accepted");
            assert_eq!(patient.get(&cold).await, 503);
            assert_eq!(
                patient.get(&unknown).await,
                503,
                "an unknown token gets 503, because the node cannot check it"
            );
        }
        beyond_the_bound().await;
        let all = [&warm, &cold, &unknown, &revoked, &ended];
        for status in join_all(all.map(|token| node.get(token))).await {
            assert_eq!(status, 503);
        }
        let asked = Instant::now();
        let error = node.hallpass.revoke(&alice(), ended.record.id).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        assert!(asked.elapsed().as_secs() < 8, "{:?}", asked.elapsed());

        (self.ends)(server, &[&node, &patient]);
        for node in [&node, &patient] {
            node.recovers(&cold, 200).await;
            node.recovers(&warm, 200).await;
            node.recovers(&unknown, 401).await;
            node.recovers(&revoked, 401).await;
        }
        // A change that was reported as failed must not have been made.
        let truth = truth(server).await;
        let record = truth.get(&alice(), ended.record.id).await.unwrap();
        let was_said = matches!(&error, Error::Store(error) if error.is_outcome_unknown());
        assert!(was_said || record.revoked_at.is_none(), "{error}");
        node.hallpass.revoke(&alice(), cold.record.id).await.unwrap();
        assert_eq!(node.get(&cold).await, 401);
    }
}

async fn store_recovers_after_its_server_is_killed<B: Backend>() {
    let server = B::alone();
    let outage =
        Outage { begins: &|server: &B, _| server.kill(), ends: &|server, _| server.start_again() };
    outage.befalls(&server).await;
}

async fn store_recovers_after_its_server_stops_responding<B: Backend>() {
    let server = B::alone();
    let outage =
        Outage { begins: &|server: &B, _| server.pause(), ends: &|server, _| server.resume() };
    outage.befalls(&server).await;
}

async fn store_recovers_after_reset_and_rejected_connections<B: Backend>() {
    let server = B::shared();
    let begins = |_: &B, nodes: &[&Node]| nodes.iter().for_each(|node| node.unplug());
    Outage { begins: &begins, ends: &heal }.befalls(&server).await;
}

/// All packets are dropped without an error. Data on existing connections is lost permanently.
async fn lost_packets_without_a_reset_cause_503_in_time<B: Backend>() {
    let server = B::shared();
    let begins = |_: &B, nodes: &[&Node]| nodes.iter().for_each(|node| node.silence());
    Outage { begins: &begins, ends: &heal }.befalls(&server).await;
}

on_each_store!(
    store_recovers_after_its_server_is_killed,
    store_recovers_after_its_server_stops_responding,
    store_recovers_after_reset_and_rejected_connections,
    lost_packets_without_a_reset_cause_503_in_time,
);
