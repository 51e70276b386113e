//! Tests of `fallback_with_state`: the host's sign-in as a function of extractors.

use axum::extract::{FromRequestParts, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, body::Body};
use hallpass_axum::{
    Authenticated, HallpassExt, HandlerExt, IntoActor as _, TokenApi, TokenLayerExt,
};
use hallpass_core::{Actor, Hallpass, NewToken, Principal, ScopeSet};
use hallpass_memory::MemoryStore;
use http::{Request, StatusCode, request::Parts};
use tower::ServiceExt as _;

/// The host's state: the name of its cookie.
#[derive(Clone)]
struct Sessions(&'static str);

/// The host's extractor of a signed-in person.
struct Person(String);

impl FromRequestParts<Sessions> for Person {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &Sessions) -> Result<Self, StatusCode> {
        let cookie = parts.headers.get("cookie").ok_or(StatusCode::FORBIDDEN)?;
        let cookie = cookie.to_str().map_err(|_| StatusCode::BAD_REQUEST)?;
        match cookie.split_once('=') {
            Some((name, "outage")) if name == state.0 => Err(StatusCode::INTERNAL_SERVER_ERROR),
            Some((name, person)) if name == state.0 => Ok(Self(person.to_owned())),
            _ => Err(StatusCode::UNAUTHORIZED),
        }
    }
}

async fn person(State(sessions): State<Sessions>, Person(name): Person) -> Option<Principal> {
    assert_eq!(sessions.0, "sid");
    let scopes = ScopeSet::parse(["projects:list"]).unwrap();
    Some(Principal::external(name.parse().ok()?, scopes))
}

