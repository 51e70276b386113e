//! Tests of faults that only Redis has.

use std::sync::Arc;

use hallpass_core::{Error, NewToken};
use hallpass_redis::{ConnectError, RedisStore};
use hallpass_tests::nodes::{NEVER, alice, until};
use redis::aio::MultiplexedConnection;

use crate::backend::{Backend as _, Redis};
use crate::node::{Node, beyond_the_bound, settings};

/// Checks a node while the server replies with errors: cached tokens are accepted within the bound,
/// everything else gets 503 and never 401, and the node recovers by itself.
async fn rejects(server: &Redis, begins: impl AsyncFnOnce(), ends: impl AsyncFnOnce()) {
    let node = Node::on(server, settings()).await;
    let patient = Node::on(server, settings().max_staleness(NEVER)).await;
    let [warm, cold, revoked] = [node.issue().await, node.issue().await, node.issue().await];
    node.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    for node in [&node, &patient] {
        node.recovers(&warm, 200).await;
    }
    begins().await;
    assert_eq!(patient.get(&warm).await, 200);
    assert_eq!(patient.get(&cold).await, 503);
    beyond_the_bound().await;
    for token in [&warm, &cold, &revoked] {
        assert_eq!(node.get(token).await, 503);
    }
    let error = node.hallpass.revoke(&alice(), warm.record.id).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    ends().await;
    node.recovers(&warm, 200).await;
    node.recovers(&cold, 200).await;
    node.recovers(&revoked, 401).await;
    patient.recovers(&cold, 200).await;
}

async fn until_it_says(server: &Redis, word: &str) {
    until("the server replies with the expected error", async || {
        let said = server.server.run(&["GET", "nothing"]);
        said.is_err_and(|error| error.to_string().starts_with(word))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn server_busy_with_an_endless_script_is_503() {
    let server = Redis::alone_with(&["--busy-reply-threshold", "1"]);
    let begins = async || {
        let server_too = Arc::clone(&server.server);
        // The script's result does not matter: it is killed.
        std::thread::spawn(move || server_too.run(&["EVAL", "while true do end", "0"]));
        until_it_says(&server, "BUSY").await;
    };
    rejects(&server, begins, async || drop(server.run(&["SCRIPT", "KILL"]))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replica_without_its_primary_is_503() {
    let server = Redis::alone_with(&["--replica-serve-stale-data", "no"]);
    let begins = async || {
        server.stop_following();
        until_it_says(&server, "MASTERDOWN").await;
    };
    rejects(&server, begins, async || server.promote()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn loading_server_is_503() {
    // Loading takes this number of microseconds per key. During that time, the server replies to
    // clients only occasionally.
    let slow = ["--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024"];
    let server = Redis::alone_with(&slow);
    let fill =
        "for n = 1, 500 do redis.call('SET', 'somebody-elses-' .. n, string.rep('x', 64)) end";
    server.run(&["EVAL", fill, "0"]);
    let starting = Arc::clone(&server.server);
    let (tell, told) = std::sync::mpsc::channel();
    let begins = async || {
        // The server reports its loading state only while it reads the base of the append-only
        // file, so all keys must be in it.
        server.run(&["BGREWRITEAOF"]);
        until("the append-only file is rewritten", async || {
            let state = server.run(&["INFO", "persistence"]);
            state.contains("aof_rewrite_in_progress:0") && state.contains("aof_rewrite_scheduled:0")
        })
        .await;
        server.kill();
        std::thread::spawn(move || tell.send(starting.start_again()).unwrap());
        until_it_says(&server, "LOADING").await;
        assert!(told.try_recv().is_err(), "the server has finished loading too early");
    };
    rejects(&server, begins, async || told.recv().unwrap().unwrap()).await;
}

/// Opens a connection as administrator, which stays open when the others are closed.
async fn administrator(server: &Redis) -> MultiplexedConnection {
    server.connection().await
}

async fn administer(connection: &MultiplexedConnection, commands: &[&[&str]]) {
    let mut connection = connection.clone();
    for words in commands {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.exec_async(&mut connection).await.unwrap();
    }
}

const END_ALL: &[&str] = &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn password_that_is_suddenly_required_is_503() {
    let server = Redis::alone();
    let administrator = administrator(&server).await;
    let begins = async || {
        let set = ["CONFIG", "SET", "requirepass", "secret"];
        administer(&administrator, &[&set, END_ALL]).await;
    };
    let ends = async || administer(&administrator, &[&["CONFIG", "SET", "requirepass", ""]]).await;
    rejects(&server, begins, ends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changed_password_is_503() {
    let server = Redis::alone();
    server.run(&["ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all"]);
    let administrator = administrator(&server).await;
    let begins = async || {
        let set = ["ACL", "SETUSER", "app", "resetpass", ">other"];
        administer(&administrator, &[&set, END_ALL]).await;
    };
    let ends = async || administer(&administrator, &[&["ACL", "SETUSER", "app", ">secret"]]).await;
    rejects(&server.as_user("app:secret"), begins, ends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn user_who_lost_all_permissions_is_503() {
    let server = Redis::alone();
    server.run(&["ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all"]);
    let begins = async || drop(server.run(&["ACL", "SETUSER", "app", "-@all"]));
    let ends = async || drop(server.run(&["ACL", "SETUSER", "app", "+@all"]));
    rejects(&server.as_user("app:secret"), begins, ends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn server_that_evicts_keys_is_not_opened() {
    let server = Redis::alone_with(&["--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"]);
    let rejected = RedisStore::connect(server.url()).await.unwrap_err();
    assert!(matches!(&rejected, ConnectError::Evicts { policy, .. } if policy == "allkeys-lru"));
    server.run(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    RedisStore::connect(server.url()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn full_memory_allows_checks_and_revocations_only() {
    let server = Redis::alone();
    let node = Node::on(&server, settings()).await;
    let [stays, revoked, deleted] = [node.issue().await, node.issue().await, node.issue().await];
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    for token in [&stays, &revoked, &deleted] {
        assert_eq!(node.get(token).await, 200);
    }
    let error = node.hallpass.issue(&alice(), NewToken::named("ci")).await.unwrap_err();
    assert!(matches!(&error, Error::Store(error) if error.is_read_only()), "{error:?}");
    node.hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    node.hallpass.delete(&alice(), deleted.record.id, None).await.unwrap();
    for (token, status) in [(&stays, 200), (&revoked, 401), (&deleted, 401)] {
        assert_eq!(node.get(token).await, status);
    }
    server.run(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(node.get(&node.issue().await).await, 200);
}
