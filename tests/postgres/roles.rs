//! Tests of roles and permissions.

use hallpass_core::store::{ListQuery, TokenStore as _, TokenUse};
use hallpass_postgres::{ConnectError, PostgresSettings, PostgresStore};
use hallpass_servers::Postgres;
use hallpass_tests::tokens::{at, digest, edited, event, owner, secrets, token};

use super::{ask, database, open};

const GRANTS: &str = include_str!("../../crates/hallpass-postgres/roles.sql");

/// Creates a role that may log in and has no permissions. Returns its URL and its name.
fn stranger_to(url: &str) -> (String, String) {
    let role = format!("role_of_{}", url.rsplit('/').next().expect("a database"));
    ask(url, &format!("CREATE ROLE {role} LOGIN"));
    (url.replace("//postgres@", &format!("//{role}@")), role)
}

#[tokio::test]
async fn documented_rights_are_sufficient() {
    let url = database();
    PostgresStore::migrate(&url).await.unwrap();
    let (as_app, role) = stranger_to(&url);
    ask(&url, &GRANTS.replace(":\"role\"", &role));

    let settings = PostgresSettings::default().migrate(false);
    let store = PostgresStore::connect_with(&as_app, settings).await.expect("the store opens");
    let token = token("alice", "ci");
    let id = token.record.id;
    store.insert(&token, Some(5), &event()).await.unwrap();
    assert!(store.get(id).await.unwrap().value.is_some());
    let usage = TokenUse { id, revision: token.record.revision, at: at(60) };
    assert_eq!(store.record_uses(&[usage]).await.unwrap(), 1);
    store
        .update(&edited(&token.record, |record| record.name = "changed".into()), &event())
        .await
        .unwrap();
    store.replace_digest(id, &digest(1), &secrets(2), &event()).await.unwrap();
    assert_eq!(store.list(&ListQuery::everything(at(0), 10)).await.unwrap().counts.of(None), 1);
    assert_eq!(store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap().count, 1);
    assert_eq!(store.prune(at(2), 10, &event()).await.unwrap(), 1);
    assert!(store.delete(id, None, &event()).await.unwrap_err().is_not_found());
    store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    assert_eq!(store.changes(None, 0).await.unwrap().head.seq.get(), 6);
    store.close().await;
}

#[tokio::test]
async fn error_of_a_role_without_rights_names_the_rights() {
    let url = database();
    let (as_app, role) = stranger_to(&url);
    // The role may not create the schema.
    let rejected = PostgresStore::connect(&as_app).await.unwrap_err();
    assert!(matches!(rejected, ConnectError::Forbidden { .. }), "{rejected:?}");
    // It may not use the schema once it exists.
    open(&url).await.close().await;
    let rejected = PostgresStore::connect(&as_app).await.unwrap_err();
    assert!(matches!(rejected, ConnectError::Forbidden { .. }), "{rejected:?}");
    assert!(rejected.to_string().contains("roles.sql") && rejected.to_string().contains(&role));
    // One missing permission is enough.
    ask(&url, &GRANTS.replace(":\"role\"", &role));
    ask(&url, &format!("REVOKE DELETE ON hallpass.changes FROM {role}"));
    let rejected = PostgresStore::connect(&as_app).await.unwrap_err();
    assert!(matches!(rejected, ConnectError::Forbidden { .. }), "{rejected:?}");
}

#[tokio::test]
async fn rejected_login_is_unreachable_with_the_reason() {
    let url = format!("postgres://nobody_of_that_name@{}/postgres", Postgres::shared().address());
    let rejected = PostgresStore::connect(&url).await.unwrap_err();
    assert!(matches!(rejected, ConnectError::Unreachable { .. }), "{rejected:?}");
    let source = std::error::Error::source(&rejected).expect("the error has no source").to_string();
    assert!(source.contains("nobody_of_that_name"), "{source}");
}
