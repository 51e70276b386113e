//! Taking a token back while it is in use: whatever starts after the answer is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Client, Person, Place, Protocol};

/// How many requests are accepted before the token is taken back.
const BEFORE: usize = 300;

/// How many requests each worker sends after it was.
const AFTER: usize = 20;

/// One request: when it started, and what became of it.
type Sent = (Instant, u16);

/// What the workers and the one who takes the token back know of each other.
#[derive(Default)]
struct Progress {
    accepted: AtomicUsize,
    taken_back: AtomicBool,
}

/// Sends requests one after the other, until the token was taken back and some more.
async fn use_it(client: Client, token: String, progress: Arc<Progress>) -> Vec<Sent> {
    let mut sent = Vec::new();
    let mut left = AFTER;
    while left > 0 {
        if progress.taken_back.load(Ordering::SeqCst) {
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

/// Uses a token from several connections, over HTTP/1.1 and HTTP/2, and takes it back in the midst
/// of it.
async fn nothing_is_accepted_after(taking_back: impl FnOnce(&Person, &str) -> Call, refused: u16) {
    let place = Place::new();
    let server = place.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let issued = alice.issue(&["projects:list"]).await;
    let progress = Arc::new(Progress::default());
    let mut workers = Vec::new();
    for protocol in Protocol::BOTH {
        for _ in 0..3 {
            // Two share each client: with HTTP/2 one connection, with HTTP/1.1 one each.
            let client = server.client(protocol);
            for _ in 0..2 {
                let work = use_it(client.clone(), issued.token.clone(), progress.clone());
                workers.push(tokio::spawn(work));
            }
        }
    }
    while progress.accepted.load(Ordering::SeqCst) < BEFORE {
        tokio::task::yield_now().await;
    }
    taking_back(&alice, &issued.id).answer().await.expect(200);
    let returned = Instant::now();
    progress.taken_back.store(true, Ordering::SeqCst);
    let sent: Vec<Sent> =
        join_all(workers).await.into_iter().flat_map(|worker| worker.expect("no panic")).collect();

    assert!(sent.len() >= BEFORE + AFTER * 12, "{} requests", sent.len());
    let late = sent.iter().filter(|(started, _)| *started > returned);
    let (right, wrong): (Vec<&Sent>, Vec<&Sent>) = late.partition(|(_, status)| *status == refused);
    assert!(wrong.is_empty(), "sent after it was taken back: {wrong:?}");
    assert!(right.len() >= AFTER, "some were sent after it");
    for (_, status) in &sent {
        assert!(*status == 200 || *status == refused, "{status}");
    }
    server.stop().await;
}

#[tokio::test]
async fn no_request_that_starts_after_revoke_has_returned_is_accepted() {
    nothing_is_accepted_after(
        |alice, id| alice.call(Method::POST, &format!("/tokens/{id}/revoke")),
        401,
    )
    .await;
}

#[tokio::test]
async fn no_request_that_starts_after_regenerate_has_returned_is_accepted_with_the_old_secret() {
    nothing_is_accepted_after(
        |alice, id| alice.call(Method::POST, &format!("/tokens/{id}/regenerate")),
        401,
    )
    .await;
}

#[tokio::test]
async fn no_request_that_starts_after_delete_has_returned_is_accepted() {
    nothing_is_accepted_after(
        |alice, id| alice.call(Method::POST, "/tokens/delete").json(&json!({ "ids": [id] })),
        401,
    )
    .await;
}

#[tokio::test]
async fn no_request_that_starts_after_a_scope_was_taken_away_is_accepted() {
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
async fn of_tokens_issued_and_revoked_at_once_none_outlives_its_revocation() {
    let place = Place::new();
    let server = place.start(&["--limit", "1000"]).await;
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
