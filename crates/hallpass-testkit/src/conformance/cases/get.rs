//! Reads of one token.

use crate::conformance::Replicas;
use crate::conformance::samples::{at, digest, edited, event, owner, secrets, token};
use hallpass_core::store::{ChangeSeq, TokenStore};

pub async fn get_of_an_unknown_token_returns_none(store: Replicas) {
    let id = token("alice", "never stored").record.id;
    let snapshot = store.get(id).await.unwrap();
    assert!(snapshot.value.is_none());
    assert_eq!(snapshot.as_of, ChangeSeq::ZERO);
}

pub async fn get_sees_every_change_that_returned(store: Replicas) {
    let (mut one, two, three) = (token("alice", "1"), token("alice", "2"), token("bob", "3"));
    let alice = owner("alice");
    let mut returned = Vec::new();
    let other = token("carol", "looked at meanwhile").record.id;
    // A change that has returned is part of every later snapshot, also of other tokens.
    macro_rules! after {
        ($seq:expr) => {
            returned.push($seq);
            for id in [one.record.id, other] {
                let as_of = store.get(id).await.unwrap().as_of;
                assert!(as_of >= *returned.last().unwrap(), "{as_of:?}: {returned:?}");
            }
        };
    }
    after!(store.insert(&one, None, &event()).await.unwrap());
    after!(store.insert(&two, Some(2), &event()).await.unwrap());
    after!(store.insert(&three, None, &event()).await.unwrap());
    let change = edited(&one.record, |record| record.name.push('x'));
    after!(store.update(&change, &event()).await.unwrap());
    one.record = change.record;
    after!(store.replace_digest(one.record.id, &digest(1), &secrets(2), &event()).await.unwrap());
    after!(store.log_owner_change(&alice, &event()).await.unwrap());
    after!(store.delete(three.record.id, None, &event()).await.unwrap());
    after!(store.revoke_owner(&alice, None, at(1), &event()).await.unwrap().seq.unwrap());
    after!(store.delete_many(None, &[two.record.id], &event()).await.unwrap().seq.unwrap());
    after!(store.delete_owner(&alice, &event()).await.unwrap().seq.unwrap());
    assert!(returned.is_sorted_by(|a, b| a < b), "{returned:?}");
}
