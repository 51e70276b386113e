//! Tests with a server that has lost all data: checks return 503, because the tokens may be valid.

use hallpass_core::store::{StoreError, TokenStore as _};
use hallpass_core::{Actor, AuthError, Hallpass, NewToken};
use hallpass_tests::tokens::{at, event, owner, token};

use super::*;

#[tokio::test]
async fn emptied_server_is_unavailable_until_a_restart() {
    let server = server();
    let store = open(&server).await;
    let hallpass = Hallpass::builder(store.clone()).build();
    let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    let before = store.changes(None, 0).await.unwrap().head;
    run(&server, &["FLUSHALL"]);

    let presented = issued.token.reveal().as_bytes();
    let denied = hallpass.authenticate(presented).await.unwrap_err();
    assert!(matches!(denied, AuthError::Unavailable(_)), "503, not 401: {denied:?}");
    let errors: [StoreError; 10] = [
        store.get(issued.record.id).await.unwrap_err(),
        store.list(&everything()).await.unwrap_err(),
        store.list(&ListQuery { owner: Some(owner("alice")), ..everything() }).await.unwrap_err(),
        store.insert(&token("alice", "ci"), None, &event()).await.unwrap_err(),
        store.delete(issued.record.id, None, &event()).await.unwrap_err(),
        store.log_owner_change(&owner("alice"), &event()).await.unwrap_err(),
        store.prune(at(0), 10, &event()).await.unwrap_err(),
        store.prune_log(at(0), 10).await.unwrap_err(),
        store.changes(Some(before), 10).await.unwrap_err(),
        store.ping().await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_corrupt() && error.is_unavailable(), "{error:?}");
    }
    assert_eq!(run(&server, &["DBSIZE"]), "0", "a call has created a new store");

    // A store that is opened on an empty server starts a new history. Stores that are already open
    // detect the new history.
    open(&server).await;
    let after = store.changes(None, 0).await.unwrap().head;
    assert_eq!(after.seq.get(), 0);
    assert_ne!(after.nonce, before.nonce);
    let denied = hallpass.authenticate(presented).await.unwrap_err();
    assert!(!matches!(denied, AuthError::Unavailable(_)), "{denied:?}");
    store
        .insert(&token("alice", "ci"), Some(1), &event())
        .await
        .expect("cannot insert into the empty store");
}

#[tokio::test]
async fn flushed_scripts_are_loaded_again() {
    let server = server();
    let store = open(&server).await;
    let flush = || run(&server, &["SCRIPT", "FLUSH"]);
    for round in 1..=2 {
        let token = token("alice", "ci");
        flush();
        store.insert(&token, None, &event()).await.unwrap();
        flush();
        assert_eq!(store.list(&everything()).await.unwrap().counts.of(None), 1);
        flush();
        store.delete(token.record.id, None, &event()).await.unwrap();
        flush();
        assert_eq!(head(&store).await, 2 * round);
    }
    // Many calls run while the scripts are flushed.
    let inserts = (0..50).map(|number| {
        if number % 10 == 0 {
            flush();
        }
        let store = store.clone();
        async move { store.insert(&token("alice", "ci"), None, &event()).await }
    });
    for inserted in futures::future::join_all(inserts).await {
        inserted.unwrap();
    }
    assert_eq!(head(&store).await, 54);
}
