//! The store in the host's own database, and changes in the host's transactions.

use std::time::Duration;

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::store::TokenStore as _;
use hallpass_core::{Actor, AuditOptions, Error, Hallpass, Issued, Limits, NewToken, Owner};
use hallpass_sqlite::{ConnectError, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{Sqlite, Transaction};
use tempfile::TempDir;

struct Host {
    directory: TempDir,
    pool: SqlitePool,
    store: SqliteStore,
    hallpass: Hallpass,
}

/// Creates a host with a table of its own, and the store in the same file.
async fn host() -> Host {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let table = "CREATE TABLE jobs (name TEXT NOT NULL, \
                 token BLOB REFERENCES hallpass_tokens (id) ON DELETE CASCADE)";
    sqlx::query(table).execute(&pool).await.unwrap();
    let store = SqliteStore::from_pool(&pool).await.unwrap();
    let limits = Limits::default().tokens_per_owner(1);
    let hallpass = Hallpass::builder(store.clone()).limits(limits).build();
    Host { directory, pool, store, hallpass }
}

impl Host {
    async fn begin(&self) -> Transaction<'static, Sqlite> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.unwrap()
    }

    async fn accepts(&self, issued: &Issued) -> bool {
        self.hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_ok()
    }

    async fn audit_entries(&self) -> usize {
        let system = Actor::system("host");
        self.hallpass.audit(&system, &AuditOptions::default()).await.unwrap().items.len()
    }

    async fn jobs(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM jobs").fetch_one(&self.pool).await.unwrap()
    }
}

fn alice() -> Actor {
    Actor::owner("alice")
}

#[tokio::test]
async fn host_file_is_rejected_unless_it_is_opened_as_shared() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE users (name TEXT)").execute(&pool).await.unwrap();
    let error = SqliteStore::open(&file).await.unwrap_err();
    assert!(matches!(error, ConnectError::Foreign { .. }), "{error:?}");
    assert!(error.to_string().contains("open_shared"), "{error}");
    let store = SqliteStore::open_shared(&file).await.unwrap();
    sqlx::query("INSERT INTO users VALUES ('alice')").execute(&pool).await.unwrap();
    store.close().await;
    // The file contains the tables of the store now, so it can be opened as usual.
    SqliteStore::open(&file).await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn path_in_a_url_opens_the_database_of_the_host() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.db");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let pool = SqlitePool::connect(&url).await.unwrap();
    sqlx::query("CREATE TABLE users (name TEXT)").execute(&pool).await.unwrap();
    let lazy = SqlitePool::connect_lazy(&url).unwrap();
    SqliteStore::from_pool(&lazy).await.unwrap().close().await;
    sqlx::query("SELECT id FROM hallpass_tokens").fetch_all(&pool).await.unwrap();
    SqliteStore::connect(&url).await.unwrap().close().await;
}

#[tokio::test]
async fn in_memory_database_is_rejected() {
    for address in ["sqlite::memory:", "sqlite:file:shared?mode=memory"] {
        let pool = SqlitePool::connect(address).await.unwrap();
        let error = SqliteStore::from_pool(&pool).await.unwrap_err();
        assert!(matches!(error, ConnectError::InMemory), "{address}: {error:?}");
    }
}

#[tokio::test]
async fn token_is_committed_with_the_host_transaction() {
    let host = host().await;
    let mut transaction = host.begin().await;
    let new = NewToken::named("nightly");
    let pending =
        host.store.issue_in(&mut transaction, &host.hallpass, &alice(), new).await.unwrap();
    sqlx::query("INSERT INTO jobs VALUES ('nightly', ?)")
        .bind(pending.record().id.as_uuid().as_bytes().as_slice())
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let issued = pending.committed();
    assert!(host.accepts(&issued).await);
    assert_eq!((host.audit_entries().await, host.jobs().await), (1, 1));
}

