//! Tests of the database's requirements and of migrations.

use hallpass_core::store::TokenStore as _;
use hallpass_postgres::{ConnectError, PostgresSettings, PostgresStore};
use hallpass_servers::Postgres;
use hallpass_tests::tokens::{event, token};

use super::{ask, database, open, run, stranger};

const SCHEMA: &str = include_str!("../../crates/hallpass-postgres/migrations/0001_tokens.sql");

/// Lists everything that the catalog contains about the schema, with one line for each item.
const CATALOG: &str = "SELECT format('%s %s %s %s', table_name, column_name, data_type, is_nullable) \
     FROM information_schema.columns WHERE table_schema = 'hallpass' \
     UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'hallpass' \
     UNION ALL SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) \
     FROM pg_constraint WHERE connamespace = 'hallpass'::regnamespace \
     UNION ALL SELECT format('%s %s', relname, reloptions) FROM pg_class \
     WHERE relnamespace = 'hallpass'::regnamespace \
     UNION ALL SELECT format('version %s', version) FROM hallpass.migrations ORDER BY 1";

#[tokio::test]
async fn concurrent_nodes_create_the_schema_once() {
    let url = database();
    let nodes: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { PostgresStore::connect(&url).await })
        })
        .collect();
    for node in nodes {
        node.await.expect("no panic").expect("a node cannot open the store").close().await;
    }
    assert_eq!(ask(&url, "SELECT count(*) FROM hallpass.migrations"), "1");
    assert_eq!(ask(&url, "SELECT count(*) FROM hallpass.clock"), "1");
}

#[tokio::test]
async fn migrations_by_psql_create_the_same_schema() {
    let (by_store, by_hand) = (database(), database());
    open(&by_store).await.close().await;
    ask(&by_hand, SCHEMA);
    let catalog = ask(&by_store, CATALOG);
    assert!(catalog.lines().count() > 40, "{catalog}");
    assert_eq!(ask(&by_hand, CATALOG), catalog);
    // A store that may not migrate accepts the schema.
    let store = PostgresStore::connect_with(&by_hand, PostgresSettings::default().migrate(false))
        .await
        .unwrap();
    store.insert(&token("alice", "ci"), Some(1), &event()).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn keys_of_another_library_stay_unchanged() {
    let url = database();
    ask(&url, "CREATE TABLE tokens (x int); CREATE TABLE _sqlx_migrations (x int)");
    open(&url).await.close().await;
    let others = "SELECT string_agg(table_name, ' ' ORDER BY table_name) FROM information_schema.tables \
                  WHERE table_schema = 'public'";
    assert_eq!(ask(&url, others), "_sqlx_migrations tokens");
}

#[tokio::test]
async fn missing_schema_is_rejected_unless_migrations_are_on() {
    let url = database();
    let rejected = PostgresStore::connect_with(&url, PostgresSettings::default().migrate(false))
        .await
        .unwrap_err();
    assert!(matches!(rejected, ConnectError::Missing { .. }), "{rejected:?}");
    assert!(rejected.to_string().contains("run the migrations"), "{rejected}");
    PostgresStore::migrate(&url).await.unwrap();
    PostgresStore::migrate(&url).await.expect("a second migration must succeed and change nothing");
    PostgresStore::connect_with(&url, PostgresSettings::default().migrate(false))
        .await
        .unwrap()
        .close()
        .await;
    let elsewhere = || PostgresSettings::default().schema("tokens").migrate(false);
    let rejected = PostgresStore::connect_with(&url, elsewhere()).await.unwrap_err();
    assert!(rejected.to_string().contains("`PostgresStore::migrate_with`"), "{rejected}");
    PostgresStore::migrate_with(&url, elsewhere()).await.unwrap();
    PostgresStore::connect_with(&url, elsewhere()).await.unwrap().close().await;
}

#[tokio::test]
async fn schema_of_another_version_is_rejected_and_unchanged() {
    let url = database();
    open(&url).await.close().await;
    let mut stranger = stranger(&url).await;
    run(&mut stranger, "INSERT INTO hallpass.migrations (version) VALUES (99)").await;
    let rejected = PostgresStore::connect(&url).await.unwrap_err();
    assert!(matches!(rejected, ConnectError::Newer { found: 99, known: 1, .. }), "{rejected:?}");
    assert!(rejected.to_string().contains("upgrade this program"), "{rejected}");
    assert!(matches!(PostgresStore::migrate(&url).await, Err(ConnectError::Newer { .. })));

    run(
        &mut stranger,
        "UPDATE hallpass.migrations SET version = version - 99; \
                        DELETE FROM hallpass.migrations WHERE version < 0",
    )
    .await;
    let rejected = PostgresStore::connect_with(&url, PostgresSettings::default().migrate(false))
        .await
        .unwrap_err();
    assert!(matches!(rejected, ConnectError::Older { found: 0, known: 1, .. }), "{rejected:?}");
}

#[tokio::test]
async fn schema_of_another_application_is_rejected_and_unchanged() {
    let url = database();
    ask(&url, "CREATE SCHEMA hallpass; CREATE TABLE hallpass.tokens (theirs int)");
    let rejected = PostgresStore::connect(&url).await.unwrap_err();
    assert!(matches!(rejected, ConnectError::Foreign { .. }), "{rejected:?}");
    let tables = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'hallpass'";
    assert_eq!(ask(&url, tables), "1");
}

#[tokio::test]
async fn empty_schema_is_filled() {
    let url = database();
    ask(&url, "CREATE SCHEMA hallpass");
    open(&url).await.close().await;
}

#[tokio::test]
async fn database_with_another_encoding_is_rejected() {
    let latin =
        "CREATE DATABASE latin ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
    Postgres::shared().run(latin).unwrap();
    let url = format!("postgres://postgres@{}/latin", Postgres::shared().address());
    let rejected = PostgresStore::connect(&url).await.unwrap_err();
    assert!(
        matches!(&rejected, ConnectError::Encoding { found, .. } if found == "LATIN1"),
        "{rejected:?}"
    );
}

#[tokio::test]
async fn no_error_repeats_the_password() {
    let nowhere = format!("postgres://app:hidden@{}/nowhere", Postgres::shared().address());
    for url in
        [nowhere.as_str(), "postgres://app:hidden@127.0.0.1:1/x", "postgres://app:hidden@h:x/y"]
    {
        let rejected = PostgresStore::connect(url).await.unwrap_err();
        let source = std::error::Error::source(&rejected).map(ToString::to_string);
        let said = format!("{rejected} {rejected:?} {source:?}");
        assert!(!said.contains("hidden"), "{said}");
    }
    let store = open(&database()).await;
    assert!(format!("{store:?}").contains("unnamed_"), "{store:?}");
}
