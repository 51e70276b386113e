use hallpass_core::{
    Actor, Digest, Ensured, Error, EventKind, Issued, KnownToken, Limits, NewToken,
    PermissionError, PresentedToken, RegenerateOptions,
};

use crate::common::*;

/// A token of alice's that was made elsewhere, and what a manifest says of it.
async fn made_elsewhere() -> (Issued, KnownToken) {
    let issued = Service::new().issue(&[]).await;
    let (_, presented) = PresentedToken::inspect(issued.token.reveal()).unwrap();
    let known = KnownToken { id: presented.id(), digest: presented.digest() };
    (issued, known)
}

fn for_alice() -> Actor {
    job().on_behalf_of("alice")
}

fn manifest() -> NewToken {
    NewToken::named("deploy").description("of the cluster").scope("projects:read").expires("30d")
}

#[tokio::test]
async fn a_token_made_elsewhere_works_here_once_it_is_ensured() {
    let (service, (issued, known)) = (Service::new(), made_elsewhere().await);
    assert!(!service.accepts(issued.token.reveal()).await);
    service.happened.take();
    let ensured = service.hallpass.ensure(&for_alice(), &known, manifest()).await.unwrap();
    let Ensured::Created(record) = ensured else { panic!("{ensured:?}") };
    assert_eq!((record.id, record.name.as_str()), (issued.record.id, "deploy"));
    assert_eq!((record.owner.as_str(), record.revision.get()), ("alice", 1));
    assert_eq!(record.expires_at, Some(at("2027-01-31T00:00:00Z")));
    let event = service.happened.only();
    assert_eq!((event.kind, event.token_id), (EventKind::Issued, Some(known.id)));
    let principal = service.check(issued.token.reveal()).await.unwrap();
    assert!(principal.scopes().contains(&scope("projects:read")));
}

#[tokio::test]
async fn ensured_again_nothing_changes_and_a_changed_manifest_changes_it() {
    let (service, (issued, known)) = (Service::new(), made_elsewhere().await);
    let ensure = async |new: NewToken| service.hallpass.ensure(&for_alice(), &known, new).await;
    let created = ensure(manifest()).await.unwrap().record().clone();
    service.clock.advance(days(1));
    assert_eq!(ensure(manifest()).await.unwrap(), Ensured::Unchanged(created.clone()));

    let other = NewToken::named("deploy").scope("projects:list").expires("1y");
    let Ensured::Updated(record) = ensure(other).await.unwrap() else { panic!("it changed") };
    assert_eq!((record.description.as_str(), record.scopes), ("", set(&["projects:list"])));
    assert_eq!(record.expires_at, created.expires_at, "its end does not move");
    assert!(service.accepts(issued.token.reveal()).await);

    service.clock.advance(days(20));
    let late = manifest().expires("2027-01-02");
    assert!(matches!(ensure(late).await, Ok(Ensured::Updated(_))), "that was a date to come then");
}

#[tokio::test]
async fn what_is_wrong_in_a_manifest_is_told_and_changes_nothing() {
    let (service, (_, known)) = (Service::new(), made_elsewhere().await);
    let bad = || NewToken::named("").scope("a b").expires("yesterday");
    let ensure = async |new: NewToken| service.hallpass.ensure(&for_alice(), &known, new).await;
    assert_eq!(fields(ensure(bad()).await), ["name", "scopes", "expires"]);
    let created = ensure(manifest()).await.unwrap();
    assert_eq!(fields(ensure(bad()).await), ["name", "scopes"]);
    assert_eq!(service.hallpass.get(&alice(), known.id).await.unwrap(), *created.record());
    // The id routes by its owner, so it serves no other.
    let bobs = service.hallpass.ensure(&job().on_behalf_of("bob"), &known, manifest()).await;
    assert_eq!(fields(bobs), ["id"]);
}

