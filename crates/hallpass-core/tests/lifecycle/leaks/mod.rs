//! A leak test. It runs every operation on tokens, with failures of the store, and collects all log
//! lines, `Debug` output, errors, events and panic messages. None may contain a part of a secret or
//! of a digest.

mod output;

use std::io;

use hallpass_core::__private::CachedToken;
use hallpass_core::store::{Change, ChangeKind, PreviousSecret, StoreError, TokenStore};
use hallpass_core::{
    Actor, Catalog, CatalogScope, Error, Expiry, Hallpass, Issued, ListOptions, NewToken, Origin,
    Owner, RegenerateOptions, Revision, Scope, TokenId, TokenUpdate, Verification, parse_span,
};
use jiff::SignedDuration;

use self::output::{LeakDetector, LogCapture, Output, hex, panic_of};
use crate::common::*;

/// Runs every operation, and returns the output and the data that it must not contain.
async fn run_every_operation() -> (Output, LeakDetector) {
    let output = Output::default();
    let _capture = LogCapture::to(&output);
    let mut detector = LeakDetector::default();

    let store = test_store();
    let plain = Service::over(store.clone(), |b| b);
    let old = plain.issue(&["projects:read", "retired"]).await;
    detector.add(&plain, &old).await;
    let catalog = Catalog::new()
        .scope(CatalogScope::new("projects:read", "Read projects").per("id"))
        .preset("read-only", "Look", ["projects:read"]);
    let service =
        Service::over(store, |b| b.pepper("2027", [7; 32]).catalog(catalog).accept_prefix("old"));
    let id = old.record.id;

    // The token is issued, used, hashed again under a pepper, copied, and regenerated with a grace
    // period that ends.
    let new = NewToken::named("ci").preset("read-only").expires("1y");
    output.debug(&new);
    let issued = service.hallpass.issue(&alice(), new).await.unwrap();
    detector.add(&service, &issued).await;
    output.debug(&issued);
    assert!(service.accepts(old.token.reveal()).await);
    service.hallpass.flush_uses().await.unwrap();
    detector.add_digests(&service.store.stored(id).await.unwrap().secrets);
    let update = TokenUpdate::new().scopes(["projects:read"]);
    output.debug(&service.hallpass.update(&alice(), id, update, None).await.unwrap());
    let copy = service.hallpass.copy(&alice(), id, TokenUpdate::new()).await.unwrap();
    detector.add(&service, &copy).await;
    let options = RegenerateOptions::new().grace_period("1d").expires("30d");
    output.debug(&options);
    let regenerated = service.hallpass.regenerate(&alice(), id, options).await.unwrap();
    detector.add(&service, &regenerated).await;
    let by_old = service.check(old.token.reveal()).await.unwrap();
    service.store.faults().on(Operation::ReplaceDigest).once().fail();
    for _ in 0..2 {
        let principal = service.check(regenerated.token.reveal()).await.unwrap();
        output.debug(&principal);
        service.clock.advance(SignedDuration::from_secs(1));
    }
    output.debug(&service.hallpass.recheck(&by_old).await);
    print_values(&output, &service, &regenerated).await;
    print_errors(&output, &service, &regenerated).await;
    output.add(panics(&service, &regenerated).await);

    // The token is rejected for every reason, and revoked.
    let text = regenerated.token.reveal();
    for bad in [old.token.reveal(), &text[1..], &text[..text.len() - 1], &format!("{text} ")] {
        output.debug(&service.check(bad).await);
    }
    output.debug(&plain.check(text).await); // That service does not have the pepper of this token.
    assert!(service.hallpass.report_query_token(text.as_bytes(), &Origin::default()));
    service.hallpass.revoke(&alice(), id).await.unwrap();
    output.debug(&service.check(text).await);
    service.clock.advance(days(400));
    output.debug(&service.check(issued.token.reveal()).await);
    output.debug(&service.hallpass.list(&root(), &ListOptions::new()).await.unwrap());
    service.hallpass.delete_many(&root(), &[id]).await.unwrap();
    service.hallpass.revoke_owner(&root(), alice().id(), None).await.unwrap();
    service.hallpass.prune(&job(), service.hallpass.now()).await.unwrap();
    service.hallpass.delete_all(&alice()).await.unwrap();
    output.debug(&service.check(copy.token.reveal()).await);
    output.debug(&service.happened.take());
    (output, detector)
}

