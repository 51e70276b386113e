//! Tests of the option `--confirm`, which makes every change require the password of the user.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use http::Method;
use serde_json::json;

use crate::harness::{Issued, Protocol, Server, TestDir, User};

const HEADER: &str = "Hallpass-Confirmation";

fn encoded(password: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(password)
}

async fn issue(user: &User, password: &str) -> Issued {
    let call = user.call(Method::POST, "/tokens").header(HEADER, &encoded(password));
    let body = json!({ "name": "a token of the tests", "scopes": ["projects:list"] });
    Issued::of(&call.json(&body).answer().await.expect(201))
}

#[tokio::test]
async fn every_change_requires_the_password_of_the_user() {
    let dir = TestDir::new();
    let server = dir.start(&["--confirm"]).await;
    for protocol in Protocol::BOTH {
        let client = server.client(protocol);
        let (alice, bob) = (client.sign_in("alice").await, client.sign_in("bob").await);
        let issued = issue(&alice, "wonderland").await;
        let path = format!("/tokens/{}", issued.id);
        for (method, path) in [
            (Method::POST, "/tokens"),
            (Method::PATCH, &path),
            (Method::POST, &format!("{path}/revoke")),
            (Method::DELETE, &path),
            (Method::POST, "/tokens/delete"),
        ] {
            let call = || alice.call(method.clone(), path);
            call().answer().await.problem(403, "/confirmation-required");
            let bobs = call().header(HEADER, &encoded("builder")).answer().await;
            bobs.problem(403, "/confirmation-failed");
            let plain = call().header(HEADER, "wonderland").answer().await;
            plain.problem(403, "/confirmation-failed");
            // A correct password resets the count of consecutive wrong ones.
            issue(&alice, "wonderland").await;
        }
        assert_eq!(alice.show(&issued.id).await["status"], "active");
        assert_eq!(
            client.status_with(&issued.token).await,
            200,
            "the use of a token required the password"
        );

        let bearer = client.post("/tokens").bearer(&issued.token);
        let answer = bearer.header(HEADER, &encoded("wonderland")).answer().await;
        answer.problem(403, "/token-not-allowed");
        let own = client.call(Method::DELETE, "/tokens/current").bearer(&issued.token);
        own.answer().await.expect(204);

        issue(&bob, "builder").await;
        let all = alice.call(Method::POST, "/tokens/delete").json(&json!({ "all": true }));
        all.header(HEADER, &encoded("wonderland")).answer().await.expect(200);
        assert_eq!(alice.all().await.len(), 0);
        assert_ne!(bob.all().await.len(), 0);
    }
    server.stop().await;
}

#[tokio::test]
async fn password_guesses_are_throttled_for_that_user_only() {
    let dir = TestDir::new();
    let server = dir.start(&["--confirm"]).await;
    let client = server.client(Protocol::Http2);
    let (alice, bob) = (client.sign_in("alice").await, client.sign_in("bob").await);
    let guess = |password: &str| {
        let call = alice.call(Method::POST, "/tokens/delete").json(&json!({ "all": true }));
        call.header(HEADER, &encoded(password)).answer()
    };
    let guesses = ["", "builder", "toor", "Wonderland", "wonderland ", "alice"].map(guess);
    let mut statuses = Vec::new();
    for guess in guesses {
        let answer = guess.await;
        assert!(answer.status == 403 || answer.status == 429, "{answer:?}");
        statuses.push(answer.status);
    }
    assert_eq!(
        statuses, [403; 6],
        "a guess was throttled too early: an empty password does not count"
    );
    let answer = guess("wonderland").await;
    answer.problem(429, "/too-many-attempts");
    let seconds: u32 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=30).contains(&seconds), "{seconds}");
    issue(&bob, "builder").await;
    alice.get("/tokens").await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn environment_variable_enables_the_confirmation() {
    let dir = TestDir::new();
    for (value, is_enabled) in [("1", true), ("true", true), ("0", false), ("false", false)] {
        let mut command = dir.command(&["--listen", "127.0.0.1:0", "--store", "memory:"]);
        command.env("HALLPASS_CONFIRM", value);
        let server = Server::started(command).await;
        let alice = server.client(Protocol::Http1).sign_in("alice").await;
        let answer = alice.post("/tokens", json!({ "name": "ci" })).await;
        if is_enabled {
            answer.problem(403, "/confirmation-required");
        } else {
            answer.expect(201);
        }
        server.stop().await;
    }
    let mut command = dir.command(&["--listen", "127.0.0.1:0", "--store", "memory:"]);
    command.env("HALLPASS_CONFIRM", "perhaps");
    let ended = command.output().await.expect("the program ends");
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("--confirm"), "{ended:?}");
}
