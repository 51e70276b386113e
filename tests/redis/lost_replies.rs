//! Tests of changes whose reply is lost: the store looks the outcome up, or reports it as unknown.

use std::time::{Duration, Instant};

use hallpass_core::store::{BulkResult, TokenStore as _};
use hallpass_servers::{Connection, Flow, Proxy, Way};
use hallpass_tests::tokens::{self, at, digest, edited, owner, secrets, token};

use super::*;

/// The documented limit of two seconds, plus some time for a busy machine.
const BOUND: Duration = Duration::from_millis(2_900);

/// Opens a store that connects through a proxy.
async fn through_proxy(server: &Redis) -> (Proxy, RedisStore) {
    let network = Proxy::to(server.address()).expect("a network");
    let store = open_at(&network.url(server.url())).await;
    (network, store)
}

/// Loads the scripts of all changes into the server, by calls of another store.
async fn load_the_scripts(server: &Redis) {
    let settings = RedisSettings::default().namespace("other");
    let store = RedisStore::connect_with(server.url(), settings).await.expect("a store");
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.expect("cannot insert a token");
    let change = edited(&token.record, |record| record.name = "renamed".into());
    store.update(&change, &event()).await.expect("done");
    store.replace_digest(token.record.id, &digest(1), &secrets(1), &event()).await.expect("done");
    store.log_owner_change(&owner("alice"), &event()).await.expect("done");
    store.revoke_owner(&owner("alice"), None, at(1), &event()).await.expect("done");
    store.delete(token.record.id, None, &event()).await.expect("done");
    store.delete_many(None, &[token.record.id], &event()).await.expect("done");
    store.delete_owner(&owner("alice"), &event()).await.expect("done");
}

