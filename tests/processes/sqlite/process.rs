//! A program that works on a store, for the tests with several processes on one file. Its arguments
//! name the task. It writes its results to standard output, line by line.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use hallpass_core::store::{StoreError, TokenStore as _};
use hallpass_sqlite::SqliteStore;
use hallpass_tests::tokens::{at, edited, event, owner, token};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [task, path] = arguments[..] else {
        panic!("usage: process TASK PATH");
    };
    let store = open(path).await;
    match task {
        "issue" => issue(store).await,
        "churn" => churn(store).await,
        "fill" => fill(store).await,
        "mix" => mix(store).await,
        other => panic!("unknown task: {other}"),
    }
}

async fn open(path: impl AsRef<Path>) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(path).await.expect("the store opens"))
}

fn say(line: impl std::fmt::Display) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("cannot write to standard output");
}

/// Issues 50 tokens of alice concurrently, as far as the limit of 50 allows. Starts when it reads a
/// line.
async fn issue(store: Arc<SqliteStore>) {
    say("ready");
    io::stdin().read_line(&mut String::new()).expect("cannot read from standard input");
    let inserts: Vec<_> = (0..50)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(
                async move { store.insert(&token("alice", "ci"), Some(50), &event()).await },
            )
        })
        .collect();
    for insert in inserts {
        match insert.await.expect("no panic") {
            Ok(_) => say("issued"),
            Err(error) if error.limit_in_use().is_some() => say("limit"),
            Err(error) => say(format!("{error}: {:?}", std::error::Error::source(&error))),
        }
    }
}

/// Issues and revokes tokens, and reports each call that has returned, until it is killed.
async fn churn(store: Arc<SqliteStore>) {
    loop {
        let token = token("alice", "ci");
        store.insert(&token, None, &event()).await.expect("an insert");
        say(format!("issued {}", token.record.id));
        let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
        store.update(&revoke, &event()).await.expect("a change");
        say(format!("revoked {}", token.record.id));
    }
}

/// Issues tokens until the disk is full, then a few more, then reads the first one.
async fn fill(store: Arc<SqliteStore>) {
    let first = token("alice", "first");
    store.insert(&first, None, &event()).await.expect("cannot insert the first token");
    let mut rejected = 0;
    while rejected < 3 {
        let mut token = token("alice", "big");
        token.record.description = "x".repeat(1_000);
        if let Err(error) = store.insert(&token, None, &event()).await {
            rejected += 1;
            let read_only = error.is_read_only();
            say(format!("rejected, read only: {read_only}"));
        }
    }
    let found = store.get(first.record.id).await.expect("reads must succeed");
    say(format!("found: {}", found.value.is_some()));
}

/// Makes a change. Tries again if the file was locked for too long, because then nothing was
/// changed.
async fn made<T>(change: impl AsyncFn() -> Result<T, StoreError>) -> T {
    loop {
        match change().await {
            Err(error) if error.is_unavailable() => {}
            done => return done.expect("a change"),
        }
    }
}

/// Makes changes of each kind for an owner of its own, and reports each with its number. Starts
/// when it reads a line.
async fn mix(store: Arc<SqliteStore>) {
    let name = format!("process {}", std::process::id());
    let me = owner(&name);
    say("ready");
    io::stdin().read_line(&mut String::new()).expect("cannot read from standard input");
    for round in 0..15 {
        let (one, two) = (token(&name, "one"), token(&name, "two"));
        for token in [&one, &two] {
            let seq = made(async || store.insert(token, Some(2), &event()).await).await;
            say(format!("{} token {}", seq.get(), token.record.id));
        }
        let rename = edited(&one.record, |record| record.name = format!("round {round}"));
        let seq = made(async || store.update(&rename, &event()).await).await;
        say(format!("{} token {}", seq.get(), one.record.id));
        let seq = made(async || store.revoke_owner(&me, None, at(1), &event()).await).await.seq;
        say(format!("{} owner {name}", seq.expect("two tokens must be revoked").get()));
        let seq = made(async || store.delete(two.record.id, None, &event()).await).await;
        say(format!("{} token {}", seq.get(), two.record.id));
        let seq = made(async || store.delete_owner(&me, &event()).await).await.seq;
        say(format!("{} owner {name}", seq.expect("one token must be left").get()));
    }
}
