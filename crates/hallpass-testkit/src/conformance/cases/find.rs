use crate::conformance::Nodes;
use crate::conformance::samples::{at, digest, edited, owner, secrets, token};
use hallpass_core::store::{ChangeSeq, TokenStore};

pub async fn an_unknown_token_is_no_error(store: Nodes) {
    let id = token("alice", "never stored").record.id;
    let found = store.find(id).await.unwrap();
    assert!(found.value.is_none());
    assert_eq!(found.as_of, ChangeSeq::ZERO);
}

pub async fn a_snapshot_is_as_recent_as_every_change_that_returned(store: Nodes) {
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
