//! Calls that are dropped half-way: what they began is undone, and nobody waits for it.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use hallpass_core::store::{TokenStore as _, Use};
use hallpass_tests::tokens::{at, edited, owner, token};

use super::{everything, open, place};

/// Polls so many times, each time that there is something to do, and drops what is left.
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

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_change_leaves_no_transaction_open() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let (mut done, mut dropped) = (0, 0);
    // From before the first step until it is done anyway, and at each place several times.
    for round in 0..200 {
        let polls = round % 20;
        let token = token("alice", "ci");
        let returned = drop_after(polls, store.insert(&token, None)).await;
        match &returned {
            Some(answer) => {
                assert!(answer.is_ok(), "{answer:?}");
                done += 1;
            }
            None => dropped += 1,
        }
        // The next one gets the lock, whatever the one before was doing.
        let seq = store.announce(&owner("alice")).await.expect("no lock is left behind");
        // And it is there in full or not at all: each token that is there took one number.
        let found = store.find(token.record.id).await.unwrap();
        assert!(found.value.is_some() || returned.is_none(), "it was answered, so it stands");
        let total = store.list(&everything()).await.unwrap().total;
        assert_eq!(seq.get(), total + round as u64 + 1, "round {round}");
    }
    assert!(done > 0 && dropped > 0, "{done} done, {dropped} dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_dropped_calls_leaves_a_store_that_works() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let known = token("alice", "known");
    store.insert(&known, None).await.unwrap();
    let all = everything();
    let storm = (0..300_u32).map(|number| {
        let (store, known, all) = (store.clone(), known.record.clone(), all.clone());
        tokio::spawn(async move {
            let polls = number % 9;
            let usage = Use { id: known.id, revision: known.revision, at: at(i64::from(number)) };
            match number % 4 {
                0 => drop(drop_after(polls, store.find(known.id)).await),
                1 => drop(drop_after(polls, store.list(&all)).await),
                2 => drop(drop_after(polls, store.touch(&[usage])).await),
                _ => drop(drop_after(polls, store.announce(&known.owner)).await),
            }
        })
    });
    for call in futures::future::join_all(storm).await {
        call.expect("no panic");
    }
    for _ in 0..20 {
        assert!(store.find(known.record.id).await.unwrap().value.is_some());
        assert_eq!(store.list(&all).await.unwrap().total, 1);
        store.announce(&owner("alice")).await.unwrap();
    }
    let rename = edited(&known.record, |record| record.name = "renamed".into());
    store.change(&rename).await.unwrap();
}
