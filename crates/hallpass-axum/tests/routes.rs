//! Scoped method routers, whole method routers, layers of a guarded router, and optional scopes.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{any, get as axum_get};
use axum::{Extension, Router};
use hallpass_axum::routing::{get, post};
use hallpass_axum::{
    Authenticated, GuardedRouter, HallpassExt, HandlerExt, RequiredScope, Scoped, TokenApi,
};
use hallpass_core::{
    Actor, Catalog, CatalogScope, Hallpass, NewToken, Principal, ScopeSet, public,
};
use hallpass_memory::MemoryStore;
use hallpass_tower::{PrincipalExt as _, TokenLayer};
use http::request::Parts;
use http::{Method, StatusCode};
use tower::ServiceExt as _;

fn hallpass() -> Hallpass {
    Hallpass::builder(MemoryStore::new()).build()
}

async fn token(hallpass: &Hallpass, scopes: &[&str]) -> String {
    let new = NewToken::named("test").scopes(scopes.iter().copied());
    hallpass.issue(&Actor::owner("alice"), new).await.unwrap().token.reveal().to_owned()
}

async fn call(app: &Router, method: Method, path: &str, token: Option<&str>) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn status(app: &Router, method: Method, path: &str, token: Option<&str>) -> StatusCode {
    call(app, method, path, token).await.status()
}

async fn hello() -> &'static str {
    "hello"
}

#[tokio::test]
async fn scoped_method_routers_are_guarded_method_by_method() {
    let hallpass = hallpass();
    let app = GuardedRouter::new()
        .routes("/notes", get(hello.scoped("notes:list")).post(hello.scoped("notes:create")))
        .routes("/notes/{id}", get(hello.scoped("notes:read:{id}")))
        .routes("/health", get(hello.scoped(public())).post(hello.scoped("health:report")))
        .into_router(&hallpass);
    let lists = token(&hallpass, &["notes:list", "notes:read:1"]).await;
    for (method, path, anonymous, with_token) in [
        (Method::GET, "/notes", 401, 200),
        (Method::HEAD, "/notes", 401, 200),
        (Method::POST, "/notes", 401, 403),
        (Method::PUT, "/notes", 401, 405),
        (Method::GET, "/notes/1", 401, 200),
        (Method::GET, "/notes/2", 401, 403),
        (Method::GET, "/health", 200, 200),
        (Method::POST, "/health", 401, 403),
    ] {
        assert_eq!(status(&app, method.clone(), path, None).await, anonymous, "{method} {path}");
        assert_eq!(
            status(&app, method.clone(), path, Some(&lists)).await,
            with_token,
            "{method} {path}"
        );
    }
}

