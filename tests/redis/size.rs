//! Measures the memory of a token with all indexes.

use futures::{StreamExt as _, stream};
use hallpass_core::store::{Secrets, TokenStore as _};
use hallpass_core::{Digest, ScopeSet, TokenRecord};
use jiff::{SignedDuration, Timestamp};

use super::*;

const OWNERS: usize = 1_000;
const TOKENS: usize = 10 * OWNERS;

/// Returns the memory usage that the server reports, in bytes.
fn used(server: &Redis) -> u64 {
    let said = run(server, &["INFO", "memory"]);
    let used = said.lines().find_map(|line| line.strip_prefix("used_memory:"));
    used.expect("a number").trim().parse().expect("a number")
}

/// Returns a typical token: with a name, two scopes and an expiry, and used once.
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
    let current = Digest::from_parts("sha256-v1", &digest).unwrap();
    StoredToken { record, secrets: Secrets { current, previous: None } }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_with_all_indexes_takes_at_most_450_bytes() {
    let server = server();
    let store = open(&server).await;
    // The first insert loads the script and opens the connection.
    store.insert(&token(TOKENS), None, &event()).await.unwrap();
    let tokens: Vec<_> = (0..TOKENS).map(token).collect();
    let before = used(&server);
    stream::iter(&tokens)
        .for_each_concurrent(64, async |token| {
            store.insert(token, Some(50), &event()).await.unwrap();
        })
        .await;
    // The log, its indexes and the outcomes of the last day do not belong to the tokens.
    run(&server, &["XTRIM", "{hallpass}l", "MAXLEN", "1"]);
    let forget = "for _, prefix in ipairs({'f', 'lo', 'lt'}) do \
                  for _, key in ipairs(redis.call('KEYS', '{hallpass}' .. prefix .. '*')) do \
                  redis.call('DEL', key) end end";
    run(&server, &["EVAL", forget, "0"]);
    let bytes = (used(&server) - before) / TOKENS as u64;
    println!("{bytes} bytes per token");
    assert!(bytes <= 450, "{bytes} bytes per token");
}
