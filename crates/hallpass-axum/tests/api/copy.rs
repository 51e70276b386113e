use axum::http::header::LOCATION;
use std::time::Duration;

use hallpass_core::Limits;
use serde_json::json;

use crate::support::{Api, UNKNOWN};

#[tokio::test]
async fn copy_is_a_separate_token() {
    let api = Api::new().await;
    let body =
        json!({ "name": "ci", "description": "d", "scopes": ["projects:list"], "expires": "10d" });
    let original = api.issue(body).await;
    api.clock.advance(Duration::from_hours(24));
    let copy = api.post(&format!("/{}/copy", original.id())).send().await;
    assert_eq!(copy.status, 201);
    assert_eq!(copy.header(LOCATION), format!("../{}", copy.id()));
    assert_ne!((copy.id(), copy.token()), (original.id(), original.token()));
    for same in ["owner", "name", "description", "scopes", "expires_at"] {
        assert_eq!(original.json[same], copy.json[same], "{same}");
    }
    assert_eq!(
        (&copy.json["revision"], &copy.json["created_at"]),
        (&json!(1), &json!("2026-11-23T04:44:57Z"))
    );
    assert!(api.works(original.token()).await);
    assert!(api.works(copy.token()).await);
}

#[tokio::test]
async fn copy_differs_in_the_fields_of_the_body() {
    let api = Api::new().await;
    let original = api.issue_ci().await;
    let path = format!("/{}/copy", original.id());
    let different = json!({ "name": "cd", "description": "x", "scopes": ["projects:list"], "expires": "never" });
    let copy = api.post(&path).json(&different).await;
    for same in ["name", "description", "scopes"] {
        assert_eq!(copy.json[same], different[same]);
    }
    assert_eq!(copy.json["expires_at"], json!(null));
    for (body, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "scopes": ["nope"] }), "scopes"),
        (json!({ "expires": "31-04-2027" }), "expires"),
        (json!({ "preset": "full" }), "preset"),
        (json!({ "owner": "bob" }), "owner"),
    ] {
        api.post(&path).json(&body).await.invalid(field);
    }
}

#[tokio::test]
async fn copy_of_an_ended_token_gets_the_default_expiry() {
    let api = Api::new().await;
    let id = api.issue(json!({ "name": "ci", "expires": "1d" })).await.id().to_owned();
    api.post(&format!("/{id}/revoke")).send().await.ok();
    api.clock.advance(Duration::from_hours(48));
    let copy = api.post(&format!("/{id}/copy")).send().await;
    assert_eq!((copy.status.as_u16(), &copy.json["status"]), (201, &json!("active")));
    assert_eq!(copy.json["expires_at"], "2026-12-24T04:44:57Z");
}

#[tokio::test]
async fn token_of_another_owner_is_not_copied() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    for asked in [&*id, UNKNOWN, "42"] {
        api.post(&format!("/{asked}/copy")).by("bob").send().await.rejected(404, "not-found");
    }
    api.post(&format!("/{id}/copy")).by("root").send().await.rejected(403, "owner-only");
}

#[tokio::test]
async fn copy_counts_against_the_limit_and_needs_grantable_scopes() {
    let api = Api::with(|builder| builder.limits(Limits::default().tokens_per_owner(1))).await;
    let id = api.issue(json!({ "name": "ci", "scopes": ["projects:list"] })).await.id().to_owned();
    let path = format!("/{id}/copy");
    let answer = api.post(&path).header("x-may-grant", "projects:read").send().await;
    answer.rejected(403, "scope-not-grantable");
    let answer = api.post(&path).send().await.rejected(409, "token-limit");
    assert_eq!((&answer.json["limit"], &answer.json["in_use"]), (&json!(1), &json!(1)));
}
