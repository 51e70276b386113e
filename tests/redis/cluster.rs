//! Tests with Redis Cluster, where all keys of a namespace are on one node.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hallpass_core::store::TokenStore as _;
use hallpass_servers::RedisCluster;
use hallpass_testkit::conformance::run::on_three_replicas;
use hallpass_testkit::conformance::{StoreUnderTest, cases};
use hallpass_tests::tokens::{at, edited, event, owner, token};

use super::*;

static CLUSTER: LazyLock<RedisCluster> =
    LazyLock::new(|| RedisCluster::start().expect("a cluster"));

/// A namespace on the cluster.
struct Somewhere(String);

impl StoreUnderTest for Somewhere {
    type Store = RedisStore;

    async fn fresh() -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self(format!("test-{}", NUMBERS.fetch_add(1, Ordering::Relaxed)))
    }

    async fn node(&self) -> RedisStore {
        let settings = RedisSettings::default().namespace(&self.0);
        RedisStore::connect_cluster_with(CLUSTER.urls(), settings).await.expect("a store")
    }
}

/// Defines tests for these cases of the conformance suite, each with three handles. Together they
/// run all scripts.
macro_rules! on_a_cluster {
    ($($module:ident::$case:ident)*) => {
        mod three_replicas {
            $(#[test]
            fn $case() {
                super::on_three_replicas::<super::Somewhere, _>(super::cases::$module::$case);
            })*
        }
    };
}

on_a_cluster! {
    audit::pages_join_in_both_orders
    cancellation::store_works_after_many_cancelled_calls
    delete::delete_many_deletes_only_what_was_asked_for
    delete::delete_owner_writes_one_log_entry
    delete::log_owner_change_changes_no_token
    delete::revoke_owner_writes_one_log_entry
    edges::large_batches_succeed
    edges::unusual_texts_come_back_unchanged
    followers::follower_misses_no_change_of_many_writers
    limits::one_of_200_concurrent_inserts_at_49_of_50_succeeds
    log::each_change_logs_its_target
    pages::pages_join_to_the_whole_list_in_every_order
    prune::prune_deletes_only_tokens_that_ended_before
    prune_log::prune_log_deletes_the_oldest_entries_first
    revoke::revoke_everyone_respects_the_limit
    snapshots::as_of_agrees_with_the_order_of_changes
    update::replace_digest_requires_the_expected_digest
    update::update_replaces_every_field_but_last_used_at
    uses::record_uses_only_moves_forward
}

/// Returns the index of the primary with the namespace `hallpass`, and the slot of its keys.
fn home(cluster: &RedisCluster) -> (usize, u64) {
    let slot = run(&cluster.primaries()[0], &["CLUSTER", "KEYSLOT", "{hallpass}c"]);
    let slot = slot.parse().expect("a number");
    (slot as usize * 3 / 16_384, slot)
}

async fn open(cluster: &RedisCluster) -> RedisStore {
    RedisStore::connect_cluster(cluster.urls()).await.expect("a store")
}

