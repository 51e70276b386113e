use axum::http::header::WWW_AUTHENTICATE;
use std::time::Duration;

use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn token_can_read_itself() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    api.clock.advance(Duration::from_mins(1));
    let answer = api.get("/current").bearer(issued.token()).send().await.ok();
    assert_eq!(answer.id(), issued.id());
    assert!(answer.json["last_used_at"].is_string(), "the request was not recorded as a use");
    assert!(answer.json.get("token").is_none());
    assert_eq!(answer.json, api.show(issued.id()).await);
}

#[tokio::test]
async fn token_can_revoke_itself() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let answer =
        api.delete("/current").bearer(issued.token()).header("sec-fetch-site", "cross-site");
    assert_eq!(
        answer.send().await.status,
        204,
        "another site cannot send this header, so the request must be accepted"
    );
    assert_eq!(api.show(issued.id()).await["status"], "revoked");
    let again = api.delete("/current").bearer(issued.token()).send().await;
    again.rejected(401, "invalid-token");
}

#[tokio::test]
async fn token_is_read_from_the_header_only() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let query = format!("/current?session={0}&access_token={0}&token={0}", issued.token());
    for path in ["/current", query.as_str()] {
        let answer = api.get(path).send().await.rejected(401, "no-credential");
        assert_eq!(answer.header(WWW_AUTHENTICATE), r#"Bearer realm="api""#);
        api.delete(path).send().await.rejected(401, "no-credential");
    }
    let basic = api.get("/current").header("authorization", "Basic dTpw").send().await;
    basic.rejected(401, "no-credential");
    assert!(api.works(issued.token()).await);
}

#[tokio::test]
async fn invalid_token_is_rejected_without_a_reason() {
    let api = Api::new().await;
    let revoked = api.issue_ci().await;
    api.post(&format!("/{}/revoke", revoked.id())).send().await.ok();
    let expired = api.issue(json!({ "name": "ci", "expires": "1d" })).await;
    let deleted = api.issue_ci().await;
    assert_eq!(api.delete(&format!("/{}", deleted.id())).send().await.status, 204);
    let regenerated = api.issue_ci().await;
    api.post(&format!("/{}/regenerate", regenerated.id())).send().await.ok();
    api.clock.advance(Duration::from_hours(24));
    let mut bodies = Vec::new();
    let tokens =
        [&revoked, &expired, &deleted, &regenerated].map(|issued| issued.token().to_owned());
    for token in tokens.iter().map(String::as_str).chain(["hp_x", "x", "T=="]) {
        let answer = api.get("/current").bearer(token).send().await.rejected(401, "invalid-token");
        assert_eq!(
            answer.header(WWW_AUTHENTICATE),
            r#"Bearer realm="api", error="invalid_token", error_description="the token is not valid""#
        );
        bodies.push(answer.text);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
}
