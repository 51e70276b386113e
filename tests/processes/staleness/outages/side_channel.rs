//! Tests that the number of store calls does not reveal why a token is rejected.

use hallpass_core::{
    Actor, Clock, Error, Hallpass, Issued, NewToken, Owner, OwnerStatus, TokenUpdate,
    jiff::Timestamp,
};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Operation};
use jiff::SignedDuration;

use hallpass_tests::nodes::{alice, check, is_rejected, issue, node, settings};

#[derive(Debug)]
struct Yesterday;

impl Clock for Yesterday {
    fn now(&self) -> Timestamp {
        Timestamp::now() - SignedDuration::from_hours(24)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rejected_token_needs_the_same_number_of_calls() {
    let truth = MemoryStore::new();
    let maker = Hallpass::builder(truth.clone()).build();
    let revoked = issue(&maker).await;
    maker.revoke(&alice(), revoked.record.id).await.unwrap();
    let deleted = issue(&maker).await;
    maker.delete(&alice(), deleted.record.id, None).await.unwrap();
    let mallory = Actor::owner("mallory");
    let disabled = maker.issue(&mallory, NewToken::named("ci")).await.unwrap();
    let yesterday = Hallpass::builder(truth.clone()).clock(Yesterday).build();
    let short = NewToken::named("ci").expires("1h");
    let expired = yesterday.issue(&alice(), short).await.unwrap();
    let never = issue(&Hallpass::builder(MemoryStore::new()).build()).await;

    let calls = async |token: &Issued, times| {
        let store = FaultyStore::new(truth.clone());
        let cached = hallpass_cache::Cached::with_settings(store.clone(), settings());
        let hallpass = Hallpass::builder(cached).owner_directory(all_but_mallory).build();
        for _ in 0..times {
            assert!(is_rejected(&check(&hallpass, token).await));
        }
        let without_log = Operation::ALL.into_iter().filter(|kind| *kind != Operation::Changes);
        store.faults().calls(without_log)
    };
    for token in [&revoked, &deleted, &disabled, &expired, &never] {
        assert_eq!(calls(token, 1).await, 1, "{:?}", token.record);
        assert_eq!(calls(token, 5).await, 1, "the rejection is not cached: {:?}", token.record);
    }
}

async fn all_but_mallory(
    owner: Owner,
) -> Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>> {
    Ok(if owner.as_str() == "mallory" { OwnerStatus::Disabled } else { OwnerStatus::Active })
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_another_owner_needs_as_many_calls_as_an_unknown_one() {
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = node(&store, settings());
    let anothers = issue(&hallpass).await.record.id;
    let none = issue(&Hallpass::builder(MemoryStore::new()).build()).await.record.id;
    let bob = Actor::owner("bob");
    let mut calls = Vec::new();
    for id in [anothers, none] {
        let before =
            store.faults().calls(Operation::ALL) - store.faults().calls(Operation::Changes);
        assert!(matches!(hallpass.get(&bob, id).await, Err(Error::NotFound)));
        assert!(matches!(hallpass.revoke(&bob, id).await, Err(Error::NotFound)));
        assert!(matches!(hallpass.delete(&bob, id, None).await, Err(Error::NotFound)));
        assert!(matches!(hallpass.copy(&bob, id, TokenUpdate::new()).await, Err(Error::NotFound)));
        let after = store.faults().calls(Operation::ALL) - store.faults().calls(Operation::Changes);
        calls.push(after - before);
    }
    assert_eq!(calls[0], calls[1]);
}
