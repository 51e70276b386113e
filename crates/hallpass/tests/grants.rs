//! Tests of the scopes that a person may give a token, with the setup of the start guide.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use hallpass::{Actor, Catalog, CatalogScope, Hallpass, MemoryStore, ScopeSet, TokenApi};
use tower::ServiceExt as _;

#[derive(Clone)]
struct SignedIn {
    person: &'static str,
    is_admin: bool,
}

/// The sign-in function of the guide.
async fn who(parts: Parts) -> Option<Actor> {
    let SignedIn { person, is_admin } = parts.extensions.get()?;
    let own = ["projects:list", "projects:read"];
    let grantable = if *is_admin {
        ScopeSet::parse(["projects", "admin:projects"])
    } else {
        ScopeSet::parse(own)
    };
    Some(Actor::try_owner(person).ok()?.with_grantable_scopes(grantable.ok()?))
}

/// A sign-in function that does not set the grantable scopes.
async fn only_who(parts: Parts) -> Option<Actor> {
    Actor::try_owner(parts.extensions.get::<SignedIn>()?.person).ok()
}

fn hallpass() -> Hallpass {
    let catalog = Catalog::new()
        .scope(CatalogScope::new("projects:list", "List projects"))
        .scope(CatalogScope::new("projects:read", "Read projects").per("id"))
        .scope(CatalogScope::new("admin:projects", "Everybody's projects").restricted());
    Hallpass::builder(MemoryStore::new()).catalog(catalog).build()
}

async fn send(app: &Router, is_admin: bool, request: Request<Body>) -> (StatusCode, String) {
    let mut request = request;
    request.extensions_mut().insert(SignedIn { person: "alice", is_admin });
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 100_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn issue(app: &Router, is_admin: bool, scope: &str) -> StatusCode {
    let body = format!(r#"{{"name": "ci", "scopes": ["{scope}"]}}"#);
    let request = Request::post("/tokens").header("content-type", "application/json");
    send(app, is_admin, request.body(body.into()).unwrap()).await.0
}

async fn offered(app: &Router, is_admin: bool) -> String {
    let request = Request::get("/tokens/scopes").body(Body::empty()).unwrap();
    send(app, is_admin, request).await.1
}

#[tokio::test]
async fn people_can_grant_only_the_grantable_scopes_of_the_sign_in() {
    let app = TokenApi::new(&hallpass(), who).into_router_at("/tokens");
    assert_eq!(issue(&app, false, "projects:read:42").await, 201);
    for scope in ["admin:projects", "admin", "projects"] {
        assert_eq!(issue(&app, false, scope).await, 403, "{scope}");
    }
    assert_eq!(issue(&app, true, "admin:projects").await, 201);
    let (people, admins) = (offered(&app, false).await, offered(&app, true).await);
    assert!(people.contains("projects:read") && !people.contains("admin:projects"), "{people}");
    assert!(admins.contains("projects:read") && admins.contains("admin:projects"), "{admins}");
}

#[tokio::test]
async fn restricted_scope_must_be_named_to_be_granted() {
    let app = TokenApi::new(&hallpass(), only_who).into_router_at("/tokens");
    for is_admin in [false, true] {
        assert_eq!(issue(&app, is_admin, "projects").await, 201);
        assert_eq!(issue(&app, is_admin, "admin:projects").await, 403);
        assert!(!offered(&app, is_admin).await.contains("admin:projects"));
    }
}

#[test]
fn guide_restricts_a_scope_and_sets_the_grantable_scopes() {
    let guide = include_str!("../../../docs/start.md");
    for owed in [
        r#"CatalogScope::new("admin:projects", "Everybody's projects").restricted()"#,
        "ScopeSet::parse(own)",
        "Some(actor.ok()?.with_grantable_scopes(grantable.ok()?))",
    ] {
        assert!(guide.contains(owed), "docs/start.md does not contain {owed}");
    }
}
