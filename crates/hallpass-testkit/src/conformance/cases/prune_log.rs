//! Deleting old log entries.

use hallpass_core::store::{ChangeTarget, LogPosition, TokenStore};
use hallpass_core::{Event, EventKind};
use jiff::Timestamp;

use super::check::{at_once, head, whole_log, whole_trail};
use crate::conformance::Replicas;
use crate::conformance::samples::{at, event, owner, token};

/// Writes entries. The entry with number `n` is written at `at(n)`. Returns their positions.
async fn filled(store: &Replicas, count: i64) -> Vec<LogPosition> {
    for number in 1..=count {
        let event = Event::new(EventKind::OwnerChanged, at(number));
        store.log_owner_change(&owner("alice"), &event).await.unwrap();
    }
    whole_log(store).await.into_iter().map(|entry| entry.position).collect()
}

/// Prunes until no entry is left to prune. Returns how many entries were deleted.
async fn prune_all(store: &Replicas, written_before: Timestamp, limit: u32) -> u64 {
    let mut deleted = 0;
    loop {
        let count = store.prune_log(written_before, limit).await.unwrap();
        assert!(count <= u64::from(limit), "{count} entries at once");
        deleted += count;
        if count == 0 {
            return deleted;
        }
    }
}

async fn kept(store: &Replicas) -> Vec<LogPosition> {
    whole_log(store).await.into_iter().map(|entry| entry.position).collect()
}

pub async fn prune_log_deletes_the_oldest_entries_first(store: Replicas) {
    let positions = filled(&store, 10).await;
    assert_eq!(prune_all(&store, at(1), 10).await, 0, "no entry was written before the first");
    let deleted = store.prune_log(at(8), 3).await.unwrap();
    assert!((1..=3).contains(&deleted), "{deleted}");
    assert_eq!(kept(&store).await, positions[deleted as usize..]);
    assert_eq!(
        deleted + prune_all(&store, at(5), 10).await,
        4,
        "the entry at exactly that time stays"
    );
    assert_eq!(kept(&store).await, positions[4..]);
}

pub async fn prune_log_respects_the_limit(store: Replicas) {
    let positions = filled(&store, 25).await;
    assert_eq!(store.prune_log(at(100), 0).await.unwrap(), 0);
    assert_eq!(kept(&store).await, positions);
    assert_eq!(prune_all(&store, at(21), 7).await, 20);
    assert_eq!(kept(&store).await, positions[20..]);
}

pub async fn prune_log_keeps_the_newest_entry(store: Replicas) {
    assert_eq!(store.prune_log(at(100), 10).await.unwrap(), 0, "an empty log");
    let positions = filled(&store, 5).await;
    let before = head(&store).await;
    assert_eq!(prune_all(&store, at(100), 10).await, 4);
    assert_eq!(kept(&store).await, positions[4..]);
    assert_eq!(head(&store).await, before, "pruning has moved the head of the log");
    let unknown = token("bob", "x").record.id;
    assert_eq!(store.get(unknown).await.unwrap().as_of, before.seq);
    let seq = store.log_owner_change(&owner("alice"), &event()).await.unwrap();
    assert_eq!(seq, before.seq.next(), "numbers continue");
}

pub async fn follower_detects_a_pruned_position(store: Replicas) {
    let positions = filled(&store, 10).await;
    assert_eq!(prune_all(&store, at(6), 10).await, 5);
    for (index, position) in positions.iter().enumerate() {
        let log = store.changes(Some(*position), 100).await.unwrap();
        let first = log.entries.first().map(|entry| entry.position);
        // If the first entry is not the follower's position, the follower detects that it has
        // missed entries.
        assert_eq!(first == Some(*position), index >= 5, "{position:?}: {first:?}");
        assert_eq!(log.head, positions[9]);
    }
}

pub async fn prune_log_keeps_audit_and_changes_equal(store: Replicas) {
    filled(&store, 10).await;
    prune_all(&store, at(4), 2).await;
    let audited: Vec<_> = whole_trail(&store).await.into_iter().map(|entry| entry.seq).collect();
    let logged: Vec<_> = kept(&store).await.into_iter().map(|position| position.seq).collect();
    assert_eq!((audited.len(), &audited), (7, &logged));
}

pub async fn log_continues_while_it_is_pruned(store: Replicas) {
    let writers = (0..6_i64).map(|writer| {
        let store = store.clone();
        async move {
            for number in 0..20 {
                let event = Event::new(EventKind::OwnerChanged, at(number));
                store.log_owner_change(&owner("alice"), &event).await.unwrap();
                if writer % 3 == 0 {
                    store.prune_log(at(1_000), 5).await.unwrap();
                }
                let log = whole_log(&store).await;
                assert!(!log.is_empty(), "the newest entry is gone");
                assert!(
                    log.iter().all(|entry| entry.target == ChangeTarget::Owner(owner("alice")))
                );
            }
        }
    });
    at_once(writers).await;
    assert_eq!(head(&store).await.seq.get(), 120, "no number was used twice or left out");
    prune_all(&store, at(1_000), 50).await;
    assert_eq!(kept(&store).await, [head(&store).await]);
}
