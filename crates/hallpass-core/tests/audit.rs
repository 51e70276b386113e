//! The audit trail, and clients that disconnect while their change is committed: a change, its
//! audit entry and its event belong together whatever happens to the request.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use hallpass_core::store::{AuditQuery, TokenStore as _};
use hallpass_core::{
    Actor, Error, Event, EventKind, Hallpass, NewToken, Owner, RegenerateOptions, TokenId,
    TokenUpdate,
};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Operation};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::timeout;

type Store = FaultyStore<MemoryStore>;
type Call = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A handle, its store, and the events of its sink.
fn service() -> (Hallpass, Store, UnboundedReceiver<Event>) {
    let store = Store::new(MemoryStore::new());
    let (sender, events) = mpsc::unbounded_channel();
    let sink = move |event: &Event| {
        let _ = sender.send(event.clone());
    };
    (Hallpass::builder(store.clone()).events(sink).build(), store, events)
}

fn alice() -> Actor {
    Actor::owner("alice")
}

/// Makes a call whose change is committed but whose reply is delayed. Drops the future of the call,
/// and then delivers the reply. Checks that the trail and the sink both have the change once.
async fn disconnects_during(
    operation: Operation,
    kind: EventKind,
    call: impl FnOnce(Hallpass, TokenId) -> Call,
) {
    let (hallpass, store, mut events) = service();
    let issued = hallpass.issue(&alice(), NewToken::named("ci").scope("a")).await.unwrap();
    assert_eq!(events.recv().await.unwrap().kind, EventKind::Issued);

    let gate = store.faults().on(operation).hold();
    let request = tokio::spawn(call(hallpass.clone(), issued.record.id));
    gate.arrived(1).await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    gate.open();

    let event = timeout(Duration::from_secs(5), events.recv()).await;
    let event = event.unwrap_or_else(|_| panic!("{operation:?}: the event is lost")).unwrap();
    assert_eq!(event.kind, kind, "{operation:?}");
    let trail = store.inner().audit(&AuditQuery::newest(10)).await.unwrap().entries;
    assert_eq!(trail.len(), 2, "{operation:?}: {trail:?}");
    assert_eq!(trail[0].event, event, "{operation:?}");
    assert!(events.try_recv().is_err(), "{operation:?}: reported twice");
}

macro_rules! disconnects {
    ($($name:ident: $operation:ident, $kind:ident, |$hallpass:ident, $id:ident| $call:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            disconnects_during(Operation::$operation, EventKind::$kind, |$hallpass, $id| {
                Box::pin(async move {
                    let _ = $id;
                    $call.await.map(drop)
                })
            })
            .await;
        }
    )*};
}

disconnects! {
    issue_is_recorded_and_reported: Insert, Issued,
        |hallpass, id| hallpass.issue(&alice(), NewToken::named("new"));
    copy_is_recorded_and_reported: Insert, Copied,
        |hallpass, id| hallpass.copy(&alice(), id, TokenUpdate::new());
    update_is_recorded_and_reported: Update, Updated,
        |hallpass, id| hallpass.update(&alice(), id, TokenUpdate::new().scopes(["a", "b"]), None);
    regenerate_is_recorded_and_reported: Update, Regenerated,
        |hallpass, id| hallpass.regenerate(&alice(), id, RegenerateOptions::new());
    revoke_is_recorded_and_reported: Update, Revoked,
        |hallpass, id| hallpass.revoke(&alice(), id);
    delete_is_recorded_and_reported: Delete, Deleted,
        |hallpass, id| hallpass.delete(&alice(), id, None);
    delete_many_is_recorded_and_reported: DeleteMany, Deleted,
        |hallpass, id| hallpass.delete_many(&alice(), &[id]);
    delete_all_is_recorded_and_reported: DeleteOwner, Deleted,
        |hallpass, id| hallpass.delete_all(&alice());
    revoke_owner_is_recorded_and_reported: RevokeOwner, Revoked,
        |hallpass, id| hallpass.revoke_owner(&alice(), alice().id(), None);
    revoke_everyone_is_recorded_and_reported: RevokeEveryone, Revoked,
        |hallpass, id| hallpass.revoke_everyone(&Actor::admin("root"), None);
    owner_changed_is_recorded_and_reported: LogOwnerChange, OwnerChanged,
        |hallpass, id| hallpass.owner_changed(&alice(), &Owner::new("alice").unwrap());
}

