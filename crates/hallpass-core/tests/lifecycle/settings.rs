//! Settings that reject tokens regardless of the store: required peppers, `not_before`, keyed
//! checksums, and digests that are bound to their prefix.

use hallpass_core::{
    BuildError, ChecksumKey, Hallpass, KnownToken, NewToken, OwnerStatus, ParseTokenError,
    PresentedToken, RegenerateOptions, RejectReason,
};
use hallpass_memory::MemoryStore;
use jiff::SignedDuration;

use crate::common::*;

const KEY: [u8; 32] = [7; 32];
const OTHER_KEY: [u8; 32] = [8; 32];

/// The digits of base62, in the order of their values.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns the token with another prefix and the CRC-32 that belongs to it.
fn relabelled(token: &str, prefix: &str) -> String {
    let (_, body) = token.split_once('_').unwrap();
    let text = format!("{prefix}_{}", &body[..65]);
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    let mut value = (!crc) as usize;
    let mut checksum = [b'0'; 6];
    for place in checksum.iter_mut().rev() {
        *place = DIGITS[value % 62];
        value /= 62;
    }
    text + std::str::from_utf8(&checksum).unwrap()
}

#[tokio::test]
async fn token_under_another_prefix_is_rejected() {
    let store = test_store();
    let one = Service::over(store.clone(), |b| b.prefix("one"));
    let other = Service::over(store.clone(), |b| b.prefix("two"));
    let both = Service::over(store, |b| b.prefix("two").accept_prefix("one"));
    let token = one.issue(&[]).await.token;
    let forged = relabelled(token.reveal(), "two");
    assert!(other.hallpass.is_well_formed(forged.as_bytes()));
    assert_eq!(other.rejection(&forged).await, RejectReason::Unknown);
    assert_eq!(relabelled(token.reveal(), "one"), token.reveal());
    assert!(
        both.accepts(token.reveal()).await,
        "a retired prefix that is accepted must still work"
    );
    assert!(!both.accepts(&forged).await);
}

#[tokio::test]
async fn required_pepper_ends_every_token_without_one() {
    let store = test_store();
    let before = Service::over(store.clone(), |b| b);
    let plain = before.issue(&[]).await;
    let lenient = Service::over(store.clone(), |b| b.pepper("2027", KEY));
    assert!(lenient.accepts(plain.token.reveal()).await);
    let strict = Service::over(store, |b| b.pepper("2027", KEY).require_pepper());
    assert_eq!(strict.rejection(plain.token.reveal()).await, RejectReason::Unknown);
    let new = strict.issue(&[]).await;
    assert!(strict.accepts(new.token.reveal()).await);

    // A digest that was computed elsewhere has no pepper, so such a token could never work.
    let elsewhere = Service::new().issue(&[]).await;
    let (_, presented) = PresentedToken::inspect(elsewhere.token.reveal()).unwrap();
    let known = KnownToken { id: presented.id(), digest: presented.digest() };
    let by = job().on_behalf_of("alice");
    let outcome = strict.hallpass.ensure(&by, &known, NewToken::named("ci")).await;
    assert_eq!(fields(outcome), ["digest"]);
}

#[test]
fn settings_without_their_key_fail_to_build() {
    let build =
        |configure: fn(hallpass_core::HallpassBuilder) -> hallpass_core::HallpassBuilder| {
            configure(Hallpass::builder(MemoryStore::new())).try_build()
        };
    assert!(matches!(
        build(hallpass_core::HallpassBuilder::require_pepper),
        Err(BuildError::NoPepper)
    ));
    let retired = build(|b| b.require_pepper().retired_pepper("2026", KEY));
    assert!(matches!(retired, Err(BuildError::NoPepper)));
    let no_key = build(|b| b.accept_unkeyed_checksums(false));
    assert!(matches!(no_key, Err(BuildError::NoChecksumKey)));
    let retired = build(|b| b.retired_checksum_key(KEY));
    assert!(matches!(retired, Err(BuildError::NoChecksumKey)));
    assert!(matches!(build(|b| b.checksum_key([1; 31])), Err(BuildError::ChecksumKey(_))));
}

