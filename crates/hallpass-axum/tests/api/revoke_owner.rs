use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn admin_revokes_all_tokens_of_an_owner() {
    let api = Api::new().await;
    let (one, two) = (api.issue_ci().await, api.issue_ci().await);
    api.post(&format!("/{}/revoke", two.id())).send().await.ok();
    let bobs = api.post("").by("bob").json(&json!({ "name": "b" })).await;
    let alice = json!({ "owner": "alice" });
    let revoke = || api.post("/revoke").by("root");
    assert_eq!(revoke().json(&alice).await.ok().json, json!({ "revoked": 1, "not_found": [] }));
    assert!(!api.works(one.token()).await);
    assert!(api.works(bobs.token()).await);
    assert_eq!(revoke().json(&alice).await.ok().json, json!({ "revoked": 0, "not_found": [] }));
    let nobody = json!({ "owner": "nobody" });
    revoke().json(&nobody).await.rejected(404, "not-found");
    for owner in [json!(""), json!("a\0b"), json!("x".repeat(256)), json!(null), json!(["alice"])] {
        revoke().json(&json!({ "owner": owner })).await.invalid("owner");
    }
}

#[tokio::test]
async fn ordinary_caller_cannot_name_an_owner() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    for owner in ["alice", "bob"] {
        let body = json!({ "owner": owner });
        api.post("/revoke").json(&body).await.rejected(403, "admin-only");
    }
    assert!(api.works(issued.token()).await);
}
