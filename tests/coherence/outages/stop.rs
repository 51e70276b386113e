//! The service is told to end while it changes something.

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
    let found = store.inner().get(id).await.expect("it is there").value;
    found.expect("a token").record.revoked_at.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn f54_a_change_under_way_is_ended_and_answered_before_the_service_ends() {
    // Done before it waits, or after: its answer says what is.
    for done_at_once in [true, false] {
        let (store, hallpass) = node_in_memory();
        let mut service = Service::start(&hallpass).await;
        let id = issue(&hallpass).await.record.id;
        let on_change = store.faults().on(Operation::Update);
        let gate = if done_at_once { on_change.hold() } else { on_change.stall() };
        let asked = service.ask_to_revoke(id);
        gate.arrived(1).await;
        service.tell_to_end();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!service.has_ended(), "it waits for what is under way");
        assert_eq!(is_revoked(&store, id).await, done_at_once);
        gate.open();
        assert_eq!(asked.await.unwrap().expect("an answer"), 204);
        service.ended().await;
        assert!(is_revoked(&store, id).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f54_a_change_whose_outcome_is_lost_is_found_out_before_it_is_answered() {
    let (store, hallpass) = node_in_memory();
    let service = Service::start(&hallpass).await;
    let ids = [issue(&hallpass).await.record.id, issue(&hallpass).await.record.id];
    store.faults().on(Operation::Update).once().lose_answer();
    assert_eq!(service.ask_to_revoke(ids[0]).await.unwrap().unwrap(), 204);
    assert!(is_revoked(&store, ids[0]).await);
    store.faults().on(Operation::Update).lose_call();
    assert_eq!(service.ask_to_revoke(ids[1]).await.unwrap().unwrap(), 503);
    assert!(!is_revoked(&store, ids[1]).await);
}

/// The host's patience ends first: whoever asked is told nothing, least of all that it was done.
#[test]
fn f54_a_change_that_is_cut_off_is_never_said_to_be_done() {
    let client_side = tokio::runtime::Runtime::new().expect("a runtime");
    let server_side = tokio::runtime::Runtime::new().expect("a runtime");
    let (store, hallpass) = node_in_memory();
    let service = server_side.block_on(Service::start(&hallpass));
    let id = server_side.block_on(issue(&hallpass)).record.id;
    let gate = store.faults().on(Operation::Update).stall();
    let asked = {
        let _entered = client_side.enter();
        service.ask_to_revoke(id)
    };
    client_side.block_on(gate.arrived(1));
    server_side.shutdown_timeout(Duration::from_millis(200));
    gate.open();
    let answer = client_side.block_on(asked).expect("no panic");
    assert!(answer.is_err(), "{answer:?}");
    assert!(!client_side.block_on(is_revoked(&store, id)));
}
