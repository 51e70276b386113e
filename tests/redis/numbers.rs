//! Tests of numbers that exceed the precision of Lua numbers.

use hallpass_core::Revision;
use hallpass_core::store::{TokenStore as _, TokenUse};
use hallpass_tests::tokens::{at, edited, event, owner, token};

use super::*;

/// The number 2^53 + 1, the first integer that a double cannot represent.
const FIRST: u64 = (1 << 53) + 1;

#[tokio::test]
async fn log_numbers_beyond_2_pow_53_are_exact() {
    let server = server();
    let store = open(&server).await;
    for first in [FIRST, (i64::MAX - 20).unsigned_abs()] {
        run(&server, &["SET", "{hallpass}c", &first.to_string()]);
        let token = token("alice", "ci");
        assert_eq!(store.insert(&token, None, &event()).await.unwrap().get(), first + 1);
        let place = store.changes(None, 0).await.unwrap().head;
        assert_eq!(store.get(token.record.id).await.unwrap().as_of.get(), first + 1);
        assert_eq!(
            store
                .revoke_owner(&owner("alice"), None, at(1), &event())
                .await
                .unwrap()
                .seq
                .unwrap()
                .get(),
            first + 2
        );
        let gone = store.delete_many(None, &[token.record.id], &event()).await.unwrap();
        assert_eq!(gone.seq.unwrap().get(), first + 3);
        let log = store.changes(Some(place), 10).await.unwrap();
        let lines: Vec<_> = log.entries.iter().map(|line| line.position.seq.get()).collect();
        assert_eq!(lines, [first + 1, first + 2, first + 3]);
        assert_eq!(log.entries[0].position, place);
        assert_eq!(log.entries[2].position, log.head);
    }
}

#[tokio::test]
async fn exhausted_clock_prevents_changes() {
    let server = server();
    let store = open(&server).await;
    run(&server, &["SET", "{hallpass}c", &i64::MAX.to_string()]);
    let token = token("alice", "ci");
    assert!(store.insert(&token, None, &event()).await.unwrap_err().is_unavailable());
    assert!(store.get(token.record.id).await.unwrap().value.is_none());
    assert_eq!(store.list(&everything()).await.unwrap().counts.of(None), 0);
}

#[tokio::test]
async fn revisions_beyond_2_pow_53_are_exact() {
    let server = server();
    let store = open(&server).await;
    for first in [FIRST, 255, 0xFFFF, (1 << 56) - 1] {
        let mut token = token("alice", "ci");
        token.record.revision = Revision::new(first);
        store.insert(&token, None, &event()).await.unwrap();
        let id = token.record.id;
        let before = edited(&token.record, |record| record.revision = Revision::new(first - 1));
        assert!(store.update(&before, &event()).await.unwrap_err().is_conflict());
        let late = TokenUse { id, revision: Revision::new(first - 1), at: at(1) };
        assert_eq!(store.record_uses(&[late]).await.unwrap(), 0);
        store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap();
        let found = store.get(id).await.unwrap().value.unwrap().record;
        assert_eq!(found.revision.get(), first + 1);
        store
            .update(&edited(&found, |record| record.name = "renamed".into()), &event())
            .await
            .unwrap();
        let right = Revision::new(first + 2);
        assert!(store.delete(id, Some(right.next()), &event()).await.unwrap_err().is_conflict());
        store.delete(id, Some(right), &event()).await.unwrap();
    }
}
