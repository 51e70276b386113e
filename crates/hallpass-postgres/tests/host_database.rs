//! The store in the host's own database and schema, and changes in the host's transactions.

use std::time::Duration;

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::store::StoreError;
use hallpass_core::{Actor, AuditOptions, Error, Hallpass, Issued, Limits, NewToken, Owner};
use hallpass_postgres::{ConnectError, PostgresSettings, PostgresStore};
use hallpass_servers::Postgres;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Postgres as Driver, Transaction};

struct Host {
    pool: PgPool,
    store: PostgresStore,
    hallpass: Hallpass,
}

/// Opens a database with a schema `app` of the host's, which also contains the store.
async fn host() -> Host {
    let url = Postgres::shared().new_database().expect("a database");
    let pool = PgPool::connect(&url).await.unwrap();
    run(&pool, "CREATE SCHEMA app; CREATE TABLE app.users (name text PRIMARY KEY)").await;
    let store = store_in("app", &pool).await;
    run(&pool, "CREATE TABLE app.jobs (name text, token uuid REFERENCES app.tokens (id))").await;
    let limits = Limits::default().tokens_per_owner(1);
    let hallpass = Hallpass::builder(store.clone()).limits(limits).build();
    Host { pool, store, hallpass }
}

async fn store_in(schema: &str, pool: &PgPool) -> PostgresStore {
    PostgresStore::from_pool_with(pool, PostgresSettings::default().schema(schema)).await.unwrap()
}

async fn run(pool: &PgPool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.unwrap();
}

impl Host {
    async fn begin(&self) -> Transaction<'static, Driver> {
        self.pool.begin().await.unwrap()
    }

    async fn accepts(&self, issued: &Issued) -> bool {
        self.hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_ok()
    }

    async fn audit_entries(&self) -> usize {
        let system = Actor::system("host");
        self.hallpass.audit(&system, &AuditOptions::default()).await.unwrap().items.len()
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }
}

fn alice() -> Actor {
    Actor::owner("alice")
}

fn owner() -> Owner {
    Owner::new("alice").unwrap()
}

fn store_error<T>(outcome: Result<T, Error>) -> StoreError {
    match outcome {
        Err(Error::Store(error)) => error,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("a store error was expected"),
    }
}

#[tokio::test]
async fn store_works_in_a_schema_that_contains_tables_of_the_host() {
    let host = host().await;
    let issued = host.hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap();
    assert!(host.accepts(&issued).await);
    // A query of the host joins its own tables with those of the store.
    run(&host.pool, "INSERT INTO app.users VALUES ('alice'), ('bob')").await;
    let joined = "SELECT count(*) FROM app.users JOIN app.tokens ON tokens.owner = users.name";
    assert_eq!(host.count(joined).await, 1);
    assert_eq!(host.count("SELECT count(*) FROM pg_namespace WHERE nspname = 'hallpass'").await, 0);
    host.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    assert!(!host.accepts(&issued).await);
    assert_eq!(host.audit_entries().await, 2);
}

#[tokio::test]
async fn stores_in_two_schemas_of_one_database_are_separate() {
    let host = host().await;
    // This name of a schema is a keyword of SQL.
    let other = Hallpass::builder(store_in("user", &host.pool).await).build();
    let issued = host.hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap();
    assert!(other.authenticate(issued.token.reveal().as_bytes()).await.is_err());
    let theirs = other.issue(&alice(), NewToken::named("theirs")).await.unwrap();
    other.delete(&alice(), theirs.record.id, None).await.unwrap();
    assert!(host.accepts(&issued).await);
    assert_eq!(host.audit_entries().await, 1);
}

#[tokio::test]
async fn invalid_schema_name_is_rejected() {
    let host = host().await;
    for name in ["", "App", "a\"; DROP SCHEMA app CASCADE; --", "pg_tokens", "a.b"] {
        let settings = PostgresSettings::default().schema(name);
        let error = PostgresStore::from_pool_with(&host.pool, settings).await.unwrap_err();
        assert!(matches!(error, ConnectError::SchemaName), "{error:?}");
        assert!(error.to_string().contains("lower-case letters"), "{error}");
    }
    assert_eq!(host.audit_entries().await, 0);
}

