//! Tests the example `cluster`, which runs three nodes behind one address.

use std::collections::BTreeSet;

use hallpass_servers::Package;

use crate::harness::{Program, Protocol, Server, TestDir};

async fn run_cluster(store: &str, package: Package) {
    package.ensure_installed().expect("cannot install the server");
    let dir = TestDir::new();
    let arguments = ["--listen", "127.0.0.1:0", "--store", store];
    let mut cluster = Server::started(dir.command_of(Program::Cluster, &arguments)).await;
    // The program itself checks that all nodes reject a token that is revoked on one of them.
    let report = cluster.printed(|text| text.contains("node 3: rejected")).await;
    assert!(report.contains("node 1: rejected immediately"), "{report}");

    let alice = cluster.client(Protocol::Http1).sign_in("alice").await;
    let issued = alice.issue(&["projects:list"]).await;
    let mut nodes = BTreeSet::new();
    for _ in 0..6 {
        // A new client opens a new connection, which goes to the next node.
        let client = cluster.client(Protocol::Http1);
        let answer = client.get("/api/projects").bearer(&issued.token).answer().await.expect(200);
        nodes.insert(answer.header("x-node").to_owned());
    }
    assert_eq!(nodes.len(), 3, "{nodes:?}");
    let output = cluster.stop().await;
    assert!(!output.stderr.contains(&issued.token) && !output.stdout.contains(&issued.token));
}

#[tokio::test]
async fn cluster_runs_on_postgresql() {
    run_cluster("postgres", Package::POSTGRES).await;
}

#[tokio::test]
async fn cluster_runs_on_redis() {
    run_cluster("redis", Package::REDIS).await;
}
