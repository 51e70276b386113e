//! Requests that are authenticated without a token, through the layers and routers of production.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, Version};
use axum::routing::get;
use hallpass_axum::{
    Authenticated, GuardedRouter, HallpassExt as _, HandlerExt as _, RequiredScope, Scoped,
};
use hallpass_core::{
    Catalog, CatalogScope, Hallpass, HallpassBuilder, Owner, OwnerStatus, ScopeSet, public,
};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{ActingAs, FaultyStore, Operation, acting_as};
use hallpass_tower::{PolicyTable, PrincipalExt as _, require};
use http::request::Builder;
use tower::{Layer as _, ServiceExt as _, service_fn};

type Store = FaultyStore<MemoryStore>;

/// Creates a handle whose store fails every call.
fn hallpass() -> (Hallpass, Store) {
    passes_with(|builder| builder)
}

fn passes_with(configure: impl FnOnce(HallpassBuilder) -> HallpassBuilder) -> (Hallpass, Store) {
    let store = Store::new(MemoryStore::new());
    store.faults().on(Operation::ALL).fail();
    (configure(Hallpass::builder(store.clone())).build(), store)
}

struct ReadProject;

impl RequiredScope for ReadProject {
    const SCOPE: &'static str = "projects:read:{id}";
}

async fn who(Authenticated(caller): Authenticated) -> String {
    format!("{} with {}", caller.owner(), caller.scopes())
}

async fn show(caller: Scoped<ReadProject>) -> String {
    caller.owner().to_string()
}

fn get_as(path: &str, acting: ActingAs) -> Request<Body> {
    Request::get(path).extension(acting).body(Body::empty()).unwrap()
}

