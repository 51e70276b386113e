//! Tests two processes on one file, which must behave like one service.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Protocol, Server, TestDir, User};

/// The time limit for a process to apply a change of the other one: the default of
/// `CacheSettings::max_staleness`.
const BOUND: Duration = Duration::from_secs(2);

/// Starts two servers concurrently on a file that does not exist yet.
async fn start_two(dir: &TestDir, arguments: &[&str]) -> [Server; 2] {
    tokio::join!(dir.start(arguments), dir.start(arguments)).into()
}

/// Signs in the same user at both servers. Each process has its own sessions.
async fn sign_in_at_both(servers: &[Server; 2], name: &str) -> [User; 2] {
    let [here, there] = servers.each_ref().map(|server| server.client(Protocol::Http1));
    [here.sign_in(name).await, there.sign_in(name).await]
}

async fn stop(servers: [Server; 2]) {
    for server in servers {
        server.stop().await;
    }
}

/// Sends requests until the status changes from `before` to `after`. No request that starts later
/// than the staleness limit may get the old status.
async fn status_changes(user: &User, token: &str, [before, after]: [u16; 2], turn: usize) {
    let changed = Instant::now();
    loop {
        let since = changed.elapsed();
        let status = user.client.status_with(token).await;
        if status == after {
            return;
        }
        assert_eq!(status, before, "turn {turn}");
        assert!(since <= BOUND, "turn {turn}: still {before} after {since:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn change_applies_immediately_here_and_soon_in_the_other_process() {
    let dir = TestDir::new();
    let servers = start_two(&dir, &[]).await;
    let alice = sign_in_at_both(&servers, "alice").await;
    for turn in 0..20 {
        let (here, there) = (&alice[turn % 2], &alice[(turn + 1) % 2]);
        let token = here.issue(&["projects:list"]).await;
        // Both processes cache the token.
        for user in &alice {
            for _ in 0..3 {
                assert_eq!(user.client.status_with(&token.token).await, 200);
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
                assert_eq!(there.client.status_with(&new.token).await, 200, "the new secret");
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
        status_changes(there, &token.token, [200, after], turn).await;
    }
    assert_eq!(alice[0].all().await, alice[1].all().await);
    stop(servers).await;
}

#[tokio::test]
async fn limit_is_exact_when_both_processes_issue_concurrently() {
    let dir = TestDir::new();
    let servers = start_two(&dir, &["--limit", "5"]).await;
    let bob = sign_in_at_both(&servers, "bob").await;
    let new = json!({ "name": "one of many", "scopes": ["projects:list"] });
    let answers = join_all((0..40).map(|turn| bob[turn % 2].post("/tokens", new.clone()))).await;
    let (issued, rejected): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(issued.len(), 5);
    for answer in rejected {
        let problem = answer.problem(409, "/token-limit");
        assert_eq!((&problem["limit"], &problem["in_use"]), (&json!(5), &json!(5)));
    }
    for user in &bob {
        assert_eq!(user.all().await.len(), 5);
        for answer in &issued {
            let token = answer.json();
            let token = token["token"].as_str().expect("a token");
            assert_eq!(user.client.status_with(token).await, 200);
        }
    }

    // Concurrent deletions do not lead past the limit, either.
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
async fn concurrent_regenerations_leave_one_valid_secret() {
    let dir = TestDir::new();
    let servers = start_two(&dir, &[]).await;
    let alice = sign_in_at_both(&servers, "alice").await;
    for _ in 0..5 {
        let token = alice[0].issue(&["projects:list"]).await;
        let path = format!("/tokens/{}/regenerate", token.id);
        let answers = join_all(alice.iter().map(|user| user.post(&path, Value::Null))).await;
        let mut alive = 0;
        for answer in answers {
            match answer.status {
                200 => {
                    let answer = answer.json();
                    let secret = answer["token"].as_str().expect("a token");
                    let [here, there] = [&alice[0], &alice[1]].map(|user| user.client.clone());
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
async fn one_process_continues_after_the_other_has_ended() {
    let dir = TestDir::new();
    let [first, second] = start_two(&dir, &[]).await;
    let alice = first.client(Protocol::Http1).sign_in("alice").await;
    let token = alice.issue(&["projects:list"]).await;
    first.stop().await;
    let alice = second.client(Protocol::Http1).sign_in("alice").await;
    assert_eq!(alice.client.status_with(&token.token).await, 200);
    let third = dir.start(&[]).await;
    alice.revoke(&token.id).await;
    assert_eq!(third.client(Protocol::Http1).status_with(&token.token).await, 401);
    second.kill().await;
    let alice = third.client(Protocol::Http1).sign_in("alice").await;
    assert_eq!(alice.show(&token.id).await["status"], "revoked");
    third.stop().await;
}
