//! Tests that a token that is ended while it is in use is rejected by every request that starts
//! after the response to the change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Client, Protocol, TestDir, User};

/// The number of requests that are accepted before the token is ended.
const BEFORE: usize = 300;

/// The number of requests that each worker sends after that.
const AFTER: usize = 20;

/// The start and the status of a request.
type Sent = (Instant, u16);

/// The state that the workers share with the test.
#[derive(Default)]
struct Progress {
    accepted: AtomicUsize,
    is_ended: AtomicBool,
}

/// Sends requests one after the other until the token has ended, and `AFTER` more.
async fn use_token(client: Client, token: String, progress: Arc<Progress>) -> Vec<Sent> {
    let mut sent = Vec::new();
    let mut left = AFTER;
    while left > 0 {
        if progress.is_ended.load(Ordering::SeqCst) {
            left -= 1;
        }
        let started = Instant::now();
        let call = if sent.len() % 2 == 0 {
            client.get("/api/projects").bearer(&token)
        } else {
            client.get(&format!("/api/projects?session={token}"))
        };
        let status = call.answer().await.status;
        if status == 200 {
            progress.accepted.fetch_add(1, Ordering::SeqCst);
        }
        sent.push((started, status));
    }
    sent
}

/// Uses a token on several HTTP/1.1 and HTTP/2 connections and sends the request `end` in the
/// meantime. Checks that all requests that start after its response get the status `rejected`.
async fn nothing_is_accepted_after(end: impl FnOnce(&User, &str) -> Call, rejected: u16) {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let issued = alice.issue(&["projects:list"]).await;
    let progress = Arc::new(Progress::default());
    let mut workers = Vec::new();
    for protocol in Protocol::BOTH {
        for _ in 0..3 {
            // Two workers share each client. With HTTP/2 they also share its connection.
            let client = server.client(protocol);
            for _ in 0..2 {
                let work = use_token(client.clone(), issued.token.clone(), progress.clone());
                workers.push(tokio::spawn(work));
            }
        }
    }
    while progress.accepted.load(Ordering::SeqCst) < BEFORE {
        tokio::task::yield_now().await;
    }
    end(&alice, &issued.id).answer().await.expect(200);
    let returned = Instant::now();
    progress.is_ended.store(true, Ordering::SeqCst);
    let sent: Vec<Sent> = join_all(workers)
        .await
        .into_iter()
        .flat_map(|worker| worker.expect("a worker panicked"))
        .collect();

    assert!(sent.len() >= BEFORE + AFTER * 12, "{} requests", sent.len());
    let late = sent.iter().filter(|(started, _)| *started > returned);
    let (right, wrong): (Vec<&Sent>, Vec<&Sent>) =
        late.partition(|(_, status)| *status == rejected);
    assert!(wrong.is_empty(), "wrong status after the token was ended: {wrong:?}");
    assert!(right.len() >= AFTER, "too few requests after the token was ended");
    for (_, status) in &sent {
        assert!(*status == 200 || *status == rejected, "{status}");
    }
    server.stop().await;
}

#[tokio::test]
async fn no_request_is_accepted_after_a_revocation() {
    nothing_is_accepted_after(
        |alice, id| alice.call(Method::POST, &format!("/tokens/{id}/revoke")),
        401,
    )
    .await;
}

#[tokio::test]
async fn no_request_with_the_old_secret_is_accepted_after_a_regeneration() {
    nothing_is_accepted_after(
        |alice, id| alice.call(Method::POST, &format!("/tokens/{id}/regenerate")),
        401,
    )
    .await;
}

#[tokio::test]
async fn no_request_is_accepted_after_a_deletion() {
    nothing_is_accepted_after(
        |alice, id| alice.call(Method::POST, "/tokens/delete").json(&json!({ "ids": [id] })),
        401,
    )
    .await;
}

#[tokio::test]
async fn no_request_is_accepted_after_the_removal_of_its_scope() {
    nothing_is_accepted_after(
        |alice, id| {
            let remove = alice.call(Method::POST, &format!("/tokens/{id}/scopes/remove"));
            remove.json(&json!({ "scopes": ["projects:list"] }))
        },
        403,
    )
    .await;
}

#[tokio::test]
async fn concurrently_issued_tokens_end_with_their_revocation() {
    let dir = TestDir::new();
    let server = dir.start(&["--limit", "1000"]).await;
    let alice = server.client(Protocol::Http2).sign_in("alice").await;
    join_all((0..8).map(async |_| {
        for _ in 0..10 {
            let issued = alice.issue(&["projects:list"]).await;
            assert_eq!(alice.client.status_with(&issued.token).await, 200);
            alice.revoke(&issued.id).await;
            assert_eq!(alice.client.status_with(&issued.token).await, 401);
            let new = alice.regenerate(&issued.id, Value::Null).await;
            assert_eq!(alice.client.status_with(&new.token).await, 200);
            assert_eq!(alice.client.status_with(&issued.token).await, 401);
        }
    }))
    .await;
    server.stop().await;
}
