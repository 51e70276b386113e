//! Changes that must be confirmed: when, how, and how many wrong confirmations are allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::Poll;

use axum::http::{Method, StatusCode, header};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD, Engine as _};
use futures::future::join_all;
use hallpass_axum::Confirmation;
use hallpass_core::Actor;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::{Answer, Api, Sending, UNKNOWN, changing_calls};

pub(crate) const HEADER: &str = "hallpass-confirmation";
/// `wonderland`, which is the correct confirmation for every caller here.
pub(crate) const RIGHT: &str = "d29uZGVybGFuZA";
/// `looking-glass`.
pub(crate) const WRONG: &str = "bG9va2luZy1nbGFzcw";

/// Returns a host and the counter of its checks.
async fn host() -> (Api, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&calls);
    let check = move |_: Actor, password: Confirmation| {
        count.fetch_add(1, SeqCst);
        std::future::ready(password.reveal() == "wonderland")
    };
    (Api::confirming(check).await, calls)
}

/// Returns a change that gets a 404 if it is confirmed. It needs no body and changes nothing.
fn change(api: &Api) -> Sending<'_> {
    api.post(&format!("/{UNKNOWN}/revoke"))
}

async fn confirmed(sending: Sending<'_>, with: &str) -> Answer {
    sending.header(HEADER, with).send().await
}

/// Issues a token of alice's, with a confirmation.
async fn issue(api: &Api) -> Answer {
    let answer = api.post("").header(HEADER, RIGHT).json(&json!({ "name": "ci" })).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer
}

#[tokio::test]
async fn missing_or_wrong_confirmation_changes_nothing() {
    let (api, _) = host().await;
    let (token, roots) = (issue(&api).await, api.post("").by("root").header(HEADER, RIGHT));
    roots.json(&json!({ "name": "root's" })).await;
    let before = api.get("").by("root").send().await.ok().json;
    let own = |path: &String| path.replace(UNKNOWN, token.id());
    let calls = changing_calls();
    for (method, path) in calls
        .iter()
        .map(|(method, path)| (method, own(path)))
        .chain([(&Method::POST, "/".to_owned())])
    {
        for body in ["", "{", r#"{"name":"other","scopes":["projects"]}"#] {
            let send = || {
                let json =
                    api.send(method.clone(), &path).header("content-type", "application/json");
                json.by("root").body(body)
            };
            let answer = send().send().await.rejected(403, "confirmation-required");
            let detail = "this change needs a confirmation in the header `Hallpass-Confirmation`";
            assert_eq!(
                answer.json["detail"], detail,
                "only the host knows what people confirm with"
            );
            confirmed(send(), "").await.rejected(403, "confirmation-required");
            let answer = confirmed(send(), WRONG).await.rejected(403, "confirmation-failed");
            assert!(!answer.text.contains(WRONG) && !answer.text.contains("looking-glass"));
            confirmed(change(&api).by("root"), RIGHT).await.rejected(404, "not-found");
        }
    }
    assert_eq!(api.get("").by("root").send().await.ok().json, before);
    assert!(api.works(token.token()).await);
}

#[tokio::test]
async fn right_confirmation_allows_every_change() {
    let (api, asked) = host().await;
    let id = issue(&api).await.id().to_owned();
    let sent = async |method: Method, path: &str, body: Value| {
        let sending = api.send(method, path).header(HEADER, RIGHT);
        let answer = if body.is_null() { sending.send().await } else { sending.json(&body).await };
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer
    };
    sent(Method::PATCH, &format!("/{id}"), json!({ "name": "cd" })).await;
    sent(
        Method::POST,
        &format!("/{id}/scopes"),
        json!({ "scopes": ["projects:list", "projects:read"] }),
    )
    .await;
    sent(Method::POST, &format!("/{id}/scopes/remove"), json!({ "scopes": ["projects:list"] }))
        .await;
    let copy = sent(Method::POST, &format!("/{id}/copy"), Value::Null).await;
    sent(Method::POST, &format!("/{id}/scopes/remove"), json!({ "all": true })).await;
    sent(Method::POST, &format!("/{id}/revoke"), Value::Null).await;
    sent(Method::POST, &format!("/{id}/regenerate"), Value::Null).await;
    assert_eq!(api.show(&id).await["revision"], 7);
    sent(Method::DELETE, &format!("/{id}"), Value::Null).await;
    sent(Method::POST, "/delete", json!({ "ids": [copy.id()] })).await;
    issue(&api).await;
    let all = sent(Method::POST, "/delete", json!({ "all": true })).await;
    assert_eq!(all.json["deleted"], 1);
    let roots = api.post("/revoke").by("root").header(HEADER, RIGHT);
    roots.json(&json!({ "all": true })).await.ok();
    assert_eq!(asked.load(SeqCst), 13, "the check must be called once for each change");
}

