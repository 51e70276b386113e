use axum::http::Method;
use std::time::Duration;

use axum::http::header::{CONTENT_LENGTH, ETAG};
use serde_json::json;

use crate::support::{Api, UNKNOWN};

#[tokio::test]
async fn token_is_shown_with_its_revision_as_etag() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    let answer = api.get(&format!("/{id}")).send().await.ok();
    assert_eq!(answer.header(ETAG), "\"1\"");
    assert_eq!(answer.json["revision"], 1);
    api.patch(&format!("/{id}")).json(&json!({ "name": "cd" })).await.ok();
    assert_eq!(api.get(&format!("/{id}")).send().await.header(ETAG), "\"2\"");
}

#[tokio::test]
async fn token_of_another_owner_is_not_found() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    let mut bodies = Vec::new();
    for asked in [&*id, UNKNOWN, "42", "%00", "%ff", "018f3c1e7a2b8c4d9e5f0123456789ab", "null"] {
        bodies.push(
            api.get(&format!("/{asked}")).by("bob").send().await.rejected(404, "not-found").text,
        );
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "all responses must be equal: {bodies:?}");
}

#[tokio::test]
async fn id_is_read_in_upper_and_lower_case() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    let answer = api.get(&format!("/{}", id.to_uppercase())).send().await.ok();
    assert_eq!(answer.id(), id, "the id must be shown in lower case");
}

#[tokio::test]
async fn admin_sees_tokens_of_any_owner() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    assert_eq!(api.get(&format!("/{id}")).by("root").send().await.ok().json["owner"], "alice");
}

#[tokio::test]
async fn status_follows_the_clock() {
    let api = Api::new().await;
    let id = api.issue(json!({ "name": "ci", "expires": "2d" })).await.id().to_owned();
    api.clock.advance(Duration::from_hours(48));
    assert_eq!(
        api.show(&id).await["status"],
        "expired",
        "the token must be expired from the exact instant on"
    );
    api.post(&format!("/{id}/revoke")).send().await.ok();
    assert_eq!(
        api.show(&id).await["status"],
        "revoked",
        "the status `revoked` takes precedence over `expired`"
    );
}

#[tokio::test]
async fn use_is_shown_at_once_and_keeps_the_revision() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    api.clock.advance(Duration::from_hours(1));
    assert!(api.works(issued.token()).await);
    let shown = api.show(issued.id()).await;
    assert_eq!(shown["revision"], 1);
    assert!(shown["last_used_at"].as_str().unwrap().starts_with("2026-11-22T05:44"), "{shown}");
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    for path in ["".to_owned(), format!("/{id}"), "/scopes".to_owned(), "/openapi.json".to_owned()]
    {
        let get = api.get(&path).send().await.ok();
        let head = api.send(Method::HEAD, &path).send().await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header(CONTENT_LENGTH), get.text.len().to_string(), "{path}");
        assert_eq!(head.headers.get(ETAG), get.headers.get(ETAG), "{path}");
    }
    let missing = api.send(Method::HEAD, &format!("/{UNKNOWN}")).send().await;
    assert_eq!((missing.status.as_u16(), missing.text.as_str()), (404, ""));
}