fn message(build: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(build).expect_err("the router must panic");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

fn with_catalog() -> Hallpass {
    let catalog = Catalog::new().scope(CatalogScope::new("notes:read", "Read").per("id"));
    Hallpass::builder(MemoryStore::new()).catalog(catalog).build()
}

#[test]
fn scoped_routes_are_checked_at_start_up() {
    let wrong_parameter = || {
        drop(GuardedRouter::<()>::new().routes("/a/{key}", get(hello.scoped("notes:read:{id}"))));
    };
    assert_eq!(
        message(wrong_parameter),
        "notes:read:{id} is bound to {id}, but the route /a/{key} has no such parameter: use a \
         parameter of the pattern, or write whole paths if it is a parameter of a nest"
    );
    let not_in_the_catalog = || {
        let api = GuardedRouter::<()>::new().routes("/a", post(hello.scoped("notes:reed")));
        drop(api.into_router(&with_catalog()));
    };
    assert_eq!(
        message(not_in_the_catalog),
        "POST /a requires notes:reed, which the catalog does not list: add the scope to the \
         catalog (and a path parameter to its entry, with `.per(\"id\")`), or correct the route"
    );
}

#[tokio::test]
async fn unlisted_scope_is_a_500_on_an_ordinary_router() {
    let hallpass = with_catalog();
    let app = Router::new()
        .route("/typo", axum_get(hello.scoped("notes:reed")))
        .route("/notes/{id}", axum_get(hello.scoped("notes:read:{id}")))
        .layer(hallpass.layer());
    let token = token(&hallpass, &["notes:read:1"]).await;
    assert_eq!(status(&app, Method::GET, "/typo", Some(&token)).await, 500);
    let above = self::token(&hallpass, &["notes"]).await;
    assert_eq!(status(&app, Method::GET, "/typo", Some(&above)).await, 200, "it allows any below");
    assert_eq!(status(&app, Method::GET, "/notes/1", Some(&token)).await, 200);
    assert_eq!(status(&app, Method::GET, "/notes/2", Some(&token)).await, 403);
}

#[tokio::test]
async fn requirement_of_a_whole_method_router_holds_for_every_method() {
    let hallpass = hallpass();
    let notes = axum_get(hello).post(hello).scoped("notes:{id}");
    let app = Router::new().route("/notes/{id}", notes.into()).layer(hallpass.layer());
    let one = token(&hallpass, &["notes:1"]).await;
    for method in [Method::GET, Method::HEAD, Method::POST] {
        assert_eq!(status(&app, method.clone(), "/notes/1", Some(&one)).await, 200, "{method}");
        assert_eq!(status(&app, method.clone(), "/notes/2", Some(&one)).await, 403, "{method}");
        assert_eq!(status(&app, method.clone(), "/notes/1", None).await, 401, "{method}");
    }
    assert_eq!(status(&app, Method::PUT, "/notes/1", Some(&one)).await, 405);
    assert_eq!(status(&app, Method::PUT, "/notes/2", Some(&one)).await, 403);
}

#[tokio::test]
async fn requirement_of_a_method_router_holds_for_its_fallback() {
    let hallpass = hallpass();
    let with_any = any(hello).get(hello).scoped("notes:{id}");
    let with_fallback = axum_get(hello).fallback(hello).scoped("notes:{id}");
    let app = Router::new()
        .route("/any/{id}", with_any.into())
        .route("/fallback/{id}", with_fallback.into())
        .layer(hallpass.layer());
    let one = token(&hallpass, &["notes:1"]).await;
    for path in ["/any", "/fallback"] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let (own, other) = (format!("{path}/1"), format!("{path}/2"));
            assert_eq!(status(&app, method.clone(), &own, Some(&one)).await, 200, "{method} {own}");
            assert_eq!(status(&app, method, &other, Some(&one)).await, 403, "{other}");
        }
    }
}

#[tokio::test]
async fn token_manages_no_tokens_even_if_a_layer_is_around_the_api() {
    async fn owner_of_a_token(Authenticated(who): Authenticated) -> Actor {
        Actor::owner(who.owner().as_str())
    }
    let hallpass = hallpass();
    let api = TokenApi::new(&hallpass, owner_of_a_token).into_router_at("/tokens");
    let app = Router::new().merge(api).layer(hallpass.layer());
    let token = token(&hallpass, &[]).await;
    for (method, path) in [(Method::GET, "/tokens"), (Method::DELETE, "/tokens/x")] {
        assert_eq!(status(&app, method, path, Some(&token)).await, 403, "{path}");
        let query = format!("{path}?session={token}");
        assert_eq!(status(&app, Method::GET, &query, None).await, 403, "{query}");
    }
}

#[tokio::test]
async fn api_inside_of_a_layer_serves_the_callers_that_the_layer_passes_on() {
    async fn alice() -> Actor {
        Actor::owner("alice")
    }
    async fn fallback(_: Parts) -> Option<Principal> {
        Some(Principal::external("alice".parse().ok()?, ScopeSet::default()))
    }
    let hallpass = hallpass();
    let token = token(&hallpass, &[]).await;
    let inside = |layer: TokenLayer| {
        Router::new().merge(TokenApi::new(&hallpass, alice).into_router_at("/tokens")).layer(layer)
    };
    let plain = inside(hallpass.layer());
    for (app, signed_in) in [
        (&plain, 401),
        (&inside(hallpass.layer().optional()), 200),
        (&inside(hallpass.layer().fallback(fallback)), 200),
    ] {
        assert_eq!(status(app, Method::GET, "/tokens/current", Some(&token)).await, 200);
        for path in ["/tokens", "/tokens/openapi.json"] {
            assert_eq!(status(app, Method::GET, path, None).await, signed_in, "{path}");
            assert_eq!(status(app, Method::GET, path, Some(&token)).await, 403, "{path}");
        }
    }
    let query = format!("/tokens/current?session={token}");
    assert_eq!(status(&plain, Method::GET, &query, None).await, 401, "only Bearer is accepted");
}

