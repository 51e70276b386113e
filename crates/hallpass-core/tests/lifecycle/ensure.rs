use hallpass_core::{
    Actor, Digest, EnsureOutcome, Error, EventKind, Issued, KnownToken, Limits, NewToken,
    PermissionError, PresentedToken, RegenerateOptions, RejectReason,
};

use crate::common::*;

/// Generates a token of alice's outside of the service, and returns it with its entry in a
/// manifest.
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
async fn ensured_token_works() {
    let (service, (issued, known)) = (Service::new(), made_elsewhere().await);
    assert!(!service.accepts(issued.token.reveal()).await);
    service.happened.take();
    let ensured = service.hallpass.ensure(&for_alice(), &known, manifest()).await.unwrap();
    let EnsureOutcome::Created(record) = ensured else { panic!("{ensured:?}") };
    assert_eq!((record.id, record.name.as_str()), (issued.record.id, "deploy"));
    assert_eq!((record.owner.as_str(), record.revision.get()), ("alice", 1));
    assert_eq!(record.expires_at, Some(at("2027-01-31T00:00:00Z")));
    let event = service.happened.only();
    assert_eq!((event.kind, event.token_id), (EventKind::Issued, Some(known.id)));
    let principal = service.check(issued.token.reveal()).await.unwrap();
    assert!(principal.scopes().contains(&scope("projects:read")));
}

#[tokio::test]
async fn ensure_again_changes_only_what_differs() {
    let (service, (issued, known)) = (Service::new(), made_elsewhere().await);
    let ensure = async |new: NewToken| service.hallpass.ensure(&for_alice(), &known, new).await;
    let created = ensure(manifest()).await.unwrap().record().clone();
    service.clock.advance(days(1));
    assert_eq!(ensure(manifest()).await.unwrap(), EnsureOutcome::Unchanged(created.clone()));

    let other = NewToken::named("deploy").scope("projects:list").expires("1y");
    let EnsureOutcome::Updated(record) = ensure(other).await.unwrap() else {
        panic!("the token must be updated")
    };
    assert_eq!((record.description.as_str(), record.scopes), ("", set(&["projects:list"])));
    assert_eq!(record.expires_at, created.expires_at, "the expiry must not change");
    assert!(service.accepts(issued.token.reveal()).await);

    service.clock.advance(days(20));
    let late = manifest().expires("2027-01-02");
    assert!(
        matches!(ensure(late).await, Ok(EnsureOutcome::Updated(_))),
        "the expiry was in the future when the token was created"
    );
}

#[tokio::test]
async fn ensure_reports_invalid_fields_and_changes_nothing() {
    let (service, (_, known)) = (Service::new(), made_elsewhere().await);
    let bad = || NewToken::named("").scope("a b").expires("yesterday");
    let ensure = async |new: NewToken| service.hallpass.ensure(&for_alice(), &known, new).await;
    assert_eq!(fields(ensure(bad()).await), ["name", "scopes", "expires"]);
    let created = ensure(manifest()).await.unwrap();
    assert_eq!(fields(ensure(bad()).await), ["name", "scopes"]);
    assert_eq!(service.hallpass.get(&alice(), known.id).await.unwrap(), *created.record());
    // The id contains a hash of its owner, so it cannot belong to another owner.
    let bobs = service.hallpass.ensure(&job().on_behalf_of("bob"), &known, manifest()).await;
    assert_eq!(fields(bobs), ["id"]);
}

#[tokio::test]
async fn ensure_never_replaces_another_secret() {
    let (service, (issued, known)) = (Service::new(), made_elsewhere().await);
    let ensure =
        async |known: &KnownToken| service.hallpass.ensure(&for_alice(), known, manifest()).await;
    ensure(&known).await.unwrap();
    let digest = Digest::from_parts("sha256-v1", &[7; 32]).unwrap();
    let other = KnownToken { digest, ..known.clone() };
    assert!(matches!(error(ensure(&other).await), Error::IdInUse));
    assert!(service.accepts(issued.token.reveal()).await);
    let _ =
        service.hallpass.regenerate(&alice(), known.id, RegenerateOptions::new()).await.unwrap();
    assert!(
        matches!(error(ensure(&known).await), Error::IdInUse),
        "the token has another secret now"
    );
    assert!(!service.accepts(issued.token.reveal()).await);
}

