//! A leak test. It runs every operation on tokens, with failures of the store, and collects all log
//! lines, `Debug` output, errors, events and panic messages. None may contain a part of a secret or
//! of a digest.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Once};

use hallpass_core::__private::CachedToken;
use hallpass_core::store::{Change, ChangeKind, PreviousSecret, StoreError, TokenStore};
use hallpass_core::{
    Actor, Catalog, CatalogScope, Error, Expiry, Hallpass, Issued, ListOptions, NewToken, Origin,
    Owner, Pepper, RegenerateOptions, Revision, Scope, TokenId, TokenUpdate, Verification,
    parse_span,
};
use jiff::SignedDuration;
use tracing_subscriber::fmt::MakeWriter;

use crate::common::*;

/// The collected output: log lines, and texts that the test adds.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn add(&self, text: impl AsRef<[u8]>) {
        let mut said = self.0.lock().unwrap();
        said.extend_from_slice(text.as_ref());
        said.push(b'\n');
    }

    /// Adds both forms of a value's `Debug` output.
    fn debug(&self, value: &dyn Debug) {
        self.add(format!("{value:?} {value:#?}"));
    }

    /// Adds the error's `Display` and `Debug` output, and those of its sources.
    fn error(&self, error: &(dyn std::error::Error + 'static)) {
        self.debug(&error);
        let mut cause = Some(error);
        while let Some(error) = cause {
            self.add(error.to_string());
            cause = error.source();
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

thread_local! {
    /// The output that collects this thread's log lines, if there is one.
    static EAR: RefCell<Option<Said>> = const { RefCell::new(None) };
}

/// A subscriber that sends the log lines of each thread to that thread's output. `tracing` caches
/// whether the first subscriber is interested in a line, so all threads share one that is
/// interested in every line.
struct Ears;

impl MakeWriter<'_> for Ears {
    type Writer = Said;

    fn make_writer(&self) -> Said {
        EAR.with_borrow(|ear| ear.clone().unwrap_or_default())
    }
}

/// Collects the log lines of this thread, at every level, until it is dropped.
struct Listening;

impl Listening {
    fn to(said: &Said) -> Self {
        static GLOBAL: Once = Once::new();
        GLOBAL.call_once(|| {
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(Ears)
                .with_ansi(false)
                .init();
        });
        EAR.set(Some(said.clone()));
        Self
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        EAR.set(None);
    }
}

/// The data that no output may contain: the 43 characters of each secret, the 32 bytes of each
/// digest.
#[derive(Default)]
struct Hidden {
    secrets: Vec<String>,
    digests: Vec<[u8; 32]>,
}

impl Hidden {
    async fn add(&mut self, service: &Service, issued: &Issued) {
        let text = issued.token.reveal();
        let secret = &text[text.len() - 6 - 43..text.len() - 6];
        self.secrets.push(secret.to_owned());
        self.add_digests(&service.store.stored(issued.record.id).await.unwrap().secrets);
    }

    fn add_digests(&mut self, secrets: &hallpass_core::store::Secrets) {
        self.digests.push(*secrets.current.bytes());
        self.digests.extend(secrets.previous.iter().map(|previous| *previous.digest.bytes()));
    }

    /// Returns a part of a secret or digest that the output contains. A part is 12 characters of a
    /// secret, or of a digest 6 bytes in hexadecimal, 4 bytes as a list of numbers, or 8 raw bytes.
    fn found_in(&self, said: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(said);
        let mut parts = Vec::new();
        for secret in &self.secrets {
            parts.extend((0..=43 - 12).map(|start| secret[start..start + 12].to_owned()));
        }
        for digest in &self.digests {
            parts.extend(digest.windows(6).map(|part| hex(part, |byte| format!("{byte:02x}"))));
            parts.extend(digest.windows(6).map(|part| hex(part, |byte| format!("{byte:02X}"))));
            for separator in [", ", ",", ",\n    "] {
                parts.extend(digest.windows(4).map(|part| {
                    let numbers: Vec<_> = part.iter().map(ToString::to_string).collect();
                    format!("{}{separator}", numbers.join(separator))
                }));
            }
        }
        let raw = self.digests.iter().find(|digest| {
            digest.windows(8).any(|part| said.windows(8).any(|window| window == part))
        });
        raw.map(|_| "a digest's bytes".to_owned())
            .or_else(|| parts.into_iter().find(|part| text.contains(part)))
    }
}

fn hex(bytes: &[u8], write: impl Fn(&u8) -> String) -> String {
    bytes.iter().map(write).collect()
}

thread_local! {
    /// The panic messages of this thread, if they are collected.
    static PANICS: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Returns the message and the location of the panic of `act`.
fn panic_of(act: impl FnOnce()) -> String {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let heard = PANICS.with_borrow_mut(|said| {
                said.as_mut().map(|said| writeln!(said, "{panic}")).is_some()
            });
            if !heard {
                usual(panic);
            }
        }));
    });
    PANICS.set(Some(String::new()));
    assert!(catch_unwind(AssertUnwindSafe(act)).is_err(), "the call must panic");
    PANICS.take().unwrap()
}

