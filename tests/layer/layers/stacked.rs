//! Tests of nested layers, optional layers, `require`, and a missing layer.

use axum::Router;
use axum::routing::get;
use hallpass_core::{Actor, Hallpass, NewToken, any_of};
use hallpass_memory::MemoryStore;
use hallpass_tower::{PolicyTable, require};
use tower_http::cors::CorsLayer;

use super::{answer, router, serving};
use crate::capture;
use crate::fixture::{Fixture, Setup};
use crate::host::Host;
use crate::server::Server;
use crate::wire::Http1;

#[tokio::test]
async fn inner_layer_accepts_the_principal_of_the_outer_layer() {
    let fixture = Fixture::new().await;
    let outer = fixture.layer(Setup::Default, Host::Axum.layer()).optional();
    let table = PolicyTable::new().get("/strict", "echo:read");
    let inner = fixture.layer(Setup::Default, Host::Axum.layer()).policy(table);
    let app = Router::new()
        .route("/strict", get(answer))
        .layer(inner)
        .merge(Router::new().route("/open", get(answer)))
        .layer(outer);
    let server = serving(fixture, app).await;
    for (target, token, owed) in [
        ("/open", "", 200),
        ("/open", "T", 200),
        ("/open", "REVOKED", 401),
        ("/open?session=", "", 400),
        ("/strict", "", 401),
        ("/strict", "T", 200),
        ("/strict", "READER", 200),
        ("/strict", "LOW", 403),
        ("/strict", "REVOKED", 401),
        ("/strict?session={T}", "", 200),
        ("/strict?session={LOW}", "", 403),
        ("/strict?session={T}", "T", 400),
    ] {
        let lookups = server.fixture.lookups();
        let answer = server.get(target, token).await;
        assert_eq!(answer.status, owed, "{target} {token}");
        assert!(
            server.fixture.lookups() - lookups <= 1,
            "{target} {token}: both layers share one load"
        );
        assert!(server.fixture.leak(&answer.body).is_none(), "{target} {token}");
        let owner =
            if token.is_empty() && !target.contains('{') { "owner: -" } else { "owner: alice" };
        assert!(owed != 200 || answer.text().contains(owner), "{target} {token}");
    }
    let by_query = server.get("/strict?session={T}", "").await;
    assert_eq!(by_query.header("cache-control"), Some("private, no-store"));
}

#[tokio::test]
async fn inner_layer_of_another_handle_verifies_the_token_itself() {
    let fixture = Fixture::new().await;
    let other = Hallpass::builder(MemoryStore::new()).build();
    let theirs = other.issue(&Actor::owner("eve"), NewToken::named("theirs")).await.unwrap();
    let outer = fixture.layer(Setup::Default, Host::Axum.layer()).optional();
    let server = serving(fixture, router().layer((Host::Axum.layer())(&other)).layer(outer)).await;
    let hint = "a layer of another `Hallpass` around this one has authenticated the request";
    let is_logged = |mark| String::from_utf8(capture::since(mark)).unwrap().contains(hint);
    // The line is written at most once a second. No other test of this process may cause it.
    let mark = capture::mark();
    assert_eq!(server.get("/echo", "").await.status, 401);
    assert!(!is_logged(mark), "the request has no token at all");
    // The outer layer has accepted and removed the credential, so the inner layer has nothing to
    // verify.
    assert_eq!(server.get("/echo", "T").await.status, 401);
    assert!(is_logged(mark));
    let request = format!(
        "GET /echo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        theirs.token.reveal()
    );
    assert_eq!(Http1::exchange(server.address, request.as_bytes()).await.status, 401);
}

#[tokio::test]
async fn optional_layer_accepts_anonymous_requests_but_no_invalid_token() {
    let server = Server::with(Host::Axum, hallpass_tower::TokenLayer::optional).await;
    let stranger = server.get("/echo", "").await;
    assert!(stranger.status == 200 && stranger.text().contains("owner: -"));
    let known = server.get("/echo", "T").await;
    assert!(known.status == 200 && known.text().contains("owner: alice"));
    for (target, token, owed) in [
        ("/echo", "SUM", 401),
        ("/echo", "REVOKED", 401),
        ("/echo?session=x", "", 401),
        ("/echo?session", "", 400),
    ] {
        assert_eq!(server.get(target, token).await.status, owed, "{target} {token}");
    }
    // A token in a parameter whose name differs only in case is not a credential, and is removed.
    let mistyped = server.get("/echo?a&Session={T}", "").await;
    assert!(mistyped.text().contains("uri: /echo?a\n"), "{}", mistyped.text());
    assert!(server.fixture.leak(&mistyped.body).is_none());
    assert_eq!(mistyped.header("referrer-policy"), Some("no-referrer"));
    // With a policy table, a route that requires a token requires it as before.
    let table = PolicyTable::new().get("/echo", "echo:read");
    let server = Server::with(Host::Axum, |layer| layer.optional().policy(table)).await;
    assert_eq!(server.get("/echo", "").await.status, 401);
}

