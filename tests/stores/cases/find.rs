use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::store::{Seq, TokenStore};
use hallpass_tests::tokens::{at, digest, edited, owner, secrets, token};

pub(crate) async fn an_unknown_token_is_no_error(store: impl TokenStore) {
    let id = token("alice", "never stored").record.id;
    let found = store.find(id).await.unwrap();
    assert!(found.value.is_none());
    assert_eq!(found.as_of, Seq::ZERO);
}

pub(crate) async fn a_snapshot_is_as_recent_as_every_change_that_returned(store: impl TokenStore) {
    let (mut one, two, three) = (token("alice", "1"), token("alice", "2"), token("bob", "3"));
    let alice = owner("alice");
    let mut returned = Vec::new();
    let other = token("carol", "looked at meanwhile").record.id;
    // What has returned is in every snapshot after, of whatever token.
    macro_rules! after {
        ($seq:expr) => {
            returned.push($seq);
            for id in [one.record.id, other] {
                let as_of = store.find(id).await.unwrap().as_of;
                assert!(as_of >= *returned.last().unwrap(), "{as_of:?}: {returned:?}");
            }
        };
    }
    after!(store.insert(&one, None).await.unwrap());
    after!(store.insert(&two, Some(2)).await.unwrap());
    after!(store.insert(&three, None).await.unwrap());
    let change = edited(&one.record, |record| record.name.push('x'));
    after!(store.change(&change).await.unwrap());
    one.record = change.record;
    after!(store.rekey(one.record.id, &digest(1), &secrets(2)).await.unwrap());
    after!(store.announce(&alice).await.unwrap());
    after!(store.delete(three.record.id, None).await.unwrap());
    after!(store.revoke_owner(&alice, at(1)).await.unwrap().seq.unwrap());
    after!(store.delete_many(None, &[two.record.id]).await.unwrap().seq.unwrap());
    after!(store.delete_owner(&alice).await.unwrap().seq.unwrap());
    assert!(returned.is_sorted_by(|a, b| a < b), "{returned:?}");
}

pub(crate) async fn a_snapshot_shows_every_change_up_to_its_number_and_none_after(
    store: impl TokenStore,
) {
    let store = Arc::new(store);
    let token = token("alice", "ci");
    let first = store.insert(&token, None).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    // Nothing but this token changes, so each number of the log is one revision of it.
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (store, done, id) = (store.clone(), done.clone(), token.record.id);
            tokio::spawn(async move {
                let mut snapshots = 0_u32;
                while !done.load(Ordering::Relaxed) || snapshots == 0 {
                    let found = store.find(id).await.unwrap();
                    let record = found.value.unwrap().record;
                    let changes = found.as_of.get() - first.get();
                    assert_eq!(record.revision.get(), 1 + changes, "record and number disagree");
                    snapshots += 1;
                }
            })
        })
        .collect();
    let mut record = token.record;
    for round in 0..100 {
        let change = edited(&record, |record| record.name = format!("round {round}"));
        store.change(&change).await.unwrap();
        record = change.record;
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
}
