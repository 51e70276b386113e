//! Values that make no sense: denied as the store's fault, never let through, never a panic.

use hallpass_core::store::{PreviousSecret, TokenStore as _, TokenUse};
use hallpass_core::{Actor, AuthError, Hallpass, NewToken, TokenRecord};
use hallpass_tests::tokens::{self, at, digest, edited, event, owner, token};

use super::*;

/// A token with everything in it.
fn full() -> StoredToken {
    let mut token = token("alice", "name");
    let times = [1, 2, 3, 4].map(|millis| Some(at(millis)));
    let TokenRecord { expires_at, last_used_at, revoked_at, regenerated_at, .. } =
        &mut token.record;
    [*expires_at, *last_used_at, *revoked_at, *regenerated_at] = times;
    token.record.created_at = at(-5);
    token.record.description = "description".into();
    token.record.scopes = hallpass_core::ScopeSet::parse(["jobs", "projects"]).unwrap();
    token.secrets.previous = Some(PreviousSecret { digest: digest(9), until: at(7) });
    token
}

#[tokio::test]
async fn a_value_that_is_cut_off_or_too_long_is_denied() {
    let server = server();
    let store = open(&server).await;
    let mut stranger = stranger(&server).await;
    for token in [token("alice", "ci"), full()] {
        let id = token.record.id;
        store.insert(&token, None, &event()).await.unwrap();
        let ask = redis::cmd("GET").arg(key(id)).to_owned();
        let value: Vec<u8> = ask.query_async(&mut stranger).await.unwrap();
        let mut damaged: Vec<_> = (0..value.len()).map(|length| value[..length].to_vec()).collect();
        damaged.push([&value[..], b"\0"].concat());
        // Another version, and a flag that nobody knows.
        for at in [0, 1] {
            let mut other = value.clone();
            other[at] |= 0x80;
            damaged.push(other);
        }
        for damage in damaged {
            let set = redis::cmd("SET").arg(key(id)).arg(&damage).to_owned();
            set.exec_async(&mut stranger).await.unwrap();
            let error = store.get(id).await.unwrap_err();
            assert!(error.is_corrupt(), "{damage:?}: {error:?}");
            assert!(store.list(&everything()).await.unwrap_err().is_corrupt());
        }
        redis::cmd("SET").arg(key(id)).arg(&value).exec_async(&mut stranger).await.unwrap();
        store.delete(id, None, &event()).await.unwrap();
    }
}

#[tokio::test]
async fn a_value_with_any_byte_changed_is_another_token_or_none() {
    let server = server();
    let store = open(&server).await;
    let mut stranger = stranger(&server).await;
    let token = full();
    let id = token.record.id;
    store.insert(&token, None, &event()).await.unwrap();
    let ask = redis::cmd("GET").arg(key(id)).to_owned();
    let value: Vec<u8> = ask.query_async(&mut stranger).await.unwrap();
    let usage = TokenUse { id, revision: token.record.revision, at: at(100) };
    for at in 0..value.len() {
        let mut damaged = value.clone();
        damaged[at] ^= 0xFF;
        let set = redis::cmd("SET").arg(key(id)).arg(&damaged).to_owned();
        set.exec_async(&mut stranger).await.unwrap();
        match store.get(id).await {
            Ok(found) => assert!(found.value.is_some(), "byte {at}: 401 for a token that is there"),
            Err(error) => assert!(error.is_corrupt(), "byte {at}: {error:?}"),
        }
        // Whatever is made of it, each call ends, and those that fail have changed nothing.
        let before = head(&store).await;
        store.record_uses(&[usage]).await.expect("skipped, or moved");
        let change = edited(&token.record, |record| record.name = "renamed".into());
        let changed = store.update(&change, &event()).await;
        let error = changed.as_ref().err();
        assert!(error.is_none_or(|error| error.is_corrupt() || error.is_conflict()), "{error:?}");
        assert_eq!(head(&store).await - before, u64::from(changed.is_ok()));
    }
}

#[tokio::test]
async fn a_damaged_token_is_503_and_not_401() {
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
async fn one_damaged_token_keeps_none_of_the_others() {
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
    assert_eq!(store.prune(at(3), 10, &event()).await.unwrap(), 2);
    assert!(store.get(tokens[0].id).await.unwrap().value.is_none());
    assert!(store.get(tokens[1].id).await.unwrap_err().is_corrupt());
    assert_eq!(store.delete_owner(&owner("alice"), &event()).await.unwrap().count, 2);
    let left = store.list(&everything()).await.unwrap();
    assert_eq!((left.records.len(), left.counts.of(None)), (0, 0));
    assert!(store.get(tokens[1].id).await.unwrap().value.is_none());
}

#[tokio::test]
async fn a_log_that_makes_no_sense_is_an_error() {
    let line = |fields: &[&str]| {
        let server = server();
        let mut command = vec!["XADD", "{hallpass}l", "2-0"];
        command.extend(fields);
        (server, command.into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    for fields in [
        &["x", "y"][..],
        &["n", "5", "a", "1"],
        &["n", "five", "a", "1", "w", "oalice"],
        &["n", "5", "a", "1", "w", ""],
        &["n", "5", "a", "1", "w", "o"],
        &["n", "5", "a", "1", "w", "tshort"],
        &["n", "5", "a", "1", "w", "zalice"],
        &["n", "-5", "a", "1", "w", "oalice"],
    ] {
        let (server, command) = line(fields);
        let store = open(&server).await;
        store.log_owner_change(&owner("alice"), &event()).await.unwrap();
        let place = store.changes(None, 0).await.unwrap().head;
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        run(&server, &command);
        let error = store.changes(Some(place), 10).await.unwrap_err();
        assert!(error.is_corrupt(), "{fields:?}: {error:?}");
        assert_eq!(store.changes(None, 0).await.unwrap().head, place, "the head can be read");
    }
}

#[tokio::test]
async fn a_clock_that_makes_no_sense_stops_everything() {
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
        // The first number after it would be 0, which no line has.
        assert!(
            store.delete(token.record.id, None, &event()).await.unwrap_err().is_unavailable(),
            "{value}"
        );
        run(&server, &["SET", "{hallpass}c", "1"]);
        assert!(store.get(token.record.id).await.unwrap().value.is_some(), "nothing was changed");
    }
}

#[tokio::test]
async fn a_clock_that_is_behind_its_log_changes_nothing() {
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
async fn keys_of_another_kind_are_the_stores_fault() {
    let kinds = ["{hallpass}d", "{hallpass}e", "{hallpass}oalice", "{hallpass}l"];
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
