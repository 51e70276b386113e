use hallpass_core::store::{TokenStore as _, TokenUse};

use super::*;

/// Whether a use of a token as it was is noted on what it has become.
async fn a_late_use_is_noted(guards: Guards) -> bool {
    let server = server();
    let store = open(server.url(), guards).await;
    let token = token("alice", "ci");
    let id = token.record.id;
    store.insert(&token, None).await.unwrap();
    let usage = TokenUse { id, revision: token.record.revision, at: at(60_000) };
    store.change(&edited(&token.record, |_| {})).await.unwrap();
    let moved = store.touch(&[usage]).await.unwrap();
    let found = store.find(id).await.unwrap().value.unwrap();
    assert_eq!(found.record.last_used_at.is_some(), moved == 1);
    moved == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_is_noted_where_the_token_is_as_it_was() {
    const REVISION: Guards = Guards::without_line(
        " and string.sub(value, 3, 10) == string.sub(uses, at + 17, at + 24)",
        "",
    );
    assert!(a_late_use_is_noted(REVISION).await);
    assert!(!a_late_use_is_noted(Guards::ON).await);
}

/// Whether an earlier use that is written later takes the later one's place.
async fn the_last_use_goes_back(guards: Guards) -> bool {
    let server = server();
    let store = open(server.url(), guards).await;
    let token = token("alice", "ci");
    let (id, revision) = (token.record.id, token.record.revision);
    store.insert(&token, None).await.unwrap();
    for millis in [60_000, 1] {
        store.touch(&[TokenUse { id, revision, at: at(millis) }]).await.unwrap();
    }
    let found = store.find(id).await.unwrap().value.unwrap();
    found.record.last_used_at == Some(at(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_moves_forward_only() {
    const FORWARD: Guards =
        Guards::without_line("number(value, before + 1) < number(time)", "true");
    assert!(the_last_use_goes_back(FORWARD).await);
    assert!(!the_last_use_goes_back(Guards::ON).await);
}