#[tokio::test]
async fn the_same_sign_in_serves_the_api_and_bounds_what_is_granted() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let app: Router = Router::new()
        .merge(TokenApi::new(&hallpass, person).into_router_at("/tokens"))
        .with_state(Sessions("sid"));
    let issue = async |cookie: &str, scope: &str| {
        let request = Request::post("/tokens")
            .header("cookie", cookie)
            .header("content-type", "application/json")
            .body(Body::from(format!(r#"{{"name": "ci", "scopes": ["{scope}"]}}"#)));
        app.clone().oneshot(request.unwrap()).await.unwrap().status().as_u16()
    };
    assert_eq!(issue("sid=alice", "projects:list").await, 201);
    assert_eq!(issue("sid=alice", "projects:delete").await, 403);
    assert_eq!(issue("other=alice", "projects:list").await, 401);

    let issued = hallpass.issue(&Actor::owner("bob"), NewToken::named("ci")).await.unwrap();
    let bob = hallpass.authenticate(issued.token.reveal().as_bytes()).await.unwrap();
    assert!(bob.into_actor().unwrap().is_none(), "a token cannot manage tokens");
}

#[tokio::test]
async fn inner_layer_that_trusts_fewer_origins_rejects_the_others() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let layer = hallpass.layer().fallback_with_state(Sessions("sid"), person);
    let handler = async || {};
    let admin = Router::new()
        .route("/admin", post(handler.scoped("projects:list")))
        .route_layer(layer.clone());
    let app: Router = Router::new()
        .route("/projects", post(handler.scoped("projects:list")))
        .merge(admin)
        .layer(layer.trust_origin("https://partner.example"));
    for (path, status) in [("/projects", 200), ("/admin", 403)] {
        let request = Request::post(path)
            .header("cookie", "sid=alice")
            .header("origin", "https://partner.example")
            .header("sec-fetch-site", "cross-site")
            .body(Body::empty());
        let answer = app.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
}

async fn send(app: &Router, name: &str, value: &str) -> Response {
    let request = Request::get("/projects").header(name, value).body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

/// Sends `GET /projects` with this header, and returns the status and the body.
async fn ask(app: &Router, name: &str, value: &str) -> (u16, String) {
    let response = send(app, name, value).await;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn extractors_of_the_sign_in_identify_the_caller() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let list = async |Authenticated(caller): Authenticated| caller.owner().to_string();
    let app = Router::new()
        .route("/projects", get(list.scoped("projects:list")))
        .layer(hallpass.layer().fallback_with_state(Sessions("sid"), person));

    assert_eq!(ask(&app, "cookie", "sid=alice").await, (200, "alice".to_owned()));
    for rejected in ["sid=", "other=alice", "none", "sid=\u{e9}"] {
        assert_eq!(ask(&app, "cookie", rejected).await.0, 401, "{rejected}");
    }
    assert_eq!(ask(&app, "accept", "*/*").await.0, 401, "a rejection with 403 is not an outage");
    assert_eq!(ask(&app, "cookie", "sid=outage").await.0, 503);

    let bob = Actor::owner("bob");
    let issued = hallpass.issue(&bob, NewToken::named("ci").scope("projects:list")).await.unwrap();
    let bearer = format!("Bearer {}", issued.token.reveal());
    assert_eq!(ask(&app, "authorization", &bearer).await, (200, "bob".to_owned()));
}

/// A sign-in that responds to unknown callers itself.
async fn person_or_response(
    person: Result<Person, StatusCode>,
) -> Result<Principal, (StatusCode, [(&'static str, &'static str); 1], &'static str)> {
    let scopes = ScopeSet::parse(["projects:list"]).unwrap();
    match person {
        Ok(Person(name)) => Ok(Principal::external(name.parse().unwrap(), scopes)),
        Err(status) => Err((status, [("x-reason", "session")], "no session")),
    }
}

#[tokio::test]
async fn error_of_the_sign_in_is_the_response() {
    let hallpass = Hallpass::builder(MemoryStore::new()).prefix("acme").build();
    let list = async |Authenticated(caller): Authenticated| caller.owner().to_string();
    let layer = hallpass.layer().fallback_with_state(Sessions("sid"), person_or_response);
    let routes = Router::new().route("/projects", get(list.scoped("projects:list")));
    for app in [routes.clone().layer(layer.clone()), routes.layer(layer.optional())] {
        assert_eq!(ask(&app, "cookie", "sid=alice").await, (200, "alice".to_owned()));
        let response = send(&app, "cookie", "other=alice").await;
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["x-reason"], "session");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let vary = response.headers().get_all("vary").iter();
        assert!(vary.into_iter().any(|vary| vary == "authorization, cookie"), "{response:?}");
        assert_eq!(ask(&app, "accept", "*/*").await, (403, "no session".to_owned()));

        assert_eq!(
            ask(&app, "authorization", "Bearer a.b.c").await,
            (403, "no session".to_owned())
        );
        let head = Request::head("/projects").body(Body::empty()).unwrap();
        let head = app.clone().oneshot(head).await.unwrap();
        assert_eq!(
            (head.status().as_u16(), &head.headers()["content-length"]),
            (403, &"10".parse().unwrap())
        );
        assert!(axum::body::to_bytes(head.into_body(), 1).await.unwrap().is_empty());

        assert_eq!(ask(&app, "cookie", "sid=outage").await.0, 503);
        let (status, problem) = ask(&app, "authorization", "Bearer acme_typo").await;
        assert_eq!(status, 401);
        assert!(problem.contains("/problems/invalid-token"), "{problem}");
    }
    // The management API takes the same function, and responds in its own format.
    let api: Router = Router::new()
        .merge(TokenApi::new(&hallpass, person_or_response).into_router_at("/projects"))
        .with_state(Sessions("sid"));
    assert_eq!(ask(&api, "cookie", "sid=alice").await.0, 200);
    let (status, problem) = ask(&api, "cookie", "other=alice").await;
    assert!(status == 401 && problem.contains("\"status\":401"), "{problem}");
}

#[tokio::test]
async fn error_with_the_status_of_a_success_is_a_503() {
    async fn failing() -> Result<Principal, &'static str> {
        Err("the directory is unreachable")
    }
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let app = Router::new()
        .route("/projects", get((async || "atlas").scoped("projects:list")))
        .layer(hallpass.layer().fallback_with_state((), failing));
    let (status, body) = ask(&app, "accept", "*/*").await;
    assert!(status == 503 && !body.contains("directory"), "{status} {body}");
}

#[tokio::test]
async fn redirect_of_an_inner_sign_in_is_not_an_unguarded_route() {
    async fn to_login() -> Result<Principal, Redirect> {
        Err(Redirect::to("/login"))
    }
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let app = Router::new()
        .route("/projects", get((async || "atlas").scoped("projects:list")))
        .layer(hallpass.layer().fallback_with_state((), to_login))
        .layer(hallpass.layer().optional());
    let response = send(&app, "accept", "*/*").await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "/login");
}
