//! Tests that aide's document contains the requirements of the routes.

use aide::axum::ApiRouter;
use aide::axum::routing::get as aide_get;
use aide::openapi::OpenApi;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hallpass_axum::aide_routing::{delete, get, post};
use hallpass_axum::{Authenticated, HallpassExt, HandlerExt, RequiredScope, Scoped};
use hallpass_core::{Actor, Hallpass, NewToken, any_of, public};
use hallpass_memory::MemoryStore;
use hallpass_tower::PolicyTable;
use tower::ServiceExt as _;

async fn hello() -> &'static str {
    "hello"
}

struct ReadNote;
impl RequiredScope for ReadNote {
    const SCOPE: &'static str = "notes:read:{id}";
}

async fn show(_: Scoped<ReadNote>) -> &'static str {
    "a note"
}

async fn me(_: Authenticated) -> &'static str {
    "you"
}

fn app(hallpass: &Hallpass, document: &mut OpenApi) -> Router {
    ApiRouter::new()
        .api_route("/health", get(hello.scoped(public())))
        .api_route("/me", aide_get(me))
        .api_route(
            "/notes",
            get(hello.scoped("notes:list")).merge(post(hello.scoped("notes:create"))),
        )
        .api_route(
            "/notes/{id}",
            aide_get(show)
                .merge(delete(hello.scoped(any_of(["notes:delete:{id}", "admin:notes"])))),
        )
        .finish_api(document)
        .layer(hallpass.layer())
}

#[tokio::test]
async fn document_of_aide_names_the_scopes_that_are_enforced() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let mut document = OpenApi::default();
    let app = app(&hallpass, &mut document);
    let text = serde_json::to_string(&document).unwrap();
    let table = PolicyTable::from_openapi_schemes(&text, &["token"]).unwrap();
    let mut lines: Vec<_> = table.rules().map(|rule| rule.to_string()).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "DELETE /notes/{id}: any of (notes:delete:{id}, admin:notes)",
            "GET /health: public",
            "GET /me: any valid token",
            "GET /notes/{id}: notes:read:{id}",
            "GET /notes: notes:list",
            "POST /notes: notes:create",
        ]
    );

    let new = NewToken::named("test").scope("notes:read:1");
    let issued = hallpass.issue(&Actor::owner("alice"), new).await.unwrap();
    for (method, path, status) in [
        ("GET", "/health", 200),
        ("GET", "/me", 200),
        ("GET", "/notes/1", 200),
        ("GET", "/notes/2", 403),
        ("DELETE", "/notes/1", 403),
        ("GET", "/notes", 403),
        ("POST", "/notes", 403),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", issued.token.reveal()))
            .body(Body::empty())
            .unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
    }
}
