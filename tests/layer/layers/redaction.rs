//! What is left of a credential within, and what a log shows of it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use hallpass_core::Actor;
use hallpass_tower::PrincipalExt;

use super::{router, serving};
use crate::capture;
use crate::host::{Host, trace};
use crate::server::Server;
use crate::stage::{Setup, Stage};
use crate::wire::Http1;

#[tokio::test]
async fn keep_authorization_leaves_a_header_that_no_log_shows() {
    let mark = capture::mark();
    let server = Server::with(Host::Hyper, hallpass_tower::TokenLayer::keep_authorization).await;
    let answer = server.get("/echo", "T").await;
    assert!(
        answer
            .text()
            .contains(&format!("\nauthorization: Bearer {}\n", server.stage.words.text("T")))
    );
    let debug = answer.text().lines().find(|line| line.starts_with("debug: ")).unwrap();
    assert!(debug.contains(r#""authorization": Sensitive"#), "{debug}");
    assert!(server.stage.leak(debug.as_bytes()).is_none());
    let by_query = server.get("/echo?session={T}", "").await;
    assert!(by_query.status == 200 && server.stage.leak(&by_query.body).is_none());
    assert!(server.stage.leak(&capture::since(mark)).is_none());
}

#[tokio::test]
async fn what_is_not_ours_is_left_and_hidden() {
    let server = Server::with(Host::Axum, hallpass_tower::TokenLayer::optional).await;
    let request =
        server.text("GET /echo HTTP/1.1\r\nhost: x\r\nauthorization: Basic {BASIC}\r\n\r\n");
    let mark = capture::mark();
    let answer = Http1::exchange(server.address, &request).await;
    assert!(answer.text().contains("\nauthorization: Basic "), "{}", answer.text());
    let debug = answer.text().lines().find(|line| line.starts_with("debug: ")).unwrap();
    assert!(debug.contains(r#""authorization": Sensitive"#), "{debug}");
    let log = String::from_utf8_lossy(&capture::since(mark)).into_owned();
    assert!(!log.contains(server.stage.words.text("BASIC")), "{log}");
}

#[tokio::test]
async fn b44_logging_outside_of_the_layer_sees_what_the_layer_hides() {
    let stage = Stage::new().await;
    let layer = stage.layer(Setup::Default, Host::Axum.layer());
    let app = router().layer(trace()).layer(layer);
    let inside = serving(stage, app).await;
    let mark = capture::mark();
    assert_eq!(inside.get("/echo?a=1&session={T}", "").await.status, 200);
    let log = capture::since(mark);
    assert!(String::from_utf8_lossy(&log).contains("uri=/echo?a=1 "), "the log is taken down");
    assert!(inside.stage.leak(&log).is_none());

    let stage = Stage::new().await;
    let layer = stage.layer(Setup::Default, Host::Axum.layer());
    let outside = serving(stage, router().layer(layer).layer(trace())).await;
    let mark = capture::mark();
    assert_eq!(outside.get("/echo?session={T}", "").await.status, 200);
    assert!(
        outside.stage.leak(&capture::since(mark)).is_some(),
        "the layer belongs outside of the log"
    );
}

#[tokio::test]
async fn a_principal_outlives_its_request_as_it_was() {
    let stage = Stage::new().await;
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let handler = async move |request: Request| {
        *keep.lock().unwrap() = request.principal().cloned();
    };
    let layer = stage.layer(Setup::Default, Host::Axum.layer());
    let server = serving(stage, Router::new().route("/", get(handler)).layer(layer)).await;
    assert_eq!(server.get("/", "U").await.status, 200);
    let principal = kept.lock().unwrap().take().unwrap();
    let hallpass = &server.stage.hallpass;
    hallpass.revoke(&Actor::owner("alice"), principal.token_id()).await.unwrap();
    assert!(principal.allows(&"echo:read".parse().unwrap()), "a snapshot");
    assert!(hallpass.recheck(&principal).await.is_err());
    assert_eq!(server.get("/", "U").await.status, 401, "revoked means now");
}
