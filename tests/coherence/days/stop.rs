//! The service is told to end while it changes something.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use hallpass_core::store::TokenStore as _;
use hallpass_core::{Hallpass, TokenId};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Verb};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{PATIENCE, alice, issue, node, settings};

/// A service that revokes, until it is told to end.
struct Service {
    store: FaultyStore<MemoryStore>,
    passes: Hallpass,
    address: SocketAddr,
    end: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

async fn revoke(State(passes): State<Hallpass>, Path(id): Path<String>) -> StatusCode {
    let id: TokenId = id.parse().expect("an id");
    match passes.revoke(&alice(), id).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(error) if error.is_unavailable() => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::CONFLICT,
    }
}

impl Service {
    async fn start() -> Self {
        let store = FaultyStore::new(MemoryStore::new());
        let passes = node(&store, settings());
        let routes = Router::new().route("/revoke/{id}", post(revoke)).with_state(passes.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (end, ended) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let told = async move { ended.await.expect("somebody tells") };
            axum::serve(listener, routes).with_graceful_shutdown(told).await.expect("it serves");
        });
        Self { store, passes, address, end, served }
    }

    fn ask_to_revoke(&self, id: TokenId) -> JoinHandle<reqwest::Result<u16>> {
        let url = format!("http://{}/revoke/{id}", self.address);
        let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("a client");
        tokio::spawn(async move { Ok(client.post(url).send().await?.status().as_u16()) })
    }
}

async fn is_revoked(store: &FaultyStore<MemoryStore>, id: TokenId) -> bool {
    let found = store.inner().find(id).await.expect("it is there").value;
    found.expect("a token").record.revoked_at.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn f54_a_change_under_way_is_ended_and_answered_before_the_service_ends() {
    // Done before it waits, or after: its answer says what is.
    for done_at_once in [true, false] {
        let service = Service::start().await;
        let id = issue(&service.passes).await.record.id;
        let on_change = service.store.faults().on(Verb::Change);
        let gate = if done_at_once { on_change.hold() } else { on_change.stall() };
        let asked = service.ask_to_revoke(id);
        gate.arrived(1).await;
        service.end.send(()).expect("it serves");
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!service.served.is_finished(), "it waits for what is under way");
        assert_eq!(is_revoked(&service.store, id).await, done_at_once);
        gate.open();
        assert_eq!(asked.await.unwrap().expect("an answer"), 204);
        let ended = tokio::time::timeout(PATIENCE, service.served).await;
        ended.expect("it ends").expect("no panic");
        assert!(is_revoked(&service.store, id).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f54_a_change_whose_outcome_is_lost_is_found_out_before_it_is_answered() {
    let service = Service::start().await;
    let ids = [issue(&service.passes).await.record.id, issue(&service.passes).await.record.id];
    service.store.faults().on(Verb::Change).once().lose_answer();
    assert_eq!(service.ask_to_revoke(ids[0]).await.unwrap().unwrap(), 204);
    assert!(is_revoked(&service.store, ids[0]).await);
    service.store.faults().on(Verb::Change).lose_call();
    assert_eq!(service.ask_to_revoke(ids[1]).await.unwrap().unwrap(), 503);
    assert!(!is_revoked(&service.store, ids[1]).await);
}

/// The host's patience ends first: whoever asked is told nothing, least of all that it was done.
#[test]
fn f54_a_change_that_is_cut_off_is_never_said_to_be_done() {
    let client_side = tokio::runtime::Runtime::new().expect("a runtime");
    let server_side = tokio::runtime::Runtime::new().expect("a runtime");
    let service = server_side.block_on(Service::start());
    let id = server_side.block_on(issue(&service.passes)).record.id;
    let gate = service.store.faults().on(Verb::Change).stall();
    let asked = {
        let _entered = client_side.enter();
        service.ask_to_revoke(id)
    };
    client_side.block_on(gate.arrived(1));
    server_side.shutdown_timeout(Duration::from_millis(200));
    gate.open();
    let answer = client_side.block_on(asked).expect("no panic");
    assert!(answer.is_err(), "{answer:?}");
    assert!(!client_side.block_on(is_revoked(&service.store, id)));
}
