//! What a credential in the header means on calls that are for people.

use axum::http::Method;

use crate::support::{Answer, Api, Sending, UNKNOWN, changing_calls};

/// Every call but `/current`.
fn calls(api: &Api) -> Vec<Sending<'_>> {
    let looks = ["", &format!("/{UNKNOWN}"), "/scopes", "/openapi.json"]
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
async fn a_token_manages_no_tokens_even_beside_a_person() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let bearer = format!("Bearer {}", issued.token());
    for call in calls(&api) {
        with_authorization(call, &[&bearer]).await.refused(400, "invalid-request");
    }
    for call in calls(&api) {
        with_authorization(call.anonymous(), &[&bearer]).await.refused(403, "token-not-allowed");
    }
    let shown = api.show(issued.id()).await;
    assert!(shown["last_used_at"].is_null(), "what is refused is no use: {shown}");
}

#[tokio::test]
async fn a_bad_token_is_401_everywhere() {
    let api = Api::new().await;
    for call in calls(&api) {
        with_authorization(call, &["Bearer hp_x"]).await.refused(401, "invalid-token");
    }
}

#[tokio::test]
async fn what_is_no_credential_is_400_everywhere() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let bearer = format!("Bearer {}", issued.token());
    let twice = [bearer.as_str(), bearer.as_str()];
    let listed = format!("{bearer}, {bearer}");
    for values in
        [&twice[..], &["Bearer"], &["Bearer a b"], &[&listed], &["Basic eDp5", "Bearer x"]]
    {
        for call in calls(&api) {
            with_authorization(call, values).await.refused(400, "invalid-request");
        }
        for call in [api.get("/current"), api.delete("/current")] {
            with_authorization(call, values).await.refused(400, "invalid-request");
        }
    }
    assert!(api.works(issued.token()).await);
}

#[tokio::test]
async fn a_token_and_a_cookie_are_one_too_many() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    for bearer in [issued.token(), "hp_x"] {
        let bearer = format!("Bearer {bearer}");
        for call in calls(&api) {
            let call = call.header("cookie", "id=1");
            with_authorization(call, &[&bearer]).await.refused(400, "invalid-request");
        }
        for call in [api.get("/current"), api.delete("/current")] {
            let call = call.header("cookie", "id=1");
            with_authorization(call, &[&bearer]).await.refused(400, "invalid-request");
        }
    }
    assert!(api.works(issued.token()).await);
}

#[tokio::test]
async fn another_scheme_is_the_hosts_own() {
    let api = Api::new().await;
    with_authorization(api.get(""), &["Basic dTpw"]).await.ok();
}

#[tokio::test]
async fn a_token_in_a_query_is_never_read() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    let query = format!("?session={}", issued.token());
    api.get(&format!("/{}{query}", issued.id())).anonymous().send().await.refused(401, "no-caller");
    let both =
        api.get(&format!("/{}{query}", issued.id())).header("cookie", "id=1").send().await.ok();
    assert!(!both.text.contains(issued.token()));
    let list = api.get(&query).send().await.invalid("session");
    assert!(!list.text.contains(issued.token()));
}
