//! Tests with damaged values: the store is unavailable, no token is accepted or gets 401, and
//! nothing panics.

use hallpass_core::store::{AuditQuery, StoreError, TokenStore as _, TokenUse};
use hallpass_core::{Actor, AuthError, Hallpass, NewToken};
use hallpass_tests::tokens::{self, edited, owner, token};

use super::*;

#[tokio::test]
async fn damaged_token_fails_every_call_or_none() {
    let server = server();
    let store = open(&server).await;
    let mut stranger = stranger(&server).await;
    let damages: [&[&str]; 5] = [
        &["HSET", "unknown", "field"],
        &["HSET", "r", "one"],
        &["HDEL", "r"],
        &["HDEL", "o"],
        &["HDEL", "c"],
    ];
    for damage in damages {
        let token = token("alice", "ci");
        let id = token.record.id;
        store.insert(&token, None, &event()).await.unwrap();
        let command = redis::cmd(damage[0]).arg(key(id)).arg(&damage[1..]).to_owned();
        command.exec_async(&mut stranger).await.unwrap();
        assert!(store.get(id).await.unwrap_err().is_corrupt(), "{damage:?}");
        assert!(store.list(&everything()).await.unwrap_err().is_corrupt(), "{damage:?}");
        // Calls may succeed or fail, but those that fail must change nothing.
        let before = head(&store).await;
        let usage = TokenUse { id, revision: token.record.revision, at: at(100) };
        store.record_uses(&[usage]).await.expect("the use must be dropped or recorded");
        let change = edited(&token.record, |record| record.name = "renamed".into());
        let changed = store.update(&change, &event()).await;
        let error = changed.as_ref().err();
        assert!(error.is_none_or(|error| error.is_corrupt() || error.is_conflict()), "{error:?}");
        assert_eq!(head(&store).await - before, u64::from(changed.is_ok()), "{damage:?}");
        assert_eq!(store.delete_owner(&owner("alice"), &event()).await.unwrap().count, 1);
    }
}

#[tokio::test]
async fn damaged_token_is_503_and_not_401() {
    let server = server();
    let store = open(&server).await;
    let hallpass = Hallpass::builder(store.clone()).build();
    let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    let mut stranger = stranger(&server).await;
    let damage = redis::cmd("SET").arg(key(issued.record.id)).arg("garbage").to_owned();
    damage.exec_async(&mut stranger).await.unwrap();
    let denied = hallpass.authenticate(issued.token.reveal().as_bytes()).await.unwrap_err();
    assert!(matches!(denied, AuthError::Unavailable(_)), "{denied:?}");
}

#[tokio::test]
async fn damaged_token_does_not_hinder_others() {
    let server = server();
    let store = open(&server).await;
    let mut tokens = Vec::new();
    for number in 0..4 {
        let mut token = token("alice", "ci");
        token.record.expires_at = (number < 3).then(|| at(number));
        store.insert(&token, None, &event()).await.unwrap();
        tokens.push(token.record);
    }
    let mut stranger = stranger(&server).await;
    let damage = redis::cmd("SET").arg(key(tokens[1].id)).arg("garbage").to_owned();
    damage.exec_async(&mut stranger).await.unwrap();
    assert_eq!(store.revoke_owner(&owner("alice"), None, at(50), &event()).await.unwrap().count, 3);
    let revoked = store.get(tokens[3].id).await.unwrap().value.unwrap().record;
    assert_eq!(revoked.revoked_at, Some(at(50)));
    assert!(store.get(tokens[1].id).await.unwrap_err().is_corrupt());
    // The indexes still contain the end of the token.
    assert_eq!(store.prune(at(3), 10, &event()).await.unwrap(), 3);
    assert!(store.get(tokens[0].id).await.unwrap().value.is_none());
    assert_eq!(store.delete_owner(&owner("alice"), &event()).await.unwrap().count, 1);
    let left = store.list(&everything()).await.unwrap();
    assert_eq!((left.records.len(), left.counts.of(None)), (0, 0));
    assert!(store.get(tokens[1].id).await.unwrap().value.is_none());
}