#[tokio::test(flavor = "multi_thread")]
async fn any_node_leads_to_the_one_with_the_keys() {
    let cluster = RedisCluster::start().unwrap();
    let token = token("alice", "ci");
    open(&cluster).await.insert(&token, None, &event()).await.unwrap();
    let (home, _) = home(&cluster);
    for (number, url) in cluster.urls().into_iter().enumerate() {
        let store = RedisStore::connect_cluster([url]).await.unwrap();
        assert!(store.get(token.record.id).await.unwrap().value.is_some());
        // A store that does not use the cluster mode works only with the node that has the keys.
        let plain = RedisStore::connect(url).await;
        assert_eq!(plain.is_ok(), number == home, "{plain:?}");
    }
    // It is enough that one of several addresses is reachable.
    let dead = "redis://127.0.0.1:1/";
    let urls = [dead].into_iter().chain(cluster.urls());
    RedisStore::connect_cluster(urls).await.expect("the store must try the next address");
    assert!(RedisStore::connect_cluster([dead]).await.is_err());
    assert!(RedisStore::connect_cluster(Vec::<&str>::new()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_partial_while_the_keys_move() {
    let cluster = RedisCluster::start().unwrap();
    let (home, slot) = home(&cluster);
    let (here, there) = (&cluster.primaries()[home], &cluster.primaries()[(home + 1) % 3]);
    let store = open(&cluster).await;
    let mut tokens = Vec::new();
    for _ in 0..5 {
        let token = token("alice", "ci");
        store.insert(&token, None, &event()).await.unwrap();
        tokens.push(token.record);
    }
    let [here_id, there_id] = [here, there].map(|node| run(node, &["CLUSTER", "MYID"]));
    let slot_text = slot.to_string();
    let set_slot = |node, arguments: &[&str]| {
        run(node, &[&["CLUSTER", "SETSLOT", &slot_text][..], arguments].concat())
    };
    set_slot(there, &["IMPORTING", &here_id]);
    set_slot(here, &["MIGRATING", &there_id]);

    let revoke = edited(&tokens[0], |record| record.revoked_at = Some(at(1)));
    let unmoved = |error: hallpass_core::store::StoreError| {
        assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
        assert!(!error.is_corrupt(), "{error:?}");
    };
    let try_all = async || {
        unmoved(store.insert(&token("alice", "ci"), None, &event()).await.unwrap_err());
        unmoved(store.update(&revoke, &event()).await.unwrap_err());
        unmoved(store.delete(tokens[1].id, None, &event()).await.unwrap_err());
        unmoved(store.delete_many(None, &[tokens[1].id], &event()).await.unwrap_err());
        unmoved(store.delete_owner(&owner("alice"), &event()).await.unwrap_err());
        unmoved(store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap_err());
        unmoved(store.log_owner_change(&owner("alice"), &event()).await.unwrap_err());
    };
    try_all().await;
    assert_eq!(store.get(tokens[0].id).await.unwrap().as_of.get(), 5, "lookups still succeed");

    // The keys move one by one, and no call may be executed partially.
    let mut stranger = stranger(here).await;
    let port = there.address().port();
    loop {
        let next = redis::cmd("CLUSTER").arg("GETKEYSINSLOT").arg(slot).arg(1).to_owned();
        let keys: Vec<Vec<u8>> = next.query_async(&mut stranger).await.unwrap();
        let Some(key) = keys.first() else { break };
        let mut migrate = redis::cmd("MIGRATE");
        migrate.arg("127.0.0.1").arg(port).arg(key).arg(0).arg(5_000);
        migrate.exec_async(&mut stranger).await.unwrap();
        try_all().await;
    }
    for node in [there, here] {
        set_slot(node, &["NODE", &there_id]);
    }
    let found = store.get(tokens[0].id).await.unwrap();
    assert_eq!((found.as_of.get(), &found.value.unwrap().record), (5, &tokens[0]));
    assert_eq!(store.list(&everything()).await.unwrap().counts.of(None), 5);
    assert_eq!(store.update(&revoke, &event()).await.unwrap().get(), 6);
    assert_eq!(store.delete_owner(&owner("alice"), &event()).await.unwrap().count, 5);
    let seen = store.changes(None, 0).await.unwrap().head;
    let other = open(&cluster).await;
    let (heard, _) = futures::join!(
        tokio::time::timeout(Duration::from_secs(4), store.wait_for_change(seen)),
        async {
            other.log_owner_change(&owner("alice"), &event()).await.unwrap();
        }
    );
    heard.expect("a notification");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_primary_is_found_after_a_failover() {
    let mut cluster = RedisCluster::start().unwrap();
    let (home, _) = home(&cluster);
    cluster.add_replica(home).unwrap();
    let settings = RedisSettings::default().wait_replicas(1);
    let store = RedisStore::connect_cluster_with(cluster.urls(), settings).await.unwrap();
    let token = token("alice", "ci");
    let seq = store.insert(&token, None, &event()).await.unwrap();
    cluster.primaries()[home].kill().unwrap();
    let mut found = store.get(token.record.id).await;
    for _ in 0..2_000 {
        if found.is_ok() {
            break;
        }
        assert!(found.unwrap_err().is_unavailable());
        tokio::time::sleep(Duration::from_millis(10)).await;
        found = store.get(token.record.id).await;
    }
    let found = found.expect("the replica took over");
    assert_eq!((found.as_of, &found.value.unwrap().record), (seq, &token.record));
    let plain = open(&cluster).await;
    assert_eq!(plain.delete(token.record.id, None, &event()).await.unwrap(), seq.next());
}
