//! Tokens in forms: exactly what RFC 6750, section 2.2, allows.

use axum::body::{Body, to_bytes};
use axum::routing::{any, post};
use axum::{Router, response::Response};
use hallpass_axum::{Authenticated, HallpassExt, HandlerExt, TokenLayerExt};
use hallpass_core::{Actor, Hallpass, NewToken, public};
use hallpass_memory::MemoryStore;
use hallpass_tower::PolicyTable;
use http::{Method, Request, request::Builder};
use tower::ServiceExt as _;

const FORM: &str = "application/x-www-form-urlencoded";

/// Returns an API that answers with the request's body, and a token that may use it.
async fn service() -> (Router, String) {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let new = NewToken::named("ci").scope("environment:stop");
    let issued = hallpass.issue(&Actor::owner("alice"), new).await.unwrap();
    let echo = async |body: String| body;
    let app = Router::new()
        .route("/stop", post(echo.scoped("environment:stop")))
        .route("/start", post(echo.scoped("environment:start")))
        .route("/any", any(async |Authenticated(_): Authenticated, body: Body| body))
        .layer(hallpass.layer().with_form_field("session").max_form_len(1024));
    (app, issued.token.reveal().to_owned())
}

fn form(path: &str) -> Builder {
    Request::post(path).header("content-type", FORM)
}

async fn send(app: &Router, request: Builder, body: impl Into<Body>) -> Response {
    app.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn form_token_is_accepted_and_the_form_stays_unchanged() {
    let (app, token) = service().await;
    let id = "env=4%32&session=";
    for body in [format!("{id}{token}&&x=+"), format!("sess%69on={token}")] {
        let answer = send(&app, form("/stop"), body.clone()).await;
        assert_eq!(answer.status(), 200, "{body}");
        assert_eq!(to_bytes(answer.into_body(), 4096).await.unwrap(), body);
    }
    for parameter in ["charset=UTF-8", "name=Zo\u{eb}"] {
        let media = format!("Application/X-WWW-Form-Urlencoded; {parameter}");
        let typed = Request::post("/stop").header("content-type", media.as_bytes());
        assert_eq!(send(&app, typed, format!("session={token}")).await.status(), 200, "{media}");
    }
    assert_eq!(send(&app, form("/start"), format!("session={token}")).await.status(), 403);
}

#[tokio::test]
async fn credentials_in_two_places_are_rejected() {
    let (app, token) = service().await;
    let body = format!("session={token}");
    let basic = || form("/stop").header("authorization", "Basic dTpw");
    let query = || form(&format!("/stop?session={token}"));
    for (request, body) in [
        (basic(), &*body),
        (form("/stop"), &format!("{body}&{body}")),
        (form("/stop"), "session="),
        (form("/stop"), "session"),
        (form("/stop"), &format!("{body}&name=Zo\u{eb}")),
    ] {
        let rejected = send(&app, request, body.to_owned()).await;
        assert_eq!(rejected.status(), 400, "{body}");
        let challenge = rejected.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("error=\"invalid_request\""), "{challenge}");
    }
    let both = query().header("authorization", format!("Bearer {token}"));
    assert_eq!(send(&app, both, "env=1").await.status(), 400);
}

#[tokio::test]
async fn form_is_read_only_if_there_is_no_other_credential() {
    let (app, token) = service().await;
    let large = format!("session={token}&x={}", "x".repeat(1024));
    for body in ["env=Zo\u{eb}", "session=", "session=x", &large] {
        let header = form("/stop").header("authorization", format!("Bearer {token}"));
        let query = form(&format!("/stop?session={token}"));
        for request in [header, query] {
            assert_eq!(send(&app, request, body.to_owned()).await.status(), 200, "{body}");
        }
    }
    // A bad token in the header is rejected as such, however large the form is.
    let bad = form("/stop").header("authorization", "Bearer x");
    assert_eq!(send(&app, bad, large).await.status(), 401);
}

#[tokio::test]
async fn invalid_form_token_or_content_type_is_401() {
    let (app, token) = service().await;
    for value in ["x", "a+b", "%00", "%ff", &token[1..], &format!("{token}%20")] {
        let rejected = send(&app, form("/stop"), format!("session={value}")).await;
        assert_eq!(rejected.status(), 401, "{value}");
        let challenge = rejected.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    let body = format!("session={token}");
    let json = Request::post("/stop").header("content-type", "application/json");
    let packed = form("/stop").header("content-encoding", "gzip");
    let twice = form("/stop").header("content-type", FORM);
    let multipart = Request::post("/stop").header("content-type", "multipart/form-data");
    let untyped = Request::post("/stop");
    for request in [json, packed, twice, multipart, untyped] {
        assert_eq!(send(&app, request, body.clone()).await.status(), 401);
    }
    for method in [Method::GET, Method::DELETE, Method::OPTIONS] {
        let request = Request::builder().method(method).uri("/any").header("content-type", FORM);
        assert_eq!(send(&app, request, body.clone()).await.status(), 401);
    }
    for body in ["", "env=42"] {
        assert_eq!(send(&app, form("/stop"), body).await.status(), 401, "{body}");
    }
}

#[tokio::test]
async fn large_form_is_not_read_to_its_end() {
    let (app, token) = service().await;
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>("a=b&".repeat(64)));
    assert_eq!(send(&app, form("/stop"), Body::from_stream(endless)).await.status(), 413);
    let body = format!("session={token}&x={}", "x".repeat(1024));
    assert_eq!(send(&app, form("/stop"), body).await.status(), 413);
}

#[tokio::test]
async fn form_is_not_read_by_default() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    let app = Router::new().route("/", post(async |_: Authenticated| "in")).layer(hallpass.layer());
    let body = format!("session={}", issued.token.reveal());
    assert_eq!(send(&app, form("/"), body).await.status(), 401);
}

#[tokio::test]
async fn host_renders_rejections_of_forms_too() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let layer = hallpass.layer().on_rejection(|rejection, mut answer| {
        *answer.body_mut() = rejection.kind().as_str().into();
        answer
    });
    let app = Router::new()
        .route("/", post(async |_: Authenticated| "in"))
        .layer(layer.with_form_field("session").max_form_len(16));
    for (body, status, said) in
        [("session=0123456789", 413, "too_large"), ("session=", 400, "invalid_request")]
    {
        let rejected = send(&app, form("/"), body).await;
        assert_eq!(rejected.status(), status);
        assert_eq!(to_bytes(rejected.into_body(), 4096).await.unwrap(), said);
    }
}

#[tokio::test]
async fn form_of_a_public_route_is_not_read() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let table = PolicyTable::new().post("/upload", public()).post("/stop", "environment:stop");
    let layer = hallpass.layer().policy(table).with_form_field("session").max_form_len(8);
    let app = Router::new()
        .route("/upload", post(async |body: String| body))
        .route("/stop", post(async |body: String| body))
        .layer(layer);
    let large = "x".repeat(64);
    assert_eq!(send(&app, form("/upload"), large.clone()).await.status(), 200);
    assert_eq!(send(&app, form("/stop"), large).await.status(), 413);
}
