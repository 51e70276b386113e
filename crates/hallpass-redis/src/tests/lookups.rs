use hallpass_core::store::TokenStore as _;
use hallpass_servers::{Flow, Way};

use super::*;

/// Whether a token that was revoked is found as it was before, on a replica that follows nobody any more.
async fn a_replica_lets_it_in(guards: Guards) -> bool {
    let primary = server();
    let (network, store) = by_way_of(&primary, guards).await;
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    let replica = primary.replica().unwrap();
    // There is nobody.
    run(&replica, &["REPLICAOF", "127.0.0.1", "1"]);
    let elsewhere = open(primary.url(), Guards::ON).await;
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    elsewhere.change(&revoke).await.unwrap();

    network.lead_to(replica.address());
    network.cut();
    let found = store.find(token.record.id).await;
    let log = store.changes(None, 0).await;
    assert_eq!(found.is_ok(), log.is_ok(), "a cache would take either for the latest");
    found.is_ok_and(|found| found.value.unwrap().record.revoked_at.is_none())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_asked_nothing() {
    assert!(a_replica_lets_it_in(Guards::without(Guard::Primary)).await);
    assert!(!a_replica_lets_it_in(Guards::ON).await);
}

/// Whether a token as it was before a change passes for one of after it, if the change comes while it is read.
async fn what_was_before_passes_for_after(guards: Guards) -> bool {
    let server = server();
    let (network, store) = by_way_of(&server, guards).await;
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    let elsewhere = open(server.url(), Guards::ON).await;
    // There is a connection now. Each look-up ends with this command.
    store.find(token.record.id).await.unwrap();
    let before = calls(&server, "wait");
    network.set(Way::ToClient, Flow::Hold);
    let reading = tokio::spawn({
        let store = store.clone();
        async move { store.find(token.record.id).await }
    });
    arrived(&server, "wait", before).await;
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    let revoked = elsewhere.change(&revoke).await.unwrap();
    network.set(Way::ToClient, Flow::Pass);
    let found = reading.await.unwrap().unwrap();
    assert_eq!(found.value.unwrap().record.revoked_at, None);
    found.as_of >= revoked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_and_the_clock_are_of_one_snapshot() {
    assert!(what_was_before_passes_for_after(Guards::without(Guard::Snapshot)).await);
    assert!(!what_was_before_passes_for_after(Guards::ON).await);
}
