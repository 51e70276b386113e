use serde_json::json;

use std::time::Duration;

use crate::support::{Api, UNKNOWN};

#[tokio::test]
async fn revoked_token_is_not_accepted_and_stays_revoked() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let path = format!("/{}/revoke", issued.id());
    let answer = api.post(&path).send().await.ok();
    assert_eq!(answer.json["status"], "revoked");
    assert_eq!(answer.json["revoked_at"], "2026-11-22T04:44:57Z");
    assert!(!api.works(issued.token()).await);
    api.clock.advance(Duration::from_hours(24));
    assert_eq!(
        api.post(&path).send().await.ok().json,
        answer.json,
        "a second revocation must change nothing"
    );
}

#[tokio::test]
async fn body_must_be_an_empty_object() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    let path = format!("/{id}/revoke");
    api.post(&path).json(&json!({ "owner": "bob" })).await.invalid("owner");
    api.post(&path).json(&json!([])).await.invalid("body");
    assert_eq!(api.show(&id).await["status"], "active");
    api.post(&path).json(&json!({})).await.ok();
}

#[tokio::test]
async fn token_of_another_owner_is_changed_only_by_an_admin() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    for asked in [issued.id(), UNKNOWN, "42"] {
        api.post(&format!("/{asked}/revoke")).by("bob").send().await.rejected(404, "not-found");
    }
    assert!(api.works(issued.token()).await);
    api.post(&format!("/{}/revoke", issued.id())).by("root").send().await.ok();
    assert!(!api.works(issued.token()).await);
}