#[tokio::test]
async fn confirmation_is_valid_for_one_request() {
    let (api, _) = host().await;
    let id = issue(&api).await.id().to_owned();
    let path = format!("/{id}");
    api.delete(&path).send().await.rejected(403, "confirmation-required");
    let all = json!({ "all": true });
    api.post("/delete").header(HEADER, RIGHT).json(&all).await.ok();
    api.post("/delete").json(&all).await.rejected(403, "confirmation-required");
}

#[tokio::test]
async fn reading_needs_no_confirmation() {
    let (api, asked) = host().await;
    let id = issue(&api).await.id().to_owned();
    asked.store(0, SeqCst);
    for path in ["", "/scopes", "/openapi.json", &format!("/{id}")] {
        api.get(path).send().await.ok();
        confirmed(api.get(path), WRONG).await.ok();
        confirmed(api.get(path), "%").await.ok();
    }
    assert_eq!(asked.load(SeqCst), 0);
}

#[tokio::test]
async fn token_revokes_itself_without_confirmation() {
    let (api, asked) = host().await;
    let issued = issue(&api).await;
    asked.store(0, SeqCst);
    api.get("/current").bearer(issued.token()).send().await.ok();
    assert_eq!(api.delete("/current").bearer(issued.token()).send().await.status, 204);
    assert!(!api.works(issued.token()).await);
    assert_eq!(asked.load(SeqCst), 0);
}

#[tokio::test]
async fn token_is_not_a_confirmation() {
    let (api, asked) = host().await;
    let issued = issue(&api).await;
    asked.store(0, SeqCst);
    for (method, path) in changing_calls() {
        let bearer = api.send(method.clone(), &path).bearer(issued.token());
        confirmed(bearer, RIGHT).await.rejected(403, "token-not-allowed");
        let sent = base64_url(issued.token());
        let answer = confirmed(api.send(method, &path).by("root"), &sent).await;
        answer.rejected(403, "confirmation-failed");
    }
    assert_eq!(asked.load(SeqCst), 0, "the check was called for a request with a token");
}

#[tokio::test]
async fn confirmation_is_checked_after_the_caller_before_the_token() {
    let (api, asked) = host().await;
    let bobs = api.post("").by("bob").header(HEADER, RIGHT).json(&json!({ "name": "ci" })).await;
    let own = issue(&api).await;
    asked.store(0, SeqCst);
    confirmed(change(&api).anonymous(), RIGHT).await.rejected(401, "no-caller");
    let elsewhere = change(&api).header("sec-fetch-site", "cross-site");
    confirmed(elsewhere, WRONG).await.rejected(403, "cross-site");
    let twice = change(&api).header("authorization", "Bearer").header("authorization", "Bearer");
    confirmed(twice, WRONG).await.rejected(400, "invalid-request");
    assert_eq!(
        asked.load(SeqCst),
        0,
        "requests that are rejected earlier must not count as attempts"
    );

    // Without a confirmation, the response does not disclose which tokens exist or who owns them.
    let mut texts = Vec::new();
    for id in [own.id(), bobs.id(), UNKNOWN, "42"] {
        let change = || api.patch(&format!("/{id}")).header("if-match", "\"7\"");
        texts.push(change().send().await.text);
        texts.push(confirmed(change(), WRONG).await.text);
    }
    assert!(texts.iter().step_by(2).all(|text| *text == texts[0]), "{texts:?}");
    assert!(texts.iter().skip(1).step_by(2).all(|text| *text == texts[1]), "{texts:?}");
}

