use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn delete_all_affects_only_the_callers_tokens() {
    let api = Api::new().await;
    let (one, two) = (api.issue_ci().await, api.issue_ci().await);
    api.post(&format!("/{}/revoke", two.id())).send().await.ok();
    let bobs = api.post("").by("bob").json(&json!({ "name": "b" })).await;
    assert_eq!(
        api.post("/delete").json(&json!({ "all": true })).await.ok().json,
        json!({ "deleted": 2, "not_found": [] })
    );
    assert!(!api.works(one.token()).await);
    assert!(api.works(bobs.token()).await);
    let again = api.post("/delete").json(&json!({ "all": true })).await.ok();
    assert_eq!(again.json, json!({ "deleted": 0, "not_found": [] }));
    api.delete("").send().await.rejected(405, "method-not-allowed");
}

#[tokio::test]
async fn delete_all_of_an_admin_affects_only_their_own_tokens() {
    let api = Api::new().await;
    let alices = api.issue_ci().await;
    let roots = api.post("").by("root").json(&json!({ "name": "r" })).await;
    assert_eq!(
        api.post("/delete").by("root").json(&json!({ "all": true })).await.ok().json,
        json!({ "deleted": 1, "not_found": [] })
    );
    assert!(!api.works(roots.token()).await);
    assert!(api.works(alices.token()).await);
}
