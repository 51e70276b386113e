//! Calls that are dropped before they end take effect in full or not at all.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use hallpass_core::store::{ChangeTarget, TokenStore, TokenUse};

use super::check::{at_once, everything, read, whole_log};
use crate::conformance::Replicas;
use crate::conformance::samples::{at, edited, event, owner, token};

/// Polls a future up to this number of times, whenever it can make progress, and then drops it.
async fn drop_after<T>(polls: u32, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        call.as_mut().poll(context).map(Some)
    })
    .await
}

pub async fn cancelled_call_happens_in_full_or_not_at_all(store: Replicas) {
    // The call is cancelled at each step, from the first one until it completes, and several times
    // at each.
    for round in 0..60_u32 {
        let polls = round % 20;
        let token = token("alice", "ci");
        let returned = drop_after(polls, store.insert(&token, None, &event())).await;
        // The next call gets the lock, wherever the cancelled call was interrupted.
        store
            .log_owner_change(&owner("alice"), &event())
            .await
            .expect("the cancelled call left a lock behind");
        if let Some(answer) = returned {
            answer.unwrap();
            let renamed = edited(&token.record, |record| record.name = "renamed".into());
            let returned = drop_after(polls, store.update(&renamed, &event())).await;
            store
                .log_owner_change(&owner("alice"), &event())
                .await
                .expect("the cancelled call left a lock behind");
            let record = read(&store, token.record.id).await.record;
            assert!(record == renamed.record || (returned.is_none() && record == token.record));
        }
    }
    // Each existing token has taken one number, or two if it was renamed. Nothing else has taken
    // one.
    let mut expected = Vec::new();
    for record in store.list(&everything()).await.unwrap().records {
        expected.extend((0..record.revision.get()).map(|_| record.id));
    }
    let mut logged: Vec<_> = (whole_log(&store).await.into_iter())
        .filter_map(|entry| match entry.target {
            ChangeTarget::Token(id) => Some(id),
            _ => None,
        })
        .collect();
    expected.sort();
    logged.sort();
    assert_eq!(logged, expected);
}

pub async fn cancelled_delete_many_deletes_all_or_none(store: Replicas) {
    for round in 0..40_u32 {
        let mut ids = BTreeSet::new();
        for _ in 0..3 {
            let token = token("alice", "ci");
            store.insert(&token, None, &event()).await.unwrap();
            ids.insert(token.record.id);
        }
        let requested: Vec<_> = ids.iter().copied().collect();
        let returned = drop_after(round % 20, store.delete_many(None, &requested, &event())).await;
        store
            .log_owner_change(&owner("alice"), &event())
            .await
            .expect("the cancelled call left a lock behind");
        let records = store.list(&everything()).await.unwrap().records;
        let left: BTreeSet<_> = records.into_iter().map(|record| record.id).collect();
        match returned {
            Some(answer) => assert!(answer.unwrap().tokens.len() == 3 && left.is_empty()),
            None => assert!(left.is_empty() || left == ids, "{} are left", left.len()),
        }
        store.delete_owner(&owner("alice"), &event()).await.unwrap();
    }
}

pub async fn store_works_after_many_cancelled_calls(store: Replicas) {
    let known = token("alice", "known");
    store.insert(&known, None, &event()).await.unwrap();
    let storm = (0..300_u32).map(|number| {
        let (store, known) = (store.clone(), known.record.clone());
        async move {
            let polls = number % 9;
            let usage =
                TokenUse { id: known.id, revision: known.revision, at: at(i64::from(number)) };
            match number % 5 {
                0 => drop(drop_after(polls, store.get(known.id)).await),
                1 => drop(drop_after(polls, store.list(&everything())).await),
                2 => drop(drop_after(polls, store.record_uses(&[usage])).await),
                3 => drop(drop_after(polls, store.changes(None, 10)).await),
                _ => drop(drop_after(polls, store.log_owner_change(&known.owner, &event())).await),
            }
        }
    });
    at_once(storm).await;
    // A busy server needs a moment to end what was cancelled.
    for _ in 0..50 {
        let rename = edited(&known.record, |record| record.name = "renamed".into());
        if store.update(&rename, &event()).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for _ in 0..20 {
        assert!(store.get(known.record.id).await.unwrap().value.is_some());
        assert_eq!(store.list(&everything()).await.unwrap().counts.of(None), 1);
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    }
    assert_eq!(read(&store, known.record.id).await.record.name, "renamed");
    whole_log(&store).await;
}
