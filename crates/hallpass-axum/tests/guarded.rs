//! Scopes on handlers, extractors, and the router in which every route has a requirement.

use axum::extract::Path;
use axum::routing::get;
use axum::{Router, body::Body};
use hallpass_axum::{Authenticated, GuardedRouter, HallpassExt, HandlerExt, RequiredScope, Scoped};
use hallpass_core::{
    Actor, Catalog, CatalogScope, Hallpass, NewToken, all_of, authenticated, public,
};
use hallpass_memory::MemoryStore;
use http::{Method, Request, Response, StatusCode};
use tower::ServiceExt as _;

fn hallpass() -> Hallpass {
    Hallpass::builder(MemoryStore::new()).build()
}

async fn token(hallpass: &Hallpass, scopes: &[&str]) -> String {
    let new = NewToken::named("test").scopes(scopes.iter().copied());
    hallpass.issue(&Actor::owner("alice"), new).await.unwrap().token.reveal().to_owned()
}

async fn call(app: &Router, method: Method, path: &str, token: Option<&str>) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn get_status(app: &Router, path: &str, token: Option<&str>) -> StatusCode {
    call(app, Method::GET, path, token).await.status()
}

async fn hello() -> &'static str {
    "hello"
}

async fn show(Path(id): Path<String>) -> String {
    id
}

#[tokio::test]
async fn scoped_handler_binds_the_path_parameter_nested_or_not() {
    let hallpass = hallpass();
    let routes = Router::new()
        .route("/projects", get(hello.scoped("projects:list")))
        .route("/projects/{id}", get(hello.scoped("projects:read:{id}")));
    let app =
        Router::new().nest("/api/{tenant}", routes.clone()).merge(routes).layer(hallpass.layer());
    let one = token(&hallpass, &["projects:read:42"]).await;
    assert_eq!(get_status(&app, "/projects/42", Some(&one)).await, 200);
    assert_eq!(get_status(&app, "/api/acme/projects/42", Some(&one)).await, 200);
    assert_eq!(get_status(&app, "/projects/%34%32", Some(&one)).await, 200);
    for other in
        ["/projects/43", "/projects/*", "/projects/042", "/api/42/projects/43", "/projects"]
    {
        let rejected = call(&app, Method::GET, other, Some(&one)).await;
        assert_eq!(rejected.status(), 403, "{other}");
        let challenge = rejected.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    }
    assert_eq!(get_status(&app, "/projects/42", None).await, 401);
    assert_eq!(call(&app, Method::HEAD, "/projects/42", Some(&one)).await.status(), 200);
    assert_eq!(get_status(&app, "/projects/%ff", Some(&one)).await, 400);
}

#[tokio::test]
async fn missing_layer_and_wrong_parameter_are_a_500() {
    let hallpass = hallpass();
    let everything = token(&hallpass, &["projects"]).await;
    let bare = Router::new().route("/projects", get(hello.scoped("projects:list")));
    assert_eq!(get_status(&bare, "/projects", Some(&everything)).await, 500);
    let wrong = Router::new()
        .route("/projects/{project}", get(show.scoped("projects:read:{id}")))
        .layer(hallpass.layer());
    assert_eq!(get_status(&wrong, "/projects/42", Some(&everything)).await, 500);
    assert_eq!(get_status(&wrong, "/projects/42", None).await, 401);
    async fn me(Authenticated(me): Authenticated) -> String {
        me.owner().to_string()
    }
    let bare = Router::new().route("/me", get(me));
    assert_eq!(get_status(&bare, "/me", Some(&everything)).await, 500);
}

#[tokio::test]
async fn path_parameter_repeated_by_a_nest_is_a_500() {
    let hallpass = hallpass();
    let inner = GuardedRouter::new().get("/projects/{id}", "projects:read:{id}", hello);
    let app = Router::new().nest("/{id}", inner.into_router(&hallpass));
    let one = token(&hallpass, &["projects:read:atlas"]).await;
    for path in ["/atlas/projects/borealis", "/borealis/projects/atlas", "/atlas/projects/atlas"] {
        assert_eq!(get_status(&app, path, Some(&one)).await, 500, "{path}");
    }
}

struct ReadProject;
impl RequiredScope for ReadProject {
    const SCOPE: &'static str = "projects:read:{id}";
}

