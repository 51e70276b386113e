//! Tests of every setup that `docs/layer.md` describes.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use hallpass_axum::{HallpassExt as _, HandlerExt as _};
use hallpass_core::{Actor, Hallpass, NewToken, public};
use hallpass_memory::MemoryStore;
use hallpass_tower::{PolicyTable, TokenLayer};
use http::{Request, Response, StatusCode};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::cors::{Any, CorsLayer};
use tower_http::normalize_path::NormalizePathLayer;

async fn handle() -> (Hallpass, String) {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let new = NewToken::named("ci").scopes(["projects:list", "files"]);
    let issued = hallpass.issue(&Actor::owner("alice"), new).await.unwrap();
    (hallpass, format!("Bearer {}", issued.token.reveal()))
}

/// Sends a request such as `GET /me`, with this token unless it is empty.
async fn ask<S, B>(service: &S, request: &str, token: &str) -> Response<B>
where
    S: tower_service::Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
{
    let (method, path) = request.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", token);
    }
    service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

/// Compares the statuses of requests without and with a token.
async fn compare<S, B>(service: &S, token: &str, cases: &[(&str, u16, u16)])
where
    S: tower_service::Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
{
    for (request, without, with) in cases {
        assert_eq!(ask(service, request, "").await.status(), *without, "{request} without a token");
        assert_eq!(ask(service, request, token).await.status(), *with, "{request} with a token");
    }
}

/// Returns the routes of an application, one of which requires a scope.
fn routes() -> Router {
    Router::new().route("/projects", get((async || "projects").scoped("projects:list")))
}

#[tokio::test]
async fn around_a_router_every_path_needs_a_token() {
    let (hallpass, token) = handle().await;
    let app = routes().layer(hallpass.layer());
    let cases =
        [("GET /projects", 401, 200), ("POST /projects", 401, 405), ("GET /nowhere", 401, 404)];
    compare(&app, &token, &cases).await;
}

#[tokio::test]
async fn layer_around_the_routes_keeps_404_for_unknown_paths() {
    let (hallpass, token) = handle().await;
    let app = routes().route_layer(hallpass.layer());
    let cases =
        [("GET /projects", 401, 200), ("POST /projects", 401, 405), ("GET /nowhere", 404, 404)];
    compare(&app, &token, &cases).await;
}

#[tokio::test]
async fn around_a_nested_router_the_rest_is_open() {
    let (hallpass, token) = handle().await;
    let app = Router::new()
        .route("/", get(async || "home"))
        .nest("/api", routes().layer(hallpass.layer()));
    let cases = [("GET /", 200, 200), ("GET /api/projects", 401, 200), ("GET /nowhere", 404, 404)];
    compare(&app, &token, &cases).await;
}

#[tokio::test]
async fn around_single_routes_the_others_say_nothing() {
    let (hallpass, token) = handle().await;
    let one = get((async || "a file").scoped("files:read")).route_layer(hallpass.layer());
    let app = routes()
        .route_layer(hallpass.layer())
        .merge(Router::new().route("/", get(async || "home")).route("/file", one));
    let cases = [
        ("GET /", 200, 200),
        ("GET /file", 401, 200),
        ("POST /file", 405, 405),
        ("GET /projects", 401, 200),
        ("GET /nowhere", 404, 404),
    ];
    compare(&app, &token, &cases).await;
}

#[tokio::test]
async fn around_a_nested_service_rules_are_whole_patterns() {
    let (hallpass, token) = handle().await;
    let files =
        || service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let table = || PolicyTable::new().get("/files/{*path}", "files");
    let outside =
        Router::new().nest_service("/files", files()).layer(hallpass.layer().policy(table()));
    let layered = ServiceBuilder::new().layer(hallpass.layer().policy(table())).service(files());
    let inside = Router::new().nest_service("/files", layered);
    for app in [outside, inside] {
        let cases = [
            ("GET /files/a/b", 401, 200),
            ("POST /files/a/b", 401, 403),
            ("GET /files/a//b", 401, 403),
        ];
        compare(&app, &token, &cases).await;
    }
}

#[tokio::test]
async fn single_page_application_stays_public_next_to_its_api() {
    let (hallpass, token) = handle().await;
    let page =
        || service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let cases = [
        ("GET /projects", 401, 200),
        ("GET /", 200, 200),
        ("GET /some/page", 200, 200),
        ("POST /projects", 401, 405),
    ];
    let app = routes().route_layer(hallpass.layer()).fallback_service(page());
    compare(&app, &token, &cases).await;
    // With a policy table, the pages need a public rule of their own.
    let table = PolicyTable::new()
        .get("/projects", "projects:list")
        .get("/", public())
        .get("/{*page}", public());
    let app = routes().fallback_service(page()).layer(hallpass.layer().policy(table));
    compare(&app, &token, &cases[..3]).await;
}

