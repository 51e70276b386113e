//! Tests of responses: rejections that a host renders, and headers that the layer adds.

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use hallpass_tower::{Rejection, RejectionKind};
use http::{Response, StatusCode};

use super::serving;
use crate::fixture::{Fixture, Setup};
use crate::host::Host;
use crate::server::Server;
use crate::wire::{Http2, Sent};

#[tokio::test]
async fn host_can_render_rejections_itself() {
    let render = |rejection: &Rejection, answer: Response<Bytes>| {
        let mut page = answer.map(|_| Bytes::from_static(b"<h1>No</h1>"));
        page.headers_mut().insert("content-type", "text/html".parse().unwrap());
        if *rejection.kind() == RejectionKind::NoCredential {
            *page.status_mut() = StatusCode::SEE_OTHER;
            page.headers_mut().insert("location", "/login".parse().unwrap());
        }
        page
    };
    let server = Server::with(Host::Hyper, |layer| layer.on_rejection(render)).await;
    let page = server.get("/echo", "").await;
    assert_eq!(
        (page.status, page.header("location"), page.text()),
        (303, Some("/login"), "<h1>No</h1>")
    );
    let page = server.get("/echo", "SUM").await;
    assert_eq!((page.status, page.header("content-type")), (401, Some("text/html")));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(page.header("www-authenticate").is_some());
    let head = server.http2("HEAD", "/echo", "SUM").await;
    assert_eq!(
        (head.status, head.header("content-length"), &*head.body),
        (401, Some("11"), &b""[..])
    );

    // Caches must not store a rejection that is built without the original response either.
    let server = Server::with(Host::Hyper, |layer| {
        layer.on_rejection(|_, _| Response::builder().status(418).body(Bytes::new()).unwrap())
    })
    .await;
    let teapot = server.get("/echo", "").await;
    assert_eq!((teapot.status, teapot.header("cache-control")), (418, Some("no-store")));
}

#[tokio::test]
async fn stricter_cache_control_of_the_service_is_kept() {
    for (control, owed) in [
        ("no-store", "no-store"),
        ("No-Store, max-age=0", "No-Store, max-age=0"),
        ("public, max-age=600", "private, no-store"),
        ("private", "private, no-store"),
    ] {
        let handler =
            async move || ([("cache-control", control), ("referrer-policy", "unsafe-url")], "");
        let fixture = Fixture::new().await;
        let layer = fixture.layer(Setup::Default, Host::Axum.layer());
        let server = serving(fixture, Router::new().route("/", get(handler)).layer(layer)).await;
        let answer = server.get("/?session={T}", "").await;
        assert_eq!(answer.header("cache-control"), Some(owed), "{control}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{control}");
        let by_header = server.get("/", "T").await;
        assert_eq!(by_header.header("cache-control"), Some(control), "the service's own value");
    }
}

#[tokio::test]
async fn responses_to_tokens_are_not_stored_by_shared_caches() {
    let quiet = async || "";
    let public = async || ([("cache-control", "public, max-age=60"), ("vary", "Accept")], "");
    let varied = async || ([("vary", "accept, Authorization")], "");
    let any = async || ([("vary", "*")], "");
    let fixture = Fixture::new().await;
    let layer = fixture.layer(Setup::Default, Host::Axum.layer()).optional();
    let app = Router::new()
        .route("/quiet", get(quiet))
        .route("/public", get(public))
        .route("/varied", get(varied))
        .route("/any", get(any))
        .route("/scoped", get(quiet).layer(hallpass_tower::require("other")))
        .layer(layer);
    let server = serving(fixture, app).await;
    for (target, token, status, control, vary) in [
        ("/quiet", "T", 200, Some("private"), &["authorization"][..]),
        ("/quiet", "", 200, None, &["authorization"]),
        ("/quiet", "REVOKED", 401, Some("no-store"), &["authorization"]),
        ("/public", "T", 200, Some("public, max-age=60"), &["Accept", "authorization"]),
        ("/varied", "T", 200, Some("private"), &["accept, Authorization"]),
        ("/any", "T", 200, Some("private"), &["*"]),
        ("/scoped", "T", 403, Some("no-store"), &["authorization"]),
        ("/scoped", "", 401, Some("no-store"), &["authorization"]),
    ] {
        let answer = server.get(target, token).await;
        let varies: Vec<_> =
            answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(
            (answer.status, answer.header("cache-control"), varies),
            (status, control, vary.to_vec()),
            "{target} {token}"
        );
    }
}

#[tokio::test]
async fn caching_headers_are_removed_for_a_url_with_a_token() {
    let handler = async || {
        (
            [
                ("expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
                ("cdn-cache-control", "max-age=600"),
                ("surrogate-control", "max-age=600"),
                ("x-accel-expires", "600"),
                ("cache-control", "public"),
            ],
            "",
        )
    };
    let fixture = Fixture::new().await;
    let layer = fixture.layer(Setup::Default, Host::Axum.layer());
    let server = serving(fixture, Router::new().route("/", get(handler)).layer(layer)).await;
    let by_query = server.get("/?session={T}", "").await;
    let by_header = server.get("/", "T").await;
    for name in ["expires", "cdn-cache-control", "surrogate-control", "x-accel-expires"] {
        assert_eq!(by_query.header(name), None, "{name}");
        assert!(by_header.header(name).is_some(), "{name} of the service must be kept");
    }
    assert_eq!(by_query.header("cache-control"), Some("private, no-store"));
}

#[tokio::test]
async fn content_type_does_not_turn_a_401_into_a_200() {
    let request = |content_type: &str| {
        http::Request::post("http://localhost/echo")
            .header("content-type", content_type)
            .body(())
            .unwrap()
    };
    for host in [Host::Hyper, Host::Axum] {
        let server = Server::of(host).await;
        for content_type in ["application/grpc", "application/grpc+proto", "text/plain"] {
            let mut connection = Http2::connect(server.address).await;
            let answer = connection.send(request(content_type), Sent::Nothing).await.unwrap();
            assert_eq!(answer.status, 401, "{host:?} {content_type}");
        }
        // The setting decides, and no part of the request does.
        let server = Server::with(host, hallpass_tower::TokenLayer::grpc).await;
        let answer = server.get("/echo", "").await;
        assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("16")), "{host:?}");
    }
}
