//! How much memory a token takes, all indexes included.

use futures::{StreamExt as _, stream};
use hallpass_core::store::{Secrets, TokenStore as _};
use hallpass_core::{Digest, ScopeSet, TokenRecord};
use jiff::{SignedDuration, Timestamp};

use super::*;

const OWNERS: usize = 1_000;
const TOKENS: usize = 10 * OWNERS;

/// What the server says it uses, in bytes.
fn used(server: &Redis) -> u64 {
    let said = run(server, &["INFO", "memory"]);
    let used = said.lines().find_map(|line| line.strip_prefix("used_memory:"));
    used.expect("a number").trim().parse().expect("a number")
}

/// A token as services have them: named, with two scopes and an expiry, and used once.
fn token(number: usize) -> StoredToken {
    let owner = Owner::new(format!("user-{:06}", number % OWNERS)).unwrap();
    let now = Timestamp::from_millisecond(1_800_000_000_000 + number as i64 * 50).unwrap();
    let id = TokenId::generate(&owner, now).unwrap();
    let mut record = TokenRecord::new(id, owner, format!("deploy-{:03}", number % 1000), now);
    record.scopes = ScopeSet::parse(["projects:read", "jobs:run"]).unwrap();
    record.expires_at = Some(now + SignedDuration::from_hours(24 * 90));
    record.last_used_at = Some(now);
    let mut digest = [0; 32];
    digest.iter_mut().zip(id.as_uuid().as_bytes().repeat(2)).for_each(|(to, from)| *to = from);
    let current = Digest::from_parts("sha256", &digest).unwrap();
    StoredToken { record, secrets: Secrets { current, previous: None } }
}

/// A bare hash of the same fields, with names that take next to nothing.
fn bare(token: &StoredToken) -> redis::Cmd {
    let StoredToken { record, secrets } = token;
    let mut command = redis::cmd("HSET");
    command.arg([b"{hallpass}t", record.id.as_uuid().as_bytes().as_slice()].concat());
    command.arg("o").arg(record.owner.as_str()).arg("n").arg(&record.name);
    command.arg("s").arg(record.scopes.to_string());
    command.arg("c").arg(record.created_at.as_millisecond());
    command.arg("e").arg(record.expires_at.map(Timestamp::as_millisecond));
    command.arg("u").arg(record.last_used_at.map(Timestamp::as_millisecond));
    command.arg("r").arg(1).arg("h").arg(secrets.current.bytes().as_slice());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_all_indexes_takes_little_more_than_a_bare_hash() {
    let bare_server = server();
    let client = redis::Client::open(bare_server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let before = used(&bare_server);
    let tokens: Vec<_> = (0..TOKENS).map(token).collect();
    for some in tokens.chunks(1_000) {
        let mut pipeline = redis::pipe();
        for token in some {
            pipeline.add_command(bare(token)).ignore();
        }
        pipeline.exec_async(&mut connection).await.unwrap();
    }
    let bare = (used(&bare_server) - before) as f64 / TOKENS as f64;

    let server = server();
    let store = open(&server).await;
    // The first brings the scripts and the connections.
    store.insert(&token(TOKENS), None, &event()).await.unwrap();
    let before = used(&server);
    stream::iter(&tokens)
        .for_each_concurrent(64, async |token| {
            store.insert(token, Some(50), &event()).await.unwrap();
        })
        .await;
    // The log is another matter: it is kept for a day.
    run(&server, &["XTRIM", "{hallpass}l", "MAXLEN", "1"]);
    let ours = (used(&server) - before) as f64 / TOKENS as f64;
    println!("{ours:.0} bytes a token, {bare:.0} as a bare hash");
    assert!(ours < bare * 1.2, "{ours} bytes a token, {bare} as a bare hash");
}
