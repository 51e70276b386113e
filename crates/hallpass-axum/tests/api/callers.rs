//! Callers: the forms that the host's sign-in may have, and the effect of each result.

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Redirect;
use hallpass_axum::{Authenticator, IntoActor, TokenApi};
use hallpass_core::{Actor, Hallpass, OwnerStatus};
use hallpass_memory::MemoryStore;
use serde_json::json;
use tower::ServiceExt;

use crate::support::{Api, UNKNOWN};

#[tokio::test]
async fn response_to_an_anonymous_caller_discloses_nothing() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    let mut bodies = Vec::new();
    for asked in [&*id, UNKNOWN, "42"] {
        for (method, path) in [
            (Method::POST, String::new()),
            (Method::GET, String::new()),
            (Method::GET, "?nonsense".to_owned()),
            (Method::GET, format!("/{asked}")),
            (Method::PATCH, format!("/{asked}")),
            (Method::DELETE, format!("/{asked}")),
            (Method::POST, format!("/{asked}/regenerate")),
            (Method::POST, format!("/{asked}/revoke")),
            (Method::POST, format!("/{asked}/copy")),
            (Method::POST, format!("/{asked}/scopes")),
            (Method::POST, format!("/{asked}/scopes/remove")),
            (Method::DELETE, format!("/{asked}/previous-secret")),
            (Method::POST, "/delete".to_owned()),
            (Method::POST, "/revoke".to_owned()),
            (Method::GET, "/scopes".to_owned()),
            (Method::GET, "/audit".to_owned()),
        ] {
            let sending = api.send(method, &path).anonymous().body("whatever");
            let answer = sending.send().await.rejected(401, "no-caller");
            assert!(!answer.headers.contains_key("www-authenticate"));
            bodies.push(answer.text);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    assert_eq!(api.show(&id).await["revision"], 1);
}

/// Returns the status and kind of the response to a list from a host with this sign-in.
async fn list_with<T: 'static>(who: impl Authenticator<T, (), Output: IntoActor>) -> (u16, String) {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let app: Router = TokenApi::new(&hallpass, who).into_router_at("/tokens");
    let response = app.oneshot(Request::get("/tokens").body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    assert_eq!(parts.headers["cache-control"], "no-store");
    assert!(!parts.headers.contains_key("location"));
    let bytes = axum::body::to_bytes(body, 1 << 16).await.unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let kind = json["type"].as_str().unwrap_or_default().to_owned();
    (parts.status.as_u16(), kind)
}

#[tokio::test]
async fn sign_in_returns_what_handlers_return() {
    let ok = (200, String::new());
    let rejected = |status, kind: &str| (status, format!("/problems/{kind}"));
    fn alice() -> Actor {
        Actor::owner("alice")
    }
    assert_eq!(list_with(async || alice()).await, ok);
    assert_eq!(list_with(async |_: Parts| Some(alice())).await, ok);
    assert_eq!(list_with(async |_: HeaderMap, _: Method| Ok::<_, StatusCode>(alice())).await, ok);
    assert_eq!(list_with(async || Ok::<_, StatusCode>(Some(alice()))).await, ok);
    assert_eq!(list_with(async || None::<Actor>).await, rejected(401, "no-caller"));
    for (said, status, kind) in [
        (StatusCode::UNAUTHORIZED, 401, "no-caller"),
        (StatusCode::BAD_REQUEST, 401, "no-caller"),
        (StatusCode::FORBIDDEN, 403, "caller-rejected"),
        (StatusCode::INTERNAL_SERVER_ERROR, 503, "unavailable"),
        (StatusCode::SERVICE_UNAVAILABLE, 503, "unavailable"),
    ] {
        let answer = list_with(move || async move { Err::<Actor, _>(said) }).await;
        assert_eq!(answer, rejected(status, kind), "{said}");
    }
    let redirect = async || Err::<Actor, _>(Redirect::to("/login"));
    assert_eq!(list_with(redirect).await, rejected(401, "no-caller"));
    let extension = async |Extension(caller): Extension<Actor>| caller;
    assert_eq!(list_with(extension).await, rejected(503, "unavailable"), "an extractor that fails");
}

#[tokio::test]
async fn sign_in_can_use_the_state_of_the_router() {
    #[derive(Clone)]
    struct App {
        person: &'static str,
    }
    async fn signed_in(State(app): State<App>) -> Actor {
        Actor::owner(app.person)
    }
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let issued =
        hallpass.issue(&Actor::owner("carol"), hallpass_core::NewToken::named("ci")).await.unwrap();
    let app = Router::new()
        .merge(TokenApi::new(&hallpass, signed_in).into_router_at("/tokens"))
        .with_state(App { person: "carol" });
    let request =
        Request::get(format!("/tokens/{}", issued.record.id)).body(Body::empty()).unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn disabled_account_can_delete_tokens_but_not_issue() {
    let owners = |owner: hallpass_core::Owner| async move {
        Ok(if owner.as_str() == "bob" { OwnerStatus::Disabled } else { OwnerStatus::Active })
    };
    let api = Api::with(|builder| builder.owner_directory(owners)).await;
    let body = json!({ "name": "ci" });
    api.post("").by("bob").json(&body).await.rejected(403, "owner-disabled");
    assert_eq!(api.get("").by("bob").send().await.ok().json["total"], 0);
    assert_eq!(
        api.post("/delete").by("bob").json(&json!({ "all": true })).await.ok().json["deleted"],
        0
    );
}

#[tokio::test]
async fn failed_owner_lookup_prevents_issuing() {
    let api =
        Api::with(|builder| builder.owner_directory(|_| async { Err("directory is down".into()) }))
            .await;
    let answer = api.post("").json(&json!({ "name": "ci" })).await.rejected(503, "unavailable");
    assert!(!answer.text.contains("directory"), "{}", answer.text);
}
