use hallpass_core::store::TokenStore as _;
use hallpass_servers::{Flow, Way};

use super::*;

/// Whether a change is said not to have been made that was, because its answer was lost.
async fn is_denied_and_done(guards: Guards) -> bool {
    let url = database();
    let (network, store) = by_way_of(Postgres::shared(), &url, guards).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let mut other = Stranger::at(&url).await;
    let mut observer = Stranger::at(&url).await;
    other.run("BEGIN; SELECT FROM hallpass.tokens FOR UPDATE").await;
    let deleting = tokio::spawn({
        let store = store.clone();
        async move { store.delete(token.record.id, None, &event()).await }
    });
    observer.until_they_wait(1).await;
    // The server does it and answers, but nobody hears that.
    let connections = network.connections();
    connections.iter().for_each(|connection| connection.set(Way::ToClient, Flow::Swallow));
    other.run("COMMIT").await;
    observer.until_all_is_done().await;
    network.cut();
    let deleted = deleting.await.unwrap();
    assert!(store.get(token.record.id).await.unwrap().value.is_none(), "it was made");
    deleted.is_err_and(|error| !error.is_outcome_unknown())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_found_out() {
    assert!(is_denied_and_done(Guards::without(Guard::FoundOut)).await);
    assert!(!is_denied_and_done(Guards::ON).await);
}

/// Whether a change whose end never arrives is in others' way, and nobody knows what will become of
/// it.
async fn is_never_over(guards: Guards) -> bool {
    let url = database();
    let (network, store) = by_way_of(Postgres::shared(), &url, guards).await;
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    let mut other = Stranger::at(&url).await;
    let mut observer = Stranger::at(&url).await;
    other.run("SELECT pg_advisory_lock(1213227379, hashtext('alice'))").await;
    let deleting = tokio::spawn({
        let store = store.clone();
        async move { store.delete_owner(&owner("alice"), &event()).await }
    });
    // The first message has arrived; the second is lost.
    observer.until_they_wait(1).await;
    let connections = network.connections();
    connections.iter().for_each(|connection| connection.set(Way::ToServer, Flow::Swallow));
    other.run("SELECT pg_advisory_unlock_all()").await;
    let lost = deleting.await.unwrap().unwrap_err();
    let next = open(&url, Guards::ON).await.insert(&token("alice", "ci"), None, &event()).await;
    assert_eq!(lost.is_outcome_unknown(), next.is_err());
    lost.is_outcome_unknown()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_end_never_arrives_is_undone_in_time() {
    const END: Guards =
        Guards::without_part("SET LOCAL idle_in_transaction_session_timeout = 1000; ", "");
    let (without, with) = tokio::join!(is_never_over(END), is_never_over(Guards::ON));
    assert!(without && !with);
}