/// Adds the `Debug` output of every public type that holds a token.
async fn print_values(output: &Output, service: &Service, issued: &Issued) {
    let hallpass = &service.hallpass;
    let text = issued.token.reveal();
    output.debug(&issued.token);
    output.debug(&hallpass.parse(text.as_bytes()));
    let verification = hallpass.verify(text.as_bytes());
    output.debug(&verification);
    if let Verification::Pending(pending) = verification {
        output.debug(&pending);
        output.debug(&pending.resolve().await);
    }
    output.debug(hallpass);
    output.debug(&hallpass.downgrade());
    output.debug(&Hallpass::builder(test_store()).pepper("2027", text));

    let stored = service.store.stored(issued.record.id).await.unwrap();
    output.debug(&stored);
    output.debug(&stored.secrets.current);
    let digest = stored.secrets.current.clone();
    let until = service.hallpass.now();
    output.debug(&PreviousSecret { digest, until });
    let (record, secrets) = (stored.record.clone(), Some(stored.secrets.clone()));
    output.debug(&Change { record, secrets, kind: ChangeKind::Regenerated });
    output.debug(&service.store.get(issued.record.id).await.unwrap());
    output.debug(&service.store.changes(None, 10).await.unwrap());
    output.debug(&CachedToken::new(stored));
    output.add(hallpass.token_pattern());
}

/// Adds every error that input can cause, with the token pasted into the wrong field.
async fn print_errors(output: &Output, service: &Service, issued: &Issued) {
    let (hallpass, id) = (&service.hallpass, issued.record.id);
    let token = issued.token.reveal();
    for pasted in
        [token.to_owned(), format!("{token} "), format!("Bearer {token}"), token.repeat(9)]
    {
        let text = pasted.as_str();
        let new = NewToken::named("\0").scope(text).preset(text).expires(text);
        output.error(&error(hallpass.issue(&alice(), new).await));
        let update = TokenUpdate::new().scopes([text]).expires(text);
        output.error(&error(hallpass.update(&alice(), id, update, None).await));
        let options = RegenerateOptions::new().grace_period(text).expires(text);
        output.error(&error(hallpass.regenerate(&alice(), id, options).await));
        output.error(&error(hallpass.add_scopes(&alice(), id, [text], None).await));
        output.error(&error(hallpass.list(&alice(), &ListOptions::new().cursor(text)).await));
        output.error(&text.parse::<TokenId>().unwrap_err());
        output.error(&text.parse::<Expiry>().unwrap_err());
        output.error(&parse_span(text).unwrap_err());
        output.error(&format!("{text}\n").parse::<Scope>().unwrap_err());
        output.error(&format!("{text}\n").parse::<Owner>().unwrap_err());
        output.error(&Actor::try_owner(format!("{text}\n")).unwrap_err());
        let swapped = Hallpass::builder(test_store()).pepper(text, [1; 32]);
        output.error(&swapped.try_build().unwrap_err());
    }
    let stale = Some(Revision::new(99));
    output.error(&error(hallpass.update(&alice(), id, TokenUpdate::new(), stale).await));
    output.error(&error(hallpass.get(&bob(), id).await));
    output.error(&error(hallpass.regenerate(&root(), id, RegenerateOptions::new()).await));
    let narrow = alice().with_grantable_scopes(set(&["jobs"]));
    output.error(&error(hallpass.regenerate(&narrow, id, RegenerateOptions::new()).await));
    output.error(&StoreError::unavailable(io::Error::other("connection refused")));
    let other = service.issue(&[]).await.record.id;
    for fault in [Fault::Unavailable, Fault::Corrupt, Fault::Another(other)] {
        fault.befalls(service.store.faults().on(Operation::Get));
        output.error(&service.check(token).await.unwrap_err());
    }
    service.store.faults().heal();
    service.store.faults().on(Operation::RecordUses).fail_with(read_only);
    assert!(service.accepts(token).await);
    let _ = service.hallpass.flush_uses().await;
    service.store.faults().heal();
    output.error(&Error::OwnerDirectory("the directory is down".into()));
}

