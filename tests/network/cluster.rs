//! Tests on Redis Cluster: slots move to other nodes, and nodes fail.

use std::time::Duration;

use hallpass_core::{Hallpass, Issued};
use hallpass_redis::RedisStore;
use hallpass_servers::{Package, Redis, RedisCluster};
use hallpass_testkit::FaultyStore;
use hallpass_tests::nodes::{
    NEVER, accepts, alice, check, is_rejected, issue, issue_many, node, until,
};
use hallpass_tests::web::Web;
use redis::aio::MultiplexedConnection;
use tokio::time::sleep;

use crate::node::{beyond_the_bound, settings};

struct Node {
    hallpass: Hallpass,
    web: Web,
}

impl Node {
    async fn on(cluster: &RedisCluster, settings: hallpass_cache::CacheSettings) -> Self {
        let store = RedisStore::connect_cluster(cluster.urls()).await.unwrap();
        let hallpass = node(&FaultyStore::new(store), settings);
        Self { web: Web::serve(&hallpass).await, hallpass }
    }

    /// Waits until the node responds with `expected`. Fails if it responds with anything else but
    /// 503 before that.
    async fn recovers(&self, token: &Issued, expected: u16) {
        until("the node has recovered", async || {
            let status = self.web.get(token).await;
            assert!(
                status == expected || status == 503,
                "the status is {status}, expected {expected}"
            );
            status == expected
        })
        .await;
    }
}

fn start() -> RedisCluster {
    Package::REDIS.ensure_installed().unwrap();
    RedisCluster::start().unwrap()
}

/// Returns the slot of the store's keys, and the index of the primary that serves it at first.
fn home(cluster: &RedisCluster) -> (usize, usize) {
    let slot = cluster.primaries()[0].run(&["CLUSTER", "KEYSLOT", "{hallpass}"]).unwrap();
    let slot: usize = slot.parse().unwrap();
    (slot, slot * 3 / 16_384)
}