#[tokio::test]
async fn audit_entry_names_actor_change_and_origin() {
    use hallpass_core::{AuditOptions, Metadata, Origin};
    use serde_json::json;

    let (hallpass, _, _events) = service();
    let origin = Origin::new().ip([203, 0, 113, 7].into()).user_agent("curl/8\n").request_id("r-1");
    let alice = alice().with_origin(origin);
    let metadata = Metadata::new([("team", "build")]).unwrap();
    let new = NewToken::named("ci").scope("a").metadata(metadata).expires("never");
    let id = hallpass.issue(&alice, new).await.unwrap().record.id;
    let change = json!({"team": null, "ticket": 17}).as_object().unwrap().clone();
    let update = TokenUpdate::new().name("nightly").scopes(["a", "b"]).metadata(change);
    hallpass.update(&alice, id, update, None).await.unwrap();

    let trail = hallpass.audit(&alice, &AuditOptions::new()).await.unwrap().items;
    let event = &trail[0].event;
    assert_eq!((event.kind, event.token_id, event.count), (EventKind::Updated, Some(id), 1));
    assert_eq!(event.actor.as_ref().unwrap().as_str(), "alice");
    assert_eq!(event.origin.ip_addr(), Some([203, 0, 113, 7].into()));
    assert_eq!(event.origin.user_agent_str(), Some("curl/8\u{fffd}"));
    let changes: Vec<_> = event
        .changes
        .iter()
        .map(|change| (change.field.as_str(), change.before.clone(), change.after.clone()))
        .collect();
    assert_eq!(
        changes,
        [
            ("name", json!("ci"), json!("nightly")),
            ("scopes", json!(["a"]), json!(["a", "b"])),
            ("metadata", json!({"team": "build"}), json!({"ticket": 17})),
        ]
    );
    // An admin sees the entry, but other owners do not.
    let bob = hallpass.audit(&Actor::owner("bob"), &AuditOptions::new()).await.unwrap();
    assert!(bob.items.is_empty());
    let root = hallpass.audit(&Actor::admin("root"), &AuditOptions::new().token(id)).await.unwrap();
    assert_eq!(root.items, trail);
}

#[tokio::test]
async fn audit_pages_together_are_the_whole_trail() {
    use hallpass_core::AuditOptions;

    let (hallpass, _, _events) = service();
    for number in 0..7 {
        let _ = hallpass.issue(&alice(), NewToken::named(number.to_string())).await.unwrap();
    }
    for options in [AuditOptions::new(), AuditOptions::new().oldest_first()] {
        let all = hallpass.audit(&alice(), &options.clone().limit(100)).await.unwrap().items;
        assert_eq!(all.len(), 7);
        let mut pages = Vec::new();
        let mut next = options.clone().limit(3);
        loop {
            let page = hallpass.audit(&alice(), &next).await.unwrap();
            pages.extend(page.items);
            let Some(cursor) = page.next_cursor else { break };
            next = next.cursor(cursor);
        }
        assert_eq!(pages, all);
    }
    let bad = AuditOptions::new().cursor("00");
    assert!(matches!(hallpass.audit(&alice(), &bad).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn prune_keeps_entries_for_the_retention() {
    use hallpass_core::AuditOptions;
    use hallpass_testkit::ManualClock;
    use jiff::SignedDuration;

    let clock = ManualClock::new();
    let hallpass = Hallpass::builder(MemoryStore::new())
        .clock(clock.clone())
        .audit_retention(SignedDuration::from_hours(48))
        .build();
    let job = Actor::system("cleanup");
    let _ = hallpass.issue(&alice(), NewToken::named("old").expires("never")).await.unwrap();
    clock.advance(Duration::from_hours(47));
    let _ = hallpass.issue(&alice(), NewToken::named("new").expires("never")).await.unwrap();
    hallpass.prune(&job, hallpass.now()).await.unwrap();
    let count = async || {
        hallpass.audit(&Actor::admin("root"), &AuditOptions::new()).await.unwrap().items.len()
    };
    assert_eq!(count().await, 2);
    clock.advance(Duration::from_hours(2));
    hallpass.prune(&job, hallpass.now()).await.unwrap();
    assert_eq!(count().await, 1);
    assert!(
        Hallpass::builder(MemoryStore::new())
            .audit_retention(SignedDuration::from_hours(23))
            .try_build()
            .is_err()
    );
}
