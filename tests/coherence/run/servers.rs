//! Nodes on one real server, on good days and on bad ones: what is between each of them and the
//! server breaks, again and again, in every way that a network has.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::store::TokenStore;
use hallpass_postgres::PostgresStore;
use hallpass_redis::RedisStore;
use hallpass_servers::{Flow, Package, Postgres, Proxy, Redis, Way};
use tokio::time::sleep;

use super::faults::{BROKEN, assert_kept};
use super::random::{Random, seed};
use super::stores::assert_good_day;
use super::{BOUND, Plan, report};
use crate::action::{Place, cached};
use crate::node::Node;

async fn on_postgres(url: String) -> PostgresStore {
    PostgresStore::connect(&url).await.expect("the store opens")
}

async fn on_redis(url: String) -> RedisStore {
    RedisStore::connect(&url).await.expect("the store opens")
}

/// Three nodes, each with a handle of its own.
async fn nodes<S: TokenStore>(urls: [String; 3], open: impl AsyncFn(String) -> S) -> Vec<Node> {
    let mut nodes = Vec::new();
    for url in urls {
        nodes.push(Node::Here(Place::new(cached(open(url).await, BOUND), None)));
    }
    nodes
}

/// For a while something is wrong, for a while nothing is; each time it is something else.
fn break_again_and_again(network: &Arc<Proxy>) {
    let network = Arc::clone(network);
    tokio::spawn(async move {
        let mut random = Random::new(seed());
        let mut below = move |most: Duration| most.mul_f64(random.below(100) as f64 / 100.0);
        loop {
            sleep(BOUND + below(BOUND)).await;
            match below(Duration::from_secs(7)).as_secs() {
                0 => network.cut(),
                1 => {
                    network.refuse();
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

/// The networks of three nodes, on which all is well yet, and the URLs by which the nodes reach the
/// server.
fn networks(server: SocketAddr, url: &str) -> ([Arc<Proxy>; 3], [String; 3]) {
    let networks = [(); 3].map(|()| Arc::new(Proxy::to(server).expect("a network")));
    let urls = networks.each_ref().map(|network| network.url(url));
    (networks, urls)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_on_one_postgresql_server() {
    Package::POSTGRES.ensure_installed().expect("a server");
    let server = Postgres::start().expect("a server");
    let nodes = nodes([(); 3].map(|()| server.url().to_owned()), on_postgres).await;
    assert_good_day(&report(nodes, &Plan::PLAIN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_on_one_redis_server() {
    Package::REDIS.ensure_installed().expect("a server");
    let server = Redis::start().expect("a server");
    let nodes = nodes([(); 3].map(|()| server.url().to_owned()), on_redis).await;
    assert_good_day(&report(nodes, &Plan::PLAIN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_whose_networks_to_a_postgresql_server_break() {
    Package::POSTGRES.ensure_installed().expect("a server");
    let server = Postgres::start().expect("a server");
    let (networks, urls) = networks(server.address(), server.url());
    let nodes = nodes(urls, on_postgres).await;
    // One stays well: else all that is seen is that nothing is.
    networks[1..].iter().for_each(break_again_and_again);
    assert_kept(&report(nodes, &BROKEN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_whose_networks_to_a_redis_server_break() {
    Package::REDIS.ensure_installed().expect("a server");
    let server = Redis::start().expect("a server");
    let (networks, urls) = networks(server.address(), server.url());
    let nodes = nodes(urls, on_redis).await;
    // One stays well: else all that is seen is that nothing is.
    networks[1..].iter().for_each(break_again_and_again);
    assert_kept(&report(nodes, &BROKEN).await);
}