#[tokio::test]
async fn rollback_leaves_neither_token_nor_audit_entry() {
    let host = host().await;
    let mut transaction = host.begin().await;
    let new = NewToken::named("nightly");
    let pending =
        host.store.issue_in(&mut transaction, &host.hallpass, &alice(), new).await.unwrap();
    transaction.rollback().await.unwrap();
    drop(pending);
    assert_eq!(host.audit_entries().await, 0);
    let _ = host.hallpass.issue(&alice(), NewToken::named("first")).await.unwrap();
}

#[tokio::test]
async fn change_without_its_log_entry_is_not_part_of_the_transaction() {
    let host = host().await;
    let issued = host.hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap();
    let bomb = "CREATE TRIGGER bomb BEFORE INSERT ON hallpass_changes \
                BEGIN SELECT RAISE(ABORT, 'bomb'); END";
    sqlx::query(bomb).execute(&host.pool).await.unwrap();
    let mut transaction = host.begin().await;
    let owner = Owner::new("alice").unwrap();
    let system = Actor::system("host");
    let deleted = host.store.delete_owner_in(&mut transaction, &host.hallpass, &system, &owner);
    assert!(deleted.await.is_err());
    // The host ignores the error.
    transaction.commit().await.unwrap();
    assert!(host.accepts(&issued).await, "the token was deleted without a log entry");
    assert_eq!(host.audit_entries().await, 1);
}

#[tokio::test]
async fn token_limit_counts_in_a_host_transaction() {
    let host = host().await;
    let _ = host.hallpass.issue(&alice(), NewToken::named("first")).await.unwrap();
    let mut transaction = host.begin().await;
    let new = NewToken::named("second");
    let error =
        host.store.issue_in(&mut transaction, &host.hallpass, &alice(), new).await.unwrap_err();
    assert!(matches!(error, Error::LimitReached { limit: 1, in_use: 1, .. }), "{error:?}");
}

#[tokio::test]
async fn connection_outside_of_a_transaction_is_rejected() {
    let host = host().await;
    let mut connection = host.pool.acquire().await.unwrap();
    let new = NewToken::named("nightly");
    let error =
        host.store.issue_in(&mut connection, &host.hallpass, &alice(), new).await.unwrap_err();
    let Error::Store(error) = error else { panic!("{error:?}") };
    assert!(format!("{error:?}").contains("NotBegun"), "{error:?}");
}

#[tokio::test]
async fn transaction_on_another_database_is_rejected() {
    let (host, other) = (host().await, host().await);
    let mut transaction = other.begin().await;
    let new = NewToken::named("nightly");
    let error =
        host.store.issue_in(&mut transaction, &host.hallpass, &alice(), new).await.unwrap_err();
    let Error::Store(error) = error else { panic!("{error:?}") };
    assert!(format!("{error:?}").contains("OtherDatabase"), "{error:?}");
    assert_eq!((host.audit_entries().await, other.audit_entries().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_in_a_host_transaction_reaches_other_nodes_within_the_bound() {
    let host = host().await;
    let issued = host.hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap();
    let store = SqliteStore::open_shared(host.directory.path().join("app.db")).await.unwrap();
    let max_staleness = Duration::from_secs(2);
    let settings = CacheSettings::default().max_staleness(max_staleness);
    let node = Hallpass::builder(Cached::with_settings(store, settings)).build();
    let accepted = async || node.authenticate(issued.token.reveal().as_bytes()).await.is_ok();
    assert!(accepted().await);

    let mut transaction = host.begin().await;
    let owner = Owner::new("alice").unwrap();
    let system = Actor::system("host");
    let pending = host
        .store
        .delete_owner_in(&mut transaction, &host.hallpass, &system, &owner)
        .await
        .unwrap();
    assert!(accepted().await, "the token must be accepted until the commit");
    transaction.commit().await.unwrap();
    // The other node gets no notification and polls the log.
    tokio::time::sleep(max_staleness).await;
    assert!(!accepted().await);
    assert_eq!(pending.committed(), 1);
    assert!(!host.accepts(&issued).await);
    assert_eq!(host.audit_entries().await, 2);
}
