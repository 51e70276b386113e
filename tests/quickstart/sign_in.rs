//! Tests the sign-in and the sign-out.

use crate::harness::{Client, Protocol, TestDir};

/// Returns the user that the home page greets, or `None` if the cookie belongs to no session.
async fn greeted(client: &Client, cookie: &str) -> Option<String> {
    let page = client.get("/").cookie(cookie).answer().await.expect(200).body;
    let (_, rest) = page.split_once("Signed in as <strong>")?;
    Some(rest.split_once('<').expect("the end of a name").0.to_owned())
}

#[tokio::test]
async fn every_user_signs_in_with_a_password() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    for protocol in Protocol::BOTH {
        let client = server.client(protocol);
        for (name, password) in [("alice", "wonderland"), ("bob", "builder"), ("root", "toor")] {
            let answer = client.sign_in_with(name, password).answer().await.expect(303);
            assert_eq!(answer.header("location"), "/");
            assert_eq!(answer.body, "");
            let (cookie, attributes) = answer.cookie();
            assert_eq!(attributes, ["httponly", "path=/", "samesite=lax"]);
            assert_eq!(greeted(&client, &cookie).await.as_deref(), Some(name));
            let page = client.get("/tokens").cookie(&cookie).answer().await;
            page.expect(200);
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn wrong_password_gets_401_without_a_hint() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    let mut bodies = Vec::new();
    for (name, password) in [
        ("alice", "builder"),
        ("alice", ""),
        ("alice", "wonderland "),
        ("Alice", "wonderland"),
        ("<script>alert(1)</script>", "' or 1=1 --"),
    ] {
        let answer = client.sign_in_with(name, password).answer().await.expect(401);
        assert!(!answer.headers.contains_key("set-cookie"), "{name}");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "the responses differ: {bodies:?}");
    server.stop().await;
}

#[tokio::test]
async fn invalid_form_does_not_sign_in() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    for (call, status) in [
        (client.post("/login").form(&[("username", "alice")]), 422),
        (client.post("/login").form(&[]), 422),
        (client.post("/login"), 415),
        (
            client
                .post("/login")
                .json(&serde_json::json!({ "username": "alice", "password": "wonderland" })),
            415,
        ),
        // A password in a URL is ignored, because URLs are logged.
        (client.get("/login?username=alice&password=wonderland"), 200),
    ] {
        let answer = call.answer().await.expect(status);
        assert!(!answer.headers.contains_key("set-cookie"), "{answer:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn no_cookie_is_set_before_the_sign_in() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    for path in ["/", "/login", "/tokens", "/api/health", "/nowhere"] {
        let answer = client.get(path).answer().await;
        assert!(!answer.headers.contains_key("set-cookie"), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn sign_in_replaces_the_session_id() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    // A session of another user, and two ids that the server has not created.
    let bobs = client.sign_in("bob").await.cookie;
    let (name, _) = bobs.split_once('=').expect("a name");
    for planted in [bobs.clone(), format!("{name}=AAAAAAAAAAAAAAAAAAAAAA"), format!("{name}=x")] {
        let call = client.sign_in_with("alice", "wonderland").cookie(&planted);
        let (alices, _) = call.answer().await.expect(303).cookie();
        assert_ne!(alices, planted);
        assert_eq!(greeted(&client, &planted).await, None, "the planted session is signed in");
        client.get("/tokens").cookie(&planted).answer().await.problem(401, "/no-caller");
        assert_eq!(greeted(&client, &alices).await.as_deref(), Some("alice"));
    }
    server.stop().await;
}

#[tokio::test]
async fn cookie_is_invalid_after_the_sign_out() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    let (here, there) = (client.sign_in("alice").await, client.sign_in("alice").await);
    assert_ne!(here.cookie, there.cookie, "two sign-ins share a session");
    client.get("/logout").cookie(&here.cookie).answer().await.expect(405);
    here.get("/tokens").await.expect(200);

    let answer = client.post("/logout").cookie(&here.cookie).answer().await.expect(303);
    assert_eq!(answer.header("location"), "/");
    let (cookie, attributes) = answer.cookie();
    assert!(
        cookie.ends_with('=') || attributes.contains(&"max-age=0".to_owned()),
        "the cookie is not removed"
    );
    here.get("/tokens").await.problem(401, "/no-caller");
    assert_eq!(greeted(&client, &here.cookie).await, None);
    there.get("/tokens").await.expect(200);

    // A sign-out without a session is not an error.
    client.post("/logout").answer().await.expect(303);
    server.stop().await;
}

#[tokio::test]
async fn modified_cookie_belongs_to_no_user() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    let alice = client.sign_in("alice").await;
    let (name, id) = alice.cookie.split_once('=').expect("a value");
    let mut flipped = id.to_owned();
    let first = if flipped.remove(0) == 'A' { 'B' } else { 'A' };
    flipped.insert(0, first);
    for value in [&*flipped, &id[1..], "", "null", "alice", &format!("{id}A")] {
        let answer = client.get("/tokens").cookie(&format!("{name}={value}")).answer().await;
        answer.problem(401, "/no-caller");
    }
    client.get("/tokens").cookie(&format!("other={id}")).answer().await.problem(401, "/no-caller");
    alice.get("/tokens").await.expect(200);
    server.stop().await;
}
