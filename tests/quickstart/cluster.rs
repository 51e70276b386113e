//! Three nodes behind one address.

use std::collections::BTreeSet;

use hallpass_servers::Package;

use crate::harness::{Place, Program, Protocol, Server};

async fn a_cluster_on(store: &str, package: Package) {
    package.ensure_installed().expect("the server is installed");
    let place = Place::new();
    let arguments = ["--listen", "127.0.0.1:0", "--store", store];
    let mut cluster = Server::started(place.command_of(Program::Cluster, &arguments)).await;
    // What a token that is revoked on one node is to the others, it has found out by itself.
    let said = cluster.printed(|text| text.contains("node 3: refused")).await;
    assert!(said.contains("node 1: refused from then on"), "{said}");

    let alice = cluster.client(Protocol::Http1).sign_in("alice").await;
    let issued = alice.issue(&["projects:list"]).await;
    let mut nodes = BTreeSet::new();
    for _ in 0..6 {
        // A connection of its own each time: the next node's turn.
        let client = cluster.client(Protocol::Http1);
        let answer = client.get("/api/projects").bearer(&issued.token).answer().await.expect(200);
        nodes.insert(answer.header("x-node").to_owned());
    }
    assert_eq!(nodes.len(), 3, "{nodes:?}");
    let output = cluster.stop().await;
    assert!(!output.stderr.contains(&issued.token) && !output.stdout.contains(&issued.token));
}

#[tokio::test]
async fn three_nodes_on_postgres_are_one_service() {
    a_cluster_on("postgres", Package::POSTGRES).await;
}

#[tokio::test]
async fn three_nodes_on_redis_are_one_service() {
    a_cluster_on("redis", Package::REDIS).await;
}
