//! Tests of recorded uses: the layer writes them in the background, and only for requests that were
//! served.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use hallpass_axum::{Authenticated, HandlerExt as _, RequiredScope, Scoped};
use hallpass_cache::Cached;
use hallpass_core::{Actor, Hallpass, Issued, NewToken, all_of};
use hallpass_memory::MemoryStore;
use hallpass_tower::{PolicyTable, TokenLayer, require};
use http::{Request, Response, StatusCode};
use tower::{ServiceExt, service_fn};
use tower_layer::Layer;

#[tokio::test(start_paused = true)]
async fn layer_writes_uses_and_does_not_keep_the_handle_alive() {
    let store = MemoryStore::new();
    let hallpass = Hallpass::builder(store.clone()).build();
    let alice = Actor::owner("alice");
    let issued = hallpass.issue(&alice, NewToken::named("ci")).await.unwrap();
    let rejected = hallpass.issue(&alice, NewToken::named("revoked")).await.unwrap();
    hallpass.revoke(&alice, rejected.record.id).await.unwrap();
    let service = TokenLayer::new(&hallpass).layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    for token in [&issued, &rejected] {
        let bearer = format!("Bearer {}", token.token.reveal());
        let request = Request::get("/").header("authorization", bearer).body(()).unwrap();
        let _ = service.clone().oneshot(request).await.unwrap();
    }
    assert!(hallpass.has_unflushed_uses(), "the use was written during the request");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!hallpass.has_unflushed_uses());
    let other = Hallpass::builder(store).build();
    assert!(other.get(&alice, issued.record.id).await.unwrap().last_used_at.is_some());
    assert!(
        other.get(&alice, rejected.record.id).await.unwrap().last_used_at.is_none(),
        "rejected"
    );

    let weak = hallpass.downgrade();
    drop((hallpass, service));
    assert!(weak.upgrade().is_none(), "the task keeps the handle alive");
}

struct Deploy;

impl RequiredScope for Deploy {
    const SCOPE: &'static str = "deploy";
}

/// A handle, and an axum service with every kind of rejection.
struct Service {
    hallpass: Hallpass,
    app: Router,
}

impl Service {
    fn new() -> Self {
        let hallpass = Hallpass::builder(Cached::new(MemoryStore::new())).build();
        let layer = hallpass_axum::HallpassExt::layer(&hallpass).reject_unguarded_routes(false);
        let table = PolicyTable::new()
            .get("/table", "deploy")
            .get("/table/inner", "read")
            .get("/table/denied", all_of(["read", "deploy"]));
        async fn ok() {}
        let app = Router::new()
            .route("/any", get(ok))
            .route("/me", get(async |_: Authenticated| ()))
            .route("/scoped", get(ok.scoped("deploy")))
            .route("/scoped/{id}", get(ok.scoped("read:{id}")))
            .route("/extractor", get(async |_: Scoped<Deploy>| ()))
            .route("/required", get(ok).layer(require("deploy")))
            // The first requirement is met, the second is not.
            .route("/both", get(ok.scoped("deploy")).layer(require("read")))
            // This handler also accepts requests that the extractor rejects.
            .route("/either", get(async |_: Result<Scoped<Deploy>, _>| ()))
            // This 403 comes from the handler and not from Hallpass.
            .route("/own", get(async || StatusCode::FORBIDDEN))
            .layer(layer.clone());
        let table_app = Router::new()
            .route("/table", get(ok))
            .route("/table/inner", get(ok.scoped("deploy")))
            .route("/table/denied", get(ok))
            .route("/table/undeclared", get(ok))
            .layer(layer.policy(table));
        Self { hallpass, app: app.merge(table_app) }
    }

    async fn issue(&self, scope: &str) -> Issued {
        let new = NewToken::named("ci").scope(scope);
        self.hallpass.issue(&Actor::owner("alice"), new).await.unwrap()
    }

    fn request(path: &str, token: &str) -> Request<Body> {
        let bearer = format!("Bearer {token}");
        Request::get(path).header("authorization", bearer).body(Body::empty()).unwrap()
    }

