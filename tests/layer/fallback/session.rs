//! Tests with tower-sessions, in which one route serves people with a session and programs with a
//! token.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use hallpass_axum::{HallpassExt as _, HandlerExt as _, TokenLayerExt as _};
use hallpass_core::{Actor, EventKind, Hallpass, Principal, RejectReason, public};
use http::request::Parts;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::{Site, person, routes};
use crate::capture;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn signed_in(parts: Parts) -> Result<Option<Principal>, BoxError> {
    let session = parts.extensions.get::<Session>();
    let session = session.ok_or("no session: put the session layer outside of the token layer")?;
    let name: Option<String> = session.get("user").await?;
    Ok(name.and_then(|name| person(&name)))
}

fn app(hallpass: &Hallpass) -> Router {
    let sign_in = async |Path(name): Path<String>, session: Session| {
        session.insert("user", name).await.unwrap();
    };
    routes()
        .layer(hallpass.layer().fallback(signed_in))
        .route("/login/{name}", post(sign_in))
        .layer(SessionManagerLayer::new(MemoryStore::default()).with_secure(false))
}

/// Signs in and returns the session's cookie as a header line.
async fn sign_in(site: &Site, name: &str) -> String {
    let answer = site.send(&format!("POST /login/{name}"), &[]).await;
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    format!("cookie: {cookie}")
}

#[tokio::test]
async fn session_and_token_may_call_the_same_route() {
    let site = Site::new(app).await;
    let cookie = sign_in(&site, "bob").await;
    let token = site.token(&["projects:list"]).await;
    for (request, lines, owed) in [
        ("GET /projects", &[][..], 401),
        ("GET /projects", &["cookie: other=1"], 401),
        ("GET /projects", &[&*cookie], 200),
        ("GET /projects", &[&*token], 200),
        ("POST /projects", &[&*cookie], 200),
        ("POST /projects", &[&*token], 403),
        // If there is a token, it decides.
        ("POST /projects", &[&*cookie, &*token], 403),
    ] {
        assert_eq!(site.status(request, lines).await, owed, "{request} {lines:?}");
    }
    assert_eq!(site.send("GET /me", &[&cookie]).await.text(), "bob by sign-in");
    assert_eq!(site.send("GET /me", &[&token]).await.text(), "alice by token");
    assert_eq!(site.send("GET /me", &[&cookie, &token]).await.text(), "alice by token");
    let answer = site.send("GET /me", &[&cookie]).await;
    assert_eq!(answer.header("cache-control"), Some("private"));
    assert_eq!(answer.header("vary"), Some("authorization, cookie"));
    let challenged = site.send("GET /me", &[]).await;
    assert_eq!(challenged.header("www-authenticate"), Some(r#"Bearer realm="api""#));
}

#[tokio::test]
async fn session_layer_inside_of_the_token_layer_is_a_503_that_names_it() {
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    let by_function = |hallpass: &Hallpass| {
        routes().layer(sessions.clone()).layer(hallpass.layer().fallback(signed_in))
    };
    let site = Site::new(by_function).await;
    expect_503_with(&site, "cause=no session: put the session layer outside").await;

    let by_extractor = |hallpass: &Hallpass| {
        let person = async |_: Session| person("bob");
        routes().layer(sessions.clone()).layer(hallpass.layer().fallback_with_state((), person))
    };
    let site = Site::new(by_extractor).await;
    expect_503_with(&site, "put that middleware outside of the token layer").await;
}

/// Checks that a request gets a 503, and that the log contains a text. The line is written at most
/// once a second for all tests of this process.
async fn expect_503_with(site: &Site, text: &str) {
    let mark = capture::mark();
    for _ in 0..200 {
        assert_eq!(site.status("GET /projects", &[]).await, 503);
        let log = String::from_utf8(capture::since(mark)).unwrap();
        if log.contains(text) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the log does not contain {text:?}");
}

#[tokio::test]
async fn session_does_not_replace_a_revoked_token() {
    let site = Site::new(app).await;
    let cookie = sign_in(&site, "alice").await;
    let token = site.token(&["projects:list"]).await;
    let owner = "alice".parse().unwrap();
    site.hallpass.revoke_owner(&Actor::owner("alice"), &owner, None).await.unwrap();
    assert_eq!(site.status("GET /projects", &[&token]).await, 401);
    assert_eq!(site.status("GET /projects", &[&cookie, &token]).await, 401);
    assert_eq!(site.status("GET /projects", &[&cookie]).await, 200);
}

#[tokio::test]
async fn mistyped_token_beside_a_session_is_the_session_user_unless_optional() {
    let site = Site::new(app).await;
    let cookie = sign_in(&site, "bob").await;
    let token = site.token(&["projects:list"]).await;
    // The prefix is still the one of this application's tokens, but the checksum is wrong.
    let mistyped = hallpass_tests::mistyped(&token);
    assert_eq!(site.send("GET /me", &[&cookie, &mistyped]).await.text(), "bob by sign-in");
    assert_eq!(site.status("GET /me", &[&mistyped]).await, 401);

    let optional = Site::new(|hallpass| {
        Router::new()
            .route("/open", axum::routing::get((async || "open").scoped(public())))
            .layer(hallpass.layer().optional())
    })
    .await;
    assert_eq!(optional.status("GET /open", &[]).await, 200);
    assert_eq!(optional.status("GET /open", &["authorization: Bearer other"]).await, 200);
    assert_eq!(optional.status("GET /open", &[&mistyped]).await, 401);
}

#[tokio::test]
async fn another_site_cannot_change_anything_with_a_session() {
    let site = Site::new(app).await;
    let cookie = sign_in(&site, "bob").await;
    let token = site.token(&["projects:create"]).await;
    for (request, line, by_session, by_token) in [
        ("POST /projects", "sec-fetch-site: cross-site", 403, 200),
        ("POST /projects", "sec-fetch-site: same-site", 403, 200),
        ("POST /projects", "sec-fetch-site: same-origin", 200, 200),
        ("POST /projects", "sec-fetch-site: none", 200, 200),
        ("POST /projects", "origin: https://evil.example", 403, 200),
        ("POST /projects", "origin: null", 403, 200),
        ("POST /projects", "origin: https://app.example", 200, 200),
        ("GET /me", "sec-fetch-site: cross-site", 200, 200),
    ] {
        assert_eq!(site.status(request, &[&cookie, line]).await, by_session, "{request} {line}");
        assert_eq!(site.status(request, &[&token, line]).await, by_token, "{request} {line}");
    }
    let answer = site.send("POST /projects", &[&cookie, "sec-fetch-site: cross-site"]).await;
    assert!(answer.text().contains(r#""type":"/problems/cross-site""#), "{}", answer.text());
    let events = site.events.lock().unwrap();
    let event = events
        .iter()
        .find(|event| event.kind == EventKind::Rejected(RejectReason::CrossSite))
        .expect("no event was reported");
    assert_eq!(event.owner.as_ref().map(hallpass_core::Owner::as_str), Some("bob"));
    assert_eq!(event.token_id, None);
}
