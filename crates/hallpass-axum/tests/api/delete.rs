use serde_json::json;

use crate::support::{Api, UNKNOWN};

#[tokio::test]
async fn deleted_token_is_not_found_and_not_accepted() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let path = format!("/{}", issued.id());
    assert_eq!(api.delete(&path).send().await.status, 204);
    assert!(!api.works(issued.token()).await);
    api.get(&path).send().await.rejected(404, "not-found");
    api.delete(&path).send().await.rejected(404, "not-found");
}

#[tokio::test]
async fn token_of_another_owner_is_changed_only_by_an_admin() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    for asked in [issued.id(), UNKNOWN, "42"] {
        api.delete(&format!("/{asked}")).by("bob").send().await.rejected(404, "not-found");
    }
    assert!(api.works(issued.token()).await);
    assert_eq!(api.delete(&format!("/{}", issued.id())).by("root").send().await.status, 204);
    assert!(!api.works(issued.token()).await);
}

#[tokio::test]
async fn body_of_a_delete_is_ignored() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    let answer = api.delete(&format!("/{id}")).json(&json!({ "owner": "bob" })).await;
    assert_eq!(answer.status, 204);
}
