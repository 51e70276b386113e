//! Tests that the documented permissions are sufficient, and that each is necessary.

use hallpass_core::store::{AuditQuery, ChangeKind, TokenStore as _, TokenUse};
use hallpass_redis::ConnectError;
use hallpass_tests::tokens::{at, digest, edited, owner, secrets, token};

use super::*;

/// The permissions that the documentation lists.
const RIGHTS: &str = include_str!("../../crates/hallpass-redis/src/docs/rights.txt");

/// Creates a user with the documented permissions. Returns the URL for this user.
fn user(server: &Redis) -> String {
    let mut command = vec!["ACL", "SETUSER", "hallpass", "on", ">hunter2", "resetkeys"];
    command.extend(RIGHTS.split_whitespace());
    run(server, &command);
    format!("redis://hallpass:hunter2@{}/", server.address())
}

async fn do_everything(store: &RedisStore) {
    let (one, two) = (token("alice", "1"), token("alice", "2"));
    store.insert(&one, Some(50), &event()).await.unwrap();
    store.insert(&two, Some(50), &event()).await.unwrap();
    assert!(store.get(one.record.id).await.unwrap().value.is_some());
    let renamed = edited(&one.record, |record| record.created_at = at(7));
    store.update(&renamed, &event()).await.unwrap();
    let mut revoked = edited(&renamed.record, |record| record.revoked_at = Some(at(1)));
    revoked.kind = ChangeKind::Revoked;
    store.update(&revoked, &event()).await.unwrap();
    store.replace_digest(two.record.id, &digest(1), &secrets(2), &event()).await.unwrap();
    for millis in [1, 2] {
        let usage = TokenUse { id: two.record.id, revision: two.record.revision, at: at(millis) };
        assert_eq!(store.record_uses(&[usage]).await.unwrap(), 1);
    }
    assert_eq!(store.list(&everything()).await.unwrap().counts.of(None), 2);
    let hers = ListQuery { owner: Some(owner("alice")), ..everything() };
    assert_eq!(store.list(&hers).await.unwrap().counts.of(None), 2);
    store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    assert_eq!(store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap().count, 1);
    assert_eq!(store.prune(at(0), 10, &event()).await.unwrap(), 0);
    let mut ids = Vec::new();
    for number in 0..300 {
        let mut token = token("bob", "ci");
        token.record.created_at = at(number * 37 % 300);
        token.record.expires_at = Some(at(1));
        store.insert(&token, None, &event()).await.unwrap();
        ids.push(token.record.id);
    }
    for id in &ids[..200] {
        store.delete(*id, None, &event()).await.unwrap();
    }
    store.delete_many(None, &ids[200..250], &event()).await.unwrap();
    store.delete_owner(&owner("alice"), &event()).await.unwrap();
    assert_eq!(store.prune(at(2), 100, &event()).await.unwrap(), 50);
    let seen = store.changes(None, 0).await.unwrap().head;
    store.ping().await.unwrap();
    for (owner, ascending) in
        [(None, true), (None, false), (Some(owner("bob")), true), (Some(owner("bob")), false)]
    {
        store.audit(&AuditQuery { owner, ascending, ..AuditQuery::newest(10) }).await.unwrap();
    }
    assert!(store.prune_log(at(1), 10).await.unwrap() > 0);
    let mut before = seen;
    before.seq = hallpass_core::store::ChangeSeq::new(seen.seq.get() - 1);
    store.wait_for_change(before).await;
    // The store has now read the head of the log and waits for the next entry.
    let alice = owner("alice");
    let event = event();
    let (_, announced) =
        futures::join!(store.wait_for_change(seen), store.log_owner_change(&alice, &event));
    announced.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn documented_permissions_are_sufficient() {
    let server = server();
    let address = user(&server);
    run(&server, &["ACL", "LOG", "RESET"]);
    let store = RedisStore::connect(&address).await.unwrap();
    do_everything(&store).await;
    assert_eq!(run(&server, &["ACL", "LOG"]), "", "a command was denied");
    // Permissions apply inside of scripts, too, and no other command is allowed.
    for forbidden in [&["GET", "other"][..], &["FLUSHALL"], &["KEYS", "*"], &["ACL", "LIST"]] {
        let client = redis::Client::open(&*address).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let command = redis::cmd(forbidden[0]).arg(&forbidden[1..]).to_owned();
        let rejected = command.exec_async(&mut connection).await.unwrap_err();
        assert!(rejected.to_string().contains("NoPerm"), "{forbidden:?}: {rejected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_permission_is_needed() {
    // A store can work without these: it then reports that it cannot check the server's
    // configuration, and it detects changes later.
    let without = ["+config|get", "+xread"];
    // These are needed for cases that this test does not cover: clusters, and a clock that is
    // behind its log.
    let elsewhere = ["+cluster|keyslot", "+cluster|slots", "+decr"];
    for right in RIGHTS.split_whitespace().filter(|right| right.starts_with('+')) {
        let server = server();
        let address = user(&server);
        run(&server, &["ACL", "SETUSER", "hallpass", &right.replacen('+', "-", 1)]);
        run(&server, &["ACL", "LOG", "RESET"]);
        let done = tokio::spawn(async move {
            let store = RedisStore::connect(&address).await.expect("cannot open the store");
            tokio::time::timeout(std::time::Duration::from_secs(3), do_everything(&store)).await
        });
        let done = done.await.is_ok_and(|done| done.is_ok());
        let rejected = !run(&server, &["ACL", "LOG"]).is_empty();
        assert_eq!(rejected, !elsewhere.contains(&right), "{right} must be used");
        assert_eq!(
            done,
            without.contains(&right) || elsewhere.contains(&right),
            "{right} must be necessary"
        );
    }
}

#[tokio::test]
async fn missing_permission_makes_the_store_unavailable() {
    let server = server();
    let address = user(&server);
    let store = RedisStore::connect(&address).await.unwrap();
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    run(&server, &["ACL", "SETUSER", "hallpass", "-@all"]);
    for error in [
        store.get(token.record.id).await.map(drop).unwrap_err(),
        store.delete(token.record.id, None, &event()).await.map(drop).unwrap_err(),
        store.list(&everything()).await.map(drop).unwrap_err(),
        store.changes(None, 0).await.map(drop).unwrap_err(),
        store.ping().await.unwrap_err(),
    ] {
        assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
    }
    // This also applies if the user cannot authenticate any more.
    run(&server, &["ACL", "SETUSER", "hallpass", "resetpass", ">other"]);
    run(&server, &["CLIENT", "KILL", "USER", "hallpass"]);
    let error = store.get(token.record.id).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    let rejected = RedisStore::connect(&address).await.unwrap_err();
    assert!(matches!(rejected, ConnectError::Unreachable { .. }), "{rejected:?}");
}
