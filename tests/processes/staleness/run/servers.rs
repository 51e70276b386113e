//! Runs on a real server, with and without faults of the network between each node and the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::store::TokenStore;
use hallpass_postgres::PostgresStore;
use hallpass_redis::RedisStore;
use hallpass_servers::{Flow, Package, Postgres, Proxy, Redis, Way};
use tokio::time::sleep;

use super::faults::{LOSSY, assert_valid};
use super::random::{Random, seed};
use super::stores::assert_valid_without_faults;
use super::{BOUND, Plan, report};
use crate::action::{LocalNode, cached};
use crate::node::Node;

async fn on_postgres(url: String) -> PostgresStore {
    PostgresStore::connect(&url).await.expect("the store opens")
}

async fn on_redis(url: String) -> RedisStore {
    RedisStore::connect(&url).await.expect("the store opens")
}

/// Creates three nodes, each with its own connection to the server.
async fn nodes<S: TokenStore>(urls: [String; 3], open: impl AsyncFn(String) -> S) -> Vec<Node> {
    let mut nodes = Vec::new();
    for url in urls {
        nodes.push(Node::Local(LocalNode::new(cached(open(url).await, BOUND), None)));
    }
    nodes
}

/// Alternates between a random network fault and no fault.
fn break_repeatedly(network: &Arc<Proxy>) {
    let network = Arc::clone(network);
    tokio::spawn(async move {
        let mut random = Random::new(seed());
        let mut below = move |most: Duration| most.mul_f64(random.below(100) as f64 / 100.0);
        loop {
            sleep(BOUND + below(BOUND)).await;
            match below(Duration::from_secs(7)).as_secs() {
                0 => network.cut(),
                1 => {
                    network.reject();
                    network.cut();
                }
                2 => network.set_both(Flow::Hold),
                3 => network.set(Way::ToClient, Flow::Hold),
                4 => network.set_both(Flow::Delay(below(BOUND / 2))),
                5 => network.reset_after(Way::ToClient, 300),
                _ => network.reset_after(Way::ToServer, 300),
            }
            sleep(below(BOUND * 3 / 2)).await;
            network.heal();
        }
    });
}

/// Starts the proxies of three nodes, without faults, and returns them with the URLs that lead
/// through them.
fn networks(server: SocketAddr, url: &str) -> ([Arc<Proxy>; 3], [String; 3]) {
    let networks = [(); 3].map(|()| Arc::new(Proxy::to(server).expect("cannot start a proxy")));
    let urls = networks.each_ref().map(|network| network.url(url));
    (networks, urls)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_share_a_postgresql_server() {
    Package::POSTGRES.ensure_installed().expect("cannot start the server");
    let server = Postgres::start().expect("cannot start the server");
    let nodes = nodes([(); 3].map(|()| server.url().to_owned()), on_postgres).await;
    assert_valid_without_faults(&report(nodes, &Plan::PLAIN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_share_a_redis_server() {
    Package::REDIS.ensure_installed().expect("cannot start the server");
    let server = Redis::start().expect("cannot start the server");
    let nodes = nodes([(); 3].map(|()| server.url().to_owned()), on_redis).await;
    assert_valid_without_faults(&report(nodes, &Plan::PLAIN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn networks_to_a_postgresql_server_fail_repeatedly() {
    Package::POSTGRES.ensure_installed().expect("cannot start the server");
    let server = Postgres::start().expect("cannot start the server");
    let (networks, urls) = networks(server.address(), server.url());
    let nodes = nodes(urls, on_postgres).await;
    // One network has no faults. Otherwise most checks would end in 503 and show nothing.
    networks[1..].iter().for_each(break_repeatedly);
    assert_valid(&report(nodes, &LOSSY).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn networks_to_a_redis_server_fail_repeatedly() {
    Package::REDIS.ensure_installed().expect("cannot start the server");
    let server = Redis::start().expect("cannot start the server");
    let (networks, urls) = networks(server.address(), server.url());
    let nodes = nodes(urls, on_redis).await;
    // One network has no faults. Otherwise most checks would end in 503 and show nothing.
    networks[1..].iter().for_each(break_repeatedly);
    assert_valid(&report(nodes, &LOSSY).await);
}
