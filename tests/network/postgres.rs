//! Tests of faults that only PostgreSQL has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_core::{Actor, NewToken};
use hallpass_postgres::{PostgresSettings, PostgresStore};
use hallpass_testkit::{FaultyStore, Operation};
use hallpass_tests::nodes::{
    self, NEVER, accepts, alice, check, is_rejected, is_unavailable, issue, node, until,
};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnection, PgListener, PgPool, PgPoolOptions};
use tokio::time::{sleep, timeout};

use crate::backend::{Backend as _, Postgres};
use crate::node::{BOUND, Node, beyond_the_bound, settings, truth};

async fn execute(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

/// The host has taken all connections of the pool that it shares with the store.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exhausted_pool_of_the_host_is_503_and_the_bound_holds() {
    let server = Postgres::shared();
    let pool: PgPool = PgPoolOptions::new().max_connections(2).connect(server.url()).await.unwrap();
    let store = PostgresStore::from_pool(&pool).await.unwrap();
    let hallpass = node(&FaultyStore::new(store), settings());
    let elsewhere = Node::on(&server, settings()).await;
    let [warm, cold, revoked] =
        [issue(&hallpass).await, issue(&hallpass).await, issue(&hallpass).await];
    for token in [&warm, &revoked] {
        assert!(accepts(&hallpass, token).await);
    }
    let held = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
    let asked = Instant::now();
    assert!(is_unavailable(&check(&hallpass, &cold).await));
    let error = hallpass.revoke(&alice(), warm.record.id).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    // The task that follows the change log has its own connection.
    for _ in 0..2 {
        beyond_the_bound().await;
        assert!(accepts(&hallpass, &warm).await, "the lease was not renewed");
    }
    elsewhere.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    until("the node rejects the token", async || !accepts(&hallpass, &revoked).await).await;
    drop(held);
    until("the node accepts the token again", async || accepts(&hallpass, &cold).await).await;
    assert!(is_rejected(&check(&hallpass, &revoked).await));
}