/// Adds a header that shows whether the layer saw a principal.
async fn note_principal(request: Request, next: Next) -> Response {
    let known = request.principal().is_some();
    let mut response = next.run(request).await;
    let name = if known { "x-known" } else { "x-stranger" };
    response.headers_mut().insert(name, HeaderValue::from_static("1"));
    response
}

#[tokio::test]
async fn guarded_router_has_outer_and_inner_layers() {
    async fn state(Extension(word): Extension<&'static str>) -> &'static str {
        word
    }
    let hallpass = hallpass();
    let token = token(&hallpass, &["notes:list"]).await;
    let inside = GuardedRouter::new()
        .get("/notes", "notes:list", state)
        .delete("/notes", "notes:delete", hello)
        .route_layer(from_fn(note_principal))
        .route_layer(Extension("inside"))
        .get("/later", "notes:list", hello)
        .into_router(&hallpass);
    let let_in = call(&inside, Method::GET, "/notes", Some(&token)).await;
    assert_eq!(let_in.headers().get("x-known").map(HeaderValue::as_bytes), Some(&b"1"[..]));
    assert_eq!(to_bytes(let_in.into_body(), 100).await.unwrap(), "inside");
    let rejected = call(&inside, Method::GET, "/notes", None).await;
    assert_eq!(rejected.status(), 401);
    assert!(
        !rejected.headers().contains_key("x-stranger"),
        "a rejected request has reached the inner layer"
    );
    assert_eq!(status(&inside, Method::DELETE, "/notes", Some(&token)).await, 403);
    let later = call(&inside, Method::GET, "/later", Some(&token)).await;
    assert!(
        !later.headers().contains_key("x-known"),
        "the layer must apply only to routes added before it"
    );

    let outside = GuardedRouter::new()
        .get("/notes", "notes:list", hello)
        .get("/health", public(), hello)
        .layer(from_fn(note_principal))
        .into_router(&hallpass);
    for (path, token, expected) in
        [("/notes", None, 401), ("/notes", Some(token.as_str()), 200), ("/health", None, 200)]
    {
        let response = call(&outside, Method::GET, path, token).await;
        assert_eq!(response.status(), expected, "{path}");
        assert!(response.headers().contains_key("x-stranger"), "{path}");
    }
}

struct ReadNote;
impl RequiredScope for ReadNote {
    const SCOPE: &'static str = "notes:read:{id}";
}

#[tokio::test]
async fn optional_scope_is_none_for_a_token_without_it() {
    async fn show(reader: Option<Scoped<ReadNote>>) -> String {
        reader.map_or_else(|| "the public part".to_owned(), |reader| reader.owner().to_string())
    }
    let hallpass = hallpass();
    let app = Router::new()
        .route("/notes/{id}", axum_get(show))
        .route("/wrong/{key}", axum_get(show))
        .layer(hallpass.layer().optional());
    let one = token(&hallpass, &["notes:read:1"]).await;
    for (path, token, expected) in [
        ("/notes/1", Some(one.as_str()), "alice"),
        ("/notes/2", Some(one.as_str()), "the public part"),
        ("/notes/1", None, "the public part"),
    ] {
        let response = call(&app, Method::GET, path, token).await;
        assert_eq!(to_bytes(response.into_body(), 100).await.unwrap(), expected, "{path}");
    }
    assert_eq!(status(&app, Method::GET, "/wrong/1", Some(&one)).await, 500);
    assert_eq!(status(&app, Method::GET, "/notes/%ff", Some(&one)).await, 400);
    assert_eq!(status(&app, Method::GET, "/notes/1", Some("hp_nonsense")).await, 401);
    let bare = Router::new().route("/notes/{id}", axum_get(show));
    assert_eq!(
        status(&bare, Method::GET, "/notes/1", None).await,
        500,
        "a route without a layer must be a 500"
    );
}
