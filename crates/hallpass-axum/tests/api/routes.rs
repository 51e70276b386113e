//! The table of routes as a whole.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::ALLOW;
use axum::http::{Method, Request};
use axum::routing::get;
use hallpass_axum::{HallpassExt as _, TokenApi};
use hallpass_core::Hallpass;
use hallpass_memory::MemoryStore;
use hallpass_tower::RejectionBuilderExt as _;
use serde_json::json;
use tower::ServiceExt as _;

use crate::support::{Api, UNKNOWN, signed_in};

#[tokio::test]
async fn unknown_path_is_a_404() {
    let api = Api::new().await;
    for path in [
        "/nope/nope",
        "/scopes/x",
        "/current/x",
        "/openapi.json/",
        "/delete/x/y",
        "//",
        "/scopes/",
        &format!("/{UNKNOWN}/"),
        &format!("/{UNKNOWN}/nope"),
        &format!("/{UNKNOWN}/scopes/projects"),
    ] {
        for method in [Method::GET, Method::POST] {
            api.send(method, path).send().await.rejected(404, "not-found");
        }
    }
    for path in ["/nope", "/openapi.yaml", "/%2e%2e"] {
        api.get(path).send().await.rejected(404, "not-found");
    }
}

#[tokio::test]
async fn other_method_is_a_405_with_the_allowed_methods() {
    let api = Api::new().await;
    for (path, allowed) in [
        ("", "GET,HEAD,POST"),
        ("/", "GET,HEAD,POST"),
        ("/x", "DELETE,GET,HEAD,PATCH"),
        ("/x/regenerate", "POST"),
        ("/x/revoke", "POST"),
        ("/x/copy", "POST"),
        ("/x/scopes", "POST"),
        ("/x/scopes/remove", "POST"),
        ("/x/previous-secret", "DELETE"),
        ("/delete", "POST"),
        ("/revoke", "POST"),
        ("/scopes", "GET,HEAD"),
        ("/audit", "GET,HEAD"),
        ("/current", "DELETE,GET,HEAD"),
        ("/openapi.json", "GET,HEAD"),
    ] {
        for method in
            [Method::PUT, Method::OPTIONS, Method::TRACE, Method::from_bytes(b"BREW").unwrap()]
        {
            let answer = api.send(method, path).send().await.rejected(405, "method-not-allowed");
            let mut methods: Vec<_> = answer.header(ALLOW).split(',').map(str::trim).collect();
            methods.sort_unstable();
            assert_eq!(methods.join(","), allowed, "{path}");
        }
    }
    let head = api.send(Method::HEAD, "/delete").send().await;
    assert_eq!((head.status.as_u16(), head.header(ALLOW)), (405, "POST"));
}

#[tokio::test]
async fn safe_methods_change_nothing() {
    let api = Api::new().await;
    let id = api.issue(json!({ "name": "ci", "scopes": ["projects"] })).await.id().to_owned();
    let before = api.get("").by("root").send().await.json;
    let paths = ["", "/", "/scopes", "/current", "/openapi.json", "/delete", "/revoke"];
    let below = ["", "/regenerate", "/revoke", "/copy", "/scopes", "/scopes/remove"];
    let below = below.map(|below| format!("/{id}{below}"));
    for path in paths.into_iter().chain(below.iter().map(String::as_str)) {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            api.send(method, path)
                .header("x-http-method-override", "DELETE")
                .body("{}")
                .send()
                .await;
        }
    }
    assert_eq!(api.get("").by("root").send().await.json, before);
}

#[tokio::test]
async fn layer_and_api_use_the_problem_type_prefix_of_the_handle() {
    let store = MemoryStore::new();
    let hallpass = Hallpass::builder(store).problem_type_prefix("urn:acme:").build();
    let app: Router = Router::new()
        .route("/me", get(|| async {}))
        .layer(hallpass.layer())
        .merge(TokenApi::new(&hallpass, signed_in).into_router_at("/tokens"));
    for (path, problem) in [("/me", "urn:acme:no-credential"), ("/tokens", "urn:acme:no-caller")] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        let body = to_bytes(answer.into_body(), 4096).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["type"], problem, "{path}");
    }
}

#[tokio::test]
async fn api_does_not_change_the_response_to_unknown_paths() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let api = || TokenApi::new(&hallpass, signed_in).into_router_at("/tokens");
    let at_the_root = || TokenApi::new(&hallpass, signed_in).into_router_at("/");
    let host = || Router::new().route("/me", get(|| async {}));
    for app in [host().merge(api()), api().merge(host()), host().merge(at_the_root())] {
        let request = Request::get("/unknown/path").body(Body::empty()).unwrap();
        let answer = app.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 404);
        assert!(!answer.headers().contains_key("content-security-policy"), "{answer:?}");
    }
    let request = Request::get("/tokens/unknown/path").body(Body::empty()).unwrap();
    let answer = host().merge(api()).oneshot(request).await.unwrap();
    assert!(answer.headers().contains_key("content-security-policy"), "{answer:?}");
}

#[test]
#[should_panic(expected = "ends with `/`, `:` or `#`")]
fn problem_type_prefix_without_a_separator_is_a_start_up_error() {
    let _ =
        Hallpass::builder(MemoryStore::new()).problem_type_prefix("https://acme.example/problems");
}