/// Returns a browser's preflight for `GET /projects`.
fn preflight() -> Request<Body> {
    Request::options("/projects")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn cors_layer_works_outside_and_inside_of_the_layer() {
    let (hallpass, _) = handle().await;
    let cors = || CorsLayer::new().allow_origin(Any).allow_headers(Any).allow_methods(Any);
    let outside = routes().layer(hallpass.layer()).layer(cors());
    let inside = routes().layer(cors()).layer(hallpass.layer());
    for (app, marks_rejections) in [(outside, true), (inside, false)] {
        let answer = app.clone().oneshot(preflight()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        let rejected = ask(&app, "GET /projects", "").await;
        assert_eq!(rejected.status(), StatusCode::UNAUTHORIZED);
        let is_marked = rejected.headers().contains_key("access-control-allow-origin");
        assert_eq!(is_marked, marks_rejections);
    }
}

#[tokio::test]
async fn only_a_cors_layer_responds_to_a_preflight_without_a_token() {
    let (hallpass, token) = handle().await;
    let any = || {
        let handler = (async || "any").scoped("projects:list");
        Router::new().route("/projects", axum::routing::any(handler))
    };
    let send = async |app: Router, request: Request<Body>| {
        app.oneshot(request).await.unwrap().status().as_u16()
    };
    // The handler's own requirement still applies.
    assert_eq!(send(any().layer(hallpass.layer()), preflight()).await, 401);
    let table = || PolicyTable::new().get("/projects", "projects:list");
    let open = || Router::new().route("/projects", axum::routing::any(async || "any"));
    // No CORS layer has responded, so a handler has.
    assert_eq!(send(open().layer(hallpass.layer()), preflight()).await, 401);
    assert_eq!(send(open().layer(hallpass.layer().optional()), preflight()).await, 200);
    let with_cors = || open().layer(CorsLayer::new().allow_origin(Any));
    let declared = table().route(http::Method::OPTIONS, "/projects", public());
    for (layer, owed) in [
        (hallpass.layer(), 200),
        (hallpass.layer().authenticate_preflights(), 401),
        (hallpass.layer().policy(table()), 401),
        (hallpass.layer().policy(declared), 200),
    ] {
        assert_eq!(send(with_cors().layer(layer), preflight()).await, owed);
    }
    // Requests that only resemble a preflight need a token.
    for name in ["origin", "access-control-request-method"] {
        let mut request = preflight();
        request.headers_mut().remove(name);
        assert_eq!(send(open().layer(hallpass.layer()), request).await, 401, "without {name}");
    }
    let mut request = preflight();
    *request.method_mut() = http::Method::POST;
    assert_eq!(send(open().layer(hallpass.layer()), request).await, 401);
    // A credential in a preflight is verified.
    let mut request = preflight();
    request.headers_mut().insert("authorization", "Bearer x".parse().unwrap());
    assert_eq!(send(open().layer(hallpass.layer()), request).await, 401);
    let mut request = preflight();
    request.headers_mut().insert("authorization", token.parse().unwrap());
    assert_eq!(send(any().layer(hallpass.layer()), request).await, 200);
}

#[tokio::test]
async fn path_normaliser_belongs_outside_of_the_layer() {
    let (hallpass, token) = handle().await;
    let table = || PolicyTable::new().get("/projects", "projects:list").get("/{*rest}", public());
    let app = || {
        let files = async || "rest";
        routes().fallback(files)
    };
    let normalise = NormalizePathLayer::trim_trailing_slash;
    let outside = ServiceBuilder::new()
        .layer(normalise())
        .service(app().layer(hallpass.layer().policy(table())));
    compare(&outside, &token, &[("GET /projects/", 401, 200), ("GET //projects", 401, 200)]).await;
    let inside = ServiceBuilder::new()
        .layer(hallpass.layer().policy(table()))
        .layer(normalise())
        .service(app());
    // No rule matches these paths, and the public wildcard rule does not apply to them.
    compare(&inside, &token, &[("GET /projects/", 401, 403), ("GET //projects", 401, 403)]).await;
    compare(&inside, &token, &[("GET /projects", 401, 200), ("GET /page", 200, 200)]).await;
}

#[tokio::test]
async fn behind_a_proxy_neither_host_nor_forwarded_urls_matter() {
    let (hallpass, token) = handle().await;
    let seen = async |request: Request<Body>| format!("{:?}", request.headers());
    let app =
        Router::new().route("/projects", get(seen.scoped("projects:list"))).layer(hallpass.layer());
    let text = token.trim_start_matches("Bearer ");
    let request = Request::get("/projects")
        .header("authorization", &token)
        .header("host", "10.0.0.7:8080")
        .header("x-forwarded-host", "app.example")
        .header("x-forwarded-uri", format!("/app/projects?session={text}"))
        .body(Body::empty())
        .unwrap();
    let answer = app.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
    let body = std::str::from_utf8(&body).unwrap();
    assert!(body.contains("/app/projects") && !body.contains(text), "{body}");
}

#[tokio::test]
async fn on_hyper_the_path_decides() {
    let (hallpass, token) = handle().await;
    let table = PolicyTable::new().get("/projects", "projects:list").get("/health", public());
    let service = ServiceBuilder::new()
        .layer(TokenLayer::new(&hallpass).policy(table))
        .service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let cases =
        [("GET /projects", 401, 200), ("GET /health", 200, 200), ("GET /nowhere", 401, 403)];
    compare(&service, &token, &cases).await;
}

#[tokio::test]
async fn on_tonic_rejections_are_grpc_statuses() {
    let (hallpass, token) = handle().await;
    let table = PolicyTable::new().post("/projects.v1.Projects/List", "projects:list");
    let service = ServiceBuilder::new()
        .layer(TokenLayer::new(&hallpass).grpc().policy(table))
        .service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    for (request, token, owed) in [
        ("POST /projects.v1.Projects/List", "", Some("16")),
        ("POST /projects.v1.Projects/List", &*token, None),
        ("POST /projects.v1.Projects/Delete", &token, Some("7")),
    ] {
        let answer = ask(&service, request, token).await;
        let status = answer.headers().get("grpc-status").map(|value| value.to_str().unwrap());
        assert_eq!((answer.status().as_u16(), status), (200, owed), "{request}");
    }
}