async fn connect(node: &Redis) -> MultiplexedConnection {
    let client = redis::Client::open(node.url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// Moves up to five keys of a slot. Returns their number.
async fn migrate(from: &Redis, to: &Redis, slot: usize) -> usize {
    let mut connection = connect(from).await;
    let mut list = redis::cmd("CLUSTER");
    list.arg("GETKEYSINSLOT").arg(slot).arg(5);
    let keys: Vec<Vec<u8>> = list.query_async(&mut connection).await.unwrap();
    if !keys.is_empty() {
        let mut migrate = redis::cmd("MIGRATE");
        migrate.arg("127.0.0.1").arg(to.address().port()).arg("").arg(0).arg(5000);
        migrate.arg("KEYS").arg(&keys).exec_async(&mut connection).await.unwrap();
    }
    keys.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_keys_of_a_store_are_in_one_slot() {
    let cluster = start();
    let one = Node::on(&cluster, settings()).await.hallpass;
    let other = Node::on(&cluster, settings()).await.hallpass;
    let tokens = issue_many(&one, 20).await;
    for token in &tokens {
        assert!(accepts(&other, token).await);
    }
    let [first, second, ..] = &tokens[..] else { panic!("twenty") };
    one.revoke(&alice(), first.record.id).await.unwrap();
    until("the other node rejects the token", async || is_rejected(&check(&other, first).await))
        .await;
    other.delete_many(&alice(), &[second.record.id]).await.unwrap();
    until("the first node rejects the token", async || is_rejected(&check(&one, second).await))
        .await;
    assert_eq!(one.delete_all(&alice()).await.unwrap(), 19);
    until("the other node rejects the token", async || !accepts(&other, &tokens[5]).await).await;
    let (_, home) = home(&cluster);
    for (number, primary) in cluster.primaries().iter().enumerate() {
        let keys = primary.run(&["DBSIZE"]).unwrap();
        assert_eq!(keys != "0", number == home, "{keys} keys on primary {number}");
    }
}

/// Some keys have moved and others have not, so the servers reply `TRYAGAIN`, `ASK` and `MOVED`.
/// Valid tokens are accepted or get 503, but never 401.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_is_rejected_while_the_slot_moves() {
    let cluster = start();
    // The bound is short, so that the node reloads each token in every round.
    let bound = Duration::from_millis(50);
    let node = Node::on(&cluster, settings().max_staleness(bound).poll(NEVER)).await;
    let follower = Node::on(&cluster, settings().max_staleness(NEVER)).await;
    let tokens = issue_many(&node.hallpass, 30).await;
    let (revoked, good) = tokens.split_first().unwrap();
    assert_eq!(follower.web.get(&tokens[1]).await, 200);
    node.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();

    let (slot, number) = home(&cluster);
    let (from, to) = (&cluster.primaries()[number], &cluster.primaries()[(number + 1) % 3]);
    let [from_id, to_id] = [from, to].map(|node| node.run(&["CLUSTER", "MYID"]).unwrap());
    let text = slot.to_string();
    to.run(&["CLUSTER", "SETSLOT", &text, "IMPORTING", &from_id]).unwrap();
    from.run(&["CLUSTER", "SETSLOT", &text, "MIGRATING", &to_id]).unwrap();
    let (mut moved, mut unavailable) = (0, 0);
    loop {
        for token in good.iter().step_by(4) {
            let status = node.web.get(token).await;
            assert!(status == 200 || status == 503, "{status} after {moved} keys were moved");
            unavailable += u32::from(status == 503);
        }
        let status = node.web.get(revoked).await;
        assert!(status == 401 || status == 503, "{status} after {moved} keys were moved");
        match migrate(from, to, slot).await {
            0 => break,
            keys => moved += keys,
        }
        sleep(bound).await;
    }
    assert!(
        moved > 30 && unavailable > 0,
        "{moved} keys were moved, {unavailable} responses were 503"
    );
    for node in cluster.primaries() {
        node.run(&["CLUSTER", "SETSLOT", &text, "NODE", &to_id]).unwrap();
    }
    for token in good {
        node.recovers(token, 200).await;
    }
    node.recovers(revoked, 401).await;
    until("the cluster accepts changes", async || {
        node.hallpass.revoke(&alice(), tokens[1].record.id).await.is_ok()
    })
    .await;
    until("the follower rejects the token", async || follower.web.get(&tokens[1]).await == 401)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn incomplete_cluster_is_503() {
    let cluster = start();
    let node = Node::on(&cluster, settings()).await;
    let (token, revoked) = (issue(&node.hallpass).await, issue(&node.hallpass).await);
    node.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    assert_eq!(node.web.get(&token).await, 200);
    let (_, home) = home(&cluster);
    let other = &cluster.primaries()[(home + 1) % 3];
    other.kill().unwrap();
    until("the node notices the failure", async || {
        let asked = cluster.primaries()[home].run(&["GET", "{hallpass}c"]);
        asked.is_err_and(|error| error.to_string().starts_with("CLUSTERDOWN"))
    })
    .await;
    beyond_the_bound().await;
    assert_eq!(node.web.get(&token).await, 503);
    assert_eq!(node.web.get(&revoked).await, 503);
    other.start_again().unwrap();
    node.recovers(&token, 200).await;
    node.recovers(&revoked, 401).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn promoted_replica_is_found() {
    let mut cluster = start();
    let (_, home) = home(&cluster);
    cluster.add_replica(home).unwrap();
    let node = Node::on(&cluster, settings()).await;
    let (token, revoked) = (issue(&node.hallpass).await, issue(&node.hallpass).await);
    assert_eq!(node.web.get(&token).await, 200);
    node.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    cluster.primaries()[home].wait_for(&cluster.replicas()[0]).unwrap();
    cluster.primaries()[home].kill().unwrap();
    beyond_the_bound().await;
    node.recovers(&token, 200).await;
    node.recovers(&revoked, 401).await;
    until("the cluster accepts changes", async || {
        node.hallpass.revoke(&alice(), token.record.id).await.is_ok()
    })
    .await;
    assert_eq!(node.web.get(&token).await, 401);
    assert!(is_rejected(&check(&node.hallpass, &revoked).await));
}
