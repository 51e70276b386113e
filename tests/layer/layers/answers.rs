//! What answers look like: a host's own refusals, and what is added to others' answers.

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use hallpass_tower::{Rejection, RejectionKind};
use http::{Response, StatusCode};

use super::serving;
use crate::host::Host;
use crate::server::Server;
use crate::stage::{Setup, Stage};

#[tokio::test]
async fn a_host_renders_refusals_its_own_way() {
    let render = |refusal: &Rejection, answer: Response<Bytes>| {
        let mut page = answer.map(|_| Bytes::from_static(b"<h1>No</h1>"));
        page.headers_mut().insert("content-type", "text/html".parse().unwrap());
        if *refusal.kind() == RejectionKind::NoCredential {
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

    // An answer made from nothing is kept by no cache either.
    let server = Server::with(Host::Hyper, |layer| {
        layer.on_rejection(|_, _| Response::builder().status(418).body(Bytes::new()).unwrap())
    })
    .await;
    let teapot = server.get("/echo", "").await;
    assert_eq!((teapot.status, teapot.header("cache-control")), (418, Some("no-store")));
}

#[tokio::test]
async fn an_answer_that_is_stricter_already_stays_so() {
    for (control, owed) in [
        ("no-store", "no-store"),
        ("No-Store, max-age=0", "No-Store, max-age=0"),
        ("public, max-age=600", "private, no-store"),
        ("private", "private, no-store"),
    ] {
        let handler =
            async move || ([("cache-control", control), ("referrer-policy", "unsafe-url")], "");
        let stage = Stage::new().await;
        let layer = stage.layer(Setup::Default, Host::Axum.layer());
        let server = serving(stage, Router::new().route("/", get(handler)).layer(layer)).await;
        let answer = server.get("/?session={T}", "").await;
        assert_eq!(answer.header("cache-control"), Some(owed), "{control}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{control}");
        let by_header = server.get("/", "T").await;
        assert_eq!(by_header.header("cache-control"), Some(control), "the service's own");
    }
}
