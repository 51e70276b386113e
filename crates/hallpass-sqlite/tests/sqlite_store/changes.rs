//! Tests of changes and of the log entries that they write.

use super::*;

#[tokio::test]
async fn record_and_secrets_are_read_as_they_were_written() {
    let (_directory, store) = store().await;
    let mut token = token("älice", "Clé Été", 1);
    token.record.description = "two\nlines".into();
    token.record.scopes = ["jobs", "projects:read"].into_iter().collect_scopes();
    token.record.metadata = Metadata::new([("team", "build")]).unwrap();
    token.record.expires_at = Some(at(100));
    let until = at(50);
    token.secrets.previous = Some(PreviousSecret { digest: digest(2), until });
    let seq = insert(&store, &token).await;
    let snapshot = store.get(token.record.id).await.unwrap();
    assert_eq!(snapshot.as_of, seq);
    let stored = snapshot.value.unwrap();
    token.record.previous_secret_expires_at = Some(until);
    assert_eq!(stored.record, token.record);
    assert!(stored.secrets.current.ct_eq(&digest(1)));
    assert!(stored.secrets.previous.unwrap().digest.ct_eq(&digest(2)));
    let listed = store.list(&ListQuery::everything(at(2), 9)).await.unwrap();
    assert_eq!(listed.records, [token.record.clone()]);
    let again = store.insert(&token, None, &event(EventKind::Issued, &token, 1)).await;
    assert!(again.unwrap_err().is_duplicate());
}

#[tokio::test]
async fn update_replaces_the_record_and_keeps_the_last_use() {
    let (_directory, store) = store().await;
    let token = token("alice", "ci", 0);
    insert(&store, &token).await;
    let id = token.record.id;
    let usage = TokenUse { id, revision: Revision::FIRST, at: at(9) };
    assert_eq!(store.record_uses(&[usage]).await.unwrap(), 1);
    assert_eq!(store.record_uses(&[usage]).await.unwrap(), 0, "the last use must never move back");

    let mut after = token.record.clone();
    after.name = "renamed".into();
    after.metadata = Metadata::new([("a", 1)]).unwrap();
    after.revision = after.revision.next();
    let secrets = Some(Secrets {
        current: digest(3),
        previous: Some(PreviousSecret { digest: digest(1), until: at(30) }),
    });
    let change = Change { record: after.clone(), secrets, kind: ChangeKind::Regenerated };
    let event = event(EventKind::Regenerated, &token, 1);
    assert_eq!(store.update(&change, &event).await.unwrap().get(), 2);
    after.last_used_at = Some(at(9));
    after.previous_secret_expires_at = Some(at(30));
    assert_eq!(record(&store, &token).await, after);
    assert!(store.update(&change, &event).await.unwrap_err().is_conflict());
    assert_eq!(store.record_uses(&[TokenUse { at: at(99), ..usage }]).await.unwrap(), 0);

    let new = Secrets { current: digest(4), previous: None };
    let mut event = event;
    event.kind = EventKind::DigestReplaced;
    let wrong = store.replace_digest(id, &digest(1), &new, &event).await.unwrap_err();
    assert!(wrong.is_conflict());
    store.replace_digest(id, &digest(3), &new, &event).await.unwrap();
    assert_eq!(record(&store, &token).await.previous_secret_expires_at, None);
    assert!(store.delete(id, Some(Revision::FIRST), &event).await.unwrap_err().is_conflict());
    store.delete(id, Some(after.revision), &event).await.unwrap();
    assert!(store.delete(id, None, &event).await.unwrap_err().is_not_found());
    assert!(store.update(&change, &event).await.unwrap_err().is_not_found());
    assert_eq!(trail(&store).await.len(), 4, "a failed call wrote a log entry");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn limit_is_exact_under_concurrent_inserts() {
    let (_directory, store) = store().await;
    let inserts = (0..32).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let token = token("alice", "ci", 0);
            store.insert(&token, Some(10), &event(EventKind::Issued, &token, 0)).await
        })
    });
    let results = futures::future::join_all(inserts.collect::<Vec<_>>()).await;
    let (mut seqs, mut rejected) = (Vec::new(), 0);
    for result in results {
        match result.unwrap() {
            Ok(seq) => seqs.push(seq.get()),
            Err(error) => {
                assert_eq!(error.limit_in_use(), Some(10), "{error:?}");
                rejected += 1;
            }
        }
    }
    seqs.sort_unstable();
    assert_eq!((seqs, rejected), ((1..=10).collect::<Vec<_>>(), 22));
}