#[tokio::test]
async fn another_secret_is_never_put_in_place_of_the_one_there_is() {
    let (service, (issued, known)) = (Service::new(), made_elsewhere().await);
    let ensure =
        async |known: &KnownToken| service.hallpass.ensure(&for_alice(), known, manifest()).await;
    ensure(&known).await.unwrap();
    let digest = Digest::from_parts("sha256-v2", &[7; 32]).unwrap();
    let other = KnownToken { digest, ..known.clone() };
    assert!(matches!(error(ensure(&other).await), Error::Taken));
    assert!(service.accepts(issued.token.reveal()).await);
    let _ =
        service.hallpass.regenerate(&alice(), known.id, RegenerateOptions::new()).await.unwrap();
    assert!(matches!(error(ensure(&known).await), Error::Taken), "its secret is another now");
    assert!(!service.accepts(issued.token.reveal()).await);
}

#[tokio::test]
async fn what_was_taken_back_stays_so() {
    let (service, (issued, known)) = (Service::new(), made_elsewhere().await);
    let ensure = async || service.hallpass.ensure(&for_alice(), &known, manifest()).await;
    ensure().await.unwrap();
    service.hallpass.revoke(&alice(), known.id).await.unwrap();
    assert!(matches!(error(ensure().await), Error::Ended));
    assert_eq!(service.refusal(issued.token.reveal()).await.as_str(), "revoked");

    let (service, (issued, known)) = (Service::new(), made_elsewhere().await);
    let ensure = async || service.hallpass.ensure(&for_alice(), &known, manifest()).await;
    ensure().await.unwrap();
    service.clock.advance(days(31));
    assert!(matches!(error(ensure().await), Error::Ended));
    assert!(!service.accepts(issued.token.reveal()).await);
}

#[tokio::test]
async fn a_digest_made_anew_under_a_pepper_is_still_that_tokens() {
    let service = Service::with(|builder| builder.pepper("2027", [7; 32]));
    let (issued, known) = made_elsewhere().await;
    let ensure = async || service.hallpass.ensure(&for_alice(), &known, manifest()).await.unwrap();
    ensure().await;
    assert!(service.accepts(issued.token.reveal()).await);
    service.hallpass.flush_uses().await.unwrap();
    assert!(matches!(ensure().await, Ensured::Unchanged(_)));
    assert!(service.accepts(issued.token.reveal()).await);
}

#[tokio::test]
async fn it_counts_against_the_limit_and_nobody_but_an_operator_does_it() {
    let service = Service::with(|builder| builder.limits(Limits::default().tokens_per_owner(1)));
    let (_, known) = made_elsewhere().await;
    for by in [alice(), Actor::admin("alice")] {
        let outcome = service.hallpass.ensure(&by, &known, manifest()).await;
        assert!(matches!(error(outcome), Error::Forbidden(PermissionError::SystemOnly)));
    }
    assert_eq!(fields(service.hallpass.ensure(&job(), &known, manifest()).await), ["owner"]);
    let _ = service.issue(&[]).await;
    let outcome = service.hallpass.ensure(&for_alice(), &known, manifest()).await;
    assert!(matches!(error(outcome), Error::LimitReached { limit: 1, in_use: 1, .. }));
}

#[tokio::test]
async fn of_two_who_ensure_at_once_one_creates_it() {
    let (service, (_, known)) = (Service::new(), made_elsewhere().await);
    let other = Service::over(service.store.clone(), |builder| builder);
    let known = &known;
    // The other comes between this one's look and its insert.
    service.store.faults().on(Operation::Get).meanwhile({
        let (hallpass, known) = (other.hallpass.clone(), known.clone());
        async move {
            hallpass.ensure(&for_alice(), &known, manifest()).await.unwrap();
        }
    });
    let ensured = service.hallpass.ensure(&for_alice(), known, manifest()).await.unwrap();
    assert!(matches!(ensured, Ensured::Unchanged(_)), "{ensured:?}");
}
