//! Updates and digest replacements: what they change, and what they expect.

use crate::conformance::Replicas;
use crate::conformance::samples::{self, at, digest, edited, event, secrets, token};
use hallpass_core::store::{Change, ChangeKind, PreviousSecret, Secrets, TokenStore, TokenUse};
use hallpass_core::{Digest, Metadata, ScopeSet};

use super::check::{assert_same, at_once, head, logged_since, read};

pub async fn update_replaces_every_field_but_last_used_at(store: Replicas) {
    let mut token = token("alice", "before");
    store.insert(&token, None, &event()).await.unwrap();
    let usage = TokenUse { id: token.record.id, revision: token.record.revision, at: at(7) };
    assert_eq!(store.record_uses(&[usage]).await.unwrap(), 1);
    // The caller has read the record before the use, so its `last_used_at` is outdated.
    for believed in [None, Some(at(9_999))] {
        let change = edited(&token.record, |record| {
            record.name.push_str(" and after");
            record.description.push_str("changed");
            record.scopes = ScopeSet::parse(["jobs:run", "projects"]).unwrap();
            record.metadata = Metadata::new([("team", "build")]).unwrap();
            record.expires_at = Some(at(100));
            record.revoked_at = Some(at(101));
            record.regenerated_at = Some(at(102));
            record.last_used_at = believed;
        });
        store.update(&change, &event()).await.unwrap();
        token.record = change.record;
        token.record.last_used_at = Some(at(7));
        assert_same(&read(&store, token.record.id).await, &token);
    }
    // Fields can also be cleared again.
    let change = edited(&token.record, |record| {
        record.scopes = ScopeSet::default();
        record.metadata = Metadata::default();
        (record.expires_at, record.revoked_at, record.regenerated_at) = (None, None, None);
    });
    store.update(&change, &event()).await.unwrap();
    token.record = change.record;
    assert_same(&read(&store, token.record.id).await, &token);
}

pub async fn update_requires_the_expected_revision(store: Replicas) {
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let first = edited(&token.record, |record| record.name = "first".into());
    store.update(&first, &event()).await.unwrap();
    let before = head(&store).await;
    let late = edited(&token.record, |record| record.name = "late".into());
    assert!(store.update(&late, &event()).await.unwrap_err().is_conflict());
    let mut early = edited(&first.record, |record| record.name = "early".into());
    early.record.revision = early.record.revision.next();
    assert!(store.update(&early, &event()).await.unwrap_err().is_conflict());
    let unknown = edited(&samples::token("alice", "x").record, |_| {});
    assert!(store.update(&unknown, &event()).await.unwrap_err().is_not_found());
    assert_eq!(read(&store, token.record.id).await.record, first.record);
    assert_eq!(head(&store).await, before, "a rejected call wrote a log entry");
}

pub async fn one_of_many_concurrent_updates_succeeds(store: Replicas) {
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let before = head(&store).await;
    let changes: Vec<_> = (2..34)
        .map(|byte| Change {
            secrets: Some(secrets(byte)),
            kind: ChangeKind::Regenerated,
            ..edited(&token.record, |record| record.name = format!("by {byte}"))
        })
        .collect();
    let attempts = changes.iter().cloned().map(|change| {
        let store = store.clone();
        async move { store.update(&change, &event()).await }
    });
    let answers = at_once(attempts).await;
    let won: Vec<_> = changes.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).collect();
    assert_eq!(won.len(), 1);
    for lost in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(lost.is_conflict(), "{lost}");
    }
    let stored = read(&store, token.record.id).await;
    assert_eq!(stored.record, won[0].0.record);
    let secret = &won[0].0.secrets.as_ref().unwrap().current;
    assert!(
        stored.secrets.current.ct_eq(secret),
        "the stored secret is not that of the successful call"
    );
    assert_eq!(logged_since(&store, before).await.len(), 1);
}

pub async fn update_without_secrets_keeps_them(store: Replicas) {
    let mut token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let overlap = Secrets {
        current: digest(2),
        previous: Some(PreviousSecret { digest: digest(1), until: at(50) }),
    };
    let steps = [Some(overlap), None, Some(secrets(3)), None];
    for secrets in steps {
        let change = Change { secrets, ..edited(&token.record, |_| {}) };
        store.update(&change, &event()).await.unwrap();
        token.record = change.record;
        token.secrets = change.secrets.unwrap_or(token.secrets);
        assert_same(&read(&store, token.record.id).await, &token);
    }
    // A change without secrets does not undo a concurrent change of the secrets.
    store.replace_digest(token.record.id, &digest(3), &secrets(4), &event()).await.unwrap();
    let change = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    store.update(&change, &event()).await.unwrap();
    assert!(read(&store, token.record.id).await.secrets.current.ct_eq(&digest(4)));
}

pub async fn replace_digest_requires_the_expected_digest(store: Replicas) {
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let before = head(&store).await;
    let id = token.record.id;
    let same_bytes = Digest::from_parts("hmac-sha256-v1:k", &[1; 32]).unwrap();
    for other in [digest(9), same_bytes] {
        assert!(
            store
                .replace_digest(id, &other, &secrets(2), &event())
                .await
                .unwrap_err()
                .is_conflict()
        );
    }
    let unknown = samples::token("alice", "x").record.id;
    assert!(
        store
            .replace_digest(unknown, &digest(1), &secrets(2), &event())
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert_same(&read(&store, id).await, &token);
    assert_eq!(head(&store).await, before, "a rejected call wrote a log entry");
}

pub async fn replace_digest_keeps_the_record(store: Replicas) {
    let mut token = token("alice", "ci");
    token.secrets.previous = Some(PreviousSecret { digest: digest(0), until: at(50) });
    store.insert(&token, None, &event()).await.unwrap();
    let rekeyed = Secrets {
        current: digest(2),
        previous: Some(PreviousSecret { digest: digest(3), until: at(40) }),
    };
    store.replace_digest(token.record.id, &digest(1), &rekeyed, &event()).await.unwrap();
    token.secrets = rekeyed;
    assert_same(&read(&store, token.record.id).await, &token);
    store.replace_digest(token.record.id, &digest(2), &secrets(5), &event()).await.unwrap();
    token.secrets = secrets(5);
    assert_same(&read(&store, token.record.id).await, &token);
}
