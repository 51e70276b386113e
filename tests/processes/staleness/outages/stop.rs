//! Shutdowns of the service while a change is in flight.

use std::time::Duration;

use hallpass_core::store::TokenStore as _;
use hallpass_core::{Hallpass, TokenId};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Operation};
use hallpass_tests::nodes::{issue, node, settings};
use hallpass_tests::service::Service;

fn node_in_memory() -> (FaultyStore<MemoryStore>, Hallpass) {
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = node(&store, settings());
    (store, hallpass)
}

async fn is_revoked(store: &FaultyStore<MemoryStore>, id: TokenId) -> bool {
    let found = store.inner().get(id).await.expect("the store responds").value;
    found.expect("the token exists").record.revoked_at.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_waits_for_a_change_in_flight_and_its_response() {
    // The store makes the change either before or after it waits at the gate.
    for done_at_once in [true, false] {
        let (store, hallpass) = node_in_memory();
        let mut service = Service::start(&hallpass).await;
        let id = issue(&hallpass).await.record.id;
        let on_change = store.faults().on(Operation::Update);
        let gate = if done_at_once { on_change.hold() } else { on_change.stall() };
        let asked = service.send_revoke(id);
        gate.arrived(1).await;
        service.shut_down();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!service.has_ended(), "the service ended before the change");
        assert_eq!(is_revoked(&store, id).await, done_at_once);
        gate.open();
        assert_eq!(asked.await.unwrap().expect("an answer"), 204);
        service.ended().await;
        assert!(is_revoked(&store, id).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_outcome_of_a_change_is_resolved_before_the_response() {
    let (store, hallpass) = node_in_memory();
    let service = Service::start(&hallpass).await;
    let ids = [issue(&hallpass).await.record.id, issue(&hallpass).await.record.id];
    store.faults().on(Operation::Update).once().lose_answer();
    assert_eq!(service.send_revoke(ids[0]).await.unwrap().unwrap(), 204);
    assert!(is_revoked(&store, ids[0]).await);
    store.faults().on(Operation::Update).lose_call();
    assert_eq!(service.send_revoke(ids[1]).await.unwrap().unwrap(), 503);
    assert!(!is_revoked(&store, ids[1]).await);
}

/// Tests that if the host ends before the change does, the client gets no response instead of a
/// wrong one.
#[test]
fn interrupted_change_is_never_reported_as_done() {
    let client_side = tokio::runtime::Runtime::new().expect("a runtime");
    let server_side = tokio::runtime::Runtime::new().expect("a runtime");
    let (store, hallpass) = node_in_memory();
    let service = server_side.block_on(Service::start(&hallpass));
    let id = server_side.block_on(issue(&hallpass)).record.id;
    let gate = store.faults().on(Operation::Update).stall();
    let asked = {
        let _entered = client_side.enter();
        service.send_revoke(id)
    };
    client_side.block_on(gate.arrived(1));
    server_side.shutdown_timeout(Duration::from_millis(200));
    gate.open();
    let answer = client_side.block_on(asked).expect("no panic");
    assert!(answer.is_err(), "{answer:?}");
    assert!(!client_side.block_on(is_revoked(&store, id)));
}
