use axum::http::header::LOCATION;
use hallpass_core::Limits;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::Api;

#[tokio::test]
async fn issued_token_is_shown_once_and_works() {
    let api = Api::new().await;
    let answer = api
        .issue(json!({
            "name": "  ci  ",
            "description": "nightly build",
            "scopes": ["projects:read"],
            "expires": "never",
        }))
        .await;
    let id = answer.id().to_owned();
    assert_eq!(answer.header(LOCATION), format!("./tokens/{id}"));
    assert!(answer.token().starts_with("hp_"));
    assert!(api.works(answer.token()).await);
    let mut shown = answer.json.clone();
    shown.as_object_mut().unwrap().remove("token");
    assert_eq!(
        shown,
        json!({
            "id": id, "owner": "alice", "name": "ci", "description": "nightly build", "scopes": ["projects:read"],
            "status": "active", "created_at": "2026-11-22T04:44:57Z", "expires_at": null, "last_used_at": null,
            "regenerated_at": null, "revoked_at": null, "previous_secret_expires_at": null,
            "metadata": {}, "revision": 1,
        })
    );
    let again = api.get(&format!("/{id}")).send().await.ok();
    assert!(!again.text.contains(answer.token()));
    assert_eq!(again.json["token"], Value::Null);
}

#[tokio::test]
async fn absent_fields_have_defaults() {
    let api = Api::new().await;
    let answer = api.issue_ci().await;
    assert_eq!(answer.json["description"], "");
    assert_eq!(answer.json["scopes"], json!([]));
    assert_eq!(answer.json["expires_at"], "2026-12-22T04:44:57Z");
}

#[tokio::test]
async fn preset_is_added_to_the_given_scopes() {
    let api = Api::new().await;
    let body = json!({ "name": "ci", "preset": "read-only", "scopes": ["projects:delete:42"] });
    let mut scopes: Vec<String> =
        serde_json::from_value(api.issue(body).await.json["scopes"].clone()).unwrap();
    scopes.sort();
    assert_eq!(scopes, ["projects:delete:42", "projects:list", "projects:read"]);
}

#[tokio::test]
async fn every_invalid_field_is_reported() {
    let api = Api::new().await;
    for (body, field) in [
        (json!({}), "name"),
        (json!({ "name": "" }), "name"),
        (json!({ "name": "   " }), "name"),
        (json!({ "name": "x".repeat(101) }), "name"),
        (json!({ "name": "a\0b" }), "name"),
        (json!({ "name": "a\nb" }), "name"),
        (json!({ "name": "a\u{202e}b" }), "name"),
        (json!({ "name": 7 }), "name"),
        (json!({ "name": ["ci"] }), "name"),
        (json!({ "name": null }), "name"),
        (json!({ "name": "ci", "description": "x".repeat(1001) }), "description"),
        (json!({ "name": "ci", "description": "\u{7}" }), "description"),
        (json!({ "name": "ci", "description": null }), "description"),
        (json!({ "name": "ci", "scopes": null }), "scopes"),
        (json!({ "name": "ci", "scopes": "projects" }), "scopes"),
        (json!({ "name": "ci", "scopes": [null] }), "scopes"),
        (json!({ "name": "ci", "scopes": [["projects"]] }), "scopes"),
        (json!({ "name": "ci", "scopes": ["projects:reed"] }), "scopes"),
        (json!({ "name": "ci", "scopes": ["projects::read"] }), "scopes"),
        (json!({ "name": "ci", "scopes": ["projects:re*"] }), "scopes"),
        (json!({ "name": "ci", "scopes": ["*"] }), "scopes"),
        (
            json!({ "name": "ci", "scopes": vec!["projects:list"; 101].iter().enumerate()
            .map(|(n, _)| format!("projects:read:{n}")).collect::<Vec<_>>() }),
            "scopes",
        ),
        (json!({ "name": "ci", "preset": "everything" }), "preset"),
        (json!({ "name": "ci", "preset": null }), "preset"),
        (json!({ "name": "ci", "expires": null }), "expires"),
        (json!({ "name": "ci", "expires": 30 }), "expires"),
    ] {
        api.post("").json(&body).await.invalid(field);
    }
    let several = json!({ "name": "", "description": "\u{7}", "scopes": ["?"], "expires": "soon" });
    let answer = api.post("").json(&several).await.rejected(422, "invalid");
    assert_eq!(answer.fields(), ["name", "description", "scopes", "expires"]);
    assert_eq!(api.get("").send().await.json["total"], 0, "a rejected call has issued a token");
}

