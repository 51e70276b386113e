//! Tests of foreign keys, outdated schemas, and closed stores.

use super::*;

#[tokio::test]
async fn foreign_key_of_the_application_blocks_a_delete() {
    for action in ["", "ON DELETE RESTRICT", "DEFERRABLE INITIALLY DEFERRED"] {
        let (directory, store) = store().await;
        let token = token("alice", "ci", 0);
        insert(&store, &token).await;
        let sql = format!(
            "CREATE TABLE jobs (token BLOB REFERENCES hallpass_tokens (id) {action}); \
             INSERT INTO jobs SELECT id FROM hallpass_tokens"
        );
        run(&directory, &sql).await;
        let event = event(EventKind::Deleted, &token, 1);
        let errors = [
            store.delete(token.record.id, None, &event).await.unwrap_err(),
            store.delete_many(None, &[token.record.id], &event).await.unwrap_err(),
            store.delete_owner(&token.record.owner, &event).await.unwrap_err(),
        ];
        for error in errors {
            assert!(error.is_referenced() && !error.is_unavailable(), "{action}: {error:?}");
        }
        assert_eq!(trail(&store).await.len(), 1, "{action}: a failed call wrote a log entry");
        run(&directory, "DELETE FROM jobs").await;
        store.delete(token.record.id, None, &event).await.unwrap();
    }
}

#[tokio::test]
async fn newer_schema_is_rejected_with_advice() {
    let (directory, store) = store().await;
    store.close().await;
    run(&directory, "UPDATE hallpass_schema SET version = 99").await;
    let error = SqliteStore::open(directory.path().join("tokens.db")).await.unwrap_err();
    assert!(error.to_string().contains("upgrade this program"), "{error}");
    assert!(matches!(error, ConnectError::Newer { found: 99, .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_after_a_change_and_a_closed_store_is_unavailable() {
    let (_directory, store) = store().await;
    let seen = store.changes(None, 0).await.unwrap().head;
    let waiter = tokio::spawn({
        let store = store.clone();
        async move { store.wait_for_change(seen).await }
    });
    insert(&store, &token("alice", "ci", 0)).await;
    waiter.await.unwrap();
    store.ping().await.unwrap();
    store.close().await;
    assert!(store.ping().await.unwrap_err().is_unavailable());
}