#[tokio::test]
async fn damaged_log_entry_is_an_error() {
    let entry = |change: &[(&str, &str)]| {
        let mut command = vec!["XADD".to_owned(), "{hallpass}l".to_owned(), "2-0".to_owned()];
        for (name, value) in [
            ("n", "5"),
            ("t", "oalice"),
            ("a", "1"),
            ("k", "issued"),
            ("b", ""),
            ("o", ""),
            ("i", ""),
            ("c", "1"),
            ("d", ""),
        ] {
            let changed = change.iter().find(|(changed, _)| *changed == name);
            command.extend([name.to_owned(), changed.map_or(value, |(_, value)| value).to_owned()]);
        }
        command
    };
    for (change, cache_can_read) in [
        (&[("n", "five")][..], false),
        (&[("n", "-5")], false),
        (&[("t", "")], false),
        (&[("t", "o")], false),
        (&[("t", "tshort")], false),
        (&[("t", "zalice")], false),
        (&[("k", "unknown")], true),
        (&[("a", "x")], true),
        (&[("i", "short")], true),
        (&[("c", "-1")], true),
        (&[("d", "{")], true),
    ] {
        let (server, command) = (server(), entry(change));
        let store = open(&server).await;
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
        let place = store.changes(None, 0).await.unwrap().head;
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        run(&server, &command);
        let read = store.changes(Some(place), 10).await;
        assert_eq!(read.is_ok(), cache_can_read, "{change:?}");
        assert!(read.err().is_none_or(|error| error.is_corrupt()), "{change:?}");
        let audit = store.audit(&AuditQuery::newest(10)).await;
        assert!(audit.is_ok() || audit.as_ref().is_err_and(StoreError::is_corrupt), "{change:?}");
        assert_eq!(audit.is_err(), cache_can_read, "{change:?}");
        assert_eq!(store.changes(None, 0).await.unwrap().head, place, "the head must be readable");
    }
}

#[tokio::test]
async fn damaged_clock_fails_every_call() {
    for value in ["", "x", "-1", "1.5", "99999999999999999999"] {
        let server = server();
        let store = open(&server).await;
        let token = token("alice", "ci");
        store.insert(&token, None, &event()).await.unwrap();
        run(&server, &["SET", "{hallpass}c", value]);
        for error in [
            store.get(token.record.id).await.map(drop).unwrap_err(),
            store.changes(None, 0).await.map(drop).unwrap_err(),
            store.ping().await.unwrap_err(),
        ] {
            assert!(error.is_corrupt(), "{value}: {error:?}");
        }
        // The next number would be 0, which no log entry has.
        assert!(
            store.delete(token.record.id, None, &event()).await.unwrap_err().is_unavailable(),
            "{value}"
        );
        run(&server, &["SET", "{hallpass}c", "1"]);
        assert!(
            store.get(token.record.id).await.unwrap().value.is_some(),
            "the failed call has changed the token"
        );
    }
}

#[tokio::test]
async fn clock_behind_its_log_prevents_changes() {
    let server = server();
    let store = open(&server).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    for _ in 0..5 {
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    }
    run(&server, &["SET", "{hallpass}c", "3"]);
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    for error in [
        store.insert(&tokens::token("alice", "ci"), None, &event()).await.unwrap_err(),
        store.update(&revoke, &event()).await.unwrap_err(),
        store.delete(token.record.id, None, &event()).await.unwrap_err(),
        store.delete_owner(&owner("alice"), &event()).await.unwrap_err(),
        store.log_owner_change(&owner("alice"), &event()).await.unwrap_err(),
    ] {
        assert!(error.is_corrupt(), "{error:?}");
    }
    assert_eq!(head(&store).await, 3);
    assert_eq!(store.get(token.record.id).await.unwrap().value.unwrap().record, token.record);
    assert_eq!(store.list(&everything()).await.unwrap().counts.of(None), 1);
}

#[tokio::test]
async fn keys_of_another_type_make_the_store_unavailable() {
    let kinds = ["{hallpass}a", "{hallpass}e", "{hallpass}oalice", "{hallpass}l"];
    for kind in kinds {
        let server = server();
        let store = open(&server).await;
        let token = token("alice", "ci");
        store.insert(&token, None, &event()).await.unwrap();
        run(&server, &["SET", kind, "mine"]);
        let error = store.insert(&tokens::token("alice", "ci"), None, &event()).await.err();
        assert!(error.is_none_or(|error| error.is_unavailable()), "{kind}");
        assert!(store.get(token.record.id).await.unwrap().value.is_some());
    }
}
