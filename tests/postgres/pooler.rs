//! Tests of the store without LISTEN, behind a pooler that uses another connection for each
//! transaction.

use std::time::Duration;

use hallpass_core::store::{ListQuery, StoreError, TokenStore as _, TokenUse};
use hallpass_postgres::{PostgresSettings, PostgresStore};
use hallpass_servers::{Package, PgBouncer, Postgres};
use hallpass_testkit::FaultyStore;
use hallpass_tests::nodes::{
    alice, check, is_rejected, is_unavailable, issue, node, settings, until,
};
use hallpass_tests::tokens::{at, digest, edited, event, owner, secrets, token};
use tokio::time::{Instant, timeout};

use super::database;

/// Each transaction uses the connection that the previous one did not use.
const TRANSACTIONS: &[&str] = &["pool_mode=transaction", "default_pool_size=2", "min_pool_size=2"];

/// A startup parameter that the driver sends, unless LISTEN is disabled.
const LENIENT: &str = "ignore_startup_parameters=extra_float_digits";

/// Starts `PgBouncer` in front of the shared server.
fn pooler(settings: &[&str]) -> PgBouncer {
    Package::PGBOUNCER.ensure_installed().expect("a pooler");
    PgBouncer::start_with(Postgres::shared(), settings).expect("a pooler")
}

fn lenient() -> PgBouncer {
    pooler(&[TRANSACTIONS, &[LENIENT]].concat())
}

fn disable_listen() -> PostgresSettings {
    PostgresSettings::default().disable_listen()
}

