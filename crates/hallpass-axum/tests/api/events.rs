//! The events of rejections, and the origins of requests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hallpass_axum::{Confirmation, HallpassBuilderExt as _, TokenApi, TrustedProxies};
use hallpass_core::{Actor, Event, EventKind, Hallpass, Origin, RejectReason};
use hallpass_memory::MemoryStore;
use serde_json::json;
use tower::ServiceExt as _;

use crate::support::{Api, Sending, UNKNOWN, signed_in};

/// The rejections that the host's sink has received since the last read.
#[derive(Clone, Default)]
struct Rejections(Arc<Mutex<Vec<Event>>>);

impl Rejections {
    async fn host(&self) -> Api {
        let sink = self.clone();
        Api::with(move |builder| {
            builder
                .step_up(async |_: Actor, typed: Confirmation| typed.reveal() == "right")
                .events(move |event: &Event| sink.0.lock().unwrap().push(event.clone()))
        })
        .await
    }

    /// Sends a request, and returns the reason and the owner of the only rejection that it caused.
    async fn of(&self, request: Sending<'_>) -> (RejectReason, Option<String>) {
        self.0.lock().unwrap().clear();
        let answer = request.header("x-request-id", "r-17").send().await;
        let mut events = self.0.lock().unwrap().clone();
        events.retain(|event| matches!(event.kind, EventKind::Rejected(_)));
        let [event] = &events[..] else { panic!("{}: {events:?}", answer.text) };
        assert_eq!(event.origin.request_id_str(), Some("r-17"));
        let EventKind::Rejected(reason) = event.kind else { unreachable!("it was filtered") };
        (reason, event.owner.as_ref().or(event.actor.as_ref()).map(ToString::to_string))
    }
}

#[tokio::test]
async fn every_rejection_of_the_api_is_one_event_with_its_origin() {
    let rejections = Rejections::default();
    let api = rejections.host().await;
    // base64url of `right`.
    let body = json!({ "name": "ci", "scopes": ["projects:list"] });
    let issued = api.post("").header("hallpass-confirmation", "cmlnaHQ").json(&body).await;
    let own = format!("/{}", issued.id());
    let alice = Some("alice".to_owned());
    for (request, reason, who) in [
        (api.get("").bearer(issued.token()), RejectReason::TokenNotAccepted, alice.clone()),
        (
            api.get("").header("authorization", &format!("Bearer {}", issued.token())),
            RejectReason::TokenNotAccepted,
            alice.clone(),
        ),
        (api.delete(&own).header("sec-fetch-site", "cross-site"), RejectReason::CrossSite, None),
        (api.delete(&own), RejectReason::NotConfirmed, alice.clone()),
        (
            api.delete(&own).header("hallpass-confirmation", "d3Jvbmc"),
            RejectReason::NotConfirmed,
            alice.clone(),
        ),
        (api.get(&own).by("bob"), RejectReason::NotFound, Some("bob".to_owned())),
        (api.get(&format!("/{UNKNOWN}")), RejectReason::NotFound, alice.clone()),
        (api.get("?owner=bob"), RejectReason::NotPermitted, alice.clone()),
        (api.get("/audit?owner=bob"), RejectReason::NotPermitted, alice.clone()),
        (
            api.post(&format!("{own}/regenerate"))
                .by("root")
                .header("hallpass-confirmation", "cmlnaHQ"),
            RejectReason::NotPermitted,
            Some("root".to_owned()),
        ),
    ] {
        assert_eq!(rejections.of(request).await, (reason, who));
    }
}

/// Makes a change over a connection from `peer` with these headers, and returns its address in the
/// audit trail.
async fn address(
    proxies: Option<TrustedProxies>,
    peer: &str,
    forwarded: &[impl AsRef<[u8]>],
) -> String {
    let mut builder = Hallpass::builder(MemoryStore::new());
    if let Some(proxies) = proxies {
        builder = builder.trusted_proxies(proxies);
    }
    let hallpass = builder.build();
    let app: Router = TokenApi::new(&hallpass, signed_in).into_router_at("/tokens");
    let request = Request::post("/tokens")
        .header("x-person", "alice")
        .header("content-type", "application/json")
        .extension(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
    let request = forwarded
        .iter()
        .fold(request, |request, value| request.header("x-forwarded-for", value.as_ref()));
    let body = Body::from(r#"{"name":"ci"}"#);
    assert_eq!(app.oneshot(request.body(body).unwrap()).await.unwrap().status(), 201);
    let options = hallpass_core::AuditOptions::new();
    let trail = hallpass.audit(&Actor::owner("alice"), &options).await.unwrap();
    trail.items[0].event.origin.ip_addr().unwrap().to_string()
}

#[tokio::test]
async fn without_trusted_proxies_the_peer_address_is_used() {
    assert_eq!(address(None, "10.0.0.1", &["6.6.6.6, 203.0.113.7"]).await, "10.0.0.1");
}

#[tokio::test]
async fn hops_are_counted_from_the_right() {
    for (hops, lines, client) in [
        (0, &["6.6.6.6"][..], "10.0.0.1"),
        (1, &["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        (1, &["6.6.6.6", "203.0.113.7:4711"], "203.0.113.7"),
        (1, &["6.6.6.6, [2001:db8::7]:4711"], "2001:db8::7"),
        (1, &["6.6.6.6, unknown"], "10.0.0.1"),
        (1, &[], "10.0.0.1"),
        (2, &["6.6.6.6, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
    ] {
        let proxies = TrustedProxies::hops(hops);
        assert_eq!(address(Some(proxies), "10.0.0.1", lines).await, client, "{hops} {lines:?}");
    }
}

#[tokio::test]
async fn invalid_bytes_of_a_client_do_not_hide_its_address() {
    let line: &[&[u8]] = &[b"\xff, 203.0.113.7"];
    for proxies in [TrustedProxies::hops(1), TrustedProxies::networks(["10.0.0.0/8"])] {
        assert_eq!(address(Some(proxies), "10.0.0.1", line).await, "203.0.113.7");
    }
}

#[tokio::test]
async fn only_trusted_networks_may_name_the_client() {
    let inside = TrustedProxies::networks(["10.0.0.0/8", "::1"]);
    for (peer, lines, client) in [
        ("203.0.113.9", &["6.6.6.6"][..], "203.0.113.9"),
        ("10.0.0.1", &["6.6.6.6, 203.0.113.7, 10.9.9.9"], "203.0.113.7"),
        ("::1", &["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", &["6.6.6.6, _hidden"], "10.0.0.1"),
        ("10.0.0.1", &["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
    ] {
        assert_eq!(address(Some(inside.clone()), peer, lines).await, client, "{peer} {lines:?}");
    }
}

#[test]
#[should_panic(expected = "invalid network")]
fn invalid_network_is_a_start_up_error() {
    let _ = TrustedProxies::networks(["10.0.0.1", "10.0.0.0/33"]);
}

#[tokio::test]
async fn origin_set_by_the_host_is_used() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let app: Router = TokenApi::new(&hallpass, signed_in).into_router_at("/tokens");
    let request = Request::post("/tokens")
        .header("x-person", "alice")
        .header("user-agent", "not this one")
        .header("content-type", "application/json")
        .extension(Origin::new().user_agent("the host's"))
        .body(Body::from(r#"{"name":"ci"}"#))
        .unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), 201);
    let options = hallpass_core::AuditOptions::new();
    let trail = hallpass.audit(&Actor::owner("alice"), &options).await.unwrap();
    assert_eq!(trail.items[0].event.origin.user_agent_str(), Some("the host's"));
}
