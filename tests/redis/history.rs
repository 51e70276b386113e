//! Tests of failovers that lose changes.

use hallpass_core::store::TokenStore as _;
use hallpass_tests::tokens::{edited, owner, token};

use super::*;

#[tokio::test]
async fn failover_that_loses_changes_shows_in_the_log() {
    let server = server();
    let store = open(&server).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let standby = server.replica().unwrap();
    standby.promote().unwrap();
    // The standby does not receive this change any more.
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    let lost = store.update(&revoke, &event()).await.unwrap();
    let seen = store.changes(None, 0).await.unwrap().head;
    assert_eq!(seen.seq, lost);

    // The old primary becomes a replica of the new one.
    let port = standby.address().port().to_string();
    run(&server, &["REPLICAOF", "127.0.0.1", &port]);
    standby.wait_for(&server).unwrap();
    let rejected = store.log_owner_change(&owner("alice"), &event()).await.unwrap_err();
    assert!(rejected.is_read_only(), "{rejected:?}");
    let rejected = store.get(token.record.id).await.unwrap_err();
    assert!(rejected.is_unavailable(), "a replica's error must not be final: {rejected:?}");
    assert!(store.changes(Some(seen), 10).await.is_err());

    server.promote().unwrap();
    let found = store.get(token.record.id).await.unwrap();
    assert!(found.as_of < lost, "`as_of` of the lookup must be below the lost change");
    let now = store.changes(Some(seen), 10).await.unwrap();
    assert!(now.entries.is_empty() && now.head.seq < seen.seq, "the numbers did not go back");
    // When the numbers have caught up, the nonce differs.
    assert_eq!(store.log_owner_change(&owner("alice"), &event()).await.unwrap(), lost);
    let now = store.changes(Some(seen), 10).await.unwrap();
    assert_eq!((now.entries[0].position.seq, now.entries.len()), (lost, 1));
    assert_ne!(now.entries[0].position.nonce, seen.nonce);
}
