//! Tests with a server whose memory is full: inserts fail, and tokens can still be revoked and
//! deleted.

use hallpass_core::store::{Change, ChangeKind, TokenStore as _, TokenUse};
use hallpass_tests::tokens::{at, digest, edited, owner, secrets, token};

use super::*;

#[tokio::test]
async fn tokens_can_be_revoked_when_memory_is_full() {
    let server = server();
    let store = open(&server).await;
    let mut tokens = Vec::new();
    for number in 0..8 {
        let token = token(if number < 6 { "alice" } else { "bob" }, "ci");
        store.insert(&token, None, &event()).await.unwrap();
        tokens.push(token.record);
    }
    // This is less than the memory that is already used.
    run(&server, &["CONFIG", "SET", "maxmemory", "1"]);

    let usage = TokenUse { id: tokens[0].id, revision: tokens[0].revision, at: at(1) };
    let renamed = edited(&tokens[0], |record| record.name = "renamed".into());
    for rejected in [
        store.insert(&token("alice", "ci"), None, &event()).await.map(drop),
        store.update(&renamed, &event()).await.map(drop),
        store.replace_digest(tokens[0].id, &digest(1), &secrets(2), &event()).await.map(drop),
        store.record_uses(&[usage]).await.map(drop),
    ] {
        let rejected = rejected.unwrap_err();
        assert!(rejected.is_read_only() && rejected.is_unavailable(), "{rejected:?}");
    }
    assert_eq!(head(&store).await, 8, "a failed call has changed something");

    assert_eq!(store.get(tokens[0].id).await.unwrap().value.unwrap().record, tokens[0]);
    assert_eq!(store.list(&everything()).await.unwrap().counts.of(None), 8);
    let revoke = edited(&tokens[0], |record| record.revoked_at = Some(at(1)));
    store.update(&Change { kind: ChangeKind::Revoked, ..revoke }, &event()).await.unwrap();
    store.delete(tokens[1].id, None, &event()).await.unwrap();
    let ids = [tokens[2].id, tokens[3].id];
    assert_eq!(store.delete_many(None, &ids, &event()).await.unwrap().tokens.len(), 2);
    store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    assert_eq!(store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap().count, 2);
    assert_eq!(store.delete_owner(&owner("bob"), &event()).await.unwrap().count, 2);
    assert_eq!(store.prune(at(2), 10, &event()).await.unwrap(), 3);
    assert!(store.prune_log(at(2), 5).await.unwrap() > 0);
    assert_eq!(store.list(&everything()).await.unwrap().counts.of(None), 0);
    // A store can still be opened.
    open(&server).await.ping().await.unwrap();

    run(&server, &["CONFIG", "SET", "maxmemory", "0"]);
    store
        .insert(&token("alice", "ci"), None, &event())
        .await
        .expect("the insert fails although there is memory again");
}
