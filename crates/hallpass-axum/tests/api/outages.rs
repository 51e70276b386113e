//! Failures of the store: the response is a 503 and does not repeat the store's message.

use hallpass_core::store::StoreError;
use hallpass_testkit::Operation;
use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn unreachable_store_is_a_503_everywhere() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let (id, token) = (issued.id(), issued.token());
    api.store
        .faults()
        .on(Operation::ALL)
        .fail_with(|| StoreError::unavailable("db.internal is gone"));
    let ids = json!({ "ids": [id] });
    for answer in [
        api.post("").json(&json!({ "name": "ci" })).await,
        api.get("").send().await,
        api.post("/delete").json(&json!({ "all": true })).await,
        api.get(&format!("/{id}")).send().await,
        api.get("/42").send().await,
        api.patch(&format!("/{id}")).json(&json!({ "name": "cd" })).await,
        api.delete(&format!("/{id}")).send().await,
        api.post(&format!("/{id}/regenerate")).send().await,
        api.post(&format!("/{id}/revoke")).send().await,
        api.post(&format!("/{id}/copy")).send().await,
        api.post(&format!("/{id}/scopes")).json(&json!({ "scopes": ["projects"] })).await,
        api.post(&format!("/{id}/scopes/remove")).json(&json!({ "scopes": ["projects"] })).await,
        api.post(&format!("/{id}/scopes/remove")).json(&json!({ "all": true })).await,
        api.post("/delete").json(&ids).await,
        api.post("/revoke").by("root").json(&json!({ "owner": "alice" })).await,
        api.post("/revoke").json(&json!({ "all": true })).await,
        api.post("/revoke").json(&ids).await,
        api.delete(&format!("/{id}/previous-secret")).send().await,
        api.get("/audit").send().await,
        api.get("/scopes").send().await,
        api.get("/current").bearer(token).send().await,
        api.delete("/current").bearer(token).send().await,
        api.get("").bearer(token).send().await,
    ] {
        let answer = answer.rejected(503, "unavailable");
        assert!(!answer.text.contains("db.internal"), "{}", answer.text);
    }
    api.get("/openapi.json").send().await.ok();
    api.get("/current").bearer("hp_x").send().await.rejected(401, "invalid-token");
    api.store.faults().heal();
    assert!(api.works(token).await);
    assert_eq!(api.show(id).await["revision"], 1, "a failed call has changed the token");
}

#[tokio::test]
async fn read_only_store_can_be_read() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    api.store.faults().on(Operation::WRITES).fail_with(|| StoreError::read_only("a standby"));
    api.get("").send().await.ok();
    api.get("/current").bearer(issued.token()).send().await.ok();
    api.patch(&format!("/{}", issued.id()))
        .json(&json!({ "name": "cd" }))
        .await
        .rejected(503, "unavailable");
    api.delete("/current").bearer(issued.token()).send().await.rejected(503, "unavailable");
}

#[tokio::test]
async fn unknown_outcome_of_a_change_is_reported() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    api.store.faults().on(Operation::WRITES).lose_answer();
    let answer = api.patch(&format!("/{id}")).json(&json!({ "name": "cd" })).await;
    let answer = answer.rejected(503, "outcome-unknown");
    assert!(
        answer.json["detail"].as_str().unwrap().starts_with("it is unknown"),
        "{}",
        answer.text
    );
    let revoked = api.post(&format!("/{id}/revoke")).send().await.ok();
    assert_eq!(revoked.json["status"], "revoked", "the API must look the outcome up");
}

#[tokio::test]
async fn referenced_token_cannot_be_deleted() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let id = issued.id();
    api.store
        .faults()
        .on(Operation::WRITES)
        .fail_with(|| StoreError::referenced("FOREIGN KEY constraint failed: jobs"));
    for answer in [
        api.delete(&format!("/{id}")).send().await,
        api.post("/delete").json(&json!({ "ids": [id] })).await,
        api.post("/delete").json(&json!({ "all": true })).await,
    ] {
        let answer = answer.rejected(409, "referenced");
        assert!(!answer.text.contains("jobs"), "{}", answer.text);
    }
    api.store.faults().heal();
    assert!(api.works(issued.token()).await);
    assert_eq!(api.delete(&format!("/{id}")).send().await.status, 204);
}
