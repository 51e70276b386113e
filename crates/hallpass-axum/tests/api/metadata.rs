//! Metadata: the host's own data about a token.

use serde_json::{Value, json};

use crate::support::Api;

#[tokio::test]
async fn metadata_is_stored_shown_and_copied() {
    let api = Api::new().await;
    let metadata = json!({ "team": "build", "ticket": 42, "critical": true });
    let issued = api.issue(json!({ "name": "ci", "metadata": metadata })).await;
    assert_eq!(issued.json["metadata"], metadata);
    assert_eq!(api.show(issued.id()).await["metadata"], metadata);
    assert_eq!(api.get("").send().await.ok().json["items"][0]["metadata"], metadata);
    let copy = api.post(&format!("/{}/copy", issued.id())).send().await;
    assert_eq!(copy.json["metadata"], metadata);
    assert_eq!(api.issue_ci().await.json["metadata"], json!({}));
}

#[tokio::test]
async fn patch_merges_members_and_null_removes_one() {
    let api = Api::new().await;
    let issued = api.issue(json!({ "name": "ci", "metadata": { "team": "build", "a": 1 } })).await;
    let path = format!("/{}", issued.id());
    let patch = async |metadata: Value| {
        api.patch(&path).json(&json!({ "metadata": metadata })).await.ok().json
    };
    let changed = patch(json!({ "a": null, "b": "x" })).await;
    assert_eq!(changed["metadata"], json!({ "team": "build", "b": "x" }));
    let same = patch(json!({ "b": "x", "absent": null })).await;
    assert_eq!(
        same["revision"], changed["revision"],
        "an update without a difference must keep the revision"
    );
    let entry = &api.get("/audit").send().await.ok().json["items"][0];
    assert_eq!(entry["changes"][0]["field"], "metadata");
}

#[tokio::test]
async fn invalid_metadata_is_422() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let path = format!("/{}", issued.id());
    for metadata in [
        json!(null),
        json!([]),
        json!("x"),
        json!({ "": "empty name" }),
        json!({ "x".repeat(65): 1 }),
        json!({ "$serde_json::private::RawValue": "x" }),
        json!({ "list": [] }),
        json!({ "object": {} }),
        json!({ "large": "x".repeat(4096) }),
    ] {
        let body = json!({ "name": "ci", "metadata": metadata });
        api.post("").json(&body).await.invalid("metadata");
        api.patch(&path).json(&json!({ "metadata": metadata })).await.invalid("metadata");
    }
    api.post("")
        .json(&json!({ "name": "ci", "metadata": { "a": null } }))
        .await
        .invalid("metadata");
    let twice = r#"{"name":"ci","metadata":{"a":1,"a":2}}"#;
    api.post("").raw_json(twice).await.invalid("metadata");
    assert_eq!(api.show(issued.id()).await["revision"], 1);
}
