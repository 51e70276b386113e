//! Tests in which the file is deleted, replaced or restored while it is open.
#![cfg(unix)]

use std::error::Error as _;
use std::fs;

use hallpass_core::store::TokenStore as _;
use hallpass_sqlite::SqliteStore;
use hallpass_tests::tokens::{at, edited, event, owner, token};

use super::{everything, open, place};

/// Fails unless every call returns an unavailable error.
async fn assert_unavailable(store: &SqliteStore) {
    let token = token("alice", "ci");
    let (id, alice) = (token.record.id, owner("alice"));
    let errors = [
        store.ping().await.unwrap_err(),
        store.get(id).await.unwrap_err(),
        store.list(&everything()).await.unwrap_err(),
        store.changes(None, 0).await.unwrap_err(),
        store.insert(&token, None, &event()).await.unwrap_err(),
        store.log_owner_change(&alice, &event()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
    }
}

#[tokio::test]
async fn deleted_file_is_noticed() {
    let (_directory, path) = place();
    let store = open(&path).await;
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    fs::remove_file(&path).unwrap();
    assert_unavailable(&store).await;
    let error = store.ping().await.unwrap_err();
    let names_the_file = error.source().unwrap().to_string().contains(path.to_str().unwrap());
    assert!(names_the_file, "{error:?}");
    assert!(!path.exists(), "the file is not created again");
}

#[tokio::test]
async fn replaced_file_is_noticed_and_accepted_once_it_is_back() {
    let (directory, path) = place();
    let store = open(&path).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let revoked = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    store.update(&revoked, &event()).await.unwrap();

    // In an older copy of the file, the token could still be valid.
    let aside = directory.path().join("aside.db");
    fs::rename(&path, &aside).unwrap();
    open(&directory.path().join("other.db")).await.close().await;
    fs::rename(directory.path().join("other.db"), &path).unwrap();
    assert_unavailable(&store).await;

    fs::rename(&aside, &path).unwrap();
    let found = store.get(token.record.id).await.unwrap().value.unwrap();
    assert_eq!(found.record, revoked.record);
    store.insert(&hallpass_tests::tokens::token("alice", "more"), None, &event()).await.unwrap();
}
