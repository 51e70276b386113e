//! Routes inside of the layer that have no requirement. They are rejected in debug builds, and
//! logged and counted in release builds.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass_axum::{Authenticated, HallpassExt, HandlerExt};
use hallpass_core::{Actor, Hallpass, NewToken, authenticated, public};
use hallpass_memory::MemoryStore;
use hallpass_tower::{PolicyTable, PrincipalExt, require};
use http::{Method, Response, StatusCode};
use tower::ServiceExt as _;

fn hallpass() -> Hallpass {
    Hallpass::builder(MemoryStore::new()).build()
}

/// A token without scopes.
async fn token(hallpass: &Hallpass) -> String {
    let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("test")).await.unwrap();
    issued.token.reveal().to_owned()
}

async fn call(app: &Router, method: Method, path: &str, token: Option<&str>) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn hello() -> &'static str {
    "hello"
}

/// Returns the router with one forgotten requirement. The layer behaves as in debug builds
/// (`reject`) or as in release builds.
fn forgetful(hallpass: &Hallpass, reject: bool) -> Router {
    Router::new()
        .route("/projects/{id}", get(hello.scoped(authenticated())).post(hello))
        .route("/moved", get(async || Redirect::to("/elsewhere")))
        .layer(hallpass.layer().reject_unguarded_routes(reject))
}

#[tokio::test]
async fn forgotten_route_is_a_500_that_names_it_and_the_fix() {
    let hallpass = hallpass();
    let token = token(&hallpass).await;
    let app = forgetful(&hallpass, true);
    assert_eq!(call(&app, Method::GET, "/projects/42", Some(&token)).await.status(), 200);
    let rejected = call(&app, Method::POST, "/projects/42", Some(&token)).await;
    assert_eq!(rejected.status(), 500);
    assert_eq!(rejected.headers()["content-type"], "application/problem+json");
    let body = to_bytes(rejected.into_body(), 1000).await.unwrap();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["type"], "/problems/misconfigured");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("POST /projects/{id} has no requirement"), "{detail}");
    assert!(detail.contains("Put `.scoped(..)` on its handler"), "{detail}");

    assert_eq!(call(&app, Method::GET, "/moved", Some(&token)).await.status(), 500);
    let head = call(&app, Method::HEAD, "/moved", Some(&token)).await;
    assert_eq!(head.status(), 500);
    assert!(to_bytes(head.into_body(), 1000).await.unwrap().is_empty());
}

#[tokio::test]
async fn debug_builds_reject_by_default() {
    let hallpass = hallpass();
    let token = token(&hallpass).await;
    let app = Router::new().route("/", get(hello)).layer(hallpass.layer());
    let expected = if cfg!(debug_assertions) { 500 } else { 200 };
    assert_eq!(call(&app, Method::GET, "/", Some(&token)).await.status(), expected);
}

#[tokio::test]
async fn fallback_of_a_router_is_not_detected_but_may_have_a_requirement() {
    let hallpass = hallpass();
    let token = token(&hallpass).await;
    let app = Router::new().fallback(hello).layer(hallpass.layer().reject_unguarded_routes(true));
    assert_eq!(call(&app, Method::GET, "/nowhere", Some(&token)).await.status(), 200);
    assert_eq!(call(&app, Method::GET, "/nowhere", None).await.status(), 401);
    let app = Router::new().fallback(hello.scoped("pages:read")).layer(hallpass.layer());
    assert_eq!(call(&app, Method::GET, "/nowhere", Some(&token)).await.status(), 403);
    let app = Router::new().layer(hallpass.layer()).fallback(hello);
    assert_eq!(call(&app, Method::GET, "/nowhere", None).await.status(), 200);
}

#[tokio::test]
async fn unguarded_route_of_an_optional_layer_is_detected() {
    let hallpass = hallpass();
    let layer = hallpass.layer().optional().reject_unguarded_routes(true);
    let app = Router::new().route("/", get(hello)).layer(layer);
    assert_eq!(call(&app, Method::GET, "/", None).await.status(), 500);
}

#[tokio::test]
async fn routes_that_read_the_principal_are_not_unguarded() {
    async fn required(_: Authenticated) {}
    async fn maybe(_: Option<Authenticated>) {}
    async fn by_hand(request: Request) {
        assert!(request.principal().is_some());
    }
    let hallpass = hallpass();
    let token = token(&hallpass).await;
    let inner = Router::new()
        .route("/table", get(hello))
        .layer(hallpass.layer().policy(PolicyTable::new().get("/inner/table", authenticated())));
    let app = Router::new()
        .route("/any", get(hello.scoped(authenticated())))
        .route("/open", get(hello.scoped(public())))
        .route("/required", get(required))
        .route("/maybe", get(maybe))
        .route("/by-hand", get(by_hand))
        .route("/plain", get(hello).layer(require(authenticated())))
        .nest("/inner", inner)
        .layer(hallpass.layer().reject_unguarded_routes(true));
    for path in ["/any", "/open", "/required", "/maybe", "/by-hand", "/plain", "/inner/table"] {
        assert_eq!(call(&app, Method::GET, path, Some(&token)).await.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn inner_layer_of_the_same_handle_hides_no_forgotten_route() {
    let hallpass = hallpass();
    let token = token(&hallpass).await;
    let inner = Router::new()
        .route("/forgotten", get(hello))
        .route("/said", get(hello.scoped(authenticated())))
        .layer(hallpass.layer().reject_unguarded_routes(true));
    let app =
        Router::new().nest("/inner", inner).layer(hallpass.layer().reject_unguarded_routes(true));
    let status = async |path| call(&app, Method::GET, path, Some(&token)).await.status();
    assert_eq!(status("/inner/forgotten").await, 500);
    assert_eq!(status("/inner/said").await, 200);
}

#[tokio::test]
async fn rejections_inside_and_missing_routes_are_not_forgotten() {
    async fn never(_: Json<Vec<u8>>) {}
    let hallpass = hallpass();
    let token = token(&hallpass).await;
    let app = Router::new()
        .route("/json", post(never))
        .route("/busy", get(async || StatusCode::SERVICE_UNAVAILABLE))
        .fallback(async || "a page for whatever is no route")
        .layer(hallpass.layer().reject_unguarded_routes(true));
    for (method, path, status) in [
        (Method::POST, "/json", 415),
        (Method::GET, "/json", 405),
        (Method::GET, "/busy", 503),
        (Method::GET, "/nowhere", 200),
    ] {
        let response = call(&app, method.clone(), path, Some(&token)).await;
        assert_eq!(response.status(), status, "{method} {path}");
    }
}

#[tokio::test]
async fn request_to_a_forgotten_route_records_no_use() {
    let hallpass = hallpass();
    let token = token(&hallpass).await;
    let app = forgetful(&hallpass, true);
    assert_eq!(call(&app, Method::POST, "/projects/42", Some(&token)).await.status(), 500);
    hallpass.flush_uses().await.unwrap();
    let page = hallpass.list(&Actor::owner("alice"), &Default::default()).await.unwrap();
    assert_eq!(page.items[0].last_used_at, None);
}
