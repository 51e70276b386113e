//! Killed in the middle of its work, it has kept its word.

use futures::future::join_all;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::harness::{Issued, Person, Place, Protocol};

/// How many tokens are issued before the process is killed.
const ENOUGH: usize = 60;

/// What was promised: the token, and whether it is revoked by now, if that is known.
struct Promised {
    issued: Issued,
    revoked: Option<bool>,
}

/// Issues until the server is gone, and revokes every other token.
async fn issue_until_the_end(person: Person, said: mpsc::UnboundedSender<()>) -> Vec<Promised> {
    let mut promised = Vec::new();
    let body = json!({ "name": "one of many", "scopes": ["projects:list"] });
    loop {
        let call = person.call(http::Method::POST, "/tokens").json(&body);
        let Ok(answer) = call.try_answer().await else { return promised };
        let issued = Issued::of(&answer.expect(201));
        // The test may have heard enough.
        let _ = said.send(());
        let revoke = promised.len() % 2 == 1;
        let path = format!("/tokens/{}/revoke", issued.id);
        promised.push(Promised { issued, revoked: Some(false) });
        if revoke {
            let last = promised.last_mut().expect("just pushed");
            match person.call(http::Method::POST, &path).try_answer().await {
                Ok(answer) => drop(answer.expect(200)),
                Err(_) => {
                    last.revoked = None;
                    return promised;
                }
            }
            last.revoked = Some(true);
        }
    }
}

#[tokio::test]
async fn what_was_answered_before_a_kill_is_there_after_it() {
    let place = Place::new();
    let server = place.start(&["--limit", "100000"]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let (said, mut heard) = mpsc::unbounded_channel();
    let issuers: Vec<_> = (0..8)
        .map(|_| {
            let person = alice.through(server.client(Protocol::Http1));
            tokio::spawn(issue_until_the_end(person, said.clone()))
        })
        .collect();
    for _ in 0..ENOUGH {
        heard.recv().await.expect("they issue");
    }
    server.kill().await;
    let promised: Vec<_> =
        join_all(issuers).await.into_iter().flat_map(|issuer| issuer.expect("no panic")).collect();
    assert!(promised.len() >= ENOUGH);
    assert!(promised.iter().any(|promised| promised.revoked == Some(true)));

    let mut server = place.start(&["--limit", "100000"]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let all = alice.all().await;
    for Promised { issued, revoked } in &promised {
        let kept: Vec<_> = all.iter().filter(|token| token["id"] == *issued.id).collect();
        assert_eq!(kept.len(), 1, "{issued:?} was promised");
        let is_revoked = kept[0]["status"] == "revoked";
        assert!(revoked.is_none_or(|revoked| revoked == is_revoked), "{issued:?}: {revoked:?}");
        let status = if is_revoked { 401 } else { 200 };
        assert_eq!(alice.client.status_with(&issued.token).await, status);
    }
    // The first one; and each issuer may have lost the answer of one.
    assert!(all.len() <= promised.len() + 1 + 8, "{} of {}", promised.len(), all.len());

    // What it counts is what there is: the limit is neither used up nor widened by the crash.
    let limit = (all.len() + 1).to_string();
    let printed = server.printed(|text| text.ends_with("/tokens\n")).await;
    assert!(!printed.contains("hp_"));
    server.stop().await;
    let server = place.start(&["--limit", &limit]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    alice.issue(&[]).await;
    let full = alice.post("/tokens", json!({ "name": "one too many" })).await;
    assert_eq!(full.problem(409, "/token-limit")["in_use"], all.len() + 1);
    server.stop().await;

    assert_eq!(integrity(&place).await, "ok");
}

/// What SQLite itself finds wrong with the file.
async fn integrity(place: &Place) -> String {
    let options = SqliteConnectOptions::new().filename(place.database()).create_if_missing(false);
    let mut connection = options.connect().await.expect("the file opens");
    let rows = sqlx::query("PRAGMA integrity_check").fetch_all(&mut connection).await;
    let lines = rows.expect("it is checked").iter().map(|row| row.get(0)).collect::<Vec<String>>();
    lines.join("; ")
}

#[tokio::test]
async fn a_regenerated_secret_survives_a_kill_and_the_old_one_does_not() {
    let place = Place::new();
    let server = place.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let old = alice.issue(&["projects:list"]).await;
    let new = alice.regenerate(&old.id, Value::Null).await;
    server.kill().await;
    let server = place.start(&[]).await;
    let client = server.client(Protocol::Http1);
    assert_eq!(client.status_with(&new.token).await, 200);
    assert_eq!(client.status_with(&old.token).await, 401);
    server.stop().await;
}