#[tokio::test]
async fn deleting_many_writes_one_entry_per_token() {
    let (_directory, store) = store().await;
    let (mine, other) = (token("alice", "a", 0), token("bob", "b", 0));
    insert(&store, &mine).await;
    insert(&store, &other).await;
    let ids = [mine.record.id, other.record.id, token("alice", "missing", 0).record.id];
    let event = Event::new(EventKind::Deleted, at(5));
    let deleted = store.delete_many(Some(&owner("alice")), &ids, &event).await.unwrap();
    assert_eq!(deleted.tokens, [(mine.record.id, owner("alice"))]);
    assert_eq!(deleted.seq, Some(ChangeSeq::new(3)));
    let deleted = store.delete_many(None, &ids, &event).await.unwrap();
    assert_eq!(deleted.tokens, [(other.record.id, owner("bob"))]);
    assert_eq!(store.delete_many(None, &ids, &event).await.unwrap().seq, None);
    let trail = trail(&store).await;
    assert_eq!(trail.len(), 4);
    assert_eq!(trail[3].owner, Some(owner("bob")));
    assert_eq!(trail[3].token_id, Some(other.record.id));
    assert_eq!(targets(&store).await[3], ChangeTarget::Token(other.record.id));
}

#[tokio::test]
async fn bulk_calls_write_one_entry_with_the_count() {
    let (_directory, store) = store().await;
    let mut renewed = token("alice", "renewed", 0);
    renewed.record.regenerated_at = Some(at(20));
    let tokens =
        [renewed, token("alice", "old", 0), token("alice", "new", 15), token("bob", "b", 0)];
    for token in &tokens {
        insert(&store, token).await;
    }
    let alice = owner("alice");
    let event = about_owner(EventKind::Revoked, "alice", 30);
    let result = store.revoke_owner(&alice, Some(at(15)), at(30), &event).await.unwrap();
    assert_eq!((result.count, result.seq), (1, Some(ChangeSeq::new(5))));
    let old = record(&store, &tokens[1]).await;
    assert_eq!((old.revoked_at, old.revision.get()), (Some(at(30)), 2));
    let result = store.revoke_owner(&alice, Some(at(15)), at(31), &event).await.unwrap();
    assert_eq!((result.count, result.seq), (0, None));
    assert_eq!(store.revoke_owner(&alice, None, at(31), &event).await.unwrap().count, 2);

    let everyone = Event::new(EventKind::Revoked, at(32));
    insert(&store, &token("carol", "c", 0)).await;
    let revoke =
        async |before| store.revoke_everyone(before, at(32), 1, &everyone).await.unwrap().count;
    assert_eq!(revoke(Some(at(0))).await, 0);
    let counts = [revoke(None).await, revoke(None).await, revoke(None).await];
    assert_eq!(counts, [1, 1, 0], "tokens must be revoked in batches until none is left");

    let event = about_owner(EventKind::Deleted, "alice", 33);
    assert_eq!(store.delete_owner(&alice, &event).await.unwrap().count, 3);
    assert_eq!(store.delete_owner(&alice, &event).await.unwrap().seq, None);
    let event = about_owner(EventKind::OwnerChanged, "alice", 34);
    store.log_owner_change(&alice, &event).await.unwrap();
    let event = Event::new(EventKind::Pruned, at(35));
    assert_eq!(store.prune(at(33), 1, &event).await.unwrap(), 1);
    assert_eq!(store.prune(at(33), 9, &event).await.unwrap(), 1);
    assert_eq!(store.prune(at(33), 9, &event).await.unwrap(), 0);

    let entries = trail(&store).await;
    let counts: Vec<_> = entries.iter().map(|event| (event.kind, event.count)).collect();
    let mut expected = vec![(EventKind::Issued, 1); 4];
    expected.extend([
        (EventKind::Revoked, 1),
        (EventKind::Revoked, 2),
        (EventKind::Issued, 1),
        (EventKind::Revoked, 1),
        (EventKind::Revoked, 1),
        (EventKind::Deleted, 3),
        (EventKind::OwnerChanged, 1),
        (EventKind::Pruned, 1),
        (EventKind::Pruned, 1),
    ]);
    assert_eq!(counts, expected);
    let of_alice = || ChangeTarget::Owner(alice.clone());
    let targets = targets(&store).await;
    assert_eq!(targets[4..6], [of_alice(), of_alice()]);
    assert_eq!(targets[7..9], [ChangeTarget::All, ChangeTarget::All]);
    let last = [of_alice(), of_alice(), ChangeTarget::None, ChangeTarget::None];
    assert_eq!(targets[9..], last);
}
