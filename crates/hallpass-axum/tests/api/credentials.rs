//! Credentials in the `Authorization` header of calls that are for people.

use axum::http::Method;

use crate::support::{Answer, Api, Sending, UNKNOWN, changing_calls};

/// Returns every call except `/current`.
fn calls(api: &Api) -> Vec<Sending<'_>> {
    let looks = ["", &format!("/{UNKNOWN}"), "/scopes", "/audit"]
        .map(|path| (Method::GET, path.to_owned()));
    changing_calls()
        .into_iter()
        .chain(looks)
        .map(|(method, path)| api.send(method, &path))
        .collect()
}

async fn with_authorization(sending: Sending<'_>, values: &[&str]) -> Answer {
    values
        .iter()
        .fold(sending, |sending, value| sending.header("authorization", value))
        .send()
        .await
}

#[tokio::test]
async fn token_cannot_manage_tokens_even_with_a_session() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let bearer = format!("Bearer {}", issued.token());
    for call in calls(&api) {
        with_authorization(call, &[&bearer]).await.rejected(400, "invalid-request");
    }
    let document = api.get("/openapi.json");
    for call in calls(&api).into_iter().chain([document]) {
        with_authorization(call.anonymous(), &[&bearer]).await.rejected(403, "token-not-allowed");
    }
    let shown = api.show(issued.id()).await;
    assert!(shown["last_used_at"].is_null(), "a rejected request was recorded as a use: {shown}");
}

#[tokio::test]
async fn invalid_token_is_a_401_everywhere() {
    let api = Api::new().await;
    let revoked = api.issue_ci().await;
    api.post(&format!("/{}/revoke", revoked.id())).send().await.ok();
    let bearer = format!("Bearer {}", revoked.token());
    for call in calls(&api) {
        with_authorization(call, &[&bearer]).await.rejected(401, "invalid-token");
    }
    for call in calls(&api) {
        with_authorization(call.anonymous(), &[&bearer]).await.rejected(401, "invalid-token");
    }
}

#[tokio::test]
async fn bearer_of_another_format_is_ignored() {
    let api = Api::new().await;
    for foreign in ["eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "hp_x", "ghp_0123456789"] {
        let bearer = format!("Bearer {foreign}");
        with_authorization(api.get(""), &[&bearer]).await.ok();
        with_authorization(api.get("/openapi.json"), &[&bearer]).await.ok();
        let anonymous = api.get("").anonymous();
        with_authorization(anonymous, &[&bearer]).await.rejected(401, "no-caller");
    }
}

#[tokio::test]
async fn malformed_credential_is_a_400_everywhere() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let bearer = format!("Bearer {}", issued.token());
    let twice = [bearer.as_str(), bearer.as_str()];
    let listed = format!("{bearer}, {bearer}");
    for values in
        [&twice[..], &["Bearer"], &["Bearer a b"], &[&listed], &["Basic eDp5", "Bearer x"]]
    {
        for call in calls(&api) {
            with_authorization(call, values).await.rejected(400, "invalid-request");
        }
        for call in [api.get("/current"), api.delete("/current")] {
            with_authorization(call, values).await.rejected(400, "invalid-request");
        }
    }
    assert!(api.works(issued.token()).await);
}

#[tokio::test]
async fn cookies_are_ignored_if_there_is_a_token() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let bearer = format!("Bearer {}", issued.token());
    for call in calls(&api) {
        let call = call.anonymous().header("cookie", "AWSALB=x");
        with_authorization(call, &[&bearer]).await.rejected(403, "token-not-allowed");
    }
    // The token decides on `/current`, even if a person is signed in.
    let shown = with_authorization(api.get("/current").header("cookie", "id=1"), &[&bearer]).await;
    assert_eq!(shown.ok().id(), issued.id());
    let revoke = api.delete("/current").header("cookie", "id=1");
    assert_eq!(with_authorization(revoke, &[&bearer]).await.status, 204);
    assert!(!api.works(issued.token()).await);
}

#[tokio::test]
async fn other_schemes_belong_to_the_host() {
    let api = Api::new().await;
    with_authorization(api.get(""), &["Basic dTpw"]).await.ok();
}

#[tokio::test]
async fn token_in_a_query_is_never_read() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let query = format!("?session={}", issued.token());
    api.get(&format!("/{}{query}", issued.id()))
        .anonymous()
        .send()
        .await
        .rejected(401, "no-caller");
    let both =
        api.get(&format!("/{}{query}", issued.id())).header("cookie", "id=1").send().await.ok();
    assert!(!both.text.contains(issued.token()));
    let list = api.get(&query).send().await.invalid("session");
    assert!(!list.text.contains(issued.token()));
}
