//! The stores that servers keep.

use hallpass_servers::{Package, Postgres, Redis};

use crate::harness::{Place, Protocol};

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

#[tokio::test]
async fn tokens_outlive_the_process_in_postgres() {
    Package::POSTGRES.ensure_installed().expect("the server is installed");
    let server = Postgres::start().expect("a server");
    tokens_outlive_the_process_on(server.url()).await;
}

#[tokio::test]
async fn tokens_outlive_the_process_in_redis() {
    Package::REDIS.ensure_installed().expect("the server is installed");
    let server = Redis::start().expect("a server");
    tokens_outlive_the_process_on(server.url()).await;
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