#[tokio::test]
async fn require_checks_the_scopes_of_the_principal() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/either", get(answer).layer(require(any_of(["other", "echo:read"]))))
        .route("/echo", get(answer).layer(require("echo:read")))
        .layer(fixture.layer(Setup::Default, Host::Axum.layer()).optional().realm("acme"));
    let server = serving(fixture, app).await;
    for (target, token, owed, challenge) in [
        ("/echo", "T", 200, None),
        ("/echo", "READER", 200, None),
        (
            "/echo",
            "LOW",
            403,
            Some(
                r#"Bearer realm="acme", error="insufficient_scope", error_description="the token does not allow this", scope="echo:read""#,
            ),
        ),
        ("/echo", "", 401, Some(r#"Bearer realm="acme""#)),
        ("/either", "LOW", 200, None),
        (
            "/either",
            "WRITER",
            403,
            Some(
                r#"Bearer realm="acme", error="insufficient_scope", error_description="the token does not allow this", scope="other echo:read""#,
            ),
        ),
    ] {
        let answer = server.get(target, token).await;
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (owed, challenge),
            "{target} {token}"
        );
        let head = server.http1("HEAD", target, token).await;
        assert_eq!(
            (head.status, head.header("www-authenticate")),
            (owed, challenge),
            "{target} {token}"
        );
    }
}

#[tokio::test]
async fn require_without_a_layer_is_a_500_with_a_log_line() {
    let mark = capture::mark();
    let fixture = Fixture::new().await;
    let server = serving(fixture, router().layer(require("echo:read"))).await;
    for token in ["", "T"] {
        let answer = server.get("/echo", token).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (500, None));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        // Debug builds say it in the response, too.
        let mistake =
            "set up wrongly: a route requires a token, but no Hallpass layer is around it";
        assert!(answer.text().contains(mistake), "{}", answer.text());
    }
    let log = String::from_utf8(capture::since(mark)).unwrap();
    assert!(log.contains("ERROR hallpass: a route requires a token, but no Hallpass layer is around it: add `.layer(hallpass.layer())`"), "{log}");
    // The wrong order of the layers is the same mistake.
    let fixture = Fixture::new().await;
    let layer = fixture.layer(Setup::Default, Host::Axum.layer());
    let server = serving(fixture, router().layer(layer).layer(require("echo:read"))).await;
    assert_eq!(server.get("/echo", "T").await.status, 500);
}

#[tokio::test]
async fn scope_behind_a_public_route_is_logged_as_a_mistake() {
    let mark = capture::mark();
    let fixture = Fixture::new().await;
    let table = PolicyTable::new().get("/echo", hallpass_core::public());
    let layer = fixture.layer(Setup::Default, Host::Axum.layer()).policy(table);
    let server = serving(fixture, router().layer(require("echo:read")).layer(layer)).await;
    for token in ["", "T"] {
        assert_eq!(server.get("/echo", token).await.status, 500);
    }
    let log = String::from_utf8(capture::since(mark)).unwrap();
    assert!(log.contains("the policy table declares it public"), "{log}");
}

#[tokio::test]
async fn outer_cors_layer_responds_to_preflights_and_marks_rejections() {
    let preflight = "OPTIONS /echo HTTP/1.1\r\nhost: x\r\norigin: https://app.example\r\n\
                     access-control-request-method: GET\r\n\r\n";
    let fixture = Fixture::new().await;
    let layer = fixture.layer(Setup::Default, Host::Axum.layer());
    let server = serving(fixture, router().layer(layer).layer(CorsLayer::permissive())).await;
    let answer = Http1::exchange(server.address, preflight.as_bytes()).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some("*")));
    // Rejections pass through the CORS layer, too, so that a page can read them.
    let request = "GET /echo HTTP/1.1\r\nhost: x\r\norigin: https://app.example\r\n\r\n";
    let answer = Http1::exchange(server.address, request.as_bytes()).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (401, Some("*")));
}
