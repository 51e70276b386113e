use hallpass_core::store::{TokenStore as _, TokenUse};
use hallpass_testkit::conformance::samples::{at, edited, event, token};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn use_of_an_earlier_revision_is_dropped() {
    let store = open(&database()).await;
    let token = token("alice", "ci");
    let id = token.record.id;
    store.insert(&token, None, &event()).await.unwrap();
    let usage = TokenUse { id, revision: token.record.revision, at: at(60_000) };
    store.update(&edited(&token.record, |_| {}), &event()).await.unwrap();
    assert_eq!(store.record_uses(&[usage]).await.unwrap(), 0);
    let found = store.get(id).await.unwrap().value.unwrap();
    assert_eq!(found.record.last_used_at, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn last_use_never_moves_back() {
    let store = open(&database()).await;
    let token = token("alice", "ci");
    let (id, revision) = (token.record.id, token.record.revision);
    store.insert(&token, None, &event()).await.unwrap();
    for millis in [60_000, 1] {
        store.record_uses(&[TokenUse { id, revision, at: at(millis) }]).await.unwrap();
    }
    let found = store.get(id).await.unwrap().value.unwrap();
    assert_eq!(found.record.last_used_at, Some(at(60_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_token_does_not_block_the_uses_of_others() {
    let url = database();
    let store = open(&url).await;
    let mut uses = Vec::new();
    for name in ["locked", "free"] {
        let token = token("alice", name);
        store.insert(&token, None, &event()).await.unwrap();
        let (id, revision) = (token.record.id, token.record.revision);
        uses.push(TokenUse { id, revision, at: at(60_000) });
    }
    let mut other = Stranger::connect(&url).await;
    other.run("BEGIN; SELECT FROM hallpass.tokens WHERE name = 'locked' FOR UPDATE").await;
    assert_eq!(store.record_uses(&uses).await.unwrap(), 1);
    let found = store.get(uses[1].id).await.unwrap().value.unwrap();
    assert_eq!(found.record.last_used_at, Some(at(60_000)));
}