/// Adds the message of a panic in a function that holds the same values as a handler.
async fn panics(service: &Service, issued: &Issued) -> String {
    let text = issued.token.reveal();
    let presented = service.hallpass.parse(text.as_bytes()).unwrap();
    let principal = service.check(text).await.unwrap();
    let stored = service.store.stored(issued.record.id).await.unwrap();
    let mut output =
        panic_of(|| panic!("{:?} {presented:?} {principal:?} {stored:?}", issued.token));
    let rejected = service.check(&text[1..]).await;
    output += &panic_of(|| drop(rejected.expect("a handler's mistake")));
    output += &panic_of(|| assert_eq!(format!("{presented:?}"), format!("{stored:?}")));
    output
}

#[tokio::test]
async fn no_output_contains_a_part_of_a_secret_or_digest() {
    let (output, detector) = run_every_operation().await;
    let text = output.text();
    // The output contains each log level, each kind of event, and panics. Otherwise the test would
    // prove nothing.
    for expected in [
        "event=\"issued\"",
        "event=\"copied\"",
        "event=\"updated\"",
        "event=\"regenerated\"",
        "event=\"grace_period_ended\"",
        "event=\"revoked\"",
        "event=\"deleted\"",
        "event=\"rejected\"",
        "reason=\"malformed\"",
        "reason=\"unknown\"",
        "reason=\"expired\"",
        "reason=\"token_in_url\"",
        "could not store the end of a grace period",
        "the record of another token",
        "unknown pepper",
        "catalog does not list",
        "DEBUG",
        "INFO",
        "WARN",
        "ERROR",
        "panicked at",
        "PlainToken(hp_",
        "PresentedToken",
        "Digest(hmac-sha256-v1:2027)",
    ] {
        assert!(text.contains(expected), "{expected} is missing in the output:\n{text}");
    }
    assert!(detector.secrets.len() >= 4 && detector.digests.len() >= 6);
    assert_eq!(detector.found_in(&output.bytes()), None, "\n{text}");
}

#[tokio::test]
async fn leak_detector_detects_a_leak() {
    let service = Service::new();
    let issued = service.issue(&[]).await;
    let mut detector = LeakDetector::default();
    detector.add(&service, &issued).await;
    let (secret, digest) = (detector.secrets[0].clone(), detector.digests[0]);

    for leak in [
        secret.clone(),
        issued.token.reveal().to_owned(),
        format!("...{}...", &secret[20..32]),
        hex(&digest, |byte| format!("{byte:02x}")),
        hex(&digest[8..20], |byte| format!("{byte:02X}")),
        format!("{digest:?}"),
        format!("{digest:#?}"),
        format!("{:?}", issued.token.reveal()),
    ] {
        let output = Output::default();
        output.add(&leak);
        assert!(detector.found_in(&output.bytes()).is_some(), "{leak}");
    }
    assert!(detector.found_in(&digest).is_some());

    let logged = Output::default();
    let capture = LogCapture::to(&logged);
    tracing::trace!(secret, "a line with a secret");
    drop(capture);
    assert!(detector.found_in(&logged.bytes()).is_some(), "{}", logged.text());
    let panicked = panic_of(|| panic!("{}", issued.token.reveal()));
    assert!(detector.found_in(panicked.as_bytes()).is_some(), "{panicked}");

    let harmless = format!("{} {}", issued.record.id, &secret[..11]);
    assert_eq!(detector.found_in(harmless.as_bytes()), None);
}
