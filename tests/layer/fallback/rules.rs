//! Tests of rules that apply to every sign-in of a host.

use axum::Router;
use axum::routing::get;
use hallpass_axum::{HallpassExt as _, HandlerExt as _};
use hallpass_core::{
    AuthError, Catalog, CatalogScope, EventKind, Hallpass, Principal, RejectReason, ScopeSet,
    authenticated,
};
use hallpass_memory::MemoryStore;
use hallpass_tower::{PolicyTable, PrincipalExt as _, require};
use http::request::Parts;
use http::{Request, StatusCode};
use tower::ServiceExt as _;

use super::{Site, person, routes};
use crate::capture;

/// A sign-in by a header that contains the person's name.
async fn named(parts: Parts) -> Option<Principal> {
    person(parts.headers.get("x-person")?.to_str().ok()?)
}

const BOB: &str = "x-person: bob";

#[tokio::test]
async fn policy_table_treats_a_signed_in_person_like_a_token() {
    let site = Site::new(|hallpass| {
        let table = PolicyTable::new()
            .get("/me", authenticated())
            .get("/projects", "projects:list")
            .post("/projects", "projects:delete");
        routes().layer(hallpass.layer().policy(table).fallback(named))
    })
    .await;
    for (request, lines, owed) in [
        ("GET /me", &[BOB][..], 200),
        ("GET /projects", &[BOB], 200),
        ("POST /projects", &[BOB], 403),
        ("GET /nowhere", &[BOB], 403),
        ("GET /projects", &[], 401),
    ] {
        assert_eq!(site.status(request, lines).await, owed, "{request} {lines:?}");
    }
    let events = site.events.lock().unwrap();
    let missing = EventKind::Rejected(RejectReason::InsufficientScope);
    let event = events.iter().find(|event| event.kind == missing).expect("no event was reported");
    assert_eq!(event.owner.as_ref().map(hallpass_core::Owner::as_str), Some("bob"));
    assert_eq!(event.token_id, None);
}

#[tokio::test]
async fn inner_layer_uses_only_its_own_sign_in() {
    let site = Site::new(|hallpass| {
        let outer = hallpass.layer().fallback(named);
        let nobody = async |_: Parts| None::<Principal>;
        let me = (async || "in").scoped(authenticated());
        Router::new()
            .route("/same", get(me.clone()).layer(outer.clone()))
            .route("/tokens", get(me.clone()).layer(hallpass.layer()))
            .route("/nobody", get(me.clone()).layer(hallpass.layer().fallback(nobody)))
            .route("/scoped", get(me).layer(require("projects:list")))
            .layer(outer)
    })
    .await;
    let token = site.token(&["projects:list"]).await;
    for (target, by_sign_in) in
        [("/same", 200), ("/tokens", 401), ("/nobody", 401), ("/scoped", 200)]
    {
        let request = format!("GET {target}");
        assert_eq!(site.status(&request, &[BOB]).await, by_sign_in, "{target}");
        assert_eq!(site.status(&request, &[&token]).await, 200, "{target}");
    }
}

#[tokio::test]
async fn failing_sign_in_is_a_503() {
    let failing = async |_: Parts| Err::<Principal, _>("the directory is unreachable");
    let site = Site::new(|hallpass| routes().layer(hallpass.layer().fallback(failing))).await;
    let answer = site.send("GET /me", &[]).await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (503, None));
    assert!(answer.header("retry-after").is_some());
    // A request with a token does not call the sign-in.
    let token = site.token(&[]).await;
    assert_eq!(site.status("GET /me", &[&token]).await, 200);
}

#[tokio::test]
async fn optional_layer_accepts_requests_that_are_not_signed_in() {
    let site =
        Site::new(|hallpass| routes().layer(hallpass.layer().optional().fallback(named))).await;
    assert_eq!(site.status("GET /me", &[BOB]).await, 200);
    assert_eq!(site.status("GET /me", &[]).await, 401, "the handler requires a principal");
    assert_eq!(site.status("GET /nowhere", &[]).await, 404, "the optional layer requires none");
    let bearer = ["authorization: Bearer what-is-this"];
    assert_eq!(site.status("GET /nowhere", &bearer).await, 401);
}

#[tokio::test]
async fn preflight_does_not_call_the_sign_in() {
    let asked =
        async |_: Parts| -> Option<Principal> { panic!("the sign-in was called for a preflight") };
    let site = Site::new(|hallpass| routes().layer(hallpass.layer().fallback(asked))).await;
    let lines = ["origin: https://a.example", "access-control-request-method: POST"];
    assert_eq!(site.status("OPTIONS /projects", &lines).await, 405);
}

/// Returns the principal that a handler receives if the handle has a catalog of projects.
async fn through_catalog() -> (Hallpass, Principal) {
    let catalog = Catalog::new().scope(CatalogScope::new("projects:list", "List projects"));
    let hallpass = Hallpass::builder(MemoryStore::new()).catalog(catalog).build();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(None));
    let keep = std::sync::Arc::clone(&seen);
    let handler = async move |request: axum::extract::Request| {
        *keep.lock().unwrap() = request.principal().cloned();
    };
    let app = Router::new().route("/", get(handler)).layer(hallpass.layer().fallback(named));
    let request = Request::get("/").header("x-person", "bob").body(axum::body::Body::empty());
    assert_eq!(app.oneshot(request.unwrap()).await.unwrap().status(), StatusCode::OK);
    let principal = seen.lock().unwrap().take().unwrap();
    (hallpass, principal)
}

#[tokio::test]
async fn scope_outside_of_the_catalog_is_logged_once() {
    let site = Site::with(
        |builder| {
            builder
                .catalog(Catalog::new().scope(CatalogScope::new("projects:list", "List projects")))
        },
        |hallpass| {
            routes().layer(hallpass.layer().fallback(async |_: Parts| {
                let scopes = ScopeSet::parse(["projects:list", "forgotten:scope"]).ok()?;
                Some(Principal::external("carol".parse().ok()?, scopes))
            }))
        },
    )
    .await;
    let mark = capture::mark();
    for _ in 0..20 {
        assert_eq!(site.status("GET /projects", &[]).await, 200);
    }
    let log = String::from_utf8(capture::since(mark)).unwrap();
    assert_eq!(log.matches("scope=forgotten:scope").count(), 1, "{log}");
}

#[tokio::test]
async fn scopes_outside_of_the_catalog_allow_nothing() {
    let (hallpass, principal) = through_catalog().await;
    assert_eq!(principal.scopes().to_string(), "projects:list");
    assert!(!principal.allows(&"projects:create".parse().unwrap()));
    assert!(
        hallpass.pending_use(&principal).is_none(),
        "a principal without a token has no use to record"
    );
    assert!(matches!(hallpass.recheck(&principal).await, Err(AuthError::External)));
}