    async fn get(&self, path: &str, token: &Issued) -> StatusCode {
        let request = Self::request(path, token.token.reveal());
        self.app.clone().oneshot(request).await.unwrap().status()
    }

    async fn is_used(&self, token: &Issued) -> bool {
        let alice = Actor::owner("alice");
        self.hallpass.get(&alice, token.record.id).await.unwrap().last_used_at.is_some()
    }
}

#[tokio::test]
async fn rejected_request_records_no_use() {
    let service = Service::new();
    for (path, scope) in [
        ("/scoped", "read"),
        ("/scoped/43", "read:42"),
        ("/extractor", "read"),
        ("/required", "read"),
        ("/both", "read"),
        ("/table", "read"),
        ("/table/inner", "read"),
        ("/table/denied", "read"),
        ("/table/undeclared", "read"),
    ] {
        let token = service.issue(scope).await;
        // The first check reads the store, the second one the cache.
        for _ in 0..2 {
            assert_eq!(service.get(path, &token).await, 403, "{path}");
        }
        assert!(!service.is_used(&token).await, "{path}");
    }
    let revoked = service.issue("deploy").await;
    service.hallpass.revoke(&Actor::owner("alice"), revoked.record.id).await.unwrap();
    assert_eq!(service.get("/any", &revoked).await, 401);
    assert!(!service.is_used(&revoked).await);
}

#[tokio::test]
async fn served_request_records_a_use() {
    let service = Service::new();
    for (path, scope) in [
        ("/any", "read"),
        ("/me", "read"),
        ("/scoped", "deploy"),
        ("/scoped/42", "read:42"),
        ("/extractor", "deploy"),
        ("/required", "deploy"),
        ("/table", "deploy"),
        ("/either", "read"),
    ] {
        let token = service.issue(scope).await;
        assert_eq!(service.get(path, &token).await, 200, "{path}");
        assert!(service.is_used(&token).await, "{path}");
    }
    // A request that the application itself rejects counts as served.
    let token = service.issue("read").await;
    assert_eq!(service.get("/own", &token).await, 403);
    assert!(service.is_used(&token).await);
}

#[tokio::test]
async fn rejected_request_does_not_cancel_the_use_of_another() {
    let service = Service::new();
    let token = service.issue("read").await;
    assert_eq!(service.get("/scoped", &token).await, 403);
    assert_eq!(service.get("/any", &token).await, 200);
    assert_eq!(service.get("/scoped", &token).await, 403);
    assert!(service.is_used(&token).await);
}

#[tokio::test]
async fn use_is_recorded_if_the_client_disconnects_or_the_service_stops() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let alice = Actor::owner("alice");
    let slow = TokenLayer::new(&hallpass).layer(service_fn(async |_: Request<Body>| {
        std::future::pending::<Result<Response<Body>, Infallible>>().await
    }));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let is_used = async |token: &Issued| {
        hallpass.get(&alice, token.record.id).await.unwrap().last_used_at.is_some()
    };
    let leaves = hallpass.issue(&alice, NewToken::named("leaves")).await.unwrap();
    let stays = hallpass.issue(&alice, NewToken::named("stays")).await.unwrap();
    let call = |token: &Issued| {
        let request = Service::request("/", token.token.reveal());
        Box::pin(slow.clone().oneshot(request))
    };
    let (mut leaving, mut staying) = (call(&leaves), call(&stays));
    // The first poll starts the check, and a later one reaches the handler.
    for _ in 0..3 {
        assert!(leaving.as_mut().poll(&mut context).is_pending());
        assert!(staying.as_mut().poll(&mut context).is_pending());
    }
    assert!(!is_used(&leaves).await, "it may still be rejected");
    drop(leaving);
    assert!(is_used(&leaves).await, "a use was lost because the client disconnected");

    hallpass.shutdown().await.unwrap();
    assert!(is_used(&stays).await);
    drop(staying);
    assert!(!hallpass.has_unflushed_uses(), "the use was recorded twice");
}