/// Runs every operation, and returns the output and the data that it must not contain.
async fn a_whole_life() -> (Said, Hidden) {
    let said = Said::default();
    let _listening = Listening::to(&said);
    let mut hidden = Hidden::default();

    let store = test_store();
    let plain = Service::over(store.clone(), |b| b);
    let old = plain.issue(&["projects:read", "retired"]).await;
    hidden.add(&plain, &old).await;
    let catalog = Catalog::new()
        .scope(CatalogScope::new("projects:read", "Read projects").per("id"))
        .preset("read-only", "Look", ["projects:read"]);
    let service =
        Service::over(store, |b| b.pepper("2027", [7; 32]).catalog(catalog).accept_prefix("old"));
    let id = old.record.id;

    // The token is issued, used, hashed again under a pepper, copied, and regenerated with a grace
    // period that ends.
    let new = NewToken::named("ci").preset("read-only").expires("1y");
    said.debug(&new);
    let issued = service.hallpass.issue(&alice(), new).await.unwrap();
    hidden.add(&service, &issued).await;
    said.debug(&issued);
    assert!(service.accepts(old.token.reveal()).await);
    service.hallpass.flush_uses().await.unwrap();
    hidden.add_digests(&service.store.stored(id).await.unwrap().secrets);
    let update = TokenUpdate::new().scopes(["projects:read"]);
    said.debug(&service.hallpass.update(&alice(), id, update, None).await.unwrap());
    let copy = service.hallpass.copy(&alice(), id, TokenUpdate::new()).await.unwrap();
    hidden.add(&service, &copy).await;
    let how = RegenerateOptions::new().grace_period("1d").expires("30d");
    said.debug(&how);
    let regenerated = service.hallpass.regenerate(&alice(), id, how).await.unwrap();
    hidden.add(&service, &regenerated).await;
    let by_old = service.check(old.token.reveal()).await.unwrap();
    service.store.faults().on(Operation::ReplaceDigest).once().fail();
    for _ in 0..2 {
        let principal = service.check(regenerated.token.reveal()).await.unwrap();
        said.debug(&principal);
        service.clock.advance(SignedDuration::from_secs(1));
    }
    said.debug(&service.hallpass.recheck(&by_old).await);
    print_values(&said, &service, &regenerated).await;
    print_errors(&said, &service, &regenerated).await;
    said.add(panics(&service, &regenerated).await);

    // The token is rejected for every reason, and revoked.
    let text = regenerated.token.reveal();
    for bad in [old.token.reveal(), &text[1..], &text[..text.len() - 1], &format!("{text} ")] {
        said.debug(&service.check(bad).await);
    }
    said.debug(&plain.check(text).await); // That service does not have the pepper of this token.
    assert!(service.hallpass.report_query_token(text.as_bytes(), &Origin::default()));
    service.hallpass.revoke(&alice(), id).await.unwrap();
    said.debug(&service.check(text).await);
    service.clock.advance(days(400));
    said.debug(&service.check(issued.token.reveal()).await);
    said.debug(&service.hallpass.list(&root(), &ListOptions::new()).await.unwrap());
    service.hallpass.delete_many(&root(), &[id]).await.unwrap();
    service.hallpass.revoke_owner(&root(), alice().id(), None).await.unwrap();
    service.hallpass.prune(&job(), service.hallpass.now()).await.unwrap();
    service.hallpass.delete_all(&alice()).await.unwrap();
    said.debug(&service.check(copy.token.reveal()).await);
    said.debug(&service.happened.take());
    (said, hidden)
}

/// Adds the `Debug` output of every public type that holds a token.
async fn print_values(said: &Said, service: &Service, issued: &Issued) {
    let hallpass = &service.hallpass;
    let text = issued.token.reveal();
    said.debug(&issued.token);
    said.debug(&hallpass.parse(text.as_bytes()));
    let verification = hallpass.verify(text.as_bytes());
    said.debug(&verification);
    if let Verification::Pending(pending) = verification {
        said.debug(&pending);
        said.debug(&pending.resolve().await);
    }
    said.debug(hallpass);
    said.debug(&hallpass.downgrade());
    said.debug(&Hallpass::builder(test_store()).pepper("2027", text));
    said.debug(&Pepper::new(text).unwrap());

    let stored = service.store.stored(issued.record.id).await.unwrap();
    said.debug(&stored);
    said.debug(&stored.secrets.current);
    let digest = stored.secrets.current.clone();
    let until = service.hallpass.now();
    said.debug(&PreviousSecret { digest, until });
    let (record, secrets) = (stored.record.clone(), Some(stored.secrets.clone()));
    said.debug(&Change { record, secrets, kind: ChangeKind::Regenerated });
    said.debug(&service.store.get(issued.record.id).await.unwrap());
    said.debug(&service.store.changes(None, 10).await.unwrap());
    said.debug(&CachedToken::new(stored));
    said.add(hallpass.token_pattern());
}

