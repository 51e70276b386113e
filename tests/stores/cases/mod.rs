//! One file for each promise.

pub(crate) mod change;
pub(crate) mod delete;
pub(crate) mod find;
pub(crate) mod insert;
pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod prune;
pub(crate) mod touch;

use hallpass_core::TokenId;
use hallpass_core::store::{Affected, LoggedChange, Position, StoredToken, TokenStore};

/// The token, which must be there.
async fn read(store: &impl TokenStore, id: TokenId) -> StoredToken {
    store.find(id).await.expect("an answer").value.expect("the token")
}

/// Whether there is such a token.
async fn exists(store: &impl TokenStore, id: TokenId) -> bool {
    store.find(id).await.expect("an answer").value.is_some()
}

/// How far the log has come.
async fn head(store: &impl TokenStore) -> Position {
    store.changes(None, 0).await.expect("an answer").head
}

/// What was logged behind that place.
async fn logged_since(store: &impl TokenStore, place: Position) -> Vec<Affected> {
    let lines = store.changes(Some(place), 10_000).await.expect("an answer").lines;
    lines.into_iter().filter(|line| line.at.seq > place.seq).map(|line| line.scope).collect()
}

/// Fails unless each line has the number after the one before, and a nonce of its own.
fn assert_unbroken(lines: &[LoggedChange]) {
    for pair in lines.windows(2) {
        assert_eq!(pair[1].at.seq, pair[0].at.seq.next(), "a gap");
        assert_ne!(pair[1].at.nonce, pair[0].at.nonce, "the same nonce twice");
    }
}

/// Fails unless both are the same token, its digests included.
fn assert_same(one: &StoredToken, other: &StoredToken) {
    assert_eq!(one.record, other.record);
    assert!(one.secrets.current.ct_eq(&other.secrets.current), "another digest");
    match (&one.secrets.previous, &other.secrets.previous) {
        (None, None) => {}
        (Some(one), Some(other)) => {
            assert!(one.digest.ct_eq(&other.digest), "another digest before");
            assert_eq!(one.until, other.until);
        }
        (one, other) => panic!("{one:?} is not {other:?}"),
    }
}
