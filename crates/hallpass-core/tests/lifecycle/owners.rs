//! The status of owners: a token allows what both the token and the owner's status cover.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use hallpass_core::{
    Error, EventKind, NewToken, Owner, OwnerDirectory, OwnerStatus, PermissionError,
    RegenerateOptions, RejectReason, Requirement, Scope, ScopeSet, TokenUpdate,
};
use proptest::prelude::*;
use tokio::sync::watch;

use crate::common::*;

/// An owner directory whose status the test sets. `None` stands for an outage.
#[derive(Clone)]
struct Word(Arc<Mutex<Option<OwnerStatus>>>);

impl Word {
    fn say(&self, standing: OwnerStatus) {
        *self.0.lock().unwrap() = Some(standing);
    }

    fn fall_silent(&self) {
        *self.0.lock().unwrap() = None;
    }
}

impl OwnerDirectory for Word {
    async fn status(
        &self,
        _: Owner,
    ) -> Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>> {
        self.0.lock().unwrap().clone().ok_or_else(|| "the directory is down".into())
    }
}

fn service() -> (Service, Word) {
    let word = Word(Arc::new(Mutex::new(Some(OwnerStatus::Active))));
    (Service::with(|b| b.owner_directory(word.clone())), word)
}

#[tokio::test]
async fn each_check_queries_the_owners_status() {
    let queried_owners = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&queried_owners);
    let service = Service::with(|b| {
        b.owner_directory(move |owner: Owner| {
            heard.lock().unwrap().push(owner.to_string());
            async { Ok(OwnerStatus::Active) }
        })
    });
    let token = service.hallpass.issue(&bob(), NewToken::named("x")).await.unwrap().token;
    queried_owners.lock().unwrap().clear();
    assert!(service.accepts(token.reveal()).await);
    assert!(service.accepts(token.reveal()).await);
    assert_eq!(*queried_owners.lock().unwrap(), ["bob", "bob"]);
    // A request with a wrong secret does not reach the owner directory.
    assert!(!service.accepts(&token.reveal().replacen("hp_", "hq_", 1)).await);
    assert_eq!(queried_owners.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn disabled_owners_tokens_are_rejected_until_enabled_again() {
    let (service, word) = service();
    let token = service.issue(&["a"]).await;
    word.say(OwnerStatus::Disabled);
    assert_eq!(service.rejection(token.token.reveal()).await, RejectReason::OwnerDisabled);
    assert!(!service.hallpass.has_unflushed_uses(), "a rejection is not a use");
    word.say(OwnerStatus::Active);
    assert!(service.accepts(token.token.reveal()).await);
}

#[tokio::test]
async fn rejected_use_of_the_new_secret_does_not_end_the_grace_period() {
    let (service, word) = service();
    let old = service.issue(&[]).await;
    let options = RegenerateOptions::new().grace_period("1d");
    let new = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
    word.say(OwnerStatus::Disabled);
    assert_eq!(service.rejection(new.token.reveal()).await, RejectReason::OwnerDisabled);
    word.fall_silent();
    unavailable(service.check(new.token.reveal()).await);
    word.say(OwnerStatus::Active);
    assert!(service.accepts(old.token.reveal()).await, "a rejection is not a use");
    assert!(service.accepts(new.token.reveal()).await);
    assert_eq!(service.rejection(old.token.reveal()).await, RejectReason::Unknown);
}

/// A service whose owner directory, once the gate is shut, holds its first query until the gate
/// opens.
fn held_service() -> (Service, Arc<watch::Sender<bool>>) {
    let gate = Arc::new(watch::Sender::new(true));
    let waits = Arc::new(AtomicBool::new(false));
    let held = Arc::clone(&gate);
    let service = Service::with(|b| {
        b.owner_directory(move |_: Owner| {
            let (gate, waits) = (Arc::clone(&held), Arc::clone(&waits));
            async move {
                if !*gate.borrow() && !waits.swap(true, Ordering::SeqCst) {
                    gate.subscribe().wait_for(|open| *open).await?;
                }
                Ok(OwnerStatus::Active)
            }
        })
    });
    (service, gate)
}

#[tokio::test]
async fn slow_owner_query_does_not_end_a_grace_period_twice() {
    let (service, gate) = held_service();
    let old = service.issue(&[]).await;
    let options = RegenerateOptions::new().grace_period("1d");
    let new = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
    gate.send_replace(false);
    service.happened.take();
    let mut slow = std::pin::pin!(service.check(new.token.reveal()));
    assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(service.accepts(new.token.reveal()).await);
    gate.send_replace(true);
    assert!(slow.await.is_ok());
    assert_eq!(service.happened.only().kind, EventKind::GracePeriodEnded);
}

#[tokio::test]
async fn slow_owner_query_does_not_revive_a_superseded_secret() {
    let (service, gate) = held_service();
    let first = service.issue(&[]).await;
    let options = || RegenerateOptions::new().grace_period("1d");
    let id = first.record.id;
    let second = service.hallpass.regenerate(&alice(), id, options()).await.unwrap();
    gate.send_replace(false);
    let mut slow = std::pin::pin!(service.check(second.token.reveal()));
    assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let third = service.hallpass.regenerate(&alice(), id, options()).await.unwrap();
    service.store.faults().on(Operation::ReplaceDigest).fail();
    assert!(service.accepts(third.token.reveal()).await);
    gate.send_replace(true);
    assert!(slow.await.is_err(), "the third secret was used before");
    assert_eq!(service.rejection(second.token.reveal()).await, RejectReason::Unknown);
}

#[tokio::test]
async fn cached_token_still_queries_the_owner_directory() {
    let (service, word) = service();
    let token = service.issue(&["a", "b"]).await;
    service.cache.pin(token.record.id).await.unwrap();
    word.say(OwnerStatus::Limited(set(&["a"])));
    let principal = service.check(token.token.reveal()).await.unwrap();
    assert_eq!(*principal.scopes(), set(&["a"]));
    word.say(OwnerStatus::Disabled);
    assert!(!service.accepts(token.token.reveal()).await);
}

#[tokio::test]
async fn revoked_token_is_rejected_whatever_the_owner_status() {
    let (service, word) = service();
    let token = service.issue(&[]).await;
    service.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    word.fall_silent();
    assert_eq!(service.rejection(token.token.reveal()).await, RejectReason::Revoked);
}

#[tokio::test]
async fn limited_owner_keeps_the_remaining_scopes() {
    let (service, word) = service();
    let token = service.issue(&["projects", "jobs:run"]).await;
    word.say(OwnerStatus::Limited(set(&["projects:read", "jobs", "admin"])));
    let principal = service.check(token.token.reveal()).await.unwrap();
    assert_eq!(*principal.scopes(), set(&["jobs:run", "projects:read"]));
    assert!(principal.allows(&scope("projects:read:42")));
    assert!(!principal.allows(&scope("projects:delete:42")));
    assert!(!principal.allows(&scope("admin")));
    let record = service.hallpass.get(&alice(), token.record.id).await.unwrap();
    assert_eq!(record.scopes, set(&["jobs:run", "projects"]), "the record must not change");
    word.say(OwnerStatus::Limited(ScopeSet::default()));
    assert!(service.check(token.token.reveal()).await.unwrap().scopes().is_empty());
}

#[tokio::test]
async fn failing_owner_directory_makes_checks_unavailable() {
    let (service, word) = service();
    let token = service.issue(&["a"]).await;
    let principal = service.check(token.token.reveal()).await.unwrap();
    service.hallpass.flush_uses().await.unwrap();
    service.clock.advance(minutes(5));
    service.happened.take();
    word.fall_silent();
    unavailable(service.check(token.token.reveal()).await);
    unavailable(service.hallpass.recheck(&principal).await);
    assert!(!service.hallpass.has_unflushed_uses());
    let id = token.record.id;
    let errors = [
        error(service.hallpass.issue(&alice(), NewToken::named("x")).await),
        error(service.hallpass.copy(&alice(), id, TokenUpdate::new()).await),
        error(service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await),
        error(service.hallpass.add_scopes(&alice(), id, ["b"], None).await),
    ];
    for error in errors {
        assert!(matches!(error, Error::OwnerDirectory(_)) && error.is_unavailable(), "{error:?}");
    }
    assert!(service.happened.take().is_empty(), "a failed call must emit no event");
    // Revoking and deleting do not query the owner directory.
    service.hallpass.clear_scopes(&alice(), id, None).await.unwrap();
    service.hallpass.revoke(&alice(), id).await.unwrap();
    service.hallpass.delete(&alice(), id, None).await.unwrap();
}

#[tokio::test]
async fn disabled_owner_can_revoke_and_delete_but_not_issue() {
    let (service, word) = service();
    let id = service.issue(&["a", "b"]).await.record.id;
    word.say(OwnerStatus::Disabled);
    let errors = [
        error(service.hallpass.issue(&alice(), NewToken::named("x")).await),
        error(service.hallpass.copy(&alice(), id, TokenUpdate::new()).await),
        error(service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await),
        error(service.hallpass.add_scopes(&alice(), id, ["c"], None).await),
    ];
    for error in errors {
        assert!(matches!(error, Error::Forbidden(PermissionError::OwnerDisabled)), "{error:?}");
    }
    service.hallpass.remove_scopes(&alice(), id, &[scope("a")], None).await.unwrap();
    service.hallpass.revoke(&alice(), id).await.unwrap();
}

#[tokio::test]
async fn owner_limit_applies_to_every_way_to_grant_scopes() {
    let (service, word) = service();
    let id = service.issue(&["projects", "jobs"]).await.record.id;
    word.say(OwnerStatus::Limited(set(&["jobs", "projects:read"])));
    let beyond = |error: Error| match error {
        Error::Forbidden(PermissionError::Scopes(beyond)) => {
            beyond.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
        other => panic!("{other:?}"),
    };
    let new = NewToken::named("x").scopes(["projects:list", "projects:read:1"]);
    assert_eq!(beyond(error(service.hallpass.issue(&alice(), new).await)), "projects:list");
    let copy = service.hallpass.copy(&alice(), id, TokenUpdate::new()).await;
    assert_eq!(beyond(error(copy)), "projects");
    let again = service.hallpass.regenerate(&alice(), id, RegenerateOptions::new()).await;
    assert_eq!(beyond(error(again)), "projects");
    let more = service.hallpass.add_scopes(&alice(), id, ["admin", "jobs:run"], None).await;
    assert_eq!(beyond(error(more)), "admin");
    // Both limits apply: the owner's status, and the actor's grantable scopes.
    let by = alice().with_grantable_scopes(set(&["projects"]));
    let new = NewToken::named("x").scopes(["projects:read", "jobs"]);
    assert_eq!(beyond(error(service.hallpass.issue(&by, new).await)), "jobs");
    // Scopes beyond the limit that the token holds already may stay or be removed.
    let update = TokenUpdate::new().name("renamed").scopes(["projects"]);
    service.hallpass.update(&alice(), id, update, None).await.unwrap();
}

#[tokio::test]
async fn owner_change_is_logged_for_every_node() {
    let (service, _) = service();
    let head = service.store.head().await;
    let owner = Owner::new("alice").unwrap();
    service.hallpass.owner_changed(&job(), &owner).await.unwrap();
    assert_eq!(service.store.head().await, head.next());
    let event = service.happened.only();
    assert_eq!(
        (event.kind, event.owner, event.token_id),
        (EventKind::OwnerChanged, Some(owner), None)
    );
}

/// Generates scopes from a few letters and segments, so that many of them overlap.
fn any_scope() -> impl Strategy<Value = Scope> {
    proptest::collection::vec(prop_oneof!["[ab]", Just("*".into()), Just("admin".into())], 1..4)
        .prop_map(|segments: Vec<String>| scope(&segments.join(":")))
}

fn any_set() -> impl Strategy<Value = ScopeSet> {
    proptest::collection::vec(any_scope(), 0..4).prop_map(ScopeSet::from_iter)
}

proptest! {
    #[test]
    fn principal_has_the_tokens_scopes_within_the_owners_limit(
        held in any_set(), ceiling in any_set(), needed in "[ab]|admin", id in "[ab*]", third in proptest::option::of("[ab]")
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (service, word) = service();
        let principal = runtime.block_on(async {
            let new = NewToken::named("x").scopes(held.iter().map(ToString::to_string));
            let token = service.hallpass.issue(&alice(), new).await.unwrap().token;
            word.say(OwnerStatus::Limited(ceiling.clone()));
            service.check(token.reveal()).await.unwrap()
        });
        let tail = third.map(|third| format!(":{third}")).unwrap_or_default();
        let requirement: Requirement = format!("{needed}:{{id}}{tail}").parse().unwrap();
        let by = |held: &ScopeSet| requirement.check(held, &[("id", &id)]).is_allowed();
        let granted = principal.check(&requirement, &[("id", &id)]).is_allowed();
        prop_assert_eq!(granted, by(&held) && by(&ceiling));
        if id != "*" {
            let named = scope(&format!("{needed}:{id}{tail}"));
            prop_assert_eq!(principal.allows(&named), held.covers(&named) && ceiling.covers(&named));
        }
    }
}