/// Calls every operation.
async fn lead_a_life(store: &PostgresStore) {
    let token = token("alice", "it's \\ \"Ä\" %; -- $1");
    let id = token.record.id;
    store.insert(&token, Some(5), &event()).await.unwrap();
    let found = store.get(id).await.unwrap().value.expect("the token was not found");
    assert_eq!(found.record, token.record);
    assert!(found.secrets.current.ct_eq(&token.secrets.current));
    let usage = TokenUse { id, revision: token.record.revision, at: at(60) };
    assert_eq!(store.record_uses(&[usage]).await.unwrap(), 1);
    store.replace_digest(id, &digest(1), &secrets(2), &event()).await.unwrap();
    store
        .update(&edited(&token.record, |record| record.revoked_at = Some(at(1))), &event())
        .await
        .unwrap();
    assert!(
        store.delete(id, Some(token.record.revision), &event()).await.unwrap_err().is_conflict()
    );
    assert_eq!(store.list(&ListQuery::everything(at(0), 10)).await.unwrap().counts.of(None), 1);
    let head = store.changes(None, 0).await.unwrap().head;
    assert_eq!(store.changes(Some(head), 10).await.unwrap().entries.len(), 1);
    assert_eq!(store.prune(at(2), 10, &event()).await.unwrap(), 1);
    assert_eq!(store.delete_many(None, &[id], &event()).await.unwrap().tokens, []);
    assert_eq!(store.delete_owner(&owner("alice"), &event()).await.unwrap().count, 0);
    store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn pgbouncer_transaction_mode_requires_disable_listen() {
    let (url, strict) = (database(), pooler(TRANSACTIONS));
    // The migration also runs through the pooler.
    let store = PostgresStore::connect_with(&strict.url(&url), disable_listen()).await.unwrap();
    for _ in 0..3 {
        lead_a_life(&store).await;
    }
    store.close().await;

    let prepares = PostgresSettings::default().connections(1);
    PostgresStore::connect_with(&strict.url(&url), prepares.clone())
        .await
        .expect_err("PgBouncer must reject the startup parameter");
    let lenient = lenient();
    let through = lenient.url(&url);
    // The pooler has two connections to the server, and all stores give their statements the same
    // names. So at least one of three stores cannot prepare its own.
    let stores = [(); 3].map(|()| PostgresStore::connect_with(&through, prepares.clone()));
    let stores = futures::future::try_join_all(stores).await.unwrap();
    let id = token("alice", "ci").record.id;
    let mut rejected = Vec::new();
    for store in stores.iter().cycle().take(9) {
        rejected.extend(store.get(id).await.err());
    }
    assert!(!rejected.is_empty(), "each store has found its statement on every connection");
    assert!(rejected.iter().all(StoreError::is_unavailable), "{rejected:?}");
}

#[tokio::test]
async fn pgbouncer_transaction_mode_delivers_no_notifications() {
    let (url, pooler) = (database(), lenient());
    let direct = PostgresStore::connect(&url).await.unwrap();
    let ear = PostgresStore::connect(&pooler.url(&url)).await.unwrap();
    // A store that starts to listen polls once.
    let head = async || direct.changes(None, 0).await.unwrap().head;
    timeout(Duration::from_secs(10), ear.wait_for_change(head().await))
        .await
        .expect("the store did not start to listen");
    let seen = head().await;
    direct.log_owner_change(&owner("alice"), &event()).await.unwrap();
    assert!(timeout(Duration::from_millis(300), ear.wait_for_change(seen)).await.is_err());
    ear.close().await;
}

#[tokio::test]
async fn session_mode_needs_no_setting_and_delivers_notifications() {
    let (url, pooler) = (database(), pooler(&["pool_mode=session", LENIENT]));
    let direct = PostgresStore::connect(&url).await.unwrap();
    let store =
        PostgresStore::connect_with(&pooler.url(&url), PostgresSettings::default().connections(1))
            .await
            .unwrap();
    lead_a_life(&store).await;
    let head = async || direct.changes(None, 0).await.unwrap().head;
    let ear = PostgresStore::connect(&pooler.url(&url)).await.unwrap();
    timeout(Duration::from_secs(10), ear.wait_for_change(head().await))
        .await
        .expect("the store did not start to listen");
    let seen = head().await;
    direct.log_owner_change(&owner("alice"), &event()).await.unwrap();
    timeout(Duration::from_secs(10), ear.wait_for_change(seen))
        .await
        .expect("no notification arrived");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_behind_pgbouncer_keep_the_bound_across_its_restart() {
    const BOUND: Duration = Duration::from_millis(500);
    let (url, pooler) = (database(), pooler(TRANSACTIONS));
    let through = pooler.url(&url);
    let open = async || {
        FaultyStore::new(PostgresStore::connect_with(&through, disable_listen()).await.unwrap())
    };
    let short = settings().max_staleness(BOUND).load_deadline(BOUND);
    let (here, elsewhere) = (node(&open().await, short.clone()), node(&open().await, short));
    for _ in 0..2 {
        let (good, revoked) = (issue(&elsewhere).await, issue(&elsewhere).await);
        for token in [&good, &revoked] {
            until("the node accepts the token", async || check(&here, token).await.is_ok()).await;
        }
        elsewhere.revoke(&alice(), revoked.record.id).await.unwrap();
        let since = Instant::now();
        let mut last = Duration::ZERO;
        loop {
            let asked = since.elapsed();
            if check(&here, &revoked).await.is_err() {
                break;
            }
            last = asked;
        }
        assert!(last <= BOUND, "accepted {:?} after the bound", last - BOUND);
        until("the node rejects the token", async || is_rejected(&check(&here, &revoked).await))
            .await;

        pooler.stop().unwrap();
        let away = async || is_unavailable(&check(&here, &good).await);
        until("the cached token is too old", away).await;
        pooler.start_again().unwrap();
        until("the node has recovered", async || {
            let verdict = check(&here, &good).await;
            assert!(!is_rejected(&verdict), "{verdict:?}");
            verdict.is_ok()
        })
        .await;
        let taken_back = async || elsewhere.revoke(&alice(), good.record.id).await.is_ok();
        until("changes succeed again", taken_back).await;
        until("the node rejects the token", async || is_rejected(&check(&here, &good).await)).await;
    }
}

#[tokio::test]
async fn disable_listen_keeps_nothing_in_a_session() {
    let server = Postgres::start_with(&["log_statement=all"]).unwrap();
    let store = PostgresStore::connect_with(server.url(), disable_listen()).await.unwrap();
    let notified = store.wait_for_change(store.changes(None, 0).await.unwrap().head);
    assert!(timeout(Duration::from_millis(100), notified).await.is_err());
    lead_a_life(&store).await;
    store.close().await;

    let log = server.log().unwrap();
    assert!(log.lines().filter(|line| line.contains("hallpass.")).count() > 10, "{log}");
    // PostgreSQL would keep a named statement in the session.
    for kept in ["execute sqlx", "LISTEN", "PREPARE", "pg_advisory_lock(", "SET SESSION"] {
        assert!(!log.contains(kept), "{kept}");
    }
}

#[tokio::test]
async fn lookups_are_prepared_once_per_connection() {
    let server = Postgres::start_with(&["log_statement=all"]).unwrap();
    let store =
        PostgresStore::connect_with(server.url(), PostgresSettings::default().connections(1))
            .await
            .unwrap();
    let id = token("alice", "ci").record.id;
    for _ in 0..5 {
        store.get(id).await.unwrap();
    }
    store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    store.close().await;
    let log = server.log().unwrap();
    assert_eq!(log.matches("LOG:  execute sqlx_s_1:").count(), 5, "{log}");
}
