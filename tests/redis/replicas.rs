//! Tests of changes that wait for replicas.

use std::time::{Duration, Instant};

use hallpass_core::store::TokenStore as _;
use hallpass_core::{Actor, Error, Hallpass};
use hallpass_tests::tokens::{event, owner, token};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn change_that_too_few_replicas_confirm_is_unknown() {
    let server = server();
    let settings = RedisSettings::default().wait_replicas(1);
    let store = RedisStore::connect_with(server.url(), settings).await.unwrap();
    let one = token("alice", "ci");
    let started = Instant::now();
    let unconfirmed = store.insert(&one, None, &event()).await.unwrap_err();
    assert!(unconfirmed.is_outcome_unknown(), "{unconfirmed:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(
        store.get(one.record.id).await.unwrap().value.is_some(),
        "the primary must have made the change"
    );
    // A rejected call has changed nothing, so it does not wait for replicas.
    assert!(store.insert(&one, None, &event()).await.unwrap_err().is_duplicate());

    // The handle reads the token again after a lost reply, which says nothing about replicas.
    let hallpass = Hallpass::builder(store.clone()).build();
    let other = token("bob", "ci");
    assert!(store.insert(&other, None, &event()).await.unwrap_err().is_unconfirmed());
    let revoked = hallpass.revoke(&Actor::owner("bob"), other.record.id).await;
    assert!(revoked.as_ref().is_err_and(Error::is_unavailable), "{revoked:?}");

    let replica = server.replica().unwrap();
    // A new replica counts only after the primary has noticed it.
    let mut announced = store.log_owner_change(&owner("alice"), &event()).await;
    for _ in 0..20 {
        if announced.is_ok() {
            break;
        }
        announced = store.log_owner_change(&owner("alice"), &event()).await;
    }
    announced.expect("one replica must confirm the change");
    assert_eq!(store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap().count, 1);
    replica.pause().unwrap();
    let unconfirmed = store.log_owner_change(&owner("alice"), &event()).await.unwrap_err();
    assert!(unconfirmed.is_outcome_unknown(), "{unconfirmed:?}");
    replica.resume().unwrap();
    server.wait_for(&replica).unwrap();
    store
        .log_owner_change(&owner("alice"), &event())
        .await
        .expect("the replica must confirm the change");
    // The script has to be loaded again on this path, too.
    run(&server, &["SCRIPT", "FLUSH"]);
    store
        .log_owner_change(&owner("alice"), &event())
        .await
        .expect("the replica must confirm the change");
}
