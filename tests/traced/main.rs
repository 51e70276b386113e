//! Tests the log output for operators: the reason of each rejection, and the age of the cache's
//! lease.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass_cache::Cached;
use hallpass_core::{Actor, Hallpass, NewToken};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Operation};
use hallpass_tower::{PolicyTable, TokenLayer, require};
use http::{Request, Response};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;

/// The log lines of the current test thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn start() -> (Self, DefaultGuard) {
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::DEBUG)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }

    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn send_rejected(layer: &TokenLayer, path: &str, token: &str) {
    let inner =
        service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
    let bearer = format!("Bearer {token}");
    let mut request = Request::get(path);
    if !token.is_empty() {
        request = request.header("authorization", bearer);
    }
    let answer = layer.layer(require("write").layer(inner)).oneshot(request.body(()).unwrap());
    assert!(!answer.await.unwrap().status().is_success());
}

#[tokio::test]
async fn every_rejection_is_logged_with_its_kind() {
    let (lines, _guard) = Lines::start();
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = Hallpass::builder(store.clone()).build();
    let alice = Actor::owner("alice");
    let issued = hallpass.issue(&alice, NewToken::named("ci").scope("read")).await.unwrap();
    let good = issued.token.reveal();
    let (plain, table) =
        (TokenLayer::new(&hallpass), TokenLayer::new(&hallpass).policy(PolicyTable::new()));
    for (layer, path, token, expected) in [
        (&plain, "/", "", r#"kind="no_credential""#),
        (&plain, "/?session", "", r#"kind="invalid_request""#),
        (&plain, "/", "hp_nonsense", r#"kind="invalid_token""#),
        (&plain, "/", "hp_nonsense", r#"reason="malformed""#),
        (&plain, "/", good, r#"kind="insufficient_scope""#),
        (&table, "/", good, r#"kind="not_declared""#),
    ] {
        lines.take();
        send_rejected(layer, path, token).await;
        let written = lines.take();
        assert!(written.contains(expected), "{expected}: {written}");
        assert!(!written.contains(&good[25..]), "{written}");
    }
    hallpass.revoke(&alice, issued.record.id).await.unwrap();
    lines.take();
    send_rejected(&plain, "/", good).await;
    let written = lines.take();
    assert!(written.contains(r#"reason="revoked""#), "{written}");
    store.faults().on(Operation::Get).fail();
    send_rejected(&plain, "/", good).await;
    let written = lines.take();
    assert!(written.contains(r#"kind="unavailable""#), "{written}");
}

#[tokio::test(start_paused = true)]
async fn unreadable_change_log_is_logged_with_the_age_of_the_lease() {
    let (lines, _guard) = Lines::start();
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = Hallpass::builder(Cached::new(store.clone())).build();
    let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    hallpass.authenticate(issued.token.reveal().as_bytes()).await.unwrap();
    // Wait until the change log has been read once.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!lines.take().contains("lease_age"));
    store.faults().on(Operation::Changes).fail();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let written = lines.take();
    assert!(written.contains("could not read the change log"), "{written}");
    assert!(written.contains("lease_age=Some("), "{written}");
}
