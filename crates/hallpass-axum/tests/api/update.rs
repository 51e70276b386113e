use serde_json::json;

use std::time::Duration;

use crate::support::{Api, UNKNOWN};

#[tokio::test]
async fn each_field_changes_by_itself() {
    let api = Api::new().await;
    let body = json!({ "name": "ci", "description": "old", "scopes": ["projects:list"] });
    let issued = api.issue(body).await;
    let path = format!("/{}", issued.id());
    for (revision, change, field, value) in [
        (2, json!({ "name": " cd " }), "name", json!("cd")),
        (3, json!({ "description": "a\r\n\tb" }), "description", json!("a\r\n\tb")),
        (4, json!({ "description": "" }), "description", json!("")),
        (5, json!({ "scopes": ["projects:read"] }), "scopes", json!(["projects:read"])),
        (6, json!({ "scopes": [] }), "scopes", json!([])),
        (7, json!({ "expires": "2027-03-31" }), "expires_at", json!("2027-04-01T00:00:00Z")),
        (8, json!({ "expires": "never" }), "expires_at", json!(null)),
    ] {
        let answer = api.patch(&path).json(&change).await.ok();
        assert_eq!((&answer.json[field], &answer.json["revision"]), (&value, &json!(revision)));
        assert_eq!(api.show(issued.id()).await, answer.json);
    }
    assert!(api.works(issued.token()).await, "an update must keep the secret");
}

#[tokio::test]
async fn update_with_equal_values_keeps_the_revision() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let path = format!("/{}", issued.id());
    for change in [json!({}), json!({ "name": "ci" }), json!({ "scopes": [] })] {
        assert_eq!(api.patch(&path).json(&change).await.ok().json["revision"], 1, "{change}");
    }
}

#[tokio::test]
async fn invalid_field_changes_nothing() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let path = format!("/{}", issued.id());
    for (change, field) in [
        (json!({ "name": "cd", "description": null }), "description"),
        (json!({ "name": "cd", "scopes": ["nope"] }), "scopes"),
        (json!({ "name": "cd", "expires": "yesterday" }), "expires"),
        (json!({ "name": "cd", "revision": 7 }), "revision"),
        (json!({ "name": "cd", "preset": "full" }), "preset"),
        (json!({ "name": "cd", "owner": "bob" }), "owner"),
        (json!({ "name": null }), "name"),
        (json!({ "scopes": null }), "scopes"),
        (json!({ "expires": null }), "expires"),
    ] {
        api.patch(&path).json(&change).await.invalid(field);
    }
    let shown = api.show(issued.id()).await;
    assert_eq!((&shown["name"], &shown["revision"]), (&json!("ci"), &json!(1)));
}

#[tokio::test]
async fn ended_token_can_be_edited_and_stays_ended() {
    let api = Api::new().await;
    let revoked = api.issue_ci().await.id().to_owned();
    api.post(&format!("/{revoked}/revoke")).send().await.ok();
    let expired = api.issue(json!({ "name": "ci", "expires": "1d" })).await.id().to_owned();
    api.clock.advance(Duration::from_hours(24));
    for id in [revoked, expired] {
        let path = format!("/{id}");
        api.patch(&path).json(&json!({ "expires": "90d" })).await.rejected(409, "ended");
        let change = json!({ "name": "old", "description": "x", "scopes": ["projects:list"] });
        assert_eq!(api.patch(&path).json(&change).await.ok().json["name"], "old");
    }
}

#[tokio::test]
async fn only_its_owner_edits_a_token() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    let change = json!({ "name": "mine" });
    let bobs =
        api.patch(&format!("/{id}")).by("bob").json(&change).await.rejected(404, "not-found");
    for other in [UNKNOWN, "42"] {
        let answer = api.patch(&format!("/{other}")).by("bob").json(&change).await;
        assert_eq!(answer.text, bobs.text);
    }
    api.patch(&format!("/{id}")).by("root").json(&change).await.rejected(403, "owner-only");
    assert_eq!(api.show(&id).await["name"], "ci");
}

#[tokio::test]
async fn bad_body_is_reported_regardless_of_the_owner() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    for asked in [&*id, UNKNOWN, "42"] {
        let bad = json!({ "name": "" });
        api.patch(&format!("/{asked}")).by("bob").json(&bad).await.invalid("name");
    }
}

#[tokio::test]
async fn only_a_caller_who_may_grant_scopes_adds_them() {
    let api = Api::new().await;
    let issued =
        api.issue(json!({ "name": "ci", "scopes": ["projects:list", "projects:read"] })).await;
    let patch = |scopes: serde_json::Value| {
        let sending =
            api.patch(&format!("/{}", issued.id())).header("x-may-grant", "projects:read");
        let body = json!({ "scopes": scopes });
        async move { sending.json(&body).await }
    };
    patch(json!(["projects:list", "projects:read:42"])).await.ok();
    patch(json!(["projects:list", "projects:delete"])).await.rejected(403, "scope-not-grantable");
    patch(json!(["projects:read"])).await.ok();
    patch(json!(["projects:list"])).await.rejected(403, "scope-not-grantable");
}