/// Adds every error that input can cause, with the token pasted into the wrong field.
async fn print_errors(said: &Said, service: &Service, issued: &Issued) {
    let (hallpass, id) = (&service.hallpass, issued.record.id);
    let token = issued.token.reveal();
    for pasted in
        [token.to_owned(), format!("{token} "), format!("Bearer {token}"), token.repeat(9)]
    {
        let text = pasted.as_str();
        let new = NewToken::named("\0").scope(text).preset(text).expires(text);
        said.error(&error(hallpass.issue(&alice(), new).await));
        let update = TokenUpdate::new().scopes([text]).expires(text);
        said.error(&error(hallpass.update(&alice(), id, update, None).await));
        let how = RegenerateOptions::new().grace_period(text).expires(text);
        said.error(&error(hallpass.regenerate(&alice(), id, how).await));
        said.error(&error(hallpass.add_scopes(&alice(), id, [text], None).await));
        said.error(&error(hallpass.list(&alice(), &ListOptions::new().cursor(text)).await));
        said.error(&text.parse::<TokenId>().unwrap_err());
        said.error(&text.parse::<Expiry>().unwrap_err());
        said.error(&parse_span(text).unwrap_err());
        said.error(&format!("{text}\n").parse::<Scope>().unwrap_err());
        said.error(&format!("{text}\n").parse::<Owner>().unwrap_err());
        said.error(&Actor::try_owner(format!("{text}\n")).unwrap_err());
        let swapped = Hallpass::builder(test_store()).pepper(text, [1; 32]);
        said.error(&swapped.try_build().unwrap_err());
    }
    let stale = Some(Revision::new(99));
    said.error(&error(hallpass.update(&alice(), id, TokenUpdate::new(), stale).await));
    said.error(&error(hallpass.get(&bob(), id).await));
    said.error(&error(hallpass.regenerate(&root(), id, RegenerateOptions::new()).await));
    let narrow = alice().with_grantable_scopes(set(&["jobs"]));
    said.error(&error(hallpass.regenerate(&narrow, id, RegenerateOptions::new()).await));
    said.error(&StoreError::unavailable(io::Error::other("connection refused")));
    let other = service.issue(&[]).await.record.id;
    for fault in [Fault::Unavailable, Fault::Corrupt, Fault::Another(other)] {
        fault.befalls(service.store.faults().on(Operation::Get));
        said.error(&service.check(token).await.unwrap_err());
    }
    service.store.faults().heal();
    service.store.faults().on(Operation::RecordUses).fail_with(read_only);
    assert!(service.accepts(token).await);
    let _ = service.hallpass.flush_uses().await;
    service.store.faults().heal();
    said.error(&Error::OwnerDirectory("the directory is down".into()));
}

/// Adds the message of a panic in a function that holds the same values as a handler.
async fn panics(service: &Service, issued: &Issued) -> String {
    let text = issued.token.reveal();
    let presented = service.hallpass.parse(text.as_bytes()).unwrap();
    let principal = service.check(text).await.unwrap();
    let stored = service.store.stored(issued.record.id).await.unwrap();
    let mut said = panic_of(|| panic!("{:?} {presented:?} {principal:?} {stored:?}", issued.token));
    let refused = service.check(&text[1..]).await;
    said += &panic_of(|| drop(refused.expect("a handler's mistake")));
    said += &panic_of(|| assert_eq!(format!("{presented:?}"), format!("{stored:?}")));
    said
}

#[tokio::test]
async fn no_output_contains_a_part_of_a_secret_or_digest() {
    let (said, hidden) = a_whole_life().await;
    let text = said.text();
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
        "Digest(hmac-sha256-v2:2027)",
    ] {
        assert!(text.contains(expected), "{expected} is missing in the output:\n{text}");
    }
    assert!(hidden.secrets.len() >= 4 && hidden.digests.len() >= 6);
    assert_eq!(hidden.found_in(&said.bytes()), None, "\n{text}");
}

#[tokio::test]
async fn leak_detector_detects_a_leak() {
    let service = Service::new();
    let issued = service.issue(&[]).await;
    let mut hidden = Hidden::default();
    hidden.add(&service, &issued).await;
    let (secret, digest) = (hidden.secrets[0].clone(), hidden.digests[0]);

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
        let said = Said::default();
        said.add(&leak);
        assert!(hidden.found_in(&said.bytes()).is_some(), "{leak}");
    }
    assert!(hidden.found_in(&digest).is_some());

    let logged = Said::default();
    let listening = Listening::to(&logged);
    tracing::trace!(secret, "a line with a secret");
    drop(listening);
    assert!(hidden.found_in(&logged.bytes()).is_some(), "{}", logged.text());
    let panicked = panic_of(|| panic!("{}", issued.token.reveal()));
    assert!(hidden.found_in(panicked.as_bytes()).is_some(), "{panicked}");

    let harmless = format!("{} {}", issued.record.id, &secret[..11]);
    assert_eq!(hidden.found_in(harmless.as_bytes()), None);
}