#[tokio::test]
async fn confirmation_is_accepted_with_and_without_padding() {
    for typed in ["x", "ab", "abc", "pässwörd 🔑", "  ", "\0\n", "??>>~~", &"x".repeat(1024)] {
        let right = typed.to_owned();
        let check = move |_: Actor, confirmation: Confirmation| {
            std::future::ready(confirmation.reveal() == right)
        };
        let api = Api::confirming(check).await;
        for sent in [BASE64_URL_SAFE.encode(typed), base64_url(typed)] {
            confirmed(change(&api), &sent).await.rejected(404, "not-found");
        }
    }
}

#[tokio::test]
async fn malformed_confirmation_is_not_counted() {
    let (api, asked) = host().await;
    let (too_long, far_too_long) = ("x".repeat(1025), "x".repeat(9000));
    let (standard, latin) = (BASE64_STANDARD.encode("??>>~~"), BASE64_URL_SAFE.encode(b"\xff\xfe"));
    for bad in [
        &["wonderland!"][..],
        &["d29uZGVybGFuZA=x"],
        &["d29uZGVybGFuZA==="],
        &["d29uZGVybGFuZB"],
        &["d29u ZGVybGFuZA"],
        &["A"],
        &["="],
        &["_w"],
        &["4f"],
        &["pässwörd"],
        &[&standard],
        &[&latin],
        &[&base64_url(&too_long)],
        &[&BASE64_URL_SAFE.encode(&too_long)],
        &[&base64_url(&far_too_long)],
        &[RIGHT, RIGHT],
        &[RIGHT, ""],
        &["", ""],
        &["d29uZGVybGFuZA, d29uZGVybGFuZA"],
    ] {
        let change = bad.iter().fold(change(&api), |change, value| change.header(HEADER, value));
        change.send().await.rejected(403, "confirmation-failed");
    }
    assert_eq!(asked.load(SeqCst), 0);
    // No caller has to wait.
    confirmed(change(&api), &format!("{RIGHT}==")).await.rejected(404, "not-found");
}

#[tokio::test]
async fn wrong_confirmations_delay_even_a_right_one() {
    let (api, asked) = host().await;
    for _ in 0..5 {
        confirmed(change(&api), WRONG).await.rejected(403, "confirmation-failed");
    }
    for seconds in [30, 60, 120, 240, 480, 900, 900] {
        asked.store(0, SeqCst);
        let answers = [confirmed(change(&api), RIGHT).await, confirmed(change(&api), WRONG).await];
        assert_eq!(
            answers[0].text, answers[1].text,
            "the response reveals which confirmation was right"
        );
        for answer in answers {
            let answer = answer.rejected(429, "too-many-attempts");
            assert_eq!(answer.header(header::RETRY_AFTER), seconds.to_string());
        }
        change(&api).send().await.rejected(403, "confirmation-required");
        api.clock.advance(SignedDuration::from_secs(seconds) - SignedDuration::from_millis(1));
        let answer = confirmed(change(&api), RIGHT).await.rejected(429, "too-many-attempts");
        assert_eq!(answer.header(header::RETRY_AFTER), "1");
        assert_eq!(asked.load(SeqCst), 0, "the check was called");
        api.clock.advance(SignedDuration::from_millis(1));
        confirmed(change(&api), WRONG).await.rejected(403, "confirmation-failed");
    }
    confirmed(change(&api).by("bob"), RIGHT).await.rejected(404, "not-found");
    api.clock.advance(SignedDuration::from_mins(15));
    confirmed(change(&api), RIGHT).await.rejected(404, "not-found");
    confirmed(change(&api), WRONG).await.rejected(403, "confirmation-failed");
    confirmed(change(&api), RIGHT).await.rejected(404, "not-found");
}

