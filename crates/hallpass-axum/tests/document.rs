//! The OpenAPI document of the host's own routes contains the requirements that are enforced.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hallpass_axum::routing::get;
use hallpass_axum::utoipa::{self, ToSchema};
use hallpass_axum::utoipa_axum::routes;
use hallpass_axum::{GuardedRouter, HandlerExt};
use hallpass_core::{Actor, Hallpass, NewToken, all_of, any_of, authenticated, public};
use hallpass_memory::MemoryStore;
use hallpass_tower::PolicyTable;
use http::Method;
use serde_json::{Value, json};
use tower::ServiceExt as _;

async fn hello() -> &'static str {
    "hello"
}

/// A note.
#[derive(serde::Serialize, ToSchema)]
struct Note {
    text: String,
}

/// Show a note.
#[utoipa::path(
    get, path = "/notes/{id}",
    params(("id" = String, Path)),
    responses((status = 200, body = Note)),
    security(("token" = ["notes:read:{id}"])),
)]
async fn show() -> axum::Json<Note> {
    axum::Json(Note { text: "hello".to_owned() })
}

/// Delete a note.
#[utoipa::path(
    delete, path = "/notes/{id}",
    responses((status = 204)),
    security(("token" = ["notes:delete:{id}"]), ("token" = ["admin:notes"])),
)]
async fn delete() {}

/// Show whether the service is healthy.
#[utoipa::path(get, path = "/health", responses((status = 200)), security(()))]
async fn health() {}

fn api() -> GuardedRouter {
    let notes = GuardedRouter::new()
        .get("/", authenticated(), hello)
        .openapi_routes(routes!(show, delete))
        .openapi_routes(routes!(health));
    GuardedRouter::new()
        .get("/ready", public(), hello)
        .routes(
            "/projects",
            get(hello.scoped("projects:list")).post(hello.scoped("projects:create")),
        )
        .put("/files/{*path}", any_of(["files:write", "files:all"]), hello)
        .patch("/projects/{id}", all_of(["projects:write:{id}", "projects:read:{id}"]), hello)
        .nest("/api", notes)
}

#[test]
fn document_names_the_scopes_of_every_route() {
    let document = serde_json::to_value(api().openapi()).unwrap();
    let token = |scopes: &[&str]| json!({ "token": scopes });
    for (path, method, security) in [
        ("/ready", "get", json!([])),
        ("/projects", "get", json!([token(&["projects:list"])])),
        ("/projects", "post", json!([token(&["projects:create"])])),
        ("/files/{path}", "put", json!([token(&["files:write"]), token(&["files:all"])])),
        ("/projects/{id}", "patch", json!([token(&["projects:write:{id}", "projects:read:{id}"])])),
        ("/api", "get", json!([token(&[])])),
        ("/api/notes/{id}", "get", json!([token(&["notes:read:{id}"])])),
        (
            "/api/notes/{id}",
            "delete",
            json!([token(&["notes:delete:{id}"]), token(&["admin:notes"])]),
        ),
        ("/api/health", "get", json!([])),
    ] {
        assert_eq!(document["paths"][path][method]["security"], security, "{method} {path}");
    }
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    let shown = &document["paths"]["/api/notes/{id}"]["get"];
    assert_eq!(shown["summary"], "Show a note.");
    let schema = &shown["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(schema["$ref"], "#/components/schemas/Note");
    assert!(
        document["components"]["schemas"]["Note"].is_object(),
        "the schemas of the nested router are missing"
    );
    assert_eq!(document["paths"]["/projects/{id}"]["patch"]["parameters"][0]["name"], "id");
}

/// Parses the document into a policy table and checks that it equals the table that is enforced.
#[test]
fn document_and_guard_are_one_declaration() {
    let read_back = PolicyTable::from_openapi(&api().openapi().to_json().unwrap()).unwrap();
    let lines = |table: &PolicyTable| {
        let mut lines: Vec<_> =
            table.rules().map(|rule| rule.to_string().replace("{*", "{")).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&read_back), lines(api().table()));
}

async fn status(app: &Router, method: Method, path: &str, token: Option<&str>) -> u16 {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn documented_handlers_enforce_their_documented_security() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let (app, document) = api().into_openapi_router(&hallpass).split_for_parts();
    assert!(document.paths.paths.contains_key("/api/notes/{id}"));
    let new = NewToken::named("test").scopes(["notes:read:1"]);
    let issued = hallpass.issue(&Actor::owner("alice"), new).await.unwrap();
    let token = Some(issued.token.reveal());
    for (method, path, anonymous, with_token) in [
        (Method::GET, "/api/notes/1", 401, 200),
        (Method::HEAD, "/api/notes/1", 401, 200),
        (Method::GET, "/api/notes/2", 401, 403),
        (Method::DELETE, "/api/notes/1", 401, 403),
        (Method::PUT, "/api/notes/1", 401, 405),
        (Method::GET, "/api/health", 200, 200),
    ] {
        assert_eq!(status(&app, method.clone(), path, None).await, anonymous, "{method} {path}");
        assert_eq!(status(&app, method.clone(), path, token).await, with_token, "{method} {path}");
    }
}

fn message(build: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(build).expect_err("the router must panic");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[utoipa::path(get, path = "/silent", responses((status = 200)))]
async fn silent() {}

#[utoipa::path(get, path = "/basic", responses((status = 200)), security(("basic" = [])))]
async fn basic() {}

#[utoipa::path(post, path = "/health", responses((status = 200)), security(("token" = [])))]
async fn report() {}

#[test]
fn operation_without_security_is_an_error_at_start_up() {
    let panic_message =
        message(|| drop(GuardedRouter::<()>::new().openapi_routes(routes!(silent))));
    assert!(panic_message.contains("GET /silent has no `security`"), "{panic_message}");
    let panic_message = message(|| drop(GuardedRouter::<()>::new().openapi_routes(routes!(basic))));
    assert!(
        panic_message
            .contains(r#"GET /basic requires the scheme "basic", which tokens do not satisfy"#),
        "{panic_message}"
    );
    let panic_message =
        message(|| drop(GuardedRouter::<()>::new().openapi_routes(routes!(health, report))));
    assert!(
        panic_message.contains("put the public ones in a `routes!` of their own"),
        "{panic_message}"
    );
    let document: Value = serde_json::to_value(GuardedRouter::<()>::new().openapi()).unwrap();
    assert_eq!(document["paths"], json!({}));
}
