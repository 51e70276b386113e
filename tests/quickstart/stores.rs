//! Tests the quickstart with stores on other servers.

use std::time::Instant;

use hallpass_servers::{Package, Postgres, Redis};
use serde_json::Value;
use tokio::task::yield_now;

use crate::harness::{PATIENCE, Protocol, TestDir};

/// Checks that the tokens of one process and their revocations are valid in the next process.
async fn tokens_survive_a_restart(url: &str) {
    let dir = TestDir::new();
    let server = dir.start(&["--store", url]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let kept = alice.issue(&["projects"]).await;
    let revoked = alice.issue(&["projects"]).await;
    alice.revoke(&revoked.id).await;
    let output = server.stop().await;
    assert!(!output.stderr.contains(url) && !output.stdout.contains(url));

    let server = dir.start(&["--store", url]).await;
    let client = server.client(Protocol::Http1);
    assert_eq!(client.status_with(&kept.token).await, 200);
    assert_eq!(client.status_with(&revoked.token).await, 401);
    server.stop().await;
    assert!(dir.files().is_empty(), "the server wrote files besides the store");
}

/// Checks that a kill loses only the uses since the last periodic write.
async fn kill_loses_uses_of_one_interval_at_most(url: &str) {
    let dir = TestDir::new();
    let server = dir.start(&["--store", url]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let mut used = Vec::new();
    for _ in 0..20 {
        let issued = alice.issue(&["projects"]).await;
        assert_eq!(alice.client.status_with(&issued.token).await, 200);
        used.push(issued);
    }
    // As soon as another process sees the use of the last token, all earlier uses are written, too.
    let other = dir.start(&["--store", url]).await;
    let elsewhere = other.client(Protocol::Http1).sign_in("alice").await;
    let last = used.last().expect("at least one token");
    let since = Instant::now();
    while elsewhere.show(&last.id).await["last_used_at"] == Value::Null {
        assert!(since.elapsed() < PATIENCE, "the use was not written in time");
        yield_now().await;
    }
    let unwritten = alice.issue(&["projects"]).await;
    assert_eq!(alice.client.status_with(&unwritten.token).await, 200);
    server.kill().await;
    for issued in &used {
        assert_ne!(elsewhere.show(&issued.id).await["last_used_at"], Value::Null, "{issued:?}");
    }
    assert_eq!(
        elsewhere.show(&unwritten.id).await["last_used_at"],
        Value::Null,
        "the last use was written"
    );
    for issued in used.iter().chain([&unwritten]) {
        assert_eq!(elsewhere.client.status_with(&issued.token).await, 200);
    }
    other.stop().await;
}

fn postgres() -> Postgres {
    Package::POSTGRES.ensure_installed().expect("cannot install PostgreSQL");
    Postgres::start().expect("cannot start PostgreSQL")
}

fn redis() -> Redis {
    Package::REDIS.ensure_installed().expect("cannot install Redis");
    Redis::start().expect("cannot start Redis")
}

#[tokio::test]
async fn tokens_survive_a_restart_in_postgresql() {
    tokens_survive_a_restart(postgres().url()).await;
}

#[tokio::test]
async fn tokens_survive_a_restart_in_redis() {
    tokens_survive_a_restart(redis().url()).await;
}

#[tokio::test]
async fn kill_loses_uses_of_one_interval_at_most_in_postgresql() {
    kill_loses_uses_of_one_interval_at_most(postgres().url()).await;
}

#[tokio::test]
async fn kill_loses_uses_of_one_interval_at_most_in_redis() {
    kill_loses_uses_of_one_interval_at_most(redis().url()).await;
}

#[tokio::test]
async fn kill_loses_uses_of_one_interval_at_most_in_a_file() {
    let folder = TestDir::new();
    let url = format!("sqlite:{}", folder.path().join("tokens.db").display());
    kill_loses_uses_of_one_interval_at_most(&url).await;
}

#[tokio::test]
async fn unreachable_server_is_reported_without_its_password() {
    for url in ["postgres://app:hidden@127.0.0.1:1/app", "redis://:hidden@127.0.0.1:1/"] {
        let ended = TestDir::new().run(&["--listen", "127.0.0.1:0", "--store", url]).await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.starts_with("quickstart: "), "{}", ended.stderr);
        assert!(!ended.stderr.contains("hidden"), "{}", ended.stderr);
    }
}
