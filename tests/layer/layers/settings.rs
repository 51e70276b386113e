//! Tests of the places in which the layer looks for credentials.

use std::sync::{Arc, Mutex};

use hallpass_core::{Actor, Event, EventKind, Hallpass, NewToken, RejectReason};
use hallpass_memory::MemoryStore;

use super::{router, serving};
use crate::fixture::Fixture;
use crate::host::Host;
use crate::server::Server;

#[tokio::test]
async fn rejected_query_token_is_reported_with_its_id() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&events);
    let hallpass = Hallpass::builder(MemoryStore::new())
        .events(move |event: &Event| sink.lock().unwrap().push(event.clone()))
        .build();
    let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("leaked")).await.unwrap();
    let layer = (Host::Axum.layer())(&hallpass)
        .bearer_only()
        .reject_query_tokens()
        .query_parameters(["session", "key"]);
    let server = serving(Fixture::new().await, router().layer(layer)).await;
    let in_url = || {
        let of = |event: &Event| event.kind == EventKind::Rejected(RejectReason::TokenInUrl);
        events
            .lock()
            .unwrap()
            .iter()
            .filter(|event| of(event))
            .map(|event| event.token_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(server.get("/echo?session=mine&key=x", "").await.status, 401);
    assert_eq!(in_url(), []);
    for name in ["session", "key"] {
        let target = format!("/echo?{name}={}", issued.token.reveal());
        assert_eq!(server.get(&target, "").await.status, 400);
    }
    assert_eq!(in_url(), [Some(issued.record.id); 2]);
}

#[tokio::test]
async fn other_query_parameters_are_read_if_they_are_configured() {
    let server =
        Server::with(Host::Hyper, |layer| layer.query_parameters(["access_token", "my key"])).await;
    for (target, owed) in [
        ("/echo?access_token={T}", 200),
        ("/echo?my+key={T}", 200),
        ("/echo?my%20key={T}", 200),
        ("/echo?session={T}", 401),
        ("/echo?access_token={T}&my+key={T}", 400),
        ("/echo?my+key=&access_token={T}", 400),
    ] {
        let answer = server.get(target, "").await;
        assert_eq!(answer.status, owed, "{target}");
        assert!(server.fixture.leak(&answer.body).is_none(), "{target}");
    }
}