#[tokio::test]
async fn right_confirmation_or_a_day_resets_the_count() {
    let (api, _) = host().await;
    for _ in 0..3 {
        for _ in 0..4 {
            confirmed(change(&api), WRONG).await.rejected(403, "confirmation-failed");
        }
        confirmed(change(&api), RIGHT).await.rejected(404, "not-found");
    }
    for _ in 0..2 {
        for _ in 0..4 {
            confirmed(change(&api), WRONG).await.rejected(403, "confirmation-failed");
        }
        api.clock.advance(SignedDuration::from_hours(25));
    }
}

#[tokio::test]
async fn concurrent_guesses_are_limited_too() {
    let (asked, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let (count, open) = (Arc::clone(&asked), Arc::clone(&gate));
    let api = Api::confirming(move |_: Actor, password: Confirmation| {
        let (count, open) = (Arc::clone(&count), Arc::clone(&open));
        async move {
            count.fetch_add(1, SeqCst);
            let _turn = open.acquire().await.unwrap();
            password.reveal() == "wonderland"
        }
    })
    .await;
    for round in [5, 1] {
        asked.store(0, SeqCst);
        let guesses = join_all((0..50).map(|_| confirmed(change(&api), WRONG)));
        // This is polled after all of them, when each has been accepted or rejected.
        let opened = async { gate.add_permits(1) };
        let (answers, ()) = tokio::join!(guesses, opened);
        let looked_at = answers.iter().filter(|answer| answer.status == 403).count();
        let sent_away = answers.iter().filter(|answer| answer.status == 429).count();
        assert_eq!((looked_at, sent_away), (round, 50 - round));
        assert_eq!(asked.load(SeqCst), u32::try_from(round).unwrap());
        gate.forget_permits(1);
        api.clock.advance(SignedDuration::from_secs(30));
    }
}

#[tokio::test]
async fn disconnecting_before_the_response_counts_as_a_guess() {
    let api = Api::confirming(async |_: Actor, password: Confirmation| {
        if password.reveal() == "wonderland" {
            return true;
        }
        std::future::pending().await
    })
    .await;
    for _ in 0..5 {
        let mut guess = Box::pin(confirmed(change(&api), WRONG));
        assert!(matches!(futures::poll!(&mut guess), Poll::Pending));
    }
    confirmed(change(&api), RIGHT).await.rejected(429, "too-many-attempts");
}

#[tokio::test]
async fn failed_check_is_503_and_not_counted() {
    for said in [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND, StatusCode::INTERNAL_SERVER_ERROR] {
        let api = Api::confirming(move |_: Actor, password: Confirmation| async move {
            if password.reveal() == "wonderland" { Ok(true) } else { Err((said, "ldap.internal")) }
        })
        .await;
        for _ in 0..10 {
            let answer = confirmed(change(&api), WRONG).await.rejected(503, "unavailable");
            assert!(!answer.text.contains("ldap"), "{}", answer.text);
        }
        confirmed(change(&api), RIGHT).await.rejected(404, "not-found");
    }
}

#[tokio::test]
async fn step_up_check_gets_the_caller_and_debug_hides_the_text() {
    let check = async |caller: Actor, password: Confirmation| {
        assert_eq!(format!("{password:?}"), "Confirmation(..)");
        caller.id().as_str() == password.reveal()
    };
    let api = Api::confirming(check).await;
    for (person, typed, status) in
        [("alice", "alice", 200), ("bob", "alice", 403), ("bob", "bob", 200)]
    {
        let delete = api.post("/delete").by(person).header(HEADER, &base64_url(typed));
        let answer = delete.json(&json!({ "all": true })).await;
        assert_eq!(answer.status, status, "{person} {typed}");
    }
}

#[tokio::test]
async fn document_names_the_confirmation_header_for_every_change() {
    let document = Api::new().await.get("/openapi.json").send().await.ok().json;
    let mut changes = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let is_change = method != "get" && path != "/current";
            assert_eq!(
                operation.to_string().contains("Hallpass-Confirmation"),
                is_change,
                "{path}"
            );
            assert_eq!(operation["responses"]["429"].is_object(), is_change, "{path}");
            changes += usize::from(is_change);
        }
    }
    assert_eq!(changes, changing_calls().len());
}

fn base64_url(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}