async fn answer(app: &Router, request: Request<Body>) -> (u16, String) {
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn status(app: &Router, request: Request<Body>) -> u16 {
    answer(app, request).await.0
}

#[tokio::test]
async fn handler_sees_owner_and_scopes_without_a_query_of_the_store() {
    let (hallpass, store) = hallpass();
    let app = Router::new()
        .route("/who", get(who))
        .route("/projects", get(who.scoped("projects:list")))
        .route("/projects/{id}", get(show))
        .route("/jobs", get(who).layer(require("jobs")))
        .layer(hallpass.layer());
    let reader = || acting_as("alice", ["projects:list", "projects:read:42"]);
    assert_eq!(
        answer(&app, get_as("/who", reader())).await,
        (200, "alice with projects:list projects:read:42".to_owned())
    );
    assert_eq!(status(&app, get_as("/projects", reader())).await, 200);
    assert_eq!(answer(&app, get_as("/projects/42", reader())).await, (200, "alice".to_owned()));
    assert_eq!(status(&app, get_as("/projects/43", reader())).await, 403);
    assert_eq!(status(&app, get_as("/jobs", reader())).await, 403);
    assert_eq!(status(&app, get_as("/jobs", acting_as("bob", ["jobs"]))).await, 200);
    assert_eq!(answer(&app, get_as("/who", acting_as("bob", []))).await.1, "bob with ");
    assert_eq!(status(&app, get_as("/projects", acting_as("bob", []))).await, 403);
    assert_eq!(store.faults().calls(Operation::ALL), 0);
    assert!(!hallpass.has_unflushed_uses(), "no use is recorded");
}

#[tokio::test]
async fn request_without_the_extension_needs_a_token() {
    let (hallpass, store) = hallpass();
    let app = Router::new().route("/who", get(who)).layer(hallpass.layer());
    let plain = |builder: Builder| builder.body(Body::empty()).unwrap();
    assert_eq!(status(&app, plain(Request::get("/who"))).await, 401);
    let forged = Request::get("/who").header("acting-as", "alice").extension("alice");
    assert_eq!(status(&app, plain(forged)).await, 401);
    assert_eq!(store.faults().calls(Operation::ALL), 0);
}

#[tokio::test]
async fn missing_scope_is_rejected_as_for_a_token() {
    let (hallpass, _) = hallpass();
    let app =
        Router::new().route("/projects", get(who.scoped("projects:list"))).layer(hallpass.layer());
    let rejected = app.oneshot(get_as("/projects", acting_as("alice", ["jobs"]))).await.unwrap();
    assert_eq!(rejected.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        rejected.headers()["www-authenticate"],
        r#"Bearer realm="api", error="insufficient_scope", error_description="the token does not allow this", scope="projects:list""#
    );
}

#[tokio::test]
async fn policy_table_and_guarded_router_decide_by_the_scopes() {
    let (hallpass, store) = hallpass();
    let table = PolicyTable::new().get("/projects/{id}", "projects:read:{id}");
    let by_table = Router::new()
        .route("/projects/{id}", get(who))
        .route("/forgotten", get(who))
        .layer(hallpass.layer().policy(table));
    let guarded: Router = GuardedRouter::new()
        .get("/projects/{id}", "projects:read:{id}", who)
        .get("/open", public(), async || "open")
        .into_router(&hallpass);
    for app in [&by_table, &guarded] {
        let reader = || acting_as("alice", ["projects:read:42"]);
        assert_eq!(status(app, get_as("/projects/42", reader())).await, 200);
        assert_eq!(status(app, get_as("/projects/43", reader())).await, 403);
    }
    assert_eq!(status(&by_table, get_as("/forgotten", acting_as("root", ["*"]))).await, 403);
    assert_eq!(status(&guarded, get_as("/open", acting_as("alice", []))).await, 200);
    assert_eq!(store.faults().calls(Operation::ALL), 0);
}

#[tokio::test]
async fn plain_service_and_grpc_accept_the_extension() {
    let (hallpass, _) = hallpass();
    let table = PolicyTable::new().post("/jobs.Jobs/Run", "jobs:run");
    let service = hallpass.layer().grpc().policy(table).layer(service_fn(
        |request: Request<()>| async move {
            let owner = request.principal().expect("somebody").owner().to_string();
            Ok::<_, Infallible>(
                Response::builder().header("owner", owner).body(String::new()).unwrap(),
            )
        },
    ));
    let call = async |grpc: Builder| {
        let grpc = grpc.version(Version::HTTP_2).header("content-type", "application/grpc");
        service.clone().oneshot(grpc.body(()).unwrap()).await.unwrap().into_parts().0.headers
    };
    let run = || Request::post("/jobs.Jobs/Run");
    assert_eq!(call(run().extension(acting_as("alice", ["jobs"]))).await["owner"], "alice");
    let denied = call(run().extension(acting_as("alice", ["projects"]))).await;
    assert_eq!(denied["grpc-status"], "7");
    assert_eq!(call(run()).await["grpc-status"], "16");
}

#[tokio::test]
async fn outermost_extension_authenticates_all_requests() {
    let (outer, _) = hallpass();
    let (inner, _) = hallpass();
    let app = Router::new()
        .route("/who", get(who))
        .layer(inner.layer())
        .layer(outer.layer())
        .layer(axum::Extension(acting_as("alice", ["jobs"])));
    let plain = Request::get("/who").body(Body::empty()).unwrap();
    assert_eq!(answer(&app, plain).await, (200, "alice with jobs".to_owned()));
}

#[tokio::test]
async fn unknown_scope_allows_nothing_and_the_directory_is_not_queried() {
    let (hallpass, _) = passes_with(|builder| {
        builder
            .catalog(Catalog::new().scope(CatalogScope::new("jobs", "Jobs")))
            .owner_directory(|_: Owner| async { Ok(OwnerStatus::Disabled) })
    });
    let app = Router::new().route("/who", get(who)).layer(hallpass.layer());
    let answer = answer(&app, get_as("/who", acting_as("alice", ["jobs", "porjects"]))).await;
    assert_eq!(answer, (200, "alice with jobs".to_owned()));
}

#[tokio::test]
async fn extension_takes_precedence_and_credentials_are_removed() {
    let (hallpass, store) = hallpass();
    let service = hallpass.layer().layer(service_fn(|request: Request<()>| async move {
        let owner = request.principal().expect("somebody").owner().to_string();
        let text = format!("{owner} {} {:?}", request.uri(), request.headers());
        Ok::<_, Infallible>(Response::new(text))
    }));
    let request = Request::get("/?session=hp_secret&x=1")
        .header("authorization", "Bearer hp_secret")
        .extension(acting_as("alice", []));
    let answer = service.oneshot(request.body(()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let body = Body::new(answer.into_body());
    let body = to_bytes(body, 1 << 16).await.unwrap();
    assert_eq!(body, "alice /?x=1 {}");
    assert_eq!(store.faults().calls(Operation::ALL), 0);
}

#[tokio::test]
async fn recheck_rejects_a_token_that_does_not_exist() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let alice = Owner::new("alice").unwrap();
    let principal = hallpass.acting_as(&alice, &ScopeSet::default());
    assert!(hallpass.recheck(&principal).await.is_err());
}

#[test]
fn invalid_owner_or_scope_panics_at_the_call() {
    for wrong in [
        std::panic::catch_unwind(|| acting_as("", ["jobs"])),
        std::panic::catch_unwind(|| acting_as("alice", ["jobs:"])),
    ] {
        assert!(wrong.is_err());
    }
}
