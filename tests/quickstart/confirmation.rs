//! `--confirm`: a change needs the password of whoever makes it.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use http::Method;
use serde_json::json;

use crate::harness::{Issued, Person, Place, Protocol, Server};

const HEADER: &str = "Hallpass-Confirmation";

fn encoded(password: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(password)
}

async fn issue(person: &Person, password: &str) -> Issued {
    let call = person.call(Method::POST, "/tokens").header(HEADER, &encoded(password));
    let body = json!({ "name": "a token of the tests", "scopes": ["projects:list"] });
    Issued::of(&call.json(&body).answer().await.expect(201))
}

#[tokio::test]
async fn with_confirm_every_change_needs_the_callers_own_password() {
    let place = Place::new();
    let server = place.start(&["--confirm"]).await;
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
            // So that the wrong ones are no row.
            issue(&alice, "wonderland").await;
        }
        assert_eq!(alice.show(&issued.id).await["status"], "active");
        assert_eq!(client.status_with(&issued.token).await, 200, "its use needs no password");

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
async fn who_guesses_a_password_has_to_wait_and_nobody_else_does() {
    let place = Place::new();
    let server = place.start(&["--confirm"]).await;
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
    assert_eq!(statuses, [403; 6], "the empty one is none");
    let answer = guess("wonderland").await;
    answer.problem(429, "/too-many-attempts");
    let seconds: u32 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=30).contains(&seconds), "{seconds}");
    issue(&bob, "builder").await;
    alice.get("/tokens").await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn the_variable_asks_too_and_without_either_nobody_is_asked() {
    let place = Place::new();
    for (value, asks) in [("1", true), ("true", true), ("0", false), ("false", false)] {
        let mut command = place.command(&["--listen", "127.0.0.1:0", "--store", "memory:"]);
        command.env("HALLPASS_CONFIRM", value);
        let server = Server::started(command).await;
        let alice = server.client(Protocol::Http1).sign_in("alice").await;
        let answer = alice.post("/tokens", json!({ "name": "ci" })).await;
        if asks {
            answer.problem(403, "/confirmation-required");
        } else {
            answer.expect(201);
        }
        server.stop().await;
    }
    let mut command = place.command(&["--listen", "127.0.0.1:0", "--store", "memory:"]);
    command.env("HALLPASS_CONFIRM", "perhaps");
    let ended = command.output().await.expect("it ends");
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("--confirm"), "{ended:?}");
}
