//! Tests of each safety step of the store. `tests/guards/redis.toml` names the line of each step;
//! without that line, its test fails.

use std::error::Error as _;
use std::time::Duration;

use hallpass_core::store::{ChangeSeq, LogPosition, StoreError, TokenStore as _, TokenUse};
use hallpass_redis::ConnectError;
use hallpass_servers::{Flow, Way};

use super::*;

/// Returns how often the server has run a command.
fn calls(server: &Redis, command: &str) -> u64 {
    let stats = run(server, &["INFO", "commandstats"]);
    let name = format!("cmdstat_{command}:calls=");
    let line = stats.lines().find_map(|line| line.strip_prefix(&name));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
}

/// Waits until the server has run a command more often than that.
async fn arrived(server: &Redis, command: &str, before: u64) {
    let arriving = async {
        while calls(server, command) == before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), arriving).await.expect("the command must arrive");
}

#[tokio::test(flavor = "multi_thread")]
async fn outdated_edit_does_not_undo_a_revocation() {
    let store = store().await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let rename = edited(&token.record, |record| record.name = "renamed".into());
    store.update(&revocation(&token.record), &event()).await.unwrap();
    assert!(store.update(&rename, &event()).await.unwrap_err().is_conflict());
    assert!(record(&store, token.record.id).await.revoked_at.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_can_be_revoked_when_memory_is_full() {
    let server = server();
    let store = open(server.url()).await;
    let tokens = [token("alice", "1"), token("alice", "2"), token("bob", "3"), token("carol", "4")];
    for token in &tokens {
        store.insert(token, None, &event()).await.unwrap();
    }
    run(&server, &["CONFIG", "SET", "maxmemory", "1"]);
    let rejected = store.insert(&token("alice", "ci"), None, &event()).await.unwrap_err();
    assert!(rejected.is_read_only(), "{rejected:?}");
    store.update(&revocation(&tokens[0].record), &event()).await.unwrap();
    store.delete_many(None, &[tokens[1].record.id], &event()).await.unwrap();
    assert_eq!(store.revoke_owner(&owner("bob"), None, at(1), &event()).await.unwrap().count, 1);
    assert_eq!(store.revoke_everyone(None, at(1), 10, &event()).await.unwrap().count, 1);
    store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    assert_eq!(store.delete_owner(&owner("bob"), &event()).await.unwrap().count, 1);
    store.delete(tokens[0].record.id, None, &event()).await.unwrap();
    assert_eq!(store.prune(at(2), 10, &event()).await.unwrap(), 1);
    assert_eq!(store.prune_log(at(2), 3).await.unwrap(), 3);
    open(server.url()).await.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn change_that_cannot_be_logged_is_not_made() {
    let server = server();
    let store = open(server.url()).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    store.log_owner_change(&owner("bob"), &event()).await.unwrap();
    run(&server, &["SET", "{hallpass}c", "1"]);
    let error = store.update(&revocation(&token.record), &event()).await.unwrap_err();
    assert!(error.is_corrupt(), "{error:?}");
    assert!(record(&store, token.record.id).await.revoked_at.is_none());
    assert_eq!(head(&store).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_primary_is_recognized_by_the_nonces() {
    let old = server();
    let store = open(old.url()).await;
    store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    let new = old.replica().unwrap();
    new.promote().unwrap();
    store.log_owner_change(&owner("lost"), &event()).await.unwrap();
    let seen = store.changes(None, 0).await.unwrap().head;

    let store = open(new.url()).await;
    assert_eq!(store.log_owner_change(&owner("next"), &event()).await.unwrap(), seen.seq);
    let log = store.changes(Some(seen), 10).await.unwrap();
    assert_eq!(log.entries[0].position.seq, seen.seq);
    assert_ne!(log.entries[0].position, seen);
    assert_ne!(log.head, seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreplicated_change_is_not_reported_as_made() {
    let old = server();
    let new = old.replica().unwrap();
    let settings = RedisSettings::default().wait_replicas(1);
    let store = RedisStore::connect_with(old.url(), settings).await.unwrap();
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    // The replica stops replicating, because no server listens at this address.
    run(&new, &["REPLICAOF", "127.0.0.1", "1"]);
    let revoked = store.update(&revocation(&token.record), &event()).await;
    assert!(revoked.as_ref().is_err_and(StoreError::is_outcome_unknown), "{revoked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn replica_is_never_read() {
    let primary = server();
    let (proxy, store) = through_proxy(&primary).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let replica = primary.replica().unwrap();
    run(&replica, &["REPLICAOF", "127.0.0.1", "1"]);
    open(primary.url()).await.update(&revocation(&token.record), &event()).await.unwrap();
    proxy.lead_to(replica.address());
    proxy.cut();
    assert!(store.get(token.record.id).await.unwrap_err().is_unavailable());
    assert!(store.changes(None, 0).await.unwrap_err().is_unavailable());
}

#[tokio::test(flavor = "multi_thread")]
async fn token_and_clock_are_read_in_one_snapshot() {
    let server = server();
    let (proxy, store) = through_proxy(&server).await;
    let token = token("alice", "ci");
    let id = token.record.id;
    store.insert(&token, None, &event()).await.unwrap();
    store.get(id).await.unwrap();
    // Each lookup ends with this command.
    let before = calls(&server, "wait");
    proxy.set(Way::ToClient, Flow::Hold);
    let reading = tokio::spawn({
        let store = store.clone();
        async move { store.get(id).await }
    });
    arrived(&server, "wait", before).await;
    let elsewhere = open(server.url()).await;
    let revoked = elsewhere.update(&revocation(&token.record), &event()).await.unwrap();
    proxy.set(Way::ToClient, Flow::Pass);
    let found = reading.await.unwrap().unwrap();
    assert_eq!(found.value.unwrap().record.revoked_at, None);
    assert!(found.as_of < revoked);
    // One call to the server, so no change can come in between.
    let before = calls(&server, "evalsha");
    store.get(id).await.unwrap();
    assert_eq!(calls(&server, "evalsha") - before, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn use_of_an_earlier_revision_is_dropped() {
    let store = store().await;
    let token = token("alice", "ci");
    let id = token.record.id;
    store.insert(&token, None, &event()).await.unwrap();
    store.update(&edited(&token.record, |_| {}), &event()).await.unwrap();
    let usage = TokenUse { id, revision: token.record.revision, at: at(60_000) };
    assert_eq!(store.record_uses(&[usage]).await.unwrap(), 0);
    assert_eq!(record(&store, id).await.last_used_at, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn last_use_never_moves_back() {
    let store = store().await;
    let token = token("alice", "ci");
    let (id, revision) = (token.record.id, token.record.revision);
    store.insert(&token, None, &event()).await.unwrap();
    for millis in [60_000, 1] {
        store.record_uses(&[TokenUse { id, revision, at: at(millis) }]).await.unwrap();
    }
    assert_eq!(record(&store, id).await.last_used_at, Some(at(60_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn change_whose_reply_is_lost_is_found() {
    let server = server();
    let (proxy, store) = through_proxy(&server).await;
    // These calls load the scripts, so each change below is a single command.
    let tokens = [token("alice", "1"), token("alice", "2"), token("bob", "3")];
    for token in &tokens {
        store.insert(token, None, &event()).await.unwrap();
    }
    store.log_owner_change(&owner("bob"), &event()).await.unwrap();
    let unknown = token("bob", "4").record.id;
    store.delete_many(None, &[unknown], &event()).await.unwrap();
    proxy.reset_after(Way::ToClient, 0);
    let seq = store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    assert_eq!(seq.get(), 5);
    let ids = [tokens[2].record.id, unknown, tokens[0].record.id];
    proxy.reset_after(Way::ToClient, 0);
    let deleted = store.delete_many(None, &ids, &event()).await.unwrap();
    assert_eq!(deleted.tokens, [(ids[0], owner("bob")), (ids[2], owner("alice"))]);
    assert_eq!(deleted.seq.unwrap().get(), 7);
    assert_eq!(head(&store).await, 7, "each change must be made once");
}

#[tokio::test(flavor = "multi_thread")]
async fn change_that_was_given_up_does_nothing_later() {
    let server = server();
    let (proxy, store) = through_proxy(&server).await;
    let (one, other) = (token("alice", "ci"), token("alice", "ci"));
    for token in [&one, &other] {
        store.insert(token, None, &event()).await.unwrap();
    }
    // This call loads the script, so the deletion below is a single command.
    store.delete(other.record.id, None, &event()).await.unwrap();
    // The proxy delays the commands of existing connections, but not those of new ones.
    let connections = proxy.connections();
    connections.iter().for_each(|connection| connection.set(Way::ToServer, Flow::Hold));
    let lost = store.delete(one.record.id, None, &event()).await.unwrap_err();
    assert!(lost.is_unavailable() && !lost.is_outcome_unknown(), "{lost:?}");
    let before = calls(&server, "evalsha");
    connections.iter().for_each(|connection| connection.set(Way::ToServer, Flow::Pass));
    arrived(&server, "evalsha", before).await;
    assert!(store.get(one.record.id).await.unwrap().value.is_some());
    assert_eq!(head(&store).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_token_is_an_error_and_never_unknown() {
    let server = server();
    let store = open(server.url()).await;
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let token = full_token();
    let id = token.record.id;
    let key = [b"{hallpass}t".as_slice(), id.as_uuid().as_bytes()].concat();
    let mut damages: Vec<_> = ["o", "n", "c", "r", "k", "p", "t"]
        .map(|field| redis::cmd("HDEL").arg(&key).arg(field).to_owned())
        .into();
    for field in ["s", "m", "c", "e", "u", "x", "g", "r", "k", "p", "t", "unknown"] {
        damages.push(redis::cmd("HSET").arg(&key).arg(field).arg("\u{1} garbage:").to_owned());
    }
    damages.push(redis::cmd("SET").arg(&key).arg("garbage").to_owned());
    for damage in damages {
        store.insert(&token, None, &event()).await.unwrap();
        damage.exec_async(&mut connection).await.unwrap();
        let error = store.get(id).await.expect_err("the lookup must fail");
        assert!(error.is_corrupt(), "{error:?}");
        let error = store.list(&everything()).await.unwrap_err();
        assert!(error.is_corrupt(), "{error:?}");
        // The server itself rejects a value that is no hash, and does not name its key.
        let text = error.source().unwrap().to_string();
        assert!(text.contains(&id.to_string()) || text.contains("WRONGTYPE"), "{text}");
        let deleted = store.delete_owner(&token.record.owner, &event()).await.unwrap();
        assert_eq!(deleted.count, 1, "the damaged token must be deletable");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_evicts_is_rejected() {
    let server = server();
    run(&server, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lfu", "maxmemory", "1gb"]);
    let error = RedisStore::connect(server.url()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Evicts { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn error_of_opening_names_the_address_without_the_password() {
    let server = server();
    let address = server.address();
    for (url, place) in [
        ("redis://alice:hunter2@127.0.0.1:1", "127.0.0.1:1 cannot be used".to_owned()),
        ("redis://alice:hunter2@no.such.host.invalid", "no.such.host.invalid:6379".to_owned()),
        ("redis+unix:///no/such/socket?pass=hunter2", "at /no/such/socket ".to_owned()),
        (&format!("redis://alice:hunter2@{address}"), format!("at {address} ")),
        (&format!("redis://{address}/3"), format!("on the Redis server at {address} (database 3)")),
    ] {
        let settings = RedisSettings::default().migrate(false);
        let error = RedisStore::connect_with(url, settings).await.unwrap_err();
        assert!(error.to_string().contains(&place), "{url}: {error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listener_waits_if_the_clock_is_lost() {
    let server = server();
    let store = open(server.url()).await;
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    run(&server, &["DEL", "{hallpass}c"]);
    let seen = LogPosition { seq: ChangeSeq::new(1), nonce: 0 };
    // The first call returns at once, because the listener connects.
    store.wait_for_change(seen).await;
    let before = calls(&server, "xread");
    let wait = Duration::from_millis(500);
    tokio::time::timeout(wait, store.wait_for_change(seen)).await.unwrap_err();
    let more = calls(&server, "xread") - before;
    assert!(more <= 2, "{more} reads of the log");
}
