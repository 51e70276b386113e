//! Tests that no confirmed change is lost if the server is killed.

use futures::future::join_all;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::harness::{Issued, Protocol, TestDir, User};

/// The number of tokens that are issued before the server is killed.
const TOKENS: usize = 60;

/// A token whose issue was confirmed.
struct Confirmed {
    issued: Issued,
    /// Whether the token is revoked, or `None` if the response to the revocation was lost.
    revoked: Option<bool>,
}

/// Issues tokens until the server is killed, and revokes every second one.
async fn issue_until_killed(user: User, progress: mpsc::UnboundedSender<()>) -> Vec<Confirmed> {
    let mut confirmed = Vec::new();
    let body = json!({ "name": "one of many", "scopes": ["projects:list"] });
    loop {
        let call = user.call(http::Method::POST, "/tokens").json(&body);
        let Ok(answer) = call.try_answer().await else { return confirmed };
        let issued = Issued::of(&answer.expect(201));
        // An error means that the test no longer counts.
        let _ = progress.send(());
        let revoke = confirmed.len() % 2 == 1;
        let path = format!("/tokens/{}/revoke", issued.id);
        confirmed.push(Confirmed { issued, revoked: Some(false) });
        if revoke {
            let last = confirmed.last_mut().expect("just pushed");
            match user.call(http::Method::POST, &path).try_answer().await {
                Ok(answer) => drop(answer.expect(200)),
                Err(_) => {
                    last.revoked = None;
                    return confirmed;
                }
            }
            last.revoked = Some(true);
        }
    }
}

#[tokio::test]
async fn confirmed_changes_survive_a_kill() {
    let dir = TestDir::new();
    let server = dir.start(&["--limit", "100000"]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let (progress, mut issued_one) = mpsc::unbounded_channel();
    let issuers: Vec<_> = (0..8)
        .map(|_| {
            let user = alice.through(server.client(Protocol::Http1));
            tokio::spawn(issue_until_killed(user, progress.clone()))
        })
        .collect();
    for _ in 0..TOKENS {
        issued_one.recv().await.expect("all issuers have ended");
    }
    server.kill().await;
    let confirmed: Vec<_> = join_all(issuers)
        .await
        .into_iter()
        .flat_map(|issuer| issuer.expect("an issuer panicked"))
        .collect();
    assert!(confirmed.len() >= TOKENS);
    assert!(confirmed.iter().any(|confirmed| confirmed.revoked == Some(true)));

    let mut server = dir.start(&["--limit", "100000"]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let all = alice.all().await;
    for Confirmed { issued, revoked } in &confirmed {
        let kept: Vec<_> = all.iter().filter(|token| token["id"] == *issued.id).collect();
        assert_eq!(kept.len(), 1, "{issued:?} was confirmed");
        let is_revoked = kept[0]["status"] == "revoked";
        assert!(revoked.is_none_or(|revoked| revoked == is_revoked), "{issued:?}: {revoked:?}");
        let status = if is_revoked { 401 } else { 200 };
        assert_eq!(alice.client.status_with(&issued.token).await, status);
    }
    // In addition to the confirmed tokens, there are the first token of the quickstart, and at most
    // one token per issuer whose response was lost.
    assert!(all.len() <= confirmed.len() + 1 + 8, "{} of {}", confirmed.len(), all.len());

    // The crash has not changed the count of tokens that the limit uses.
    let limit = (all.len() + 1).to_string();
    let printed = server.printed(|text| text.ends_with("/tokens\n")).await;
    assert!(!printed.contains("hp_"));
    server.stop().await;
    let server = dir.start(&["--limit", &limit]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    alice.issue(&[]).await;
    let full = alice.post("/tokens", json!({ "name": "one too many" })).await;
    assert_eq!(full.problem(409, "/token-limit")["in_use"], all.len() + 1);
    server.stop().await;

    assert_eq!(integrity(&dir).await, "ok");
}

/// Returns the result of SQLite's integrity check of the file.
async fn integrity(dir: &TestDir) -> String {
    let options = SqliteConnectOptions::new().filename(dir.database()).create_if_missing(false);
    let mut connection = options.connect().await.expect("the file opens");
    let rows = sqlx::query("PRAGMA integrity_check").fetch_all(&mut connection).await;
    let lines = rows.expect("the check runs").iter().map(|row| row.get(0)).collect::<Vec<String>>();
    lines.join("; ")
}

#[tokio::test]
async fn regeneration_survives_a_kill() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let old = alice.issue(&["projects:list"]).await;
    let new = alice.regenerate(&old.id, Value::Null).await;
    server.kill().await;
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    assert_eq!(client.status_with(&new.token).await, 200);
    assert_eq!(client.status_with(&old.token).await, 401);
    server.stop().await;
}
