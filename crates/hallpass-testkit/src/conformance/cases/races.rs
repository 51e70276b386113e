//! Of concurrent calls that exclude each other, exactly one succeeds.

use std::collections::HashMap;

use hallpass_core::store::{BulkResult, Change, ChangeSeq, ChangeTarget, StoreError, TokenStore};
use hallpass_core::{Revision, TokenId};
use tokio::task::yield_now;

use super::check::{assert_same, at_once, exists, head, logged_since, read, whole_log};
use crate::conformance::Replicas;
use crate::conformance::samples::{at, digest, edited, event, owner, secrets, token};

/// The result of one of several concurrent calls, each of which may be the one that succeeds.
type Outcome = Result<ChangeSeq, StoreError>;

pub async fn one_of_many_concurrent_inserts_of_an_id_succeeds(store: Replicas) {
    let first = token("alice", "ci");
    let inserts = (0..20_u8).map(|number| {
        let (store, mut token) = (store.clone(), first.clone());
        token.secrets = secrets(number);
        async move { (number, store.insert(&token, Some(50), &event()).await) }
    });
    let mut winners = Vec::new();
    for (number, answer) in at_once(inserts).await {
        match answer {
            Ok(_) => winners.push(number),
            Err(rejected) => assert!(rejected.is_duplicate(), "{rejected}"),
        }
    }
    assert_eq!(winners.len(), 1);
    let stored = read(&store, first.record.id).await;
    assert!(
        stored.secrets.current.ct_eq(&digest(winners[0])),
        "the stored secret is not that of the successful call"
    );
    assert_eq!(whole_log(&store).await.len(), 1);
}

pub async fn one_of_many_concurrent_replace_digest_succeeds(store: Replicas) {
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let id = token.record.id;
    let rekeys =
        (2..22_u8).map(|number| {
            let store = store.clone();
            async move {
                (number, store.replace_digest(id, &digest(1), &secrets(number), &event()).await)
            }
        });
    let mut winners = Vec::new();
    for (number, answer) in at_once(rekeys).await {
        match answer {
            Ok(_) => winners.push(number),
            Err(rejected) => assert!(rejected.is_conflict(), "{rejected}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert!(read(&store, id).await.secrets.current.ct_eq(&digest(winners[0])));
    assert_eq!(whole_log(&store).await.len(), 2);
}

/// Changes a token and deletes it at the same time.
async fn change_and_delete(store: &Replicas, expected: Option<Revision>) -> (Outcome, Outcome) {
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let before = head(store).await;
    let id = token.record.id;
    let regenerate = Change {
        secrets: Some(secrets(2)),
        ..edited(&token.record, |record| record.name = "changed".into())
    };
    let changing = tokio::spawn({
        let store = store.clone();
        async move { store.update(&regenerate, &event()).await }
    });
    let deleted = store.delete(id, expected, &event()).await;
    let changed = changing.await.expect("no panic");
    let took_place = usize::from(changed.is_ok()) + usize::from(deleted.is_ok());
    assert_eq!(logged_since(store, before).await.len(), took_place);
    assert_eq!(
        exists(store, id).await,
        deleted.is_err(),
        "the token exists although it was deleted, or is missing"
    );
    (changed, deleted)
}

pub async fn delete_wins_over_a_concurrent_update(store: Replicas) {
    for _ in 0..20 {
        let (changed, deleted) = change_and_delete(&store, None).await;
        let deleted = deleted.expect("a delete without an expected revision succeeds");
        match changed {
            Ok(changed) => assert!(changed < deleted, "a deleted token was changed"),
            Err(rejected) => assert!(rejected.is_not_found(), "{rejected}"),
        }
    }
}

pub async fn update_and_delete_of_one_revision_exclude_each_other(store: Replicas) {
    for _ in 0..20 {
        match change_and_delete(&store, Some(Revision::FIRST)).await {
            (Ok(_), Err(rejected)) => assert!(rejected.is_conflict(), "{rejected}"),
            (Err(rejected), Ok(_)) => assert!(rejected.is_not_found(), "{rejected}"),
            both => panic!("{both:?}"),
        }
    }
}

/// Revokes or deletes all of an owner's tokens repeatedly, while others are issued. Returns the
/// number of the last change that has affected any, and the issued tokens with their numbers.
async fn sweep(
    store: &Replicas,
    take_all: impl AsyncFn() -> BulkResult,
) -> (ChangeSeq, Vec<(ChangeSeq, TokenId)>) {
    let issuers: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut issued = Vec::new();
                for _ in 0..10 {
                    let token = token("alice", "ci");
                    issued.push((
                        store.insert(&token, None, &event()).await.unwrap(),
                        token.record.id,
                    ));
                }
                issued
            })
        })
        .collect();
    let mut sweeps = Vec::new();
    for _ in 0..10 {
        let BulkResult { count, seq } = take_all().await;
        assert_eq!(
            seq.is_some(),
            count > 0,
            "a call returns a number if and only if it changed tokens"
        );
        sweeps.extend(seq.map(|seq| (seq, count)));
        yield_now().await;
    }
    let mut issued = Vec::new();
    for issuer in issuers {
        issued.extend(issuer.await.expect("no panic"));
    }
    let mut last = ChangeSeq::ZERO;
    for (seq, count) in sweeps {
        let between = issued.iter().filter(|(issued, _)| (last..seq).contains(issued)).count();
        assert_eq!(count, between as u64, "a call affects all tokens issued since the last one");
        last = seq;
    }
    (last, issued)
}

