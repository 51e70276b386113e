//! The stores that servers keep.

use std::time::Instant;

use hallpass_servers::{Package, Postgres, Redis};
use serde_json::Value;
use tokio::task::yield_now;

use crate::harness::{PATIENCE, Place, Protocol};

/// A token that is issued in one process is good in the next, and what is revoked there stays so.
async fn tokens_outlive_the_process_on(url: &str) {
    let place = Place::new();
    let server = place.start(&["--store", url]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let kept = alice.issue(&["projects"]).await;
    let revoked = alice.issue(&["projects"]).await;
    alice.revoke(&revoked.id).await;
    let output = server.stop().await;
    assert!(!output.stderr.contains(url) && !output.stdout.contains(url));

    let server = place.start(&["--store", url]).await;
    let client = server.client(Protocol::Http1);
    assert_eq!(client.status_with(&kept.token).await, 200);
    assert_eq!(client.status_with(&revoked.token).await, 401);
    server.stop().await;
    assert!(place.files().is_empty(), "nothing is kept beside the store");
}

/// Uses are written by themselves every few seconds, so a kill takes with it those since the last
/// time and no others.
async fn a_kill_takes_the_uses_of_one_interval_at_most_on(url: &str) {
    let place = Place::new();
    let server = place.start(&["--store", url]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let mut used = Vec::new();
    for _ in 0..20 {
        let issued = alice.issue(&["projects"]).await;
        assert_eq!(alice.client.status_with(&issued.token).await, 200);
        used.push(issued);
    }
    // Once another process sees that the last of them was used, whatever was used before is written
    // too.
    let other = place.start(&["--store", url]).await;
    let elsewhere = other.client(Protocol::Http1).sign_in("alice").await;
    let last = used.last().expect("there are some");
    let since = Instant::now();
    while elsewhere.show(&last.id).await["last_used_at"] == Value::Null {
        assert!(since.elapsed() < PATIENCE, "it is written without anybody asking for it");
        yield_now().await;
    }
    let unwritten = alice.issue(&["projects"]).await;
    assert_eq!(alice.client.status_with(&unwritten.token).await, 200);
    server.kill().await;
    for issued in &used {
        assert_ne!(elsewhere.show(&issued.id).await["last_used_at"], Value::Null, "{issued:?}");
    }
    assert_eq!(elsewhere.show(&unwritten.id).await["last_used_at"], Value::Null, "that was lost");
    for issued in used.iter().chain([&unwritten]) {
        assert_eq!(elsewhere.client.status_with(&issued.token).await, 200);
    }
    other.stop().await;
}

fn postgres() -> Postgres {
    Package::POSTGRES.ensure_installed().expect("the server is installed");
    Postgres::start().expect("a server")
}

fn redis() -> Redis {
    Package::REDIS.ensure_installed().expect("the server is installed");
    Redis::start().expect("a server")
}

#[tokio::test]
async fn tokens_outlive_the_process_in_postgres() {
    tokens_outlive_the_process_on(postgres().url()).await;
}

#[tokio::test]
async fn tokens_outlive_the_process_in_redis() {
    tokens_outlive_the_process_on(redis().url()).await;
}

#[tokio::test]
async fn a_kill_takes_the_uses_of_one_interval_at_most_from_postgres() {
    a_kill_takes_the_uses_of_one_interval_at_most_on(postgres().url()).await;
}

#[tokio::test]
async fn a_kill_takes_the_uses_of_one_interval_at_most_from_redis() {
    a_kill_takes_the_uses_of_one_interval_at_most_on(redis().url()).await;
}

#[tokio::test]
async fn a_kill_takes_the_uses_of_one_interval_at_most_from_a_file() {
    let folder = Place::new();
    let url = format!("sqlite:{}", folder.path().join("tokens.db").display());
    a_kill_takes_the_uses_of_one_interval_at_most_on(&url).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_so_without_its_password() {
    for url in ["postgres://app:hidden@127.0.0.1:1/app", "redis://:hidden@127.0.0.1:1/"] {
        let ended = Place::new().run(&["--listen", "127.0.0.1:0", "--store", url]).await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.starts_with("quickstart: "), "{}", ended.stderr);
        assert!(!ended.stderr.contains("hidden"), "{}", ended.stderr);
    }
}