#[tokio::test]
async fn secret_issued_before_not_before_is_rejected() {
    let store = test_store();
    let before = Service::over(store.clone(), |b| b);
    let (kept, renewed) = (before.issue(&[]).await, before.issue(&[]).await);
    before.clock.advance(minutes(10));
    let limit = before.hallpass.now();
    let fresh = before.issue(&[]).await;
    let options = RegenerateOptions::new().grace_period("1d");
    let new = before.hallpass.regenerate(&alice(), renewed.record.id, options).await.unwrap();
    assert!(before.accepts(renewed.token.reveal()).await);

    let after = Service::over(store.clone(), |b| b.not_before(limit));
    after.clock.advance(minutes(10));
    assert_eq!(after.rejection(kept.token.reveal()).await, RejectReason::Revoked);
    assert_eq!(after.rejection(renewed.token.reveal()).await, RejectReason::Revoked);
    assert!(
        after.accepts(fresh.token.reveal()).await,
        "a token that was issued at exactly that time must be accepted"
    );
    assert!(after.accepts(new.token.reveal()).await);
    let nanosecond = SignedDuration::from_nanos(1);
    let later = Service::over(store, |b| b.not_before(limit + nanosecond));
    assert_eq!(later.rejection(fresh.token.reveal()).await, RejectReason::Revoked);

    // The same applies to a cached token, and to a principal that is checked again.
    after.cache.pin(kept.record.id).await.unwrap();
    assert_eq!(after.rejection(kept.token.reveal()).await, RejectReason::Revoked);
    let principal = before.check(kept.token.reveal()).await.unwrap();
    assert_eq!(rejected(after.hallpass.recheck(&principal).await), RejectReason::Revoked);
}

#[tokio::test]
async fn previous_secret_of_a_token_issued_after_not_before_is_accepted() {
    let service = Service::with(|b| b.not_before(at(START)));
    let old = service.issue(&[]).await;
    service.clock.advance(minutes(10));
    let options = RegenerateOptions::new().grace_period("1d");
    let _ = service.hallpass.regenerate(&alice(), old.record.id, options).await.unwrap();
    assert!(service.accepts(old.token.reveal()).await);
}

#[tokio::test]
async fn forged_token_is_rejected_without_a_lookup() {
    let store = test_store();
    let before = Service::over(store.clone(), |b| b);
    let plain = before.issue(&[]).await;
    let lenient = Service::over(store.clone(), |b| b.checksum_key(KEY));
    let keyed = lenient.issue(&[]).await;
    assert!(
        lenient.accepts(plain.token.reveal()).await,
        "a token that was issued before the key existed must be accepted"
    );
    let strict = Service::over(store.clone(), |b| {
        b.checksum_key(OTHER_KEY).retired_checksum_key(KEY).accept_unkeyed_checksums(false)
    });
    assert!(strict.accepts(keyed.token.reveal()).await);
    assert!(strict.accepts(strict.issue(&[]).await.token.reveal()).await);

    let reads = store.faults().calls(Operation::Get);
    let made_up = relabelled(keyed.token.reveal(), "hp");
    for token in [plain.token.reveal(), &made_up] {
        assert_eq!(strict.rejection(token).await, RejectReason::Malformed);
    }
    assert_eq!(store.faults().calls(Operation::Get), reads);
    assert_eq!(before.rejection(keyed.token.reveal()).await, RejectReason::Malformed);
}

#[tokio::test]
async fn keyed_token_is_inspected_with_its_key() {
    let service = Service::with(|b| b.checksum_key(KEY));
    let issued = service.issue(&[]).await;
    let text = issued.token.reveal();
    assert_eq!(PresentedToken::inspect(text).unwrap_err(), ParseTokenError::Checksum);
    let key = ChecksumKey::new(KEY).unwrap();
    let (_, presented) = PresentedToken::inspect_keyed(text, &key).unwrap();
    assert_eq!(presented.id(), issued.record.id);
    let stored = service.store.stored(issued.record.id).await.unwrap();
    assert!(presented.digest().ct_eq(&stored.secrets.current));
    let wrong = ChecksumKey::new(OTHER_KEY).unwrap();
    assert!(PresentedToken::inspect_keyed(text, &wrong).is_err());
    assert_eq!(format!("{key:?}"), "ChecksumKey(..)");
}

#[tokio::test]
async fn owner_limit_applies_in_addition_to_the_tokens_scopes() {
    let limited = OwnerStatus::Limited(set(&["projects:read", "jobs:*:x", "admin"]));
    let service = Service::with(|b| {
        b.owner_directory(move |_| {
            let limited = limited.clone();
            async move { Ok(limited) }
        })
    });
    let issued = {
        // Issued while the owner had no limit.
        let open = Service::over(service.store.clone(), |b| b);
        open.issue(&["projects", "jobs:1"]).await
    };
    let principal = service.check(issued.token.reveal()).await.unwrap();
    for (needed, allowed) in
        [("projects:read", true), ("projects:write", false), ("jobs:1:x", true), ("jobs:1", false)]
    {
        assert_eq!(principal.allows(&scope(needed)), allowed, "{needed}");
        assert_eq!(principal.scopes().covers(&scope(needed)), allowed, "{needed}");
        let needs = needed.parse().unwrap();
        assert_eq!(principal.check(&needs, &()).is_allowed(), allowed, "{needed}");
    }
}