#[tokio::test]
async fn new_schema_does_not_become_the_first_one_of_the_role() {
    let url = Postgres::shared().new_database().expect("a database");
    let administrator = PgPool::connect(&url).await.unwrap();
    run(
        &administrator,
        "CREATE ROLE tenant LOGIN; GRANT CREATE ON SCHEMA public TO tenant; \
         CREATE EXTENSION pg_stat_statements; CREATE SCHEMA \"My-App\" AUTHORIZATION tenant; \
         DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO tenant', current_database()); END $$",
    )
    .await;
    let host: PgConnectOptions = url.replace("//postgres@", "//tenant@").parse().unwrap();
    let open = async |schema, path| {
        let pool = PgPool::connect_with(host.clone().options([("search_path", path)])).await;
        let settings = PostgresSettings::default().schema(schema);
        PostgresStore::from_pool_with(&pool.unwrap(), settings).await
    };
    let usual = "\"$user\", public";
    // An extension has its views in the schema `public`, but the host has no table there.
    open("tenant", usual).await.unwrap();
    run(&administrator, "DROP SCHEMA tenant CASCADE").await;

    run(
        &administrator,
        "SET ROLE tenant; CREATE TABLE public.users (); CREATE TABLE \"My-App\".users (); RESET ROLE",
    )
    .await;
    for path in [usual, "\"$user\", \"My-App\""] {
        let error = open("tenant", path).await.unwrap_err();
        assert!(matches!(error, ConnectError::FirstInSearchPath { .. }), "{error:?}");
        let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'tenant'";
        let schemas: i64 = sqlx::query_scalar(schemas).fetch_one(&administrator).await.unwrap();
        assert_eq!(schemas, 0, "{path}");
    }
    open("tenant", "public, \"$user\"").await.unwrap();
    run(&administrator, "DROP SCHEMA tenant CASCADE; CREATE SCHEMA tenant AUTHORIZATION tenant")
        .await;
    open("tenant", usual).await.expect("the host has created the schema itself");
    open("tokens", usual).await.unwrap();
}

#[tokio::test]
async fn referenced_token_is_not_deleted() {
    let host = host().await;
    let issued = host.hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap();
    run(&host.pool, "INSERT INTO app.jobs SELECT 'nightly', id FROM app.tokens").await;
    let deleted = host.hallpass.delete(&alice(), issued.record.id, None).await;
    assert!(store_error(deleted).is_referenced());
    let deleted = host.hallpass.delete_owner(&alice(), &owner()).await;
    assert!(store_error(deleted).is_referenced());
    assert!(host.accepts(&issued).await);
    assert_eq!(host.audit_entries().await, 1);

    run(
        &host.pool,
        "ALTER TABLE app.jobs DROP CONSTRAINT jobs_token_fkey, \
         ADD FOREIGN KEY (token) REFERENCES app.tokens (id) ON DELETE CASCADE",
    )
    .await;
    host.hallpass.delete(&alice(), issued.record.id, None).await.unwrap();
    assert_eq!(host.count("SELECT count(*) FROM app.jobs").await, 0);
}

#[tokio::test]
async fn token_is_committed_with_the_host_transaction() {
    let host = host().await;
    let mut transaction = host.begin().await;
    sqlx::raw_sql("SET LOCAL lock_timeout = '7s'").execute(&mut *transaction).await.unwrap();
    let new = NewToken::named("nightly");
    let pending =
        host.store.issue_in(&mut transaction, &host.hallpass, &alice(), new).await.unwrap();
    sqlx::query("INSERT INTO app.jobs VALUES ('nightly', $1::uuid)")
        .bind(pending.record().id.to_string())
        .execute(&mut *transaction)
        .await
        .unwrap();
    let timeout: String = sqlx::query_scalar("SELECT current_setting('lock_timeout')")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(timeout, "7s", "the host's setting is back");
    transaction.commit().await.unwrap();
    let issued = pending.committed();
    assert!(host.accepts(&issued).await);
    assert_eq!(host.audit_entries().await, 1);
    assert_eq!(host.count("SELECT count(*) FROM app.jobs").await, 1);
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
    run(
        &host.pool,
        "CREATE FUNCTION app.fail() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN RAISE ''no entry''; END'; \
         CREATE TRIGGER fail BEFORE INSERT ON app.changes FOR EACH ROW EXECUTE FUNCTION app.fail()",
    )
    .await;
    let mut transaction = host.begin().await;
    let (system, owner) = (Actor::system("host"), owner());
    let deleted = host.store.delete_owner_in(&mut transaction, &host.hallpass, &system, &owner);
    assert!(deleted.await.is_err());
    // The host ignores the error.
    sqlx::query("INSERT INTO app.users VALUES ('alice')").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(host.count("SELECT count(*) FROM app.users").await, 1);
    assert!(host.accepts(&issued).await, "it was not deleted without an entry");
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
    let issued = host.store.issue_in(&mut connection, &host.hallpass, &alice(), new).await;
    let error = store_error(issued);
    assert!(format!("{error:?}").contains("NotBegun"), "{error:?}");
}

