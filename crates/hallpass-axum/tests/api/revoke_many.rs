use serde_json::json;

use crate::support::{Api, UNKNOWN};

#[tokio::test]
async fn several_or_all_are_revoked() {
    let api = Api::new().await;
    let (one, two) = (api.issue_ci().await, api.issue_ci().await);
    let ids = json!({ "ids": [one.id(), UNKNOWN, "x"] });
    let answer = api.post("/revoke").json(&ids).await.ok().json;
    assert_eq!(answer, json!({ "revoked": 1, "not_found": [UNKNOWN, "x"] }));
    assert!(!api.works(one.token()).await && api.works(two.token()).await);
    let old = json!({ "all": true, "issued_before": "2026-01-01T00:00:00Z" });
    let answer = api.post("/revoke").json(&old).await.ok().json;
    assert_eq!(answer, json!({ "revoked": 0, "not_found": [] }));
    let answer = api.post("/revoke").json(&json!({ "all": true })).await.ok().json;
    assert_eq!(answer, json!({ "revoked": 1, "not_found": [] }));
    assert!(!api.works(two.token()).await);
}

#[tokio::test]
async fn exactly_one_selector_is_required() {
    let api = Api::new().await;
    api.post("/revoke").json(&json!({})).await.invalid("body");
    api.post("/revoke").json(&json!({ "all": false })).await.invalid("all");
    api.post("/revoke").json(&json!({ "all": true, "ids": [UNKNOWN] })).await.invalid("body");
    api.post("/revoke").json(&json!({ "owner": "alice" })).await.rejected(403, "admin-only");
    let nobody = json!({ "owner": "nobody" });
    api.post("/revoke").by("root").json(&nobody).await.rejected(404, "not-found");
}
