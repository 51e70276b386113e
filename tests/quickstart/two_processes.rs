//! Two processes on one file are one service.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Person, Place, Protocol, Server};

/// The longest that a process may go on with what another has changed: the default of
/// `CacheSettings::bound`.
const BOUND: Duration = Duration::from_secs(2);

async fn two(place: &Place, arguments: &[&str]) -> [Server; 2] {
    // At once, on a file that neither has made yet.
    tokio::join!(place.start(arguments), place.start(arguments)).into()
}

/// The same person at both; sessions are each process's own.
async fn at_both(servers: &[Server; 2], name: &str) -> [Person; 2] {
    let [here, there] = servers.each_ref().map(|server| server.client(Protocol::Http1));
    [here.sign_in(name).await, there.sign_in(name).await]
}

async fn stop(servers: [Server; 2]) {
    for server in servers {
        server.stop().await;
    }
}

/// Asks until the answer is the new one: no request that starts later than the bound may be
/// answered with the old one.
async fn turns(person: &Person, token: &str, [before, after]: [u16; 2], turn: usize) {
    let changed = Instant::now();
    loop {
        let since = changed.elapsed();
        let status = person.client.status_with(token).await;
        if status == after {
            return;
        }
        assert_eq!(status, before, "turn {turn}");
        assert!(since <= BOUND, "turn {turn}: still {before} after {since:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_one_process_changes_it_knows_at_once_and_the_other_within_the_bound() {
    let place = Place::new();
    let servers = two(&place, &[]).await;
    let alice = at_both(&servers, "alice").await;
    for turn in 0..20 {
        let (here, there) = (&alice[turn % 2], &alice[(turn + 1) % 2]);
        let token = here.issue(&["projects:list"]).await;
        // Both remember it.
        for person in &alice {
            for _ in 0..3 {
                assert_eq!(person.client.status_with(&token.token).await, 200);
            }
        }
        let path = format!("/tokens/{}", token.id);
        let after = match turn / 2 % 5 {
            0 => {
                here.revoke(&token.id).await;
                401
            }
            1 => {
                here.delete(&path).await.expect(204);
                401
            }
            2 => {
                let new = here.regenerate(&token.id, Value::Null).await;
                assert_eq!(there.client.status_with(&new.token).await, 200, "at once");
                401
            }
            3 => {
                let scopes = json!({ "scopes": ["projects:list"] });
                here.post(&format!("{path}/scopes/remove"), scopes).await.expect(200);
                403
            }
            _ => {
                here.delete_all().await;
                401
            }
        };
        assert_eq!(here.client.status_with(&token.token).await, after, "turn {turn}");
        turns(there, &token.token, [200, after], turn).await;
    }
    assert_eq!(alice[0].all().await, alice[1].all().await);
    stop(servers).await;
}

#[tokio::test]
async fn the_limit_is_exact_when_both_issue_at_once() {
    let place = Place::new();
    let servers = two(&place, &["--limit", "5"]).await;
    let bob = at_both(&servers, "bob").await;
    let new = json!({ "name": "one of many", "scopes": ["projects:list"] });
    let answers = join_all((0..40).map(|turn| bob[turn % 2].post("/tokens", new.clone()))).await;
    let (issued, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(issued.len(), 5);
    for answer in refused {
        let problem = answer.problem(409, "/token-limit");
        assert_eq!((&problem["limit"], &problem["in_use"]), (&json!(5), &json!(5)));
    }
    for person in &bob {
        assert_eq!(person.all().await.len(), 5);
        for answer in &issued {
            let token = answer.json();
            let token = token["token"].as_str().expect("a token");
            assert_eq!(person.client.status_with(token).await, 200);
        }
    }

    // Deleting and issuing at once never leads past it either.
    let ids: Vec<_> = issued
        .iter()
        .map(|answer| answer.json()["id"].as_str().expect("an id").to_owned())
        .collect();
    let deletes = join_all(ids.iter().enumerate().map(async |(turn, id)| {
        bob[turn % 2].delete(&format!("/tokens/{id}")).await.expect(204);
    }));
    let issues = join_all((0..20).map(|turn| bob[turn % 2].post("/tokens", new.clone())));
    let (_, answers) = tokio::join!(deletes, issues);
    let issued = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(bob[0].all().await.len(), issued);
    assert!(issued <= 5);
    for _ in issued..5 {
        bob[1].issue(&[]).await;
    }
    bob[0].post("/tokens", new).await.problem(409, "/token-limit");
    stop(servers).await;
}

#[tokio::test]
async fn of_two_regenerates_at_once_one_secret_is_left() {
    let place = Place::new();
    let servers = two(&place, &[]).await;
    let alice = at_both(&servers, "alice").await;
    for _ in 0..5 {
        let token = alice[0].issue(&["projects:list"]).await;
        let path = format!("/tokens/{}/regenerate", token.id);
        let answers = join_all(alice.iter().map(|person| person.post(&path, Value::Null))).await;
        let mut alive = 0;
        for answer in answers {
            match answer.status {
                200 => {
                    let answer = answer.json();
                    let secret = answer["token"].as_str().expect("a token");
                    let [here, there] = [&alice[0], &alice[1]].map(|person| person.client.clone());
                    let here = here.status_with(secret).await;
                    assert_eq!(here, there.status_with(secret).await);
                    alive += usize::from(here == 200);
                }
                _ => drop(answer.problem(409, "/conflict")),
            }
        }
        assert_eq!(alive, 1);
        assert_eq!(alice[1].client.status_with(&token.token).await, 401);
    }
    stop(servers).await;
}

#[tokio::test]
async fn one_process_ends_and_the_other_goes_on() {
    let place = Place::new();
    let [first, second] = two(&place, &[]).await;
    let alice = first.client(Protocol::Http1).sign_in("alice").await;
    let token = alice.issue(&["projects:list"]).await;
    first.stop().await;
    let alice = second.client(Protocol::Http1).sign_in("alice").await;
    assert_eq!(alice.client.status_with(&token.token).await, 200);
    let third = place.start(&[]).await;
    alice.revoke(&token.id).await;
    assert_eq!(third.client(Protocol::Http1).status_with(&token.token).await, 401);
    second.kill().await;
    let alice = third.client(Protocol::Http1).sign_in("alice").await;
    assert_eq!(alice.show(&token.id).await["status"], "revoked");
    third.stop().await;
}
