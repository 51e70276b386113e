use hallpass_core::Revision;
use hallpass_core::store::{TokenStore, Use};
use hallpass_tests::tokens::{at, edited, token};

use super::{assert_same, exists, head, read};

pub(crate) async fn a_use_moves_forward_only(store: impl TokenStore) {
    let mut tokens = [token("alice", "1"), token("alice", "2"), token("bob", "3")];
    tokens[1].record.last_used_at = Some(at(60));
    for token in &tokens {
        store.insert(token, None).await.unwrap();
    }
    let usage = |token: usize, millis| Use {
        id: tokens[token].record.id,
        revision: Revision::FIRST,
        at: at(millis),
    };
    let steps = [
        (vec![usage(0, 50), usage(1, 50)], 1, [Some(50), Some(60)]),
        (vec![usage(0, 40), usage(1, 60)], 0, [Some(50), Some(60)]),
        (vec![usage(0, 51), usage(1, 61)], 2, [Some(51), Some(61)]),
        (vec![], 0, [Some(51), Some(61)]),
    ];
    for (uses, moved, expected) in steps {
        assert_eq!(store.touch(&uses).await.unwrap(), moved, "{uses:?}");
        for (token, millis) in expected.into_iter().enumerate() {
            let found = read(&store, tokens[token].record.id).await.record.last_used_at;
            assert_eq!(found, millis.map(at), "{uses:?}");
        }
    }
    // One column, of those tokens.
    tokens[0].record.last_used_at = Some(at(51));
    tokens[1].record.last_used_at = Some(at(61));
    for token in &tokens {
        assert_same(&read(&store, token.record.id).await, token);
    }
}

pub(crate) async fn a_use_of_another_revision_is_dropped(store: impl TokenStore) {
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    let change = edited(&token.record, |record| record.name = "changed".into());
    store.change(&change).await.unwrap();
    let usage = |revision| Use { id: token.record.id, revision, at: at(50) };
    let (old, now, future) =
        (Revision::FIRST, change.record.revision, change.record.revision.next());
    assert_eq!(store.touch(&[usage(old), usage(future)]).await.unwrap(), 0);
    assert_eq!(read(&store, token.record.id).await.record, change.record);
    assert_eq!(store.touch(&[usage(old), usage(now)]).await.unwrap(), 1);
}

pub(crate) async fn a_use_brings_nothing_back(store: impl TokenStore) {
    let (deleted, revoked) = (token("alice", "deleted"), token("alice", "revoked"));
    for token in [&deleted, &revoked] {
        store.insert(token, None).await.unwrap();
    }
    store.delete(deleted.record.id, None).await.unwrap();
    let change = edited(&revoked.record, |record| record.revoked_at = Some(at(1)));
    store.change(&change).await.unwrap();
    let late = [deleted, revoked].map(|token| Use {
        id: token.record.id,
        revision: Revision::FIRST,
        at: at(50),
    });
    assert_eq!(store.touch(&late).await.unwrap(), 0);
    assert!(!exists(&store, late[0].id).await);
    assert_eq!(read(&store, late[1].id).await.record, change.record);
}

pub(crate) async fn a_use_is_not_logged(store: impl TokenStore) {
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    let before = head(&store).await;
    let usage = Use { id: token.record.id, revision: Revision::FIRST, at: at(50) };
    assert_eq!(store.touch(&[usage]).await.unwrap(), 1);
    assert_eq!(head(&store).await, before);
}