#[tokio::test]
async fn fields_that_the_service_sets_are_rejected() {
    let api = Api::new().await;
    for field in [
        "id",
        "owner",
        "owner_id",
        "user_id",
        "hash",
        "status",
        "created_at",
        "last_used_at",
        "revoked_at",
        "revision",
        "version",
        "is_admin",
        "token",
        "parent",
        "audience",
    ] {
        let mut body = json!({ "name": "ci" });
        body[field] = json!("bob");
        api.post("").json(&body).await.invalid(field);
    }
    assert_eq!(api.get("").by("root").send().await.json["total"], 0);
}

#[tokio::test]
async fn name_length_is_counted_in_characters_and_names_may_repeat() {
    let api = Api::new().await;
    let name = "ü".repeat(100);
    for _ in 0..2 {
        assert_eq!(api.issue(json!({ "name": name })).await.json["name"], name);
    }
}

#[tokio::test]
async fn markup_comes_back_as_the_text_it_is() {
    let api = Api::new().await;
    for text in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "{{7*7}}",
        "<svg onload=alert(1)>",
        "'; DROP TABLE tokens; --",
        "=cmd()",
    ] {
        let answer = api.issue(json!({ "name": text, "description": text })).await;
        assert_eq!(
            (&answer.json["name"], &answer.json["description"]),
            (&json!(text), &json!(text))
        );
    }
}

#[tokio::test]
async fn token_limit_error_contains_the_numbers() {
    let api = Api::with(|builder| builder.limits(Limits::default().tokens_per_owner(2))).await;
    let first = api.issue_ci().await.id().to_owned();
    api.issue_ci().await;
    let answer = api.post("").json(&json!({ "name": "ci" })).await.rejected(409, "token-limit");
    assert_eq!((&answer.json["limit"], &answer.json["in_use"]), (&json!(2), &json!(2)));
    let bobs = api.post("").by("bob").json(&json!({ "name": "ci" })).await;
    assert_eq!(bobs.status, 201, "the limit must apply to each owner separately");
    api.post(&format!("/{first}/revoke")).send().await.ok();
    api.post("").json(&json!({ "name": "ci" })).await.rejected(409, "token-limit");
    assert_eq!(api.delete(&format!("/{first}")).send().await.status, 204);
    api.issue_ci().await;
}

#[tokio::test]
async fn scopes_that_the_caller_cannot_grant_are_rejected() {
    let api = Api::new().await;
    let issue = |scope: &str| {
        let sending = api.post("").header("x-may-grant", "projects:read");
        let body = json!({ "name": "ci", "scopes": [scope] });
        async move { sending.json(&body).await }
    };
    assert_eq!(issue("projects:read:42").await.status, 201);
    issue("projects:list").await.rejected(403, "scope-not-grantable");
    issue("projects").await.rejected(403, "scope-not-grantable");
}

#[tokio::test]
async fn longest_lifetime_applies() {
    let limits = Limits::default()
        .longest_lifetime(SignedDuration::from_hours(24 * 90))
        .default_expiry(hallpass_core::Expiry::days(30));
    let api = Api::with(|builder| builder.limits(limits)).await;
    api.issue(json!({ "name": "ci", "expires": "90d" })).await;
    for expires in ["91d", "never"] {
        api.post("").json(&json!({ "name": "ci", "expires": expires })).await.invalid("expires");
    }
}