#[tokio::test]
async fn transaction_on_another_database_is_rejected() {
    let (host, other) = (host().await, host().await);
    let nothing = PgPool::connect(&Postgres::shared().new_database().unwrap()).await.unwrap();
    for pool in [&other.pool, &nothing] {
        let mut transaction = pool.begin().await.unwrap();
        let new = NewToken::named("nightly");
        let issued = host.store.issue_in(&mut transaction, &host.hallpass, &alice(), new).await;
        let error = store_error(issued);
        assert!(format!("{error:?}").contains("OtherDatabase"), "{error:?}");
        transaction.commit().await.unwrap();
    }
    assert_eq!((host.audit_entries().await, other.audit_entries().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_in_a_host_transaction_reaches_other_nodes_within_the_bound() {
    let host = host().await;
    let issued = host.hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap();
    let max_staleness = Duration::from_secs(2);
    let settings = CacheSettings::default().max_staleness(max_staleness);
    // Without notifications, a node only follows the log.
    let silent = PostgresSettings::default().schema("app").disable_listen();
    let silent = PostgresStore::from_pool_with(&host.pool, silent).await.unwrap();
    let node = Hallpass::builder(Cached::with_settings(silent, settings)).build();
    let accepted = async || node.authenticate(issued.token.reveal().as_bytes()).await.is_ok();
    assert!(accepted().await);

    let mut transaction = host.begin().await;
    let system = Actor::system("host");
    let pending = host
        .store
        .delete_owner_in(&mut transaction, &host.hallpass, &system, &owner())
        .await
        .unwrap();
    assert!(accepted().await, "not committed yet");
    transaction.commit().await.unwrap();
    tokio::time::sleep(max_staleness).await;
    assert!(!accepted().await);
    assert_eq!(pending.committed(), 1);
    assert!(!host.accepts(&issued).await);
    assert_eq!(host.audit_entries().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_nodes_are_notified_when_the_host_commits() {
    let host = host().await;
    let issued = host.hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap();
    // Without a notification, this node would accept the token for half a minute.
    let slow = Duration::from_secs(30);
    let settings = CacheSettings::default().max_staleness(slow).poll(slow);
    let cached = Cached::with_settings(store_in("app", &host.pool).await, settings);
    let node = Hallpass::builder(cached).build();
    let accepted = async || node.authenticate(issued.token.reveal().as_bytes()).await.is_ok();
    assert!(accepted().await);
    let listening = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND query = 'LISTEN \"app\"'";
    let listens = async {
        while host.count(listening).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), listens).await.expect("the node listens");
    assert!(accepted().await);

    let mut transaction = host.begin().await;
    let system = Actor::system("host");
    let pending = host
        .store
        .delete_owner_in(&mut transaction, &host.hallpass, &system, &owner())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(accepted().await, "not committed yet");
    transaction.commit().await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!accepted().await);
    assert_eq!(pending.committed(), 1);
}

/// The documentation recommends these options.
#[tokio::test]
async fn options_of_the_pool_apply_to_its_connections() {
    let url = Postgres::shared().new_database().expect("a database");
    let options =
        [("statement_timeout", "2s"), ("default_transaction_isolation", "read committed")];
    let options = url.parse::<PgConnectOptions>().unwrap().options(options);
    let pool = PgPoolOptions::new().test_before_acquire(false).connect_with(options).await.unwrap();
    let store = PostgresStore::from_pool(&pool).await.unwrap();
    for (name, expected) in
        [("statement_timeout", "2s"), ("default_transaction_isolation", "read committed")]
    {
        let value: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(name)
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(value, expected, "{name}");
    }
    store.close().await;
}
