//! Tests which state survives a restart.

use serde_json::{Value, json};

use crate::harness::{Protocol, TestDir};

#[tokio::test]
async fn all_tokens_survive_a_restart() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    let (alice, bob) = (client.sign_in("alice").await, client.sign_in("bob").await);
    let active = alice.issue(&["projects:list"]).await;
    let revoked = alice.issue(&["projects:list"]).await;
    alice.revoke(&revoked.id).await;
    let old = alice.issue(&["projects:list"]).await;
    let new = alice.regenerate(&old.id, Value::Null).await;
    let previous = bob.issue(&["projects:list"]).await;
    let successor = bob.regenerate(&previous.id, json!({ "grace_period": "1d" })).await;
    let deleted = bob.issue(&["projects:list"]).await;
    bob.delete(&format!("/tokens/{}", deleted.id)).await.expect(204);
    let edit =
        json!({ "name": "Grüße, 世界", "description": "two\nlines", "expires": "31-12-2099" });
    alice.patch(&format!("/tokens/{}", active.id), edit).await.expect(200);
    let before = client.sign_in("root").await.all().await;
    assert_eq!(before.len(), 5);
    server.stop().await;

    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    alice.through(client.clone()).get("/tokens").await.problem(401, "/no-caller");
    assert_eq!(client.sign_in("root").await.all().await, before);
    for token in [&active, &new, &previous] {
        assert_eq!(client.status_with(&token.token).await, 200, "{token:?}");
    }
    assert_eq!(client.status_with(&successor.token).await, 200);
    for token in [&revoked, &old, &deleted, &previous] {
        assert_eq!(client.status_with(&token.token).await, 401, "{token:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn uses_are_written_on_shutdown() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let used = alice.issue(&["projects:list"]).await;
    let unused = alice.issue(&["projects:list"]).await;
    let rejected = alice.issue(&["projects:list"]).await;
    alice.revoke(&rejected.id).await;
    assert_eq!(alice.show(&used.id).await["last_used_at"], Value::Null);
    assert_eq!(alice.client.status_with(&used.token).await, 200);
    assert_eq!(alice.client.status_with(&rejected.token).await, 401);
    server.stop().await;

    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let shown = alice.show(&used.id).await;
    let (used_at, created_at) = (shown["last_used_at"].as_str(), shown["created_at"].as_str());
    let minute = |time: Option<&str>| {
        time.expect("a time").parse::<jiff::Timestamp>().expect("a time").as_second() / 60
    };
    assert!(minute(used_at) >= minute(created_at), "{shown}");
    assert_eq!(shown["revision"], 1, "a use changed the revision");
    for id in [&unused.id, &rejected.id] {
        assert_eq!(alice.show(id).await["last_used_at"], Value::Null);
    }
    server.stop().await;
}

#[tokio::test]
async fn store_in_memory_is_empty_after_a_restart() {
    let dir = TestDir::new();
    let mut server = dir.start(&["--store", "memory:"]).await;
    let first = server.first_token().await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let issued = alice.issue(&["projects:list"]).await;
    for token in [&first, &issued.token] {
        assert_eq!(alice.client.status_with(token).await, 200);
    }
    server.stop().await;
    assert_eq!(dir.files(), Vec::<String>::new());

    let mut server = dir.start(&["--store", "memory:"]).await;
    let second = server.first_token().await;
    assert_ne!(second, first);
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    for token in [&first, &issued.token] {
        assert_eq!(alice.client.status_with(token).await, 401);
    }
    assert_eq!(alice.client.status_with(&second).await, 200);
    assert_eq!(alice.all().await.len(), 1);
    server.stop().await;
}
