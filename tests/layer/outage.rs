//! Tests of a store that fails or stalls: the response is 503 and never a decision about the token.

use std::io;

use hallpass_core::Owner;
use hallpass_core::store::StoreError;
use hallpass_testkit::Operation;

use crate::host::Host;
use crate::server::Server;
use crate::wire::{Answer, Http1, in_time};

fn broken() -> io::Error {
    io::Error::other("the disk is gone")
}

/// All errors that a lookup can return, including unusual ones.
const FAULTS: [fn() -> StoreError; 8] = [
    || StoreError::unavailable(broken()),
    || StoreError::read_only(broken()),
    || StoreError::outcome_unknown(broken()),
    || StoreError::corrupt(broken()),
    StoreError::not_found,
    StoreError::conflict,
    StoreError::duplicate,
    || StoreError::limit_reached(1),
];

fn assert_unavailable(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}");
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3).contains(&seconds), "{what}: {seconds}");
    assert_eq!(answer.header("www-authenticate"), None, "{what}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert!(!answer.text().contains("disk"), "{what}: the response reveals the cause");
}

#[tokio::test]
async fn every_store_error_is_a_503() {
    for host in [Host::Hyper, Host::Axum] {
        let server = Server::of(host).await;
        for (place, fault) in FAULTS.into_iter().enumerate() {
            server.fixture.store.faults().on(Operation::Get).fail_with(fault);
            // While the store fails, a valid token and one that would be rejected get the same
            // response.
            for token in ["T", "UNKNOWN", "REVOKED", "EXPIRED", "WRONG"] {
                let what = format!("{host:?}, fault {place}, {token}");
                assert_unavailable(&server.get("/echo", token).await, &what);
                assert_unavailable(&server.http2("GET", "/echo", token).await, &what);
                let by_query = server.get(&format!("/echo?session={{{token}}}"), "").await;
                assert_unavailable(&by_query, &what);
                assert_eq!(by_query.header("referrer-policy"), Some("no-referrer"), "{what}");
            }
            // Requests that need no store are not affected.
            assert_eq!(server.get("/echo", "SUM").await.status, 401);
            assert_eq!(server.get("/echo", "").await.status, 401);
        }
        assert_eq!(server.echo.served(), 0);
        server.fixture.store.faults().heal();
        assert_eq!(server.get("/echo", "T").await.status, 200, "an error was cached");
    }
}

#[tokio::test]
async fn failing_owner_directory_is_a_503() {
    let fixture_of = |server: &Server| {
        server.fixture.builder().owner_directory(|_: Owner| async { Err(broken().into()) }).build()
    };
    let plain = Server::of(Host::Hyper).await;
    let layer = (Host::Hyper.layer())(&fixture_of(&plain));
    let address = Host::Hyper.serve_echo(layer, plain.echo.clone()).await;
    let server = Server { address, ..plain };
    assert_unavailable(&server.get("/echo", "T").await, "owners");
    // An unknown token is rejected before the owner directory is called.
    assert_eq!(server.get("/echo", "UNKNOWN").await.status, 401);
}

#[tokio::test]
async fn client_that_disconnects_during_a_load_does_not_cancel_others() {
    for host in [Host::Hyper, Host::Axum] {
        let server = Server::of(host).await;
        let gate = server.fixture.store.faults().on(Operation::Get).stall();
        let request =
            server.text("GET /echo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {T}\r\n\r\n");
        let mut leaves = Http1::connect(server.address).await;
        leaves.send(&request).await.unwrap();
        in_time(gate.arrived(1)).await;
        let mut stays = Http1::connect(server.address).await;
        stays.send(&request).await.unwrap();
        in_time(gate.arrived(2)).await;
        drop(leaves);

        // Requests that need no load do not wait for one.
        assert_eq!(server.get("/echo", "").await.status, 401, "{host:?}");
        assert_eq!(server.get("/echo", "SUM").await.status, 401, "{host:?}");
        gate.open();
        assert_eq!(stays.answer().await.status, 200, "{host:?}");
        assert_eq!(server.get("/echo", "T").await.status, 200, "{host:?}");
    }
}

#[tokio::test]
async fn load_that_fails_after_a_wait_is_a_503() {
    let server = Server::of(Host::Hyper).await;
    let find = || server.fixture.store.faults().on(Operation::Get);
    let gate = find().stall();
    let mut waits = Http1::connect(server.address).await;
    let request = server.text("GET /echo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {T}\r\n\r\n");
    waits.send(&request).await.unwrap();
    in_time(gate.arrived(1)).await;
    find().fail_with(|| StoreError::unavailable(broken()));
    gate.open();
    assert_unavailable(&waits.answer().await, "after a wait");
    assert_eq!(server.echo.served(), 0);
}
