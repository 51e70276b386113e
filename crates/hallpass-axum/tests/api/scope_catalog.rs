use hallpass_core::{Expiry, Hallpass, Limits};
use hallpass_memory::MemoryStore;
use jiff::SignedDuration;
use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn catalog_is_listed_with_the_limits() {
    let api = Api::new().await;
    let answer = api.get("/scopes").send().await.ok();
    assert_eq!(
        answer.json,
        json!({
            "scopes": [
                { "scope": "projects:list", "title": "List projects", "description": "Their names.",
                  "docs": "https://docs.example.com/list", "read_only": true },
                { "scope": "projects:read", "title": "Read a project", "description": "",
                  "docs": null, "read_only": true },
                { "scope": "projects:delete", "title": "Delete a project", "description": "",
                  "docs": null, "read_only": false },
            ],
            "presets": [
                { "name": "read-only", "title": "Look, don't touch",
                  "scopes": ["projects:list", "projects:read"] },
                { "name": "full", "title": "Everything", "scopes": ["projects"] },
            ],
            "limits": { "in_use": 0, "tokens_per_owner": 50, "longest_lifetime": null, "default_expires": "30d" },
        })
    );
}

#[tokio::test]
async fn limits_are_written_as_they_are() {
    for (limits, expected) in [
        (
            Limits::default().unlimited_tokens(),
            json!({ "in_use": 0, "tokens_per_owner": null, "longest_lifetime": null, "default_expires": "never" }),
        ),
        (
            Limits::default()
                .longest_lifetime(SignedDuration::from_hours(24))
                .default_expiry(Expiry::In(SignedDuration::from_hours(12))),
            json!({ "in_use": 0, "tokens_per_owner": 50, "longest_lifetime": 86400, "default_expires": "12h" }),
        ),
        (
            Limits::default().default_expiry(Expiry::In(SignedDuration::from_mins(90))),
            json!({ "in_use": 0, "tokens_per_owner": 50, "longest_lifetime": null, "default_expires": null }),
        ),
        (
            Limits::default().default_expiry("31-03-2027".parse().unwrap()),
            json!({ "in_use": 0, "tokens_per_owner": 50, "longest_lifetime": null, "default_expires": "2027-03-31" }),
        ),
    ] {
        let api = Api::with(|builder| builder.limits(limits)).await;
        assert_eq!(api.get("/scopes").send().await.ok().json["limits"], expected);
    }
}

#[tokio::test]
async fn without_a_catalog_the_lists_are_empty() {
    let mut api = Api::new().await;
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    api.app = hallpass_axum::TokenApi::new(&hallpass, crate::support::signed_in)
        .into_router_at("/tokens");
    let answer = api.get("/scopes").header("x-may-grant", "jobs").send().await.ok();
    assert_eq!((&answer.json["scopes"], &answer.json["presets"]), (&json!([]), &json!([])));
    let issue = async |scope: &str| {
        let body = json!({ "name": "ci", "scopes": [scope] });
        api.post("").header("x-may-grant", "jobs").json(&body).await
    };
    assert_eq!(issue("jobs:run").await.status, 201);
    issue("projects").await.rejected(403, "scope-not-grantable");
}
