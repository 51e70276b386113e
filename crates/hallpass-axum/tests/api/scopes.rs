use serde_json::json;

use crate::support::{Api, UNKNOWN};

#[tokio::test]
async fn scopes_are_added_and_removed() {
    let api = Api::new().await;
    let id = api.issue(json!({ "name": "ci", "scopes": ["projects:list"] })).await.id().to_owned();
    let path = format!("/{id}/scopes");
    let more = json!({ "scopes": ["projects:read:42", "projects:list"] });
    let answer = api.post(&path).json(&more).await.ok();
    assert_eq!(answer.json["scopes"], json!(["projects:list", "projects:read:42"]));
    assert_eq!(
        api.post(&path).json(&more).await.ok().json["revision"],
        2,
        "adding held scopes must keep the revision"
    );
    let remove = format!("{path}/remove");
    let answer = api.post(&remove).json(&json!({ "scopes": ["projects:list"] })).await.ok();
    assert_eq!(answer.json["scopes"], json!(["projects:read:42"]));
    let answer = api.post(&remove).json(&json!({ "scopes": ["projects:read:42"] })).await.ok();
    assert_eq!(answer.json["scopes"], json!([]));
    api.post(&path).json(&more).await.ok();
    let all = json!({ "all": true });
    assert_eq!(api.post(&remove).json(&all).await.ok().json["scopes"], json!([]));
    assert_eq!(
        api.post(&remove).json(&all).await.ok().json["revision"],
        6,
        "removing nothing must keep the revision"
    );
}

#[tokio::test]
async fn scope_may_contain_characters_that_a_path_must_encode() {
    let api = Api::with(|builder| {
        builder.catalog(
            hallpass_core::Catalog::new()
                .scope(hallpass_core::CatalogScope::new("files:read", "Read").per("path")),
        )
    })
    .await;
    let scope = "files:read:a/b?c#d%41+e";
    let id = api.issue(json!({ "name": "ci", "scopes": [scope] })).await.id().to_owned();
    assert_eq!(
        api.post(&format!("/{id}/scopes/remove"))
            .json(&json!({ "scopes": [scope] }))
            .await
            .ok()
            .json["scopes"],
        json!([])
    );
}

#[tokio::test]
async fn scope_that_is_not_held_is_not_found() {
    let api = Api::new().await;
    let id = api.issue(json!({ "name": "ci", "scopes": ["projects:read"] })).await.id().to_owned();
    for scope in ["projects", "projects:read:42", "projects:list", "*", "%20", "%ff", "re%2A"] {
        api.post(&format!("/{id}/scopes/remove"))
            .json(&json!({ "scopes": [scope] }))
            .await
            .rejected(404, "not-found");
    }
    assert_eq!(api.show(&id).await["revision"], 1);
}

#[tokio::test]
async fn either_scopes_or_all_are_removed() {
    let api = Api::new().await;
    let id = api.issue(json!({ "name": "ci", "scopes": ["projects:read"] })).await.id().to_owned();
    let remove = || api.post(&format!("/{id}/scopes/remove"));
    remove().json(&json!({})).await.invalid("body");
    remove().json(&json!({ "all": true, "scopes": ["projects:read"] })).await.invalid("body");
    remove().json(&json!({ "all": false })).await.invalid("all");
    remove().json(&json!({ "scopes": [] })).await.invalid("scopes");
    remove().json(&json!({ "scopes": ["a::b"] })).await.invalid("scopes");
    assert_eq!(api.show(&id).await["revision"], 1);
}

#[tokio::test]
async fn invalid_scope_is_not_added() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    let path = format!("/{id}/scopes");
    for scopes in [
        json!(["projects", "nope"]),
        json!(["pro*"]),
        json!(["\u{430}"]),
        json!("projects"),
        json!(null),
        json!([1]),
        json!({ "0": "projects" }),
    ] {
        api.post(&path).json(&json!({ "scopes": scopes })).await.invalid("scopes");
    }
    api.post(&path).json(&json!({})).await.invalid("scopes");
    let many: Vec<_> = (0..101).map(|n| format!("projects:read:{n}")).collect();
    api.post(&path).json(&json!({ "scopes": many })).await.invalid("scopes");
    assert_eq!(api.post(&path).json(&json!({ "scopes": [] })).await.ok().json["revision"], 1);
    let answer = api
        .post(&path)
        .header("x-may-grant", "projects:read")
        .json(&json!({ "scopes": ["projects"] }))
        .await;
    answer.rejected(403, "scope-not-grantable");
}

#[tokio::test]
async fn only_the_owner_changes_the_scopes_of_a_token() {
    let api = Api::new().await;
    let id = api.issue(json!({ "name": "ci", "scopes": ["projects:read"] })).await.id().to_owned();
    let more = json!({ "scopes": ["projects:list"] });
    for asked in [&*id, UNKNOWN, "42"] {
        let path = format!("/{asked}/scopes");
        api.post(&path).by("bob").json(&more).await.rejected(404, "not-found");
        let remove = || api.post(&format!("{path}/remove")).by("bob");
        remove().json(&json!({ "all": true })).await.rejected(404, "not-found");
        let scopes = json!({ "scopes": ["projects:read"] });
        remove().json(&scopes).await.rejected(404, "not-found");
    }
    let path = format!("/{id}/scopes");
    api.post(&path).by("root").json(&more).await.rejected(403, "owner-only");
    let remove = || api.post(&format!("{path}/remove")).by("root");
    remove().json(&json!({ "all": true })).await.rejected(403, "owner-only");
    remove().json(&json!({ "scopes": ["projects:read"] })).await.rejected(403, "owner-only");
    assert_eq!(api.show(&id).await["scopes"], json!(["projects:read"]));
}
