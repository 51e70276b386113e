use hallpass_core::store::{TokenStore as _, TokenUse};

use super::*;

/// Whether a use of a token as it was is noted on what it has become.
async fn a_late_use_is_noted(guards: Guards) -> bool {
    let store = open(&database(), guards).await;
    let token = token("alice", "ci");
    let id = token.record.id;
    store.insert(&token, None, &event()).await.unwrap();
    let usage = TokenUse { id, revision: token.record.revision, at: at(60_000) };
    store.update(&edited(&token.record, |_| {}), &event()).await.unwrap();
    let moved = store.record_uses(&[usage]).await.unwrap();
    let found = store.get(id).await.unwrap().value.unwrap();
    assert_eq!(found.record.last_used_at.is_some(), moved == 1);
    moved == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_is_noted_where_the_token_is_as_it_was() {
    const REVISION: Guards = Guards::without_part("t.revision = used.revision AND ", "");
    assert!(a_late_use_is_noted(REVISION).await);
    assert!(!a_late_use_is_noted(Guards::ON).await);
}

/// Whether an earlier use that is written later takes the later one's place.
async fn the_last_use_goes_back(guards: Guards) -> bool {
    let store = open(&database(), guards).await;
    let token = token("alice", "ci");
    let (id, revision) = (token.record.id, token.record.revision);
    store.insert(&token, None, &event()).await.unwrap();
    for millis in [60_000, 1] {
        store.record_uses(&[TokenUse { id, revision, at: at(millis) }]).await.unwrap();
    }
    let found = store.get(id).await.unwrap().value.unwrap();
    found.record.last_used_at == Some(at(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_moves_forward_only() {
    const FORWARD: Guards =
        Guards::without_part(" AND (t.last_used_at IS NULL OR t.last_used_at < used.at)", "");
    assert!(the_last_use_goes_back(FORWARD).await);
    assert!(!the_last_use_goes_back(Guards::ON).await);
}

/// Whether one token that somebody keeps locked keeps the uses of others from being noted.
async fn all_wait_for_one(guards: Guards) -> bool {
    let url = database();
    let store = open(&url, guards).await;
    let mut uses = Vec::new();
    for name in ["locked", "free"] {
        let token = token("alice", name);
        store.insert(&token, None, &event()).await.unwrap();
        let (id, revision) = (token.record.id, token.record.revision);
        uses.push(TokenUse { id, revision, at: at(60_000) });
    }
    let mut other = Stranger::at(&url).await;
    other.run("BEGIN; SELECT FROM hallpass.tokens WHERE name = 'locked' FOR UPDATE").await;
    let touched = store.record_uses(&uses).await;
    match touched {
        Ok(moved) => assert_eq!(moved, 1),
        Err(error) => assert!(error.is_unavailable(), "{error:?}"),
    }
    store.get(uses[1].id).await.unwrap().value.unwrap().record.last_used_at.is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_token_keeps_no_other_waiting() {
    const SKIPPED: Guards = Guards::without_part(" SKIP LOCKED", "");
    assert!(all_wait_for_one(SKIPPED).await);
    assert!(!all_wait_for_one(Guards::ON).await);
}
