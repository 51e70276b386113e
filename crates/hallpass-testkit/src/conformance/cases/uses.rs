//! Recorded uses change only the time of last use, and revive no deleted or changed token.

use hallpass_core::Revision;
use hallpass_core::store::{TokenStore, TokenUse};

use super::check::{assert_same, at_once, exists, head, read};
use crate::conformance::Replicas;
use crate::conformance::samples::{at, digest, edited, event, owner, secrets, token};

pub async fn record_uses_only_moves_forward(store: Replicas) {
    let mut tokens = [token("alice", "1"), token("alice", "2"), token("bob", "3")];
    tokens[1].record.last_used_at = Some(at(60));
    for token in &tokens {
        store.insert(token, None, &event()).await.unwrap();
    }
    let usage = |token: usize, millis| TokenUse {
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
        assert_eq!(store.record_uses(&uses).await.unwrap(), moved, "{uses:?}");
        for (token, millis) in expected.into_iter().enumerate() {
            let last_used_at = read(&store, tokens[token].record.id).await.record.last_used_at;
            assert_eq!(last_used_at, millis.map(at), "{uses:?}");
        }
    }
    // Only the column `last_used_at` of the used tokens has changed.
    tokens[0].record.last_used_at = Some(at(51));
    tokens[1].record.last_used_at = Some(at(61));
    for token in &tokens {
        assert_same(&read(&store, token.record.id).await, token);
    }
}

pub async fn use_of_another_revision_is_dropped(store: Replicas) {
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let change = edited(&token.record, |record| record.name = "changed".into());
    store.update(&change, &event()).await.unwrap();
    let usage = |revision| TokenUse { id: token.record.id, revision, at: at(50) };
    let (old, now, future) =
        (Revision::FIRST, change.record.revision, change.record.revision.next());
    assert_eq!(store.record_uses(&[usage(old), usage(future)]).await.unwrap(), 0);
    assert_eq!(read(&store, token.record.id).await.record, change.record);
    assert_eq!(store.record_uses(&[usage(old), usage(now)]).await.unwrap(), 1);
}

pub async fn late_use_does_not_restore_a_token(store: Replicas) {
    let (deleted, revoked) = (token("alice", "deleted"), token("alice", "revoked"));
    for token in [&deleted, &revoked] {
        store.insert(token, None, &event()).await.unwrap();
    }
    store.delete(deleted.record.id, None, &event()).await.unwrap();
    let change = edited(&revoked.record, |record| record.revoked_at = Some(at(1)));
    store.update(&change, &event()).await.unwrap();
    let late = [deleted, revoked].map(|token| TokenUse {
        id: token.record.id,
        revision: Revision::FIRST,
        at: at(50),
    });
    assert_eq!(store.record_uses(&late).await.unwrap(), 0);
    assert!(!exists(&store, late[0].id).await);
    assert_eq!(read(&store, late[1].id).await.record, change.record);
}

pub async fn record_uses_writes_no_entry(store: Replicas) {
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let before = head(&store).await;
    let usage = TokenUse { id: token.record.id, revision: Revision::FIRST, at: at(50) };
    assert_eq!(store.record_uses(&[usage]).await.unwrap(), 1);
    assert_eq!(head(&store).await, before);
}

pub async fn large_batch_of_uses_is_written_completely(store: Replicas) {
    // A flush of a busy node has this many uses. Most of their tokens do not exist any more.
    let mut uses: Vec<TokenUse> = (0..5000)
        .map(|number| TokenUse {
            id: token("alice", &number.to_string()).record.id,
            revision: Revision::FIRST,
            at: at(number),
        })
        .collect();
    let tokens = ["first", "middle", "last"].map(|name| token("alice", name));
    for (place, token) in [0, 2500, 4999].into_iter().zip(&tokens) {
        store.insert(token, None, &event()).await.unwrap();
        uses[place].id = token.record.id;
    }
    assert_eq!(store.record_uses(&uses).await.unwrap(), 3);
    for (millis, token) in [0, 2500, 4999].into_iter().zip(&tokens) {
        assert_eq!(read(&store, token.record.id).await.record.last_used_at, Some(at(millis)));
    }
}

pub async fn concurrent_uses_leave_the_latest_time(store: Replicas) {
    let tokens = [token("alice", "1"), token("alice", "2")];
    for token in &tokens {
        store.insert(token, None, &event()).await.unwrap();
    }
    let [a, b] = tokens.each_ref().map(|token| token.record.id);
    // Replicas write their uses in any order, and so do the tokens of a batch.
    let flushes = (0..40_i64).map(|number| {
        let store = store.clone();
        let millis = number * 7 % 40;
        let usage = |id| TokenUse { id, revision: Revision::FIRST, at: at(millis) };
        let mut uses = [usage(a), usage(b)];
        if number % 2 == 0 {
            uses.reverse();
        }
        async move { store.record_uses(&uses).await.unwrap() }
    });
    let moved: u64 = at_once(flushes).await.into_iter().sum();
    assert!((2..=80).contains(&moved), "{moved}");
    for id in [a, b] {
        assert_eq!(read(&store, id).await.record.last_used_at, Some(at(39)));
    }
}

pub async fn uses_racing_with_changes_revive_nothing(store: Replicas) {
    for end in 0..6 {
        let mut token = token("alice", "ci");
        store.insert(&token, None, &event()).await.unwrap();
        let id = token.record.id;
        let flushes = (0..8).map(|number| {
            let store = store.clone();
            async move {
                let usage = TokenUse { id, revision: Revision::FIRST, at: at(number) };
                store.record_uses(&[usage]).await.unwrap();
            }
        });
        let flushes: Vec<_> = flushes.map(tokio::spawn).collect();
        // Each operation that ends or changes a token races with earlier uses.
        let change = edited(&token.record, |record| record.revoked_at = Some(at(1)));
        match end {
            0 => drop(store.delete(id, None, &event()).await.unwrap()),
            1 => drop(store.delete_owner(&owner("alice"), &event()).await.unwrap()),
            2 => drop(store.delete_many(None, &[id], &event()).await.unwrap()),
            3 => drop(store.update(&change, &event()).await.unwrap()),
            4 => drop(store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap()),
            _ => drop(store.replace_digest(id, &digest(1), &secrets(2), &event()).await.unwrap()),
        }
        let after = head(&store).await;
        let last_used_at = match end {
            3 | 4 => read(&store, id).await.record.last_used_at,
            _ => None,
        };
        for flush in flushes {
            flush.await.expect("no panic");
        }
        assert_eq!(head(&store).await, after, "a use wrote a log entry");
        match end {
            0..=2 => assert!(!exists(&store, id).await, "a late use restored a deleted token"),
            3 | 4 => {
                token.record = edited(&token.record, |record| {
                    (record.revoked_at, record.last_used_at) = (Some(at(1)), last_used_at);
                })
                .record;
                assert_same(&read(&store, id).await, &token);
            }
            // The revision is the same, so the use counts. The digests stay.
            _ => {
                (token.secrets, token.record.last_used_at) = (secrets(2), Some(at(7)));
                assert_same(&read(&store, id).await, &token);
            }
        }
        store.delete_owner(&owner("alice"), &event()).await.unwrap();
    }
}
