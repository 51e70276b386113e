//! Tests of servers that fail: the error that a call returns, and the recovery afterwards.

use std::time::Duration;

use hallpass_core::store::TokenStore as _;
use hallpass_postgres::PostgresStore;
use hallpass_servers::Postgres;
use hallpass_tests::tokens::{at, event, owner, token};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::time::Instant;

use super::{ask, database, open, run};

#[tokio::test]
async fn read_only_database_rejects_changes_and_checks_tokens() {
    let url = database();
    open(&url).await.close().await;
    let name = url.rsplit('/').next().unwrap();
    ask(&url, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let store = open(&url).await;
    let token = token("alice", "ci");
    for rejected in [
        store.insert(&token, Some(1), &event()).await.unwrap_err(),
        store.log_owner_change(&owner("alice"), &event()).await.unwrap_err(),
        store.delete_owner(&owner("alice"), &event()).await.unwrap_err(),
        store.prune(at(1), 1, &event()).await.unwrap_err(),
    ] {
        assert!(rejected.is_read_only() && rejected.is_unavailable(), "{rejected:?}");
    }
    assert!(store.get(token.record.id).await.unwrap().value.is_none());
    store.changes(None, 0).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn call_without_a_free_connection_is_unavailable_in_time() {
    let url = database();
    ask(&url, "CREATE ROLE crowded LOGIN SUPERUSER");
    let url = url.replace("//postgres@", "//crowded@");
    let store = open(&url).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    store.close().await;
    // The connection limit does not apply to superusers.
    ask(
        &url.replace("//crowded@", "//postgres@"),
        "ALTER ROLE crowded NOSUPERUSER CONNECTION LIMIT 1; \
         GRANT USAGE ON SCHEMA hallpass TO crowded; GRANT ALL ON ALL TABLES IN SCHEMA hallpass TO crowded",
    );
    let store = open(&url).await;
    // This session takes the only connection and keeps it. The one that opened the store may still
    // be closing.
    let options: PgConnectOptions = url.parse().unwrap();
    let opened = Instant::now();
    let mut other = loop {
        match options.connect().await {
            Ok(connection) => break connection,
            Err(error) => assert!(opened.elapsed() < Duration::from_secs(5), "{error}"),
        }
    };
    let started = Instant::now();
    for rejected in [
        store.get(token.record.id).await.map(drop).unwrap_err(),
        store.delete(token.record.id, None, &event()).await.map(drop).unwrap_err(),
        store.changes(None, 0).await.map(drop).unwrap_err(),
    ] {
        assert!(rejected.is_unavailable() && !rejected.is_not_found(), "{rejected:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    run(&mut other, "SELECT 1").await;
    drop(other);
    let there = async || store.get(token.record.id).await.is_ok_and(|found| found.value.is_some());
    while !there().await {
        assert!(started.elapsed() < Duration::from_secs(10), "the calls did not fail in time");
    }
}

#[tokio::test]
async fn exhausted_pool_of_the_host_delays_a_call_only_briefly() {
    let url = database();
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let store = PostgresStore::from_pool(&pool).await.unwrap();
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let hosts = pool.acquire().await.unwrap();
    let started = Instant::now();
    assert!(store.get(token.record.id).await.unwrap_err().is_unavailable());
    assert!(store.delete(token.record.id, None, &event()).await.unwrap_err().is_unavailable());
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    // The change log is read on another connection.
    assert_eq!(store.changes(None, 0).await.unwrap().head.seq.get(), 1);
    drop(hosts);
    assert!(store.get(token.record.id).await.unwrap().value.is_some());
    // The pool belongs to the host, so closing the store leaves it open.
    store.close().await;
    assert!(!pool.is_closed());
    pool.acquire().await.unwrap();
}

#[tokio::test]
async fn dead_connections_are_replaced_unnoticed() {
    let server = Postgres::start().expect("a server");
    let store = open(server.url()).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    // Use all connections of the pool.
    let looks = (0..20).map(|_| {
        let (store, id) = (store.clone(), token.record.id);
        tokio::spawn(async move { store.get(id).await })
    });
    for look in looks.collect::<Vec<_>>() {
        look.await.unwrap().unwrap();
    }
    store.changes(None, 0).await.unwrap();
    for _ in 0..2 {
        server.stop().unwrap();
        let rejected = store.get(token.record.id).await.unwrap_err();
        assert!(rejected.is_unavailable(), "{rejected:?}");
        let rejected = store.delete(token.record.id, None, &event()).await.unwrap_err();
        assert!(rejected.is_unavailable() && !rejected.is_outcome_unknown(), "{rejected:?}");
        server.start_again().unwrap();
        assert!(store.get(token.record.id).await.unwrap().value.is_some());
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
        store.changes(None, 0).await.unwrap();
    }
    server
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        .unwrap();
    store.log_owner_change(&owner("alice"), &event()).await.unwrap();
}

#[tokio::test]
async fn invalid_row_is_corrupt_and_never_a_token() {
    let url = database();
    let store = open(&url).await;
    for damage in [
        "UPDATE hallpass.tokens SET digest = 'short'",
        "UPDATE hallpass.tokens SET algorithm = 'md5'",
        "UPDATE hallpass.tokens SET revision = -1",
        "UPDATE hallpass.tokens SET owner = ''",
        "UPDATE hallpass.tokens SET scopes = '{a::b}'",
        "UPDATE hallpass.tokens SET expires_at = 'infinity'",
        "ALTER TABLE hallpass.tokens ALTER digest DROP NOT NULL; UPDATE hallpass.tokens SET digest = NULL",
        "ALTER TABLE hallpass.tokens ALTER revision DROP NOT NULL; UPDATE hallpass.tokens SET revision = NULL",
    ] {
        let token = token("alice", "ci");
        store.insert(&token, None, &event()).await.unwrap();
        ask(&url, damage);
        let rejected = store.get(token.record.id).await.unwrap_err();
        assert!(rejected.is_corrupt(), "{damage}: {rejected:?}");
        ask(&url, "TRUNCATE hallpass.tokens");
    }
    Postgres::shared().run("SELECT 1").unwrap();
}

#[tokio::test]
async fn dropped_tables_are_an_outage() {
    let url = database();
    let store = open(&url).await;
    ask(&url, "DROP SCHEMA hallpass CASCADE");
    let id = token("alice", "ci").record.id;
    for rejected in [
        store.get(id).await.map(drop).unwrap_err(),
        store.delete(id, None, &event()).await.map(drop).unwrap_err(),
        store.changes(None, 0).await.map(drop).unwrap_err(),
    ] {
        assert!(rejected.is_unavailable() && !rejected.is_not_found(), "{rejected:?}");
    }
}