/// Checks that a node responds with 503 to everything that is not cached while the server accepts
/// no connections, and recovers afterwards.
async fn accepts_no_token(
    server: &Postgres,
    url: &str,
    begins: impl AsyncFnOnce(),
    ends: impl AsyncFnOnce(),
) {
    let node = Node::at(server, url, settings()).await;
    let patient = Node::at(server, url, settings().max_staleness(NEVER)).await;
    let [warm, cold, revoked] = [node.issue().await, node.issue().await, node.issue().await];
    node.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    for node in [&node, &patient] {
        node.recovers(&warm, 200).await;
    }
    begins().await;
    assert_eq!(patient.get(&warm).await, 200);
    assert_eq!(patient.get(&cold).await, 503);
    beyond_the_bound().await;
    for token in [&warm, &cold, &revoked] {
        assert_eq!(node.get(token).await, 503);
    }
    let error = node.hallpass.revoke(&alice(), warm.record.id).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    ends().await;
    node.recovers(&warm, 200).await;
    node.recovers(&cold, 200).await;
    node.recovers(&revoked, 401).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn starting_server_is_503() {
    let server = Postgres::alone();
    let folder = server.run("show data_directory");
    let (tell, told) = std::sync::mpsc::channel();
    let starting = Arc::clone(&server.server);
    let begins = async || {
        // The server replays its log, and waits at the first file as if for an archive.
        server.run("copy (select) to program 'touch recovery.signal hold'");
        server.run("alter system set hot_standby = off");
        server.run(
            "alter system set restore_command = 'while [ -e hold ]; do sleep 0.05; done; false'",
        );
        server.kill();
        std::thread::spawn(move || tell.send(starting.start_again()).unwrap());
        until("the server reports that it is starting", async || {
            let said = server.server.run("select 1");
            said.is_err_and(|error| error.to_string().contains("the database system is"))
        })
        .await;
    };
    let ends = async || {
        std::fs::remove_file(format!("{folder}/hold")).unwrap();
        told.recv().unwrap().unwrap();
    };
    accepts_no_token(&server, server.url(), begins, ends).await;
}

const END_ALL: &str = "select pg_terminate_backend(pid, 5000) from pg_stat_activity \
                       where pid <> pg_backend_pid() and backend_type = 'client backend'";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn server_without_free_connections_is_503() {
    let server = Postgres::alone_with(&["max_connections=40", "superuser_reserved_connections=3"]);
    server.run("create role app login; grant create on database postgres to app");
    let url = server.url().replace("postgres@", "app@");
    let mut others = Vec::new();
    // The administrator stays connected, because a disconnect would free a slot.
    let mut administrator = server.connection().await;
    let begins = async || {
        until("all connections are taken", async || {
            let before = others.len();
            while let Ok(other) = PgConnection::connect(&url).await {
                others.push(other);
            }
            // The store's connections are terminated and must not find a free slot when they
            // reconnect.
            let ended = sqlx::raw_sql(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'hallpass'",
            );
            let ended = ended.fetch_all(&mut administrator).await.unwrap();
            ended.is_empty() && others.len() == before
        })
        .await;
    };
    let ends = async || drop(server.run(END_ALL));
    accepts_no_token(&server, &url, begins, ends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn role_that_may_no_longer_log_in_is_503() {
    let server = Postgres::alone();
    server.run("create role app login; grant create on database postgres to app");
    let url = server.url().replace("postgres@", "app@");
    let begins = async || {
        server.run("alter role app nologin");
        server.run(END_ALL);
    };
    let ends = async || drop(server.run("alter role app login"));
    accepts_no_token(&server, &url, begins, ends).await;
}

/// Two transactions wait for each other, and the server aborts the store's.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn change_that_ended_as_a_deadlock_is_repeated() {
    let server = Postgres::alone_with(&["deadlock_timeout=100ms"]);
    let truth = truth(&server).await;
    let id = issue(&truth).await.record.id;
    let mut other = server.connection().await;
    // The long `deadlock_timeout` ensures that the server does not abort this transaction.
    execute(
        &mut other,
        "set deadlock_timeout = '60s'; begin; select * from hallpass.clock for update",
    )
    .await;
    let revoking = tokio::spawn({
        let truth = truth.clone();
        async move { truth.revoke(&alice(), id).await }
    });
    until("the revocation waits for the lock on the clock row", async || {
        server.run("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") != "0"
    })
    .await;
    // Now this transaction waits for the token's row, which the other one has locked.
    let lock = format!("select * from hallpass.tokens where id = '{id}' for update; commit");
    execute(&mut other, &lock).await;
    let done = revoking.await.unwrap();
    assert!(done.is_ok(), "{done:?}");
    assert!(server.server.log().unwrap().contains("deadlock detected"));
    assert!(truth.get(&alice(), id).await.unwrap().revoked_at.is_some());
}

/// Another session locks the clock row, which every change needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn held_clock_makes_changes_503_but_not_checks() {
    let server = Postgres::shared();
    let node = Node::on(&server, settings()).await;
    let (token, cold) = (node.issue().await, node.issue().await);
    let mut other = server.connection().await;
    execute(&mut other, "begin; select * from hallpass.clock for update").await;
    let asked = Instant::now();
    let error = node.hallpass.revoke(&alice(), token.record.id).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    beyond_the_bound().await;
    for token in [&token, &cold] {
        assert_eq!(node.get(token).await, 200);
    }
    execute(&mut other, "rollback").await;
    node.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    assert_eq!(node.get(&token).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn polling_finds_changes_without_notifications() {
    let server = Postgres::shared();
    let elsewhere = Node::on(&server, settings()).await;
    let open = async |settings: hallpass_cache::CacheSettings| {
        let store =
            PostgresStore::connect_with(server.url(), PostgresSettings::default().disable_listen())
                .await
                .unwrap();
        node(&FaultyStore::new(store), settings)
    };
    let polls = open(settings().max_staleness(NEVER)).await;
    let neither = open(settings().max_staleness(NEVER).poll(NEVER)).await;
    let token = elsewhere.issue().await;
    for hallpass in [&polls, &neither] {
        assert!(accepts(hallpass, &token).await);
    }
    assert_eq!(elsewhere.get(&token).await, 200);
    elsewhere.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    until("the polling node rejects the token", async || !accepts(&polls, &token).await).await;
    sleep(BOUND).await;
    assert!(
        accepts(&neither, &token).await,
        "a node that neither polls nor listens accepts the token"
    );
    assert_eq!(elsewhere.listens(&server).await.len(), 1, "only the other node listens");
}

/// The missing permission for `pg_notify` has the same effect as a full notification queue: no node
/// can be notified.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn change_is_made_even_if_the_notification_fails() {
    let server = Postgres::alone();
    server.run(
        "create role app login; grant create on database postgres to app; \
         revoke execute on function pg_notify(text, text) from public",
    );
    let url = server.url().replace("postgres@", "app@");
    let node = Node::at(&server, &url, settings().max_staleness(NEVER)).await;
    let other = Node::at(&server, &url, settings().max_staleness(NEVER)).await;
    let token = node.issue().await;
    assert_eq!(other.get(&token).await, 200);
    node.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    assert_eq!(node.get(&token).await, 401);
    until("the other node rejects the token after a poll", async || other.get(&token).await == 401)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn notification_is_a_number_however_long_the_owner_is() {
    let server = Postgres::shared();
    let truth = truth(&server).await;
    let mut listener = PgListener::connect(server.url()).await.unwrap();
    listener.listen("hallpass").await.unwrap();
    let somebody = "o".repeat(hallpass_core::Owner::MAX_LEN);
    let caller = Actor::owner(somebody.as_str());
    let token = truth.issue(&caller, NewToken::named("n".repeat(100))).await.unwrap();
    truth.revoke(&caller, token.record.id).await.unwrap();
    truth.delete_all(&caller).await.unwrap();
    let mut last = 0;
    while last < 3 {
        let told = timeout(nodes::PATIENCE, listener.recv())
            .await
            .expect("no notification arrived")
            .unwrap();
        let number: u64 = told.payload().parse().expect("the payload is not a number");
        assert!(number > last, "{number} after {last}");
        last = number;
    }
}

/// Transactions that notify commit one after the other. Checks do not wait for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn constant_notifications_of_the_host_block_nothing() {
    let server = Postgres::shared();
    let node = Node::on(&server, settings()).await;
    let other = Node::on(&server, settings()).await;
    let warm = node.issue().await;
    let mut noise = Vec::new();
    for _ in 0..4 {
        let mut connection = server.connection().await;
        noise.push(tokio::spawn(async move {
            loop {
                execute(&mut connection, "select pg_notify('host', 'a word')").await;
            }
        }));
    }
    let began = Instant::now();
    while began.elapsed() < BOUND * 2 {
        let token = node.issue().await;
        assert_eq!(other.get(&token).await, 200);
        assert_eq!(other.get(&warm).await, 200);
        node.hallpass.revoke(&alice(), token.record.id).await.unwrap();
        until("the other node rejects the token", async || other.get(&token).await == 401).await;
    }
    noise.iter().for_each(tokio::task::JoinHandle::abort);
}

/// The host has a transaction that stays open for hours. A log reader that stops at the oldest open
/// transaction, in order to miss no number, would see no changes during that time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn long_transaction_of_another_client_hides_no_change() {
    let server = Postgres::shared();
    let elsewhere = Node::on(&server, settings()).await;
    let node = Node::on(&server, settings().max_staleness(NEVER)).await;
    // Notifications are lost, so the node finds the change only by polling.
    node.faults.on(Operation::WaitForChange).lose_answer();
    let token = elsewhere.issue().await;
    assert_eq!(node.get(&token).await, 200);
    let mut long = server.connection().await;
    execute(&mut long, "begin isolation level repeatable read; select pg_current_xact_id()").await;
    elsewhere.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    let up_to_the_oldest = "select count(*) from hallpass.changes where seq > 1 and \
                            xmin::text::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
    assert_eq!(
        server.run(up_to_the_oldest),
        "0",
        "a reader that stops at the oldest open transaction sees no changes"
    );
    until("the node rejects the token", async || node.get(&token).await == 401).await;
    drop(long);
}
