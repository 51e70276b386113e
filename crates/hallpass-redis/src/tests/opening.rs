use hallpass_core::store::TokenStore as _;

use super::*;
use crate::ConnectError;

/// Whether a token is unknown that nobody has taken away, on a server that makes room for others.
async fn makes_room_of_a_token(guards: Guards) -> bool {
    let server = server();
    // What is used least goes first: a token, not what each script uses.
    run(&server, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lfu"]);
    run(&server, &["CONFIG", "SET", "maxmemory", "1gb"]);
    let store = match RedisStore::connect_with(server.url(), settings(guards)).await {
        Ok(store) => store,
        Err(error) => {
            assert!(matches!(error, ConnectError::Evicts { .. }), "{error:?}");
            return false;
        }
    };
    let mut ids = Vec::new();
    for _ in 0..200 {
        let mut token = token("alice", "ci");
        token.record.description = "d".repeat(1000);
        store.insert(&token, None).await.unwrap();
        ids.push(token.record.id);
    }
    let memory = run(&server, &["INFO", "memory"]);
    let used = memory.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    let less = used.trim().parse::<u64>().unwrap() - 100_000;
    run(&server, &["CONFIG", "SET", "maxmemory", &less.to_string()]);
    for id in ids {
        if store.find(id).await.unwrap().value.is_none() {
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_evicts_is_no_store() {
    assert!(makes_room_of_a_token(Guards::without(Guard::KeepsAll)).await);
    assert!(!makes_room_of_a_token(Guards::ON).await);
}
