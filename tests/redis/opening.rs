//! Tests of opening a store: addresses, servers and namespaces that are rejected.

use std::error::Error as StdError;

use hallpass_core::store::TokenStore as _;
use hallpass_redis::ConnectError;
use hallpass_tests::tokens::token;

use super::*;

/// Returns the texts of an error and of all its sources.
fn said(error: &ConnectError) -> String {
    let mut said = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        said += &format!(" {error} {error:?}");
        source = error.source();
    }
    said
}

#[tokio::test]
async fn invalid_address_is_rejected() {
    for address in
        ["", "redis", "localhost:6379", "http://localhost", "redis://:70000/", "sqlite:x"]
    {
        let rejected = RedisStore::connect(address).await;
        assert!(matches!(rejected, Err(ConnectError::Address)), "{address}: {rejected:?}");
    }
}

#[tokio::test]
async fn no_error_contains_a_password() {
    let server = server();
    let taken = server.address();
    let addresses = [
        "redis://alice:hunter2@127.0.0.1:1/".to_owned(),
        "redis://alice:hunter2@127.0.0.1:port/".to_owned(),
        "redis://alice:hunter2@no.such.host.invalid/".to_owned(),
        "rediss://alice:hunter2@127.0.0.1/".to_owned(),
        format!("redis://alice:hunter2@{taken}/"),
    ];
    for address in addresses {
        let rejected = RedisStore::connect(&address).await.unwrap_err();
        assert!(!said(&rejected).contains("hunter2"), "{rejected}");
    }
    run(&server, &["ACL", "SETUSER", "alice", "on", ">hunter2", "~*", "+@all"]);
    let store = open_at(&format!("redis://alice:hunter2@{taken}/")).await;
    assert!(!format!("{store:?}").contains("hunter2"), "{store:?}");
    store
        .insert(&token("alice", "ci"), None, &event())
        .await
        .expect("the store must work with the password");
    // A later error names the server as well.
    drop(server);
    let error = store.get(TokenId::NIL).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    let cause = error.source().expect("a cause").to_string();
    assert!(cause.starts_with(&format!("the Redis server at {taken}: ")), "{cause}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn invalid_namespace_is_rejected() {
    for namespace in ["", "a b", "{a}", "a}", "größe", &"x".repeat(33)] {
        let settings = RedisSettings::default().namespace(namespace);
        let rejected = RedisStore::connect_with("redis://127.0.0.1:1/", settings).await;
        assert!(matches!(rejected, Err(ConnectError::Namespace)), "{namespace}: {rejected:?}");
    }
}

#[tokio::test]
async fn server_that_evicts_is_rejected() {
    let server = server();
    run(&server, &["CONFIG", "SET", "maxmemory", "100mb"]);
    for policy in ["allkeys-lru", "allkeys-random", "volatile-ttl"] {
        run(&server, &["CONFIG", "SET", "maxmemory-policy", policy]);
        let rejected = RedisStore::connect(server.url()).await.unwrap_err();
        assert!(matches!(&rejected, ConnectError::Evicts { policy: found, .. } if found == policy));
        assert!(
            rejected.to_string().contains("noeviction"),
            "the error must explain what to do: {rejected}"
        );
    }
    assert_eq!(run(&server, &["DBSIZE"]), "0", "the store has written something");
    run(&server, &["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    open(&server).await;
    // Without a memory limit nothing is evicted, whatever the policy.
    run(&server, &["CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "allkeys-lru"]);
    open(&server).await;
}

#[tokio::test]
async fn server_without_persistence_is_used_with_a_warning() {
    let server = Redis::start_with(&["--appendonly", "no"]).expect("a server");
    open(&server).await;
    let settings = RedisSettings::default().accept_no_persistence();
    RedisStore::connect_with(server.url(), settings).await.expect("the store opens");
}

#[tokio::test]
async fn foreign_namespace_is_rejected_and_unchanged() {
    let foreign: [&[&[&str]]; 4] = [
        &[&["SET", "{hallpass}m", "mine"]],
        &[&["HSET", "{hallpass}m", "name", "mine"]],
        &[&["HSET", "{hallpass}m", "version", "one"]],
        &[&["SADD", "{hallpass}m", "mine"]],
    ];
    for commands in foreign {
        let server = server();
        for command in commands {
            run(&server, command);
        }
        let rejected = RedisStore::connect(server.url()).await;
        assert!(
            matches!(rejected, Err(ConnectError::Foreign { .. })),
            "{commands:?}: {rejected:?}"
        );
        assert_eq!(run(&server, &["DBSIZE"]), "1");
        let settings = RedisSettings::default().namespace("other");
        RedisStore::connect_with(server.url(), settings)
            .await
            .expect("another namespace must be usable");
    }
}

#[tokio::test]
async fn missing_store_is_rejected_if_it_must_not_be_created() {
    let server = server();
    let settings = || RedisSettings::default().migrate(false);
    let rejected = RedisStore::connect_with(server.url(), settings()).await.unwrap_err();
    assert!(matches!(rejected, ConnectError::Missing { .. }), "{rejected:?}");
    assert_eq!(run(&server, &["DBSIZE"]), "0", "nothing was written");
    open(&server).await;
    RedisStore::connect_with(server.url(), settings()).await.expect("it exists now");
}

#[tokio::test]
async fn newer_format_is_rejected() {
    let server = server();
    let store = open(&server).await;
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    run(&server, &["HSET", "{hallpass}m", "version", "2"]);
    let rejected = RedisStore::connect(server.url()).await.unwrap_err();
    assert!(matches!(rejected, ConnectError::Newer { found: 2, known: 1, .. }), "{rejected:?}");
    run(&server, &["HSET", "{hallpass}m", "version", "1"]);
    open(&server).await;
}

#[tokio::test]
async fn incomplete_namespace_is_rejected() {
    for gone in ["{hallpass}c", "{hallpass}m"] {
        let server = server();
        open(&server).await.insert(&token("alice", "ci"), None, &event()).await.unwrap();
        run(&server, &["DEL", gone]);
        let rejected = RedisStore::connect(server.url()).await;
        assert!(matches!(rejected, Err(ConnectError::Damaged { .. })), "{gone}: {rejected:?}");
    }
}

#[tokio::test]
async fn connection_of_the_host_works() {
    let server = server();
    let client = redis::Client::open(server.url()).unwrap();
    let manager = client.get_connection_manager().await.unwrap();
    let store = RedisStore::from_manager(manager.clone()).await.unwrap();
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    // The store waits for changes on another connection than the host's.
    let seen = store.changes(None, 0).await.unwrap().head;
    let other = RedisStore::from_client(&client).await.unwrap();
    let event = event();
    let deleting = other.delete(token.record.id, None, &event);
    let (_, deleted) = futures::join!(store.wait_for_change(seen), deleting);
    deleted.unwrap();
    store.close();
    assert!(store.ping().await.unwrap_err().is_unavailable());
    redis::cmd("PING")
        .exec_async(&mut manager.clone())
        .await
        .expect("the host's connection must stay open");
}
