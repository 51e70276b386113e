use hallpass_core::store::TokenStore as _;
use hallpass_postgres::{PostgresSettings, PostgresStore};
use hallpass_servers::{Flow, Way};
use hallpass_testkit::conformance::samples::{event, token};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn change_whose_reply_is_lost_is_found() {
    let url = database();
    let (proxy, store) = through_proxy(Postgres::shared(), &url).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let mut other = Stranger::connect(&url).await;
    let mut observer = Stranger::connect(&url).await;
    other.run("BEGIN; SELECT FROM hallpass.tokens FOR UPDATE").await;
    let deleting = tokio::spawn({
        let store = store.clone();
        async move { store.delete(token.record.id, None, &event()).await }
    });
    observer.until_waiting(1).await;
    // The server deletes the token, but its reply does not arrive.
    let connections = proxy.connections();
    connections.iter().for_each(|connection| connection.set(Way::ToClient, Flow::Swallow));
    other.run("COMMIT").await;
    observer.until_idle().await;
    proxy.cut();
    deleting.await.unwrap().expect("the store must find that the change was made");
    assert!(store.get(token.record.id).await.unwrap().value.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn change_that_is_repeated_is_made_once() {
    let url = database();
    let (proxy, store) = through_proxy(Postgres::shared(), &url).await;
    let mut other = Stranger::connect(&url).await;
    let mut observer = Stranger::connect(&url).await;
    other.run("BEGIN; SELECT FROM hallpass.clock FOR UPDATE").await;
    let logging = tokio::spawn({
        let store = store.clone();
        async move { store.log_owner_change(&owner("alice"), &event()).await }
    });
    observer.until_waiting(1).await;
    // The server does not detect that the client has disconnected while it waits for the clock.
    proxy.cut();
    observer.until_waiting(2).await;
    other.run("COMMIT").await;
    assert_eq!(logging.await.unwrap().unwrap().get(), 1);
    observer.until_idle().await;
    assert_eq!(observer.count("SELECT count(*) FROM hallpass.changes WHERE seq > 0").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_transaction_through_a_pooler_is_ended_in_time() {
    let url = database();
    let proxy = Proxy::to(Postgres::shared().address()).unwrap();
    let settings = PostgresSettings::default().disable_listen();
    let store = PostgresStore::connect_with(&proxy.url(&url), settings).await.unwrap();
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    let mut other = Stranger::connect(&url).await;
    let mut observer = Stranger::connect(&url).await;
    other.run("SELECT pg_advisory_lock(1213227379, hashtext('alice'))").await;
    let deleting = tokio::spawn({
        let store = store.clone();
        async move { store.delete_owner(&owner("alice"), &event()).await }
    });
    observer.until_waiting(1).await;
    // The statement has arrived, but the commit that follows does not.
    let connections = proxy.connections();
    connections.iter().for_each(|connection| connection.set(Way::ToServer, Flow::Swallow));
    other.run("SELECT pg_advisory_unlock_all()").await;
    match deleting.await.unwrap() {
        Ok(deleted) => assert_eq!(deleted.count, 1, "the change was made again"),
        Err(error) => assert!(!error.is_outcome_unknown(), "{error:?}"),
    }
    // No lock is left.
    open(&url).await.insert(&token("alice", "ci"), None, &event()).await.unwrap();
}