pub async fn revoke_owner_takes_earlier_tokens_and_no_later_ones(store: Replicas) {
    let revoke = async || store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap();
    let (last, issued) = sweep(&store, revoke).await;
    for (seq, id) in issued {
        let record = read(&store, id).await.record;
        assert_eq!(record.revoked_at, (seq < last).then(|| at(1)));
        assert_eq!(record.revision.get(), 1 + u64::from(seq < last), "revoked once");
    }
}

pub async fn delete_owner_takes_earlier_tokens_and_no_later_ones(store: Replicas) {
    let delete = async || store.delete_owner(&owner("alice"), &event()).await.unwrap();
    let (last, issued) = sweep(&store, delete).await;
    for (seq, id) in issued {
        assert_eq!(exists(&store, id).await, seq > last);
    }
}

pub async fn concurrent_delete_many_calls_delete_each_token_once(store: Replicas) {
    let mut tokens = Vec::new();
    for _ in 0..30 {
        let token = token("alice", "ci");
        store.insert(&token, None, &event()).await.unwrap();
        tokens.push(token.record.id);
    }
    let kept = token("bob", "kept");
    store.insert(&kept, None, &event()).await.unwrap();
    let before = head(&store).await;
    // Three calls try to delete each of the thirty tokens.
    let deletes = (0..9).map(|number| {
        let (store, ids) = (store.clone(), tokens.clone());
        async move {
            let mine: Vec<_> = ids.into_iter().skip(number % 3).step_by(3).collect();
            store.delete_many(Some(&owner("alice")), &mine, &event()).await.unwrap().tokens
        }
    });
    let mut gone = HashMap::<_, u32>::new();
    for (id, of) in at_once(deletes).await.into_iter().flatten() {
        assert_eq!(of, owner("alice"));
        *gone.entry(id).or_default() += 1;
    }
    assert!(
        gone.len() == 30 && gone.values().all(|times| *times == 1),
        "each token is deleted once: {gone:?}"
    );
    let mut logged = logged_since(&store, before).await;
    logged.sort_by_key(|entry| tokens.iter().position(|id| *entry == ChangeTarget::Token(*id)));
    let expected: Vec<_> = tokens.into_iter().map(ChangeTarget::Token).collect();
    assert_eq!(logged, expected, "each deletion is logged once");
    assert_same(&read(&store, kept.record.id).await, &kept);
}
