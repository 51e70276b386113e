//! Tests of errors that the server returns: the store is unavailable, and no token is rejected.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use hallpass_core::store::{StoreError, TokenStore as _};
use hallpass_tests::tokens::{at, event, token};

use super::*;

/// A server that replies to every command with an error, except those that open a store.
struct Rejecting {
    address: std::net::SocketAddr,
}

impl Rejecting {
    fn with(error: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let Ok(connection) = connection else { return };
                std::thread::spawn(move || reject(connection, error));
            }
        });
        Self { address }
    }
}

/// Replies to each read with one response. The store waits for each response, so a command arrives
/// in one piece.
fn reject(mut connection: TcpStream, error: &str) {
    let mut buffer = [0; 16 << 10];
    while let Ok(length @ 1..) = connection.read(&mut buffer) {
        let asked = String::from_utf8_lossy(&buffer[..length]).to_uppercase();
        let hello = "%1\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n";
        // The script that opens a store is identified by its last argument, the version of the data
        // format.
        let is_open =
            asked.contains("EVALSHA") && asked.ends_with("$1\r\n1\r\n") && !asked.contains("WAIT");
        let answer = match () {
            () if asked.contains("HELLO") => hello.to_owned(),
            () if asked.contains("CONFIG") => "%0\r\n".to_owned(),
            () if is_open => "*1\r\n$4\r\ndone\r\n".to_owned(),
            // A lookup is sent together with a second command, which checks that the server is a
            // primary.
            () if asked.contains("WAIT") => format!("-{error}\r\n").repeat(2),
            () => format!("-{error}\r\n"),
        };
        if connection.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Returns the errors of a lookup, of a change and of a list.
async fn errors(store: &RedisStore) -> [StoreError; 3] {
    let token = token("alice", "ci");
    [
        store.get(token.record.id).await.map(drop).unwrap_err(),
        store.insert(&token, None, &event()).await.unwrap_err(),
        store.list(&everything()).await.map(drop).unwrap_err(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn server_error_is_never_an_unknown_token() {
    let away = [
        "LOADING Redis is loading the dataset in memory",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "CLUSTERDOWN The cluster is down",
        "TRYAGAIN Multiple keys request during rehashing of slot",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "NOAUTH Authentication required.",
        "WRONGPASS invalid username-password pair or user is disabled.",
        "NOPERM this user has no permissions to run the 'evalsha' command",
        "MOVED 1234 127.0.0.1:1",
        "ASK 1234 127.0.0.1:1",
        "CROSSSLOT Keys in request don't hash to the same slot",
        "UNKILLABLE whatever",
        "ERR max number of clients reached",
    ];
    for error in away {
        let server = Rejecting::with(error);
        let store = open_at(&format!("redis://{}/", server.address)).await;
        for found in errors(&store).await {
            assert!(found.is_unavailable() && !found.is_outcome_unknown(), "{error}: {found:?}");
            assert!(!found.is_read_only() && !found.is_corrupt(), "{error}: {found:?}");
        }
    }
    let read_only = [
        "READONLY You can't write against a read only replica.",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "NOREPLICAS Not enough good replicas to write.",
    ];
    for error in read_only {
        let server = Rejecting::with(error);
        let store = open_at(&format!("redis://{}/", server.address)).await;
        for found in errors(&store).await {
            assert!(found.is_read_only() && found.is_unavailable(), "{error}: {found:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_server_is_not_waited_for_too_long() {
    let server = server();
    let store = open(&server).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    run(&server, &["CONFIG", "SET", "busy-reply-threshold", "50"]);
    let mut endless = stranger(&server).await;
    let endless = tokio::spawn(async move {
        let forever = redis::cmd("EVAL").arg("while true do end").arg(0).to_owned();
        forever.exec_async(&mut endless).await
    });
    let busy = async {
        loop {
            match store.get(token.record.id).await {
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => return error,
            }
        }
    };
    assert!(busy.await.is_unavailable());
    let rejected = store.delete(token.record.id, None, &event()).await.unwrap_err();
    assert!(rejected.is_unavailable() && !rejected.is_outcome_unknown(), "{rejected:?}");
    run(&server, &["SCRIPT", "KILL"]);
    let _killed = endless.await.unwrap();
    assert!(store.get(token.record.id).await.unwrap().value.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn server_is_used_again_after_a_restart() {
    let server = server();
    let store = open(&server).await;
    let token = token("alice", "ci");
    let seq = store.insert(&token, None, &event()).await.unwrap();
    server.stop().unwrap();
    for error in errors(&store).await {
        assert!(error.is_unavailable(), "{error:?}");
    }
    server.start_again().unwrap();
    let found = store.get(token.record.id).await.unwrap();
    assert_eq!((found.value.unwrap().record, found.as_of), (token.record, seq));
    assert_eq!(store.prune(at(0), 1, &event()).await.unwrap(), 0);
}
