//! Fairness: a flood of calls of one owner does not delay the calls of others.

use std::time::Duration;

use hallpass_core::TokenUpdate;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::common::*;

/// Starts this many edits of one token of alice's.
fn flood(service: &Service, id: hallpass_core::TokenId, edits: usize) -> JoinSet<()> {
    let mut calls = JoinSet::new();
    for number in 0..edits {
        let hallpass = service.hallpass.clone();
        let update = TokenUpdate::new().description(format!("edit {number}"));
        // Some edits lose every race, which does not matter here.
        calls.spawn(async move { drop(hallpass.update(&alice(), id, update, None).await) });
    }
    calls
}

#[tokio::test]
async fn flood_of_one_owner_reaches_the_store_a_few_calls_at_a_time() {
    let service = Service::new();
    let id = service.issue(&[]).await.record.id;
    for operation in [Operation::Get, Operation::Update] {
        let gate = service.store.faults().on(operation).hold();
        let mut edits = flood(&service, id, 50);
        gate.arrived(1).await;
        // A later call does not wait.
        let other = service.hallpass.issue(&bob(), hallpass_core::NewToken::named("other")).await;
        assert_eq!(other.unwrap().record.owner.as_str(), "bob");
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(gate.arrivals() <= 2, "{} calls at once: {operation:?}", gate.arrivals());
        gate.open();
        while let Some(done) = edits.join_next().await {
            done.unwrap();
        }
    }
    assert!(service.hallpass.get(&alice(), id).await.unwrap().revision.get() > 1);
}

#[tokio::test]
async fn removal_does_not_wait_for_edits_of_the_same_owner() {
    let service = Service::new();
    let (busy, other) = (service.issue(&[]).await.record.id, service.issue(&[]).await.record.id);
    let gate = service.store.faults().on(Operation::Insert).hold();
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let hallpass = service.hallpass.clone();
        let new = hallpass_core::NewToken::named("more");
        calls.spawn(async move { drop(hallpass.issue(&alice(), new).await.unwrap()) });
    }
    gate.arrived(2).await;
    let alice = alice();
    let revoking = service.hallpass.revoke(&alice, other);
    timeout(Duration::from_secs(5), revoking).await.expect("it does not wait").unwrap();
    let deleting = service.hallpass.delete(&alice, busy, None);
    timeout(Duration::from_secs(5), deleting).await.expect("it does not wait").unwrap();
    gate.open();
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn change_of_a_client_that_disconnected_keeps_its_permit() {
    let service = Service::new();
    let id = service.issue(&[]).await.record.id;
    let gate = service.store.faults().on(Operation::Update).stall();
    let alice = alice();
    for _ in 0..20 {
        let update = TokenUpdate::new().description("lost");
        let editing = service.hallpass.update(&alice, id, update, None);
        assert!(timeout(Duration::from_millis(5), editing).await.is_err());
    }
    assert!(gate.arrivals() <= 2, "{} changes at once", gate.arrivals());
    gate.open();
}
