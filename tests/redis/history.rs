//! A failover that loses changes.

<<<<<<< HEAD
use hallpass_core::store::{ChangeSeq, LogPosition, TokenStore as _};
use hallpass_tests::tokens::{at, edited, event, owner, token};
=======
use hallpass_core::store::TokenStore as _;
use hallpass_tests::tokens::{edited, owner, token};
>>>>>>> main

use super::*;

#[tokio::test]
async fn failover_that_loses_changes_shows_in_the_log() {
    let server = server();
    let store = open(&server).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let standby = server.replica().unwrap();
    standby.promote().unwrap();
    // This is what the standby does not hear of any more.
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    let lost = store.update(&revoke, &event()).await.unwrap();
    let seen = store.changes(None, 0).await.unwrap().head;
    assert_eq!(seen.seq, lost);

    // The old primary becomes a replica of the new one.
    let port = standby.address().port().to_string();
    run(&server, &["REPLICAOF", "127.0.0.1", &port]);
    standby.wait_for(&server).unwrap();
    let refused = store.log_owner_change(&owner("alice"), &event()).await.unwrap_err();
    assert!(refused.is_read_only(), "{refused:?}");
    let refused = store.get(token.record.id).await.unwrap_err();
    assert!(refused.is_unavailable(), "what a replica says may be over for long: {refused:?}");
    assert!(store.changes(Some(seen), 10).await.is_err());

    server.promote().unwrap();
    let found = store.get(token.record.id).await.unwrap();
    assert!(found.as_of < lost, "a look-up says that it does not know of the change");
    let now = store.changes(Some(seen), 10).await.unwrap();
    assert!(now.entries.is_empty() && now.head.seq < seen.seq, "numbers went back");
    // And once they are as far again, the nonce is another.
    assert_eq!(store.log_owner_change(&owner("alice"), &event()).await.unwrap(), lost);
    let now = store.changes(Some(seen), 10).await.unwrap();
    assert_eq!((now.entries[0].position.seq, now.entries.len()), (lost, 1));
    assert_ne!(now.entries[0].position.nonce, seen.nonce);
<<<<<<< HEAD
}

/// Puts the lines of the log so that they were written then.
fn rewrite(server: &Redis, times: &[i64]) {
    let lines = "{hallpass}l";
    run(server, &["DEL", lines]);
    for (number, time) in times.iter().enumerate() {
        let id = format!("{}-0", number + 1);
        let nonce = number.to_string();
        let time = time.to_string();
        run(server, &["XADD", lines, &id, "n", &nonce, "a", &time, "w", "oalice"]);
    }
}

#[tokio::test]
async fn the_log_keeps_a_day_and_prune_lets_go_of_the_rest() {
    let server = server();
    let store = open(&server).await;
    for _ in 0..10 {
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    }
    let now = jiff::Timestamp::now().as_millisecond();
    let day = 86_400_000;
    let (old, new) = (now - day - 60_000, now - day + 60_000);
    // The clock was wrong when the second was written.
    rewrite(&server, &[old, new, old, old, old, old, new, new, now, now]);
    let from_the_start = LogPosition { seq: ChangeSeq::new(1), nonce: 0 };
    for _ in 0..2 {
        assert_eq!(
            store.prune(at(0), 1, &event()).await.unwrap(),
            0,
            "there are no tokens to prune"
        );
        let log = store.changes(Some(from_the_start), 100).await.unwrap();
        let kept: Vec<_> = log.entries.iter().map(|line| line.position.seq.get()).collect();
        assert_eq!(kept, [7, 8, 9, 10], "the first are gone, without a gap");
    }
    // When all of it is old, the head's own line stays: whoever followed the log knows their place by it.
    rewrite(&server, &[old; 10]);
    store.prune(at(0), 1, &event()).await.unwrap();
    let log = store.changes(Some(from_the_start), 100).await.unwrap();
    let kept: Vec<_> = log.entries.iter().map(|line| line.position.seq.get()).collect();
    assert_eq!(kept, [10]);
    assert_eq!(
        store.log_owner_change(&owner("alice"), &event()).await.unwrap().get(),
        11,
        "and it goes on from it"
    );
}

#[tokio::test]
async fn a_long_log_is_let_go_of_as_well() {
    let server = server();
    let store = open(&server).await;
    let write = "for number = 1, 3000 do redis.call('XADD', KEYS[1], number .. '-0', 'n', number, 'a', 5, 'w', \
                 'oalice') end redis.call('SET', KEYS[2], 3000)";
    run(&server, &["EVAL", write, "2", "{hallpass}l", "{hallpass}c"]);
    store.prune(at(0), 1, &event()).await.unwrap();
    assert_eq!(run(&server, &["XLEN", "{hallpass}l"]), "1");
=======
>>>>>>> main
}