#[tokio::test]
async fn extractors_return_the_caller_and_enforce_their_scope() {
    async fn typed(caller: Scoped<ReadProject>) -> String {
        caller.owner().to_string()
    }
    async fn maybe(caller: Option<Authenticated>) -> String {
        caller.map_or_else(|| "nobody".to_owned(), |caller| caller.owner().to_string())
    }
    let hallpass = hallpass();
    let app = Router::new()
        .route("/typed/{id}", get(typed))
        .route("/maybe", get(maybe))
        .layer(hallpass.layer().optional());
    let one = token(&hallpass, &["projects:read:42"]).await;
    for _ in 0..2 {
        assert_eq!(get_status(&app, "/typed/42", Some(&one)).await, 200);
        assert_eq!(get_status(&app, "/typed/43", Some(&one)).await, 403);
        assert_eq!(get_status(&app, "/typed/42", None).await, 401);
    }
    for (token, expected) in [(None, "nobody"), (Some(one.as_str()), "alice")] {
        let body = call(&app, Method::GET, "/maybe", token).await.into_body();
        assert_eq!(axum::body::to_bytes(body, 100).await.unwrap(), expected);
    }
    assert_eq!(
        get_status(&app, "/maybe", Some("hp_nonsense")).await,
        401,
        "an invalid token must not count as anonymous"
    );
    let bare = Router::new().route("/maybe", get(maybe));
    assert_eq!(
        get_status(&bare, "/maybe", Some(&one)).await,
        500,
        "without the layer nobody was asked"
    );
}

fn guarded() -> GuardedRouter {
    let admin = GuardedRouter::new().get("/", authenticated(), hello).delete(
        "/{id}",
        all_of(["projects:delete:{id}", "projects:read:{id}"]),
        show,
    );
    GuardedRouter::new()
        .get("/health", public(), hello)
        .get("/projects", "projects:list", hello)
        .post("/projects", "projects:create", hello)
        .get("/projects/{id}", "projects:read:{id}", show)
        .nest("/admin", admin)
}

#[tokio::test]
async fn guarded_router_is_guarded_under_every_mount() {
    let hallpass = hallpass();
    let app = Router::new().nest("/api", guarded().into_router(&hallpass));
    let some = token(&hallpass, &["projects:list", "projects:read:42"]).await;
    for (method, path, anonymous, with_token) in [
        (Method::GET, "/api/health", 200, 200),
        (Method::GET, "/api/projects", 401, 200),
        (Method::HEAD, "/api/projects", 401, 200),
        (Method::POST, "/api/projects", 401, 403),
        (Method::GET, "/api/projects/42", 401, 200),
        (Method::GET, "/api/projects/43", 401, 403),
        (Method::GET, "/api/admin", 401, 200),
        (Method::DELETE, "/api/admin/42", 401, 403),
        (Method::PUT, "/api/projects", 401, 405),
        (Method::PUT, "/api/health", 405, 405),
        (Method::OPTIONS, "/api/projects", 401, 405),
        (Method::GET, "/api/nowhere", 404, 404),
        (Method::GET, "/api//projects", 404, 404),
        (Method::GET, "/api/PROJECTS", 404, 404),
    ] {
        assert_eq!(
            call(&app, method.clone(), path, None).await.status(),
            anonymous,
            "{method} {path}"
        );
        assert_eq!(
            call(&app, method.clone(), path, Some(&some)).await.status(),
            with_token,
            "{method} {path}"
        );
    }
    assert_eq!(
        get_status(&app, "/api/health", Some("nonsense")).await,
        200,
        "a public route must ignore tokens"
    );
}

#[test]
fn guarded_router_prints_its_routes() {
    let expected = "\
GET     /health         public
GET     /projects       projects:list
POST    /projects       projects:create
GET     /projects/{id}  projects:read:{id}
GET     /admin          any valid token
DELETE  /admin/{id}     all of (projects:delete:{id}, projects:read:{id})
anything else: 404 or 405";
    assert_eq!(guarded().to_string(), expected);
}

fn message(build: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(build).expect_err("the router must panic");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn mistakes_panic_at_start_up_with_the_fix() {
    let cases: [(fn(), &str); 5] = [
        (
            || drop(GuardedRouter::<()>::new().get("/a/{id}", "a:{name}", hello)),
            "a:{name} is bound to {name}, but the route /a/{id} has no such parameter: use a \
             parameter of the pattern, or write whole paths if it is a parameter of a nest",
        ),
        (
            || drop(GuardedRouter::<()>::new().get("/a", "a:*", hello)),
            "GET /a: a route cannot require \"a:*\": only the scopes of a token may contain `*`, \
             so name the scope that the route needs",
        ),
        (
            || drop(GuardedRouter::<()>::new().get("/a", "a", hello).get("/a", "b", hello)),
            "there are two rules for GET /a: keep one of them, or combine them with `any_of` or \
             `all_of`",
        ),
        (
            || {
                let catalog = Catalog::new().scope(CatalogScope::new("projects:read", "Read"));
                let hallpass = Hallpass::builder(MemoryStore::new()).catalog(catalog).build();
                drop(
                    GuardedRouter::<()>::new()
                        .get("/a", "projects:reed", hello)
                        .into_router(&hallpass),
                );
            },
            "GET /a requires projects:reed, which the catalog does not list: add the scope to the \
             catalog (and a path parameter to its entry, with `.per(\"id\")`), or correct the route",
        ),
        (
            || drop(HandlerExt::<_, ()>::scoped(hello, "a b")),
            "a route cannot require \"a b\": a scope may contain only printable ASCII characters, \
             without spaces, double quotes and backslashes",
        ),
    ];
    for (build, expected) in cases {
        assert_eq!(message(build), expected);
    }
}