#[tokio::test]
async fn ensure_does_not_revive_an_ended_token() {
    let (service, (issued, known)) = (Service::new(), made_elsewhere().await);
    let ensure = async || service.hallpass.ensure(&for_alice(), &known, manifest()).await;
    ensure().await.unwrap();
    service.hallpass.revoke(&alice(), known.id).await.unwrap();
    assert!(matches!(error(ensure().await), Error::NotActive));
    assert_eq!(service.rejection(issued.token.reveal()).await.as_str(), "revoked");

    let (service, (issued, known)) = (Service::new(), made_elsewhere().await);
    let ensure = async || service.hallpass.ensure(&for_alice(), &known, manifest()).await;
    ensure().await.unwrap();
    service.clock.advance(days(31));
    assert!(matches!(error(ensure().await), Error::NotActive));
    assert!(!service.accepts(issued.token.reveal()).await);
    service.clock.advance(days(31));
    let now = service.hallpass.now();
    assert_eq!(service.hallpass.prune(&job(), now).await.unwrap(), 1);
    assert!(matches!(error(ensure().await), Error::NotActive), "the trail shows that it existed");
    assert!(!service.accepts(issued.token.reveal()).await);
}

#[tokio::test]
async fn ensure_accepts_a_digest_replaced_under_a_pepper() {
    let service = Service::with(|builder| builder.pepper("2027", [7; 32]));
    let (issued, known) = made_elsewhere().await;
    let ensure = async || service.hallpass.ensure(&for_alice(), &known, manifest()).await.unwrap();
    ensure().await;
    assert!(service.accepts(issued.token.reveal()).await);
    service.hallpass.flush_uses().await.unwrap();
    assert!(matches!(ensure().await, EnsureOutcome::Unchanged(_)));
    assert!(service.accepts(issued.token.reveal()).await);
}

#[tokio::test]
async fn ensure_respects_the_limit_and_needs_a_system_actor() {
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
async fn concurrent_ensures_create_one_token() {
    let (service, (_, known)) = (Service::new(), made_elsewhere().await);
    let other = Service::over(service.store.clone(), |builder| builder);
    let known = &known;
    // The other call inserts the token after this one has looked for it.
    service.store.faults().on(Operation::Get).meanwhile({
        let (hallpass, known) = (other.hallpass.clone(), known.clone());
        async move {
            hallpass.ensure(&for_alice(), &known, manifest()).await.unwrap();
        }
    });
    let ensured = service.hallpass.ensure(&for_alice(), known, manifest()).await.unwrap();
    assert!(matches!(ensured, EnsureOutcome::Unchanged(_)), "{ensured:?}");
}

#[tokio::test]
async fn token_does_not_work_under_the_id_of_another_token_with_its_digest() {
    let (service, (issued, known)) = (Service::new(), made_elsewhere().await);
    let (other, KnownToken { id, .. }) = made_elsewhere().await;
    for known in [&known, &KnownToken { id, ..known.clone() }] {
        service.hallpass.ensure(&for_alice(), known, manifest()).await.unwrap();
    }
    let (text, other) = (issued.token.reveal(), other.token.reveal());
    assert!(service.accepts(text).await);
    let body = format!("{}{}", &other[..ID_END], &text[ID_END..text.len() - CHECKSUM_LEN]);
    let text = format!("{body}{}", checksum(&body));
    assert_eq!(service.rejection(&text).await, RejectReason::Unknown);
}

/// The end of the prefix `hp_` and the id.
const ID_END: usize = 3 + 22;
const CHECKSUM_LEN: usize = 6;

/// Returns the checksum at the end of a token: the CRC-32 of the text before it, in base62.
fn checksum(body: &str) -> String {
    let digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".as_bytes();
    let mut rest = crc32fast::hash(body.as_bytes()) as usize;
    let mut text = [b'0'; CHECKSUM_LEN];
    for digit in text.iter_mut().rev() {
        *digit = digits[rest % digits.len()];
        rest /= digits.len();
    }
    text.map(char::from).iter().collect()
}