/// Returns the keys of the changes that were given up. Those that were made have a value.
fn fences(server: &Redis) -> Vec<String> {
    let keys = run(server, &["KEYS", "{hallpass}f*"]);
    let is_fence = |key: &&str| run(server, &["STRLEN", key]) == "0";
    keys.lines().filter(is_fence).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn change_whose_reply_is_lost_is_found() {
    let server = server();
    load_the_scripts(&server).await;
    let (network, store) = through_proxy(&server).await;
    // The server receives the next command, and its reply is lost.
    let lose_the_reply = || network.reset_after(Way::ToClient, 0);
    let mut seq = 0;
    let mut next = || {
        seq += 1;
        seq
    };
    let token = token("alice", "ci");
    lose_the_reply();
    assert_eq!(store.insert(&token, Some(1), &event()).await.unwrap().get(), next());
    let renamed = edited(&token.record, |record| record.name = "renamed".into());
    lose_the_reply();
    assert_eq!(store.update(&renamed, &event()).await.unwrap().get(), next());
    lose_the_reply();
    let rekeyed = store.replace_digest(token.record.id, &digest(1), &secrets(2), &event()).await;
    assert_eq!(rekeyed.unwrap().get(), next());
    lose_the_reply();
    assert_eq!(store.log_owner_change(&owner("alice"), &event()).await.unwrap().get(), next());
    lose_the_reply();
    let revoked = store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap();
    assert_eq!((revoked.count, revoked.seq.unwrap().get()), (1, next()));
    lose_the_reply();
    assert_eq!(store.delete(token.record.id, None, &event()).await.unwrap().get(), next());

    let mut ids = Vec::new();
    for name in ["alice", "bob", "bob"] {
        let token = tokens::token(name, "ci");
        assert_eq!(store.insert(&token, None, &event()).await.unwrap().get(), next());
        ids.push(token.record.id);
    }
    let unknown = tokens::token("bob", "ci").record.id;
    lose_the_reply();
    let gone = store.delete_many(None, &[ids[0], unknown, ids[1]], &event()).await.unwrap();
    assert_eq!(gone.tokens, [(ids[0], owner("alice")), (ids[1], owner("bob"))]);
    next();
    assert_eq!(gone.seq.unwrap().get(), next());
    lose_the_reply();
    let gone = store.delete_owner(&owner("bob"), &event()).await.unwrap();
    assert_eq!((gone.count, gone.seq.unwrap().get()), (1, next()));
    assert_eq!(head(&store).await, next() - 1, "each change must be made exactly once");
    assert!(fences(&server).is_empty());
    // A change that the server rejected, or that affected nothing, is not in the log. It was not
    // made and never will be.
    lose_the_reply();
    assert!(store.insert(&token, Some(0), &event()).await.unwrap_err().is_unavailable());
    lose_the_reply();
    let nothing = store.delete_owner(&owner("bob"), &event()).await;
    assert!(nothing.is_err_and(|error| error.is_unavailable() && !error.is_outcome_unknown()));
    assert_eq!(store.delete_owner(&owner("bob"), &event()).await.unwrap(), BulkResult::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_reply_is_found_although_the_clock_jumps() {
    let server = Redis::start_with_clock(&[]).expect("a server");
    load_the_scripts(&server).await;
    let (network, store) = through_proxy(&server).await;
    let elsewhere = open(&server).await;
    for (number, ahead) in [3_600, -3_600, 300, -300].into_iter().enumerate() {
        let before = head(&elsewhere).await;
        let answers = network.connections();
        answers.iter().for_each(|connection| connection.set(Way::ToClient, Flow::Swallow));
        let token = token("alice", &format!("ci {number}"));
        let meanwhile = async {
            while head(&elsewhere).await == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            elsewhere.log_owner_change(&owner("bob"), &event()).await.expect("done");
            server.set_clock(ahead).expect("cannot set the server's clock");
        };
        let event = event();
        let (done, ()) = futures::join!(store.insert(&token, None, &event), meanwhile);
        assert_eq!(done.expect("the outcome was not found").get(), before + 1, "{ahead}");
    }
    assert!(fences(&server).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn change_that_never_arrived_is_not_made() {
    let server = server();
    let (network, store) = through_proxy(&server).await;
    let one = token("alice", "ci");
    store.insert(&one, None, &event()).await.unwrap();
    network.reset_after(Way::ToServer, 0);
    let lost = store.delete(one.record.id, None, &event()).await.unwrap_err();
    assert!(lost.is_unavailable() && !lost.is_outcome_unknown(), "{lost:?}");
    assert_eq!(head(&store).await, 1);
    assert!(store.get(one.record.id).await.unwrap().value.is_some());
    let [fence] = &fences(&server)[..] else { panic!("there must be one fence") };
    assert!(
        run(&server, &["TTL", fence]).parse::<i64>().unwrap() > 0,
        "the fence must have an expiry"
    );
    store
        .delete(one.record.id, None, &event())
        .await
        .expect("a retry is a new change and must succeed");
}

#[tokio::test(flavor = "multi_thread")]
async fn change_that_was_given_up_does_nothing_later() {
    let server = server();
    // If the scripts were not loaded, the late command would fail anyway.
    load_the_scripts(&server).await;
    let (network, store) = through_proxy(&server).await;
    let one = token("alice", "ci");
    store.insert(&one, None, &event()).await.unwrap();
    // Existing connections delay the data that is sent. New ones do not.
    let held: Vec<Connection> = network.connections();
    held.iter().for_each(|connection| connection.set(Way::ToServer, Flow::Hold));
    let started = Instant::now();
    let lost = store.delete(one.record.id, None, &event()).await.unwrap_err();
    assert!(lost.is_unavailable() && !lost.is_outcome_unknown(), "{lost:?}");
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    let calls = || {
        let stats = run(&server, &["INFO", "commandstats"]);
        let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
        line.and_then(|line| line.split(',').next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    let before = calls();
    held.iter().for_each(|connection| connection.set(Way::ToServer, Flow::Pass));
    for _ in 0..400 {
        if calls() > before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(calls() > before, "the late command has not arrived");
    assert_eq!(head(&store).await, 1, "the late command has made the change");
    assert!(store.get(one.record.id).await.unwrap().value.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn outcome_is_unknown_if_the_server_stays_silent() {
    let server = server();
    let store = open(&server).await;
    let one = token("alice", "ci");
    store.insert(&one, None, &event()).await.unwrap();
    store.get(one.record.id).await.unwrap();
    server.pause().unwrap();
    let started = Instant::now();
    let revoke = edited(&one.record, |record| record.revoked_at = Some(at(1)));
    let event = event();
    let (changed, found) = futures::join!(store.update(&revoke, &event), store.get(one.record.id));
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    server.resume().unwrap();
    assert!(found.is_err_and(|error| error.is_unavailable()));
    let error = changed.unwrap_err();
    assert!(error.is_outcome_unknown(), "{error:?}");
    // The change was made, or it never will be, because the lookup of its outcome has also reached
    // the server.
    let found = store.get(one.record.id).await.unwrap();
    assert_eq!(found.value.unwrap().record.revoked_at.is_some(), found.as_of.get() == 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_on_a_closed_connection() {
    let server = server();
    let store = open(&server).await;
    let one = token("alice", "ci");
    store.insert(&one, None, &event()).await.unwrap();
    server.kill().unwrap();
    // The store detects that the connection was closed even while no call runs.
    let mut last = None;
    for _ in 0..100 {
        let error = store.delete(one.record.id, None, &event()).await.unwrap_err();
        assert!(error.is_unavailable(), "{error:?}");
        let is_known = !error.is_outcome_unknown();
        last = Some(error);
        if is_known {
            break;
        }
    }
    assert!(!last.unwrap().is_outcome_unknown());
    server.start_again().unwrap();
    store
        .delete(one.record.id, None, &event())
        .await
        .expect("the store must open a new connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn lookup_is_repeated_if_the_connection_is_lost() {
    let server = server();
    let (network, store) = through_proxy(&server).await;
    let one = token("alice", "ci");
    store.insert(&one, None, &event()).await.unwrap();
    for way in [Way::ToServer, Way::ToClient] {
        store.get(one.record.id).await.unwrap();
        store.list(&everything()).await.unwrap();
        network.reset_after(way, 0);
        assert!(store.get(one.record.id).await.unwrap().value.is_some());
        network.reset_after(way, 0);
        assert_eq!(store.list(&everything()).await.unwrap().counts.of(None), 1);
    }
    network.reject();
    network.cut();
    assert!(store.get(one.record.id).await.unwrap_err().is_unavailable());
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_network_is_noticed_in_time() {
    let server = server();
    let (network, store) = through_proxy(&server).await;
    let one = token("alice", "ci");
    store.insert(&one, None, &event()).await.unwrap();
    store.list(&everything()).await.unwrap();
    network.swallow();
    let started = Instant::now();
    let all = everything();
    let lost = event();
    let (found, changed, listed) = futures::join!(
        store.get(one.record.id),
        store.delete(one.record.id, None, &lost),
        store.list(&all),
    );
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    assert!(found.is_err_and(|error| error.is_unavailable()));
    assert!(changed.is_err_and(|error| error.is_outcome_unknown()));
    assert!(listed.is_err_and(|error| error.is_unavailable()));
    network.heal();
    // The old connections stay dead without an error.
    assert!(store.get(one.record.id).await.unwrap().value.is_some());
    assert_eq!(store.list(&everything()).await.unwrap().counts.of(None), 1);
    store.delete(one.record.id, None, &event()).await.expect("the store must recover");
}
