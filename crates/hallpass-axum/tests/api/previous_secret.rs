use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn previous_secret_stops_working_immediately() {
    let api = Api::new().await;
    let old = api.issue_ci().await;
    let id = old.id();
    let body = json!({ "grace_period": "1d" });
    let new = api.post(&format!("/{id}/regenerate")).json(&body).await.ok();
    assert!(new.json["previous_secret_expires_at"].is_string() && api.works(old.token()).await);
    let ended = api.delete(&format!("/{id}/previous-secret")).send().await.ok();
    assert!(ended.json["previous_secret_expires_at"].is_null());
    assert!(!api.works(old.token()).await && api.works(new.token()).await);
    let again = api.delete(&format!("/{id}/previous-secret")).send().await.ok();
    assert_eq!(
        again.json["revision"], ended.json["revision"],
        "the revision must stay if there is no previous secret"
    );
    api.delete(&format!("/{id}/previous-secret")).by("bob").send().await.rejected(404, "not-found");
}
