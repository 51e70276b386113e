//! Each fault: the result that the caller gets, and the state of the inner store afterwards.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hallpass_core::store::{AuditQuery, ListQuery, StoreError, StoredToken, TokenStore};
use hallpass_core::{Actor, Event, EventKind, Hallpass, NewToken, Owner, TokenId};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Operation, StaleCache};
use jiff::Timestamp;

type Store = FaultyStore<MemoryStore>;

fn alice() -> Owner {
    Owner::new("alice").unwrap()
}

fn event() -> Event {
    Event::new(EventKind::Updated, Timestamp::UNIX_EPOCH)
}

/// Creates a store with two tokens of alice.
async fn store() -> (Store, [TokenId; 2]) {
    let store = Store::new(MemoryStore::new());
    let hallpass = Hallpass::builder(store.inner().as_ref().clone()).build();
    let issue =
        async || hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    let ids = [issue().await.record.id, issue().await.record.id];
    (store, ids)
}

/// Returns the token from the inner store.
async fn stored(store: &Store, id: TokenId) -> Option<StoredToken> {
    store.inner().get(id).await.unwrap().value
}

/// Returns the result of a future that completes at its first poll.
fn at_once<T>(call: impl Future<Output = T>) -> Option<T> {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Calls an operation once.
async fn call(store: &Store, verb: Operation, id: TokenId) -> Result<(), StoreError> {
    let (token, long_ago) = (stored(store, id).await.unwrap(), Timestamp::UNIX_EPOCH);
    let mut changed = token.record.clone();
    changed.revision = changed.revision.next();
    let change = hallpass_core::store::Change {
        record: changed,
        secrets: None,
        kind: hallpass_core::store::ChangeKind::Updated,
    };
    match verb {
        Operation::Get => store.get(id).await.map(drop),
        Operation::List => store.list(&ListQuery::everything(long_ago, 1)).await.map(drop),
        Operation::Changes => store.changes(None, 0).await.map(drop),
        Operation::Audit => store.audit(&AuditQuery::newest(1)).await.map(drop),
        Operation::RevokeEveryone => {
            store.revoke_everyone(None, long_ago, 1, &event()).await.map(drop)
        }
        Operation::PruneLog => store.prune_log(long_ago, 1).await.map(drop),
        Operation::Ping => store.ping().await,
        Operation::Insert => {
            let mut fresh = token.clone();
            fresh.record.id = TokenId::generate(&alice(), long_ago).unwrap();
            store.insert(&fresh, None, &event()).await.map(drop)
        }
        Operation::Update => store.update(&change, &event()).await.map(drop),
        Operation::ReplaceDigest => store
            .replace_digest(id, &token.secrets.current, &token.secrets, &event())
            .await
            .map(drop),
        Operation::Delete => store.delete(id, None, &event()).await.map(drop),
        Operation::DeleteMany => store.delete_many(None, &[id], &event()).await.map(drop),
        Operation::DeleteOwner => store.delete_owner(&alice(), &event()).await.map(drop),
        Operation::RevokeOwner => {
            store.revoke_owner(&alice(), None, long_ago, &event()).await.map(drop)
        }
        Operation::LogOwnerChange => store.log_owner_change(&alice(), &event()).await.map(drop),
        Operation::RecordUses => store.record_uses(&[]).await.map(drop),
        Operation::Prune => store.prune(long_ago, 1, &event()).await.map(drop),
        other => panic!("{other:?} cannot be called by this test"),
    }
}

fn callable() -> impl Iterator<Item = Operation> {
    Operation::ALL.into_iter().filter(|verb| *verb != Operation::WaitForChange)
}

#[tokio::test]
async fn each_operation_is_counted_and_fails_separately() {
    for faulty in callable() {
        let (store, [id, _]) = store().await;
        let head = store.inner().changes(None, 0).await.unwrap().head;
        store.faults().on(faulty).fail();
        assert!(call(&store, faulty, id).await.unwrap_err().is_unavailable(), "{faulty:?}");
        assert_eq!(store.inner().changes(None, 0).await.unwrap().head, head, "{faulty:?}");
        assert_eq!(store.faults().calls(faulty), 1, "{faulty:?}");
        assert_eq!(store.faults().calls(Operation::ALL), 1, "{faulty:?}");

        for verb in callable().filter(|verb| *verb != faulty) {
            let (healthy, [id, _]) = self::store().await;
            healthy.faults().on(faulty).fail();
            assert!(call(&healthy, verb, id).await.is_ok(), "{verb:?} while {faulty:?} fails");
            assert_eq!(healthy.faults().calls(verb), 1);
        }
        store.faults().heal();
        assert!(call(&store, faulty, id).await.is_ok(), "{faulty:?}");
    }
}

#[tokio::test]
async fn lost_call_is_not_made_and_lost_reply_is() {
    let (store, [one, two]) = store().await;
    store.faults().on(Operation::Delete).lose_call();
    assert!(store.delete(one, None, &event()).await.unwrap_err().is_outcome_unknown());
    assert!(stored(&store, one).await.is_some());
    store.faults().on(Operation::Delete).lose_answer();
    assert!(store.delete(one, None, &event()).await.unwrap_err().is_outcome_unknown());
    assert!(stored(&store, one).await.is_none());
    assert!(
        store.delete(one, None, &event()).await.unwrap_err().is_not_found(),
        "an error of the call itself is returned unchanged"
    );
    store.faults().on(Operation::WRITES).fail_with(|| StoreError::read_only("a standby"));
    assert!(store.delete(two, None, &event()).await.unwrap_err().is_read_only());
    assert!(store.get(two).await.unwrap().value.is_some(), "reads are not affected");
}

#[tokio::test]
async fn faults_with_a_number_apply_one_after_the_other() {
    let (store, [id, _]) = store().await;
    let faults = store.faults();
    faults.on(Operation::Get).fail();
    faults
        .on([Operation::Get, Operation::List])
        .times(2)
        .fail_with(|| StoreError::corrupt("garbage"));
    faults.on(Operation::Get).once().fail_with(StoreError::conflict);
    for _ in 0..2 {
        assert!(store.get(id).await.unwrap_err().is_corrupt(), "the unlimited fault was replaced");
    }
    assert!(store.get(id).await.unwrap_err().is_conflict());
    assert!(store.get(id).await.is_ok());
    assert!(call(&store, Operation::List, id).await.unwrap_err().is_corrupt());
    assert!(
        call(&store, Operation::List, id).await.unwrap_err().is_corrupt(),
        "the number applies to each operation separately"
    );
    faults.on(Operation::ALL).fail();
    faults.on(Operation::Get).heal();
    assert!(store.get(id).await.is_ok());
    assert!(store.ping().await.is_err());
}

#[tokio::test]
async fn stalled_call_has_no_effect_and_gets_a_later_fault() {
    let (store, [id, _]) = store().await;
    let gate = store.faults().on(Operation::Delete).stall();
    {
        let event = event();
        let mut first = pin!(store.delete(id, None, &event));
        assert!(at_once(first.as_mut()).is_none());
        assert_eq!(gate.arrivals(), 1);
        assert!(stored(&store, id).await.is_some());
        store.faults().on(Operation::Delete).once().fail();
        gate.open();
        assert!(first.await.unwrap_err().is_unavailable());
    }
    assert!(store.delete(id, None, &event()).await.is_ok());
}

#[tokio::test]
async fn held_call_has_its_effect_and_returns_the_old_state() {
    let (store, [id, _]) = store().await;
    let gate = store.faults().on(Operation::Get).once().hold();
    let asked = tokio::spawn({
        let store = store.clone();
        async move { store.get(id).await.unwrap().value }
    });
    gate.arrived(1).await;
    assert!(store.get(id).await.unwrap().value.is_some(), "only one call is held");
    store.delete(id, None, &event()).await.unwrap();
    gate.open();
    assert!(
        asked.await.unwrap().is_some(),
        "the held call has read the token before it was deleted"
    );
    assert!(store.get(id).await.unwrap().value.is_none());
}

#[tokio::test]
async fn open_gate_stops_no_call() {
    let (store, [id, _]) = store().await;
    store.faults().on(Operation::Get).stall().open();
    assert!(at_once(store.get(id)).is_some());
    store.faults().on(Operation::Get).hold().open();
    assert!(at_once(store.get(id)).is_some());
    let gate = store.faults().on(Operation::Get).times(2).stall();
    let mut waiting = pin!(store.get(id));
    assert!(at_once(waiting.as_mut()).is_none());
    store.faults().heal();
    assert!(at_once(waiting.as_mut()).is_none(), "heal opens no gate");
    assert!(at_once(store.get(id)).is_some());
    gate.open();
    assert!(at_once(waiting).is_some());
}

#[tokio::test(start_paused = true)]
async fn delayed_call_is_made_late() {
    let (store, [id, _]) = store().await;
    store.faults().on(Operation::Delete).delay(Duration::from_secs(5));
    let before = tokio::time::Instant::now();
    let slow = async {
        tokio::time::timeout(Duration::from_secs(4), store.delete(id, None, &event())).await
    };
    assert!(slow.await.is_err());
    assert!(stored(&store, id).await.is_some());
    store.delete(id, None, &event()).await.unwrap();
    assert_eq!(before.elapsed(), Duration::from_secs(9));
}

#[tokio::test]
async fn answer_with_returns_another_token_for_every_lookup() {
    let (store, [asked, other]) = store().await;
    store.faults().on(Operation::Get).answer_with(other);
    assert_eq!(store.get(asked).await.unwrap().value.unwrap().record.id, other);
    assert_eq!(store.faults().calls(Operation::Get), 1);
}

#[tokio::test]
async fn meanwhile_runs_once_between_a_call_and_its_result() {
    let (store, [id, _]) = store().await;
    let inner = store.inner();
    store.faults().on([Operation::Get, Operation::Delete]).meanwhile(async move {
        inner.delete(id, None, &event()).await.unwrap();
    });
    assert!(
        store.get(id).await.unwrap().value.is_some(),
        "the token was read before it was deleted"
    );
    assert!(store.get(id).await.unwrap().value.is_none());
    assert!(
        store.delete(id, None, &event()).await.unwrap_err().is_not_found(),
        "the future runs only once for all operations"
    );
}

#[tokio::test]
async fn stand_still_hides_new_log_entries() {
    let (store, [id, _]) = store().await;
    let before = store.changes(None, 0).await.unwrap().head;
    store.faults().on(Operation::Changes).stand_still();
    store.delete(id, None, &event()).await.unwrap();
    let hidden = store.changes(Some(before), 10).await.unwrap();
    assert_eq!(
        (hidden.entries.len(), hidden.head),
        (1, before),
        "only the entry at the requested position"
    );
    store.faults().heal();
    let shown = store.changes(Some(before), 10).await.unwrap();
    assert_eq!((shown.entries.len(), shown.head.seq), (2, before.seq.next()));

    let (never_read, [id, _]) = self::store().await;
    never_read.faults().on(Operation::Changes).stand_still();
    let first = never_read.changes(None, 0).await.unwrap().head;
    never_read.delete(id, None, &event()).await.unwrap();
    assert_eq!(never_read.changes(None, 0).await.unwrap().head, first);
}

#[tokio::test]
async fn pinned_token_is_served_until_a_check_bypasses_the_cache() {
    use hallpass_core::__private::{Backend as _, Freshness, Lookup};

    let (store, [id, _]) = store().await;
    let cache = StaleCache::new(store.clone());
    assert!(!cache.is_cache() && matches!(cache.peek(id), Lookup::Miss));
    cache.pin(id).await.unwrap();
    TokenStore::delete(&store, id, None, &event()).await.unwrap();
    assert!(cache.is_cache() && matches!(cache.peek(id), Lookup::Hit(_)));
    assert!(cache.load(id, Freshness::Bounded).await.unwrap().is_some());
    assert!(cache.load(id, Freshness::AfterCall).await.unwrap().is_none());
    assert_eq!(store.faults().calls(Operation::Get), 2);
    assert!(cache.pin(id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn failover_replaces_the_store() {
    let (store, [id, _]) = store().await;
    store.fail_over_to(MemoryStore::new());
    assert!(store.get(id).await.unwrap().value.is_none());
}

#[tokio::test]
async fn fault_for_a_wrong_operation_panics() {
    let (store, [id, _]) = store().await;
    for wrong in [
        std::panic::catch_unwind(|| store.faults().on(Operation::ALL).answer_with(id)),
        std::panic::catch_unwind(|| store.faults().on(Operation::Get).stand_still()),
        std::panic::catch_unwind(|| store.faults().on(Operation::Get).repeat()),
        std::panic::catch_unwind(|| store.faults().on(Operation::Get).times(0).fail()),
    ] {
        assert!(wrong.is_err());
    }
    assert!(store.get(id).await.is_ok());
}
