//! `If-Match`: a change is made only if the token has not changed since the client read it.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, UNKNOWN};

/// Returns every change below a token's path that checks the header.
fn changes() -> [(Method, &'static str, Option<Value>, u16); 6] {
    [
        (Method::PATCH, "", Some(json!({ "name": "cd" })), 200),
        (Method::POST, "/regenerate", None, 200),
        (Method::POST, "/scopes", Some(json!({ "scopes": ["projects:list"] })), 200),
        (Method::POST, "/scopes/remove", Some(json!({ "scopes": ["projects:read"] })), 200),
        (Method::POST, "/scopes/remove", Some(json!({ "all": true })), 200),
        (Method::DELETE, "", None, 204),
    ]
}

async fn send(
    api: &Api,
    id: &str,
    change: (Method, &str, Option<Value>, u16),
    tag: &str,
) -> Answer {
    let sending = api.send(change.0, &format!("/{id}{}", change.1)).header("if-match", tag);
    match change.2 {
        Some(body) => sending.json(&body).await,
        None => sending.send().await,
    }
}

/// Creates a token at revision 2.
async fn token(api: &Api) -> String {
    let body = json!({ "name": "ci", "scopes": ["projects:read", "projects:delete"] });
    let id = api.issue(body).await.id().to_owned();
    let change = json!({ "description": "x" });
    assert_eq!(api.patch(&format!("/{id}")).json(&change).await.ok().json["revision"], 2);
    id
}

#[tokio::test]
async fn stale_revision_changes_nothing() {
    let api = Api::new().await;
    for change in changes() {
        let id = token(&api).await;
        let before = api.show(&id).await;
        for tag in [
            "\"1\"",
            "\"3\"",
            "W/\"2\"",
            "\"02\"",
            "\"+2\"",
            "\"\"",
            "\"abc\"",
            "\"99999999999999999999\"",
            "\"1\", \"3\"",
        ] {
            send(&api, &id, change.clone(), tag).await.rejected(412, "stale");
        }
        assert_eq!(api.show(&id).await, before, "{change:?}");
    }
}

#[tokio::test]
async fn current_revision_or_star_is_accepted() {
    let api = Api::new().await;
    for change in changes() {
        for tag in ["\"2\"", "*", "\"1\", \"2\""] {
            let id = token(&api).await;
            let answer = send(&api, &id, change.clone(), tag).await;
            assert_eq!(answer.status, change.3, "{change:?} {tag} {}", answer.text);
            api.post("/delete").json(&json!({ "all": true })).await.ok();
        }
    }
}

#[tokio::test]
async fn malformed_if_match_is_rejected_and_changes_nothing() {
    let api = Api::new().await;
    for change in changes() {
        let id = token(&api).await;
        for tag in ["2", "", "\"2", "2\"", "\"", "\"2\",", "\"2\" \"2\"", "*, \"2\"", "w/\"2\""] {
            send(&api, &id, change.clone(), tag).await.rejected(400, "invalid-request");
        }
        assert_eq!(api.show(&id).await["revision"], 2, "{change:?}");
    }
}

#[tokio::test]
async fn several_lines_are_one_list() {
    let api = Api::new().await;
    let path = format!("/{}", token(&api).await);
    let patch = |last| api.patch(&path).header("if-match", "\"1\"").header("if-match", last);
    patch("\"3\"").json(&json!({ "name": "cd" })).await.rejected(412, "stale");
    patch("*").json(&json!({ "name": "cd" })).await.rejected(400, "invalid-request");
    patch("\"2\" , \"3\"").json(&json!({ "name": "cd" })).await.ok();
}

#[tokio::test]
async fn missing_token_is_not_found_and_not_stale() {
    let api = Api::new().await;
    let id = token(&api).await;
    for change in changes() {
        for asked in [&*id, UNKNOWN, "42"] {
            for tag in ["\"2\"", "\"7\"", "*", "\"1\", \"2\""] {
                let path = format!("/{asked}{}", change.1);
                let sending = api.send(change.0.clone(), &path).by("bob").header("if-match", tag);
                let answer = match &change.2 {
                    Some(body) => sending.json(body).await,
                    None => sending.send().await,
                };
                answer.rejected(404, "not-found");
            }
        }
    }
}

#[tokio::test]
async fn only_one_concurrent_regeneration_succeeds() {
    let api = Api::new().await;
    let id = token(&api).await;
    let regenerate = || api.post(&format!("/{id}/regenerate")).header("if-match", "\"2\"").send();
    let (one, two) = futures::join!(regenerate(), regenerate());
    let (won, lost) = if one.status == 200 { (one, two) } else { (two, one) };
    assert!(api.works(won.ok().token()).await);
    lost.rejected(412, "stale");
}

#[tokio::test]
async fn revoking_and_copying_do_not_wait_for_the_right_revision() {
    let api = Api::new().await;
    let id = token(&api).await;
    let copy = api.post(&format!("/{id}/copy")).header("if-match", "\"1\"").send().await;
    assert_eq!(copy.status, 201);
    api.post(&format!("/{id}/revoke")).header("if-match", "\"1\"").send().await.ok();
}
