//! Tests of the traces that a credential leaves in the request and in logs.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use hallpass_core::{Actor, public};
use hallpass_tower::{CredentialSource, PolicyTable, PrincipalExt};

use super::{router, serving};
use crate::capture;
use crate::fixture::{Fixture, Setup};
use crate::host::{Host, trace};
use crate::server::Server;
use crate::wire::Http1;

#[tokio::test]
async fn keep_authorization_keeps_the_header_but_hides_it_from_logs() {
    let mark = capture::mark();
    let server = Server::with(Host::Hyper, hallpass_tower::TokenLayer::keep_authorization).await;
    let answer = server.get("/echo", "T").await;
    assert!(
        answer
            .text()
            .contains(&format!("\nauthorization: Bearer {}\n", server.fixture.words.text("T")))
    );
    let debug = answer.text().lines().find(|line| line.starts_with("debug: ")).unwrap();
    assert!(debug.contains(r#""authorization": Sensitive"#), "{debug}");
    assert!(server.fixture.leak(debug.as_bytes()).is_none());
    let by_query = server.get("/echo?session={T}", "").await;
    assert!(by_query.status == 200 && server.fixture.leak(&by_query.body).is_none());
    assert!(server.fixture.leak(&capture::since(mark)).is_none());
}

#[tokio::test]
async fn foreign_authorization_is_kept_and_hidden_from_logs() {
    let server = Server::with(Host::Axum, hallpass_tower::TokenLayer::optional).await;
    let request =
        server.text("GET /echo HTTP/1.1\r\nhost: x\r\nauthorization: Basic {BASIC}\r\n\r\n");
    let mark = capture::mark();
    let answer = Http1::exchange(server.address, &request).await;
    assert!(answer.text().contains("\nauthorization: Basic "), "{}", answer.text());
    let debug = answer.text().lines().find(|line| line.starts_with("debug: ")).unwrap();
    assert!(debug.contains(r#""authorization": Sensitive"#), "{debug}");
    let log = String::from_utf8_lossy(&capture::since(mark)).into_owned();
    assert!(!log.contains(server.fixture.words.text("BASIC")), "{log}");
}

#[tokio::test]
async fn logging_outside_of_the_layer_sees_the_token() {
    let fixture = Fixture::new().await;
    let layer = fixture.layer(Setup::Default, Host::Axum.layer());
    let app = router().layer(trace()).layer(layer);
    let inside = serving(fixture, app).await;
    let mark = capture::mark();
    assert_eq!(inside.get("/echo?a=1&session={T}", "").await.status, 200);
    let log = capture::since(mark);
    assert!(String::from_utf8_lossy(&log).contains("uri=/echo?a=1 "), "the log was not captured");
    assert!(inside.fixture.leak(&log).is_none());

    let fixture = Fixture::new().await;
    let layer = fixture.layer(Setup::Default, Host::Axum.layer());
    let outside = serving(fixture, router().layer(layer).layer(trace())).await;
    let mark = capture::mark();
    assert_eq!(outside.get("/echo?session={T}", "").await.status, 200);
    assert!(
        outside.fixture.leak(&capture::since(mark)).is_some(),
        "a logging middleware outside of the layer sees the token"
    );
}

#[tokio::test]
async fn stored_principal_keeps_its_scopes_after_a_revocation() {
    let fixture = Fixture::new().await;
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let handler = async move |request: Request| {
        *keep.lock().unwrap() = request.principal().cloned();
    };
    let layer = fixture.layer(Setup::Default, Host::Axum.layer());
    let server = serving(fixture, Router::new().route("/", get(handler)).layer(layer)).await;
    assert_eq!(server.get("/", "U").await.status, 200);
    let principal = kept.lock().unwrap().take().unwrap();
    let hallpass = &server.fixture.hallpass;
    hallpass.revoke(&Actor::owner("alice"), principal.token_id().unwrap()).await.unwrap();
    assert!(principal.allows(&"echo:read".parse().unwrap()), "a snapshot");
    assert!(hallpass.recheck(&principal).await.is_err());
    assert_eq!(server.get("/", "U").await.status, 401, "a revocation takes effect immediately");
}

#[tokio::test]
async fn headers_with_a_url_contain_no_token() {
    let lines = "referer: https://x.example/page?a=1&session={T}&b#c\r\n\
                 x-original-url: /echo?session={T}\r\n\
                 x-forwarded-uri: /echo?other={T}&c=1\r\n\
                 x-envoy-original-path: /echo?next=%2Fecho%3Fsession%3D{T}&d\r\n\
                 x-rewrite-url: /echo?next=%2Fecho%3Fother%3D{ENCODED}&e\r\n\
                 hx-current-url: https://x.example/{T}\r\n";
    let table = || PolicyTable::new().get("/echo", public());
    let servers = [
        Server::of(Host::Axum).await,
        Server::of(Host::Hyper).await,
        Server::with(Host::Axum, hallpass_tower::TokenLayer::bearer_only).await,
        Server::with(Host::Axum, hallpass_tower::TokenLayer::optional).await,
        Server::with(Host::Axum, |layer| layer.policy(table())).await,
    ];
    for (place, server) in servers.iter().enumerate() {
        for bearer in ["authorization: Bearer {T}\r\n", ""] {
            if bearer.is_empty() && place < 3 {
                continue;
            }
            let request =
                server.text(&format!("GET /echo HTTP/1.1\r\nhost: x\r\n{lines}{bearer}\r\n"));
            let answer = Http1::exchange(server.address, &request).await;
            assert_eq!(answer.status, 200, "{place}");
            for line in [
                "\nreferer: https://x.example/page?a=1&b#c\n",
                "\nx-original-url: /echo\n",
                "\nx-forwarded-uri: /echo?c=1\n",
                "\nx-envoy-original-path: /echo?d\n",
                "\nx-rewrite-url: /echo?e\n",
                "\nhx-current-url: \n",
            ] {
                assert!(answer.text().contains(line), "{place}: {}", answer.text());
            }
        }
    }
}

#[tokio::test]
async fn url_before_a_rewrite_contains_no_token() {
    let shorten = |mut request: Request| {
        *request.uri_mut() = request.uri().path().parse().unwrap();
        request
    };
    let fixture = Fixture::new().await;
    let layer = fixture.layer(Setup::Default, Host::Axum.layer()).optional();
    let inner = router().layer(layer).layer(tower::util::MapRequestLayer::new(shorten));
    let server = serving(fixture, Router::new().fallback_service(inner)).await;
    let answer = server.get("/echo?session={T}", "").await;
    assert!(answer.status == 200 && answer.text().contains("\nuri: /echo\n"), "{}", answer.text());
    assert!(server.fixture.leak(&answer.body).is_none(), "{}", answer.text());
}

#[tokio::test]
async fn token_on_a_public_route_does_not_reach_the_service() {
    let table = || PolicyTable::new().get("/echo", public());
    let key = CredentialSource::header("x-api-key");
    for host in [Host::Axum, Host::Hyper] {
        let server =
            Server::with(host, |layer| layer.policy(table()).with_source(key.clone())).await;
        for line in [
            "authorization: Bearer {T}",
            "authorization: bearer  {T}, Bearer {U}",
            "authorization: Bearer {U}\r\nauthorization: Bearer {T}",
            "x-api-key: {T}",
        ] {
            let request = server.text(&format!("GET /echo HTTP/1.1\r\nhost: x\r\n{line}\r\n\r\n"));
            let answer = Http1::exchange(server.address, &request).await;
            assert_eq!(answer.status, 200, "{host:?} {line}");
            assert!(server.fixture.leak(&answer.body).is_none(), "{}", answer.text());
        }
        let request = "GET /echo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer other\r\n\r\n";
        let answer = Http1::exchange(server.address, request.as_bytes()).await;
        assert!(answer.text().contains("\nauthorization: Bearer other\n"), "{}", answer.text());
    }
    let kept = Server::with(Host::Axum, |layer| layer.policy(table()).keep_authorization()).await;
    let answer = kept.get("/echo", "T").await;
    assert!(answer.text().contains("\nauthorization: Bearer "), "{}", answer.text());
}
