//! Tests of the metrics of checks, rejected requests and uses.

use std::convert::Infallible;

use hallpass::deps::jiff::SignedDuration;
use hallpass::prelude::*;
use hallpass::store::StoreError;
use hallpass::{Actor, Cached, Hallpass, MemoryStore, NewToken, Owner, OwnerStatus, PolicyTable};
use hallpass_testkit::{ManualClock, Operation};
use http::{Request, Response};
use metrics::set_default_local_recorder;
use metrics_util::debugging::DebuggingRecorder;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::{Moved, Store, alice, ask, check, issue, one};

#[tokio::test]
async fn checks_are_counted_by_outcome_and_rejections_by_reason() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let (store, clock) = (Store::new(MemoryStore::new()), ManualClock::new());
    let owners = |owner: Owner| async move {
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(match owner.as_str() {
            "mallory" => OwnerStatus::Disabled,
            _ => OwnerStatus::Active,
        })
    };
    let hallpass =
        Hallpass::builder(store.clone()).clock(clock.clone()).owner_directory(owners).build();
    let good = issue(&hallpass).await;
    assert!(check(&hallpass, &good).await);
    let expected = [
        ("hallpass_checks_total{outcome=accepted}".to_owned(), 1.0),
        ("hallpass_lookup_duration_seconds{outcome=accepted}".to_owned(), 1.0),
    ];
    assert_eq!(moved.only("hallpass_"), expected);

    let revoked = issue(&hallpass).await;
    hallpass.revoke(&alice(), revoked.record.id).await.unwrap();
    let deleted = issue(&hallpass).await;
    hallpass.delete(&alice(), deleted.record.id, None).await.unwrap();
    let short = hallpass.issue(&alice(), NewToken::named("short").expires("1h")).await.unwrap();
    clock.advance(SignedDuration::from_hours(2));
    let elsewhere = Hallpass::builder(store.clone()).clock(clock).build();
    let new = NewToken::named("mallory's");
    let disabled = elsewhere.issue(&Actor::owner("mallory"), new).await.unwrap();
    for (token, reason) in [
        (&revoked, "revoked"),
        (&deleted, "unknown"),
        (&short, "expired"),
        (&disabled, "owner_disabled"),
    ] {
        assert!(!check(&hallpass, token).await);
        let expected = [
            ("hallpass_checks_total{outcome=rejected}".to_owned(), 1.0),
            ("hallpass_lookup_duration_seconds{outcome=rejected}".to_owned(), 1.0),
            (format!("hallpass_rejections_total{{reason={reason}}}"), 1.0),
        ];
        assert_eq!(moved.only("hallpass_"), expected);
    }
    assert!(hallpass.authenticate(b"hp_nonsense").await.is_err());
    assert_eq!(moved.only("hallpass_rej"), one("hallpass_rejections_total{reason=malformed}"));
    store.faults().on(Operation::Get).fail();
    assert!(!check(&hallpass, &good).await);
    let expected = [
        ("hallpass_checks_total{outcome=unavailable}".to_owned(), 1.0),
        ("hallpass_lookup_duration_seconds{outcome=unavailable}".to_owned(), 1.0),
    ];
    assert_eq!(moved.only("hallpass_"), expected);
}

#[tokio::test]
async fn rejected_requests_are_counted_by_error() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let store = Store::new(MemoryStore::new());
    let hallpass = Hallpass::builder(store.clone()).build();
    let token = issue(&hallpass).await.token;
    let good = token.reveal();
    let plain = hallpass.layer();
    let table = PolicyTable::new().get("/table", "write");
    let table = hallpass.layer().policy(table);
    let tripwire = hallpass.layer().bearer_only().reject_query_tokens();
    let in_url = format!("/?session={good}");
    for (layer, path, token, status, kind) in [
        (&plain, "/", "", 401, "no_credential"),
        (&plain, "/?session", "", 400, "invalid_request"),
        (&plain, "/", "hp_nonsense", 401, "invalid_token"),
        (&plain, "/inner", good, 403, "insufficient_scope"),
        (&table, "/table", good, 403, "insufficient_scope"),
        (&table, "/nowhere", good, 403, "not_declared"),
        (&tripwire, &in_url, "", 400, "invalid_request"),
    ] {
        assert_eq!(ask(layer, path, token).await, status, "{path}");
        let expected = one(&format!("hallpass_rejected_requests_total{{kind={kind}}}"));
        assert_eq!(moved.only("hallpass_rejected_"), expected, "{path}");
    }
    assert_eq!(ask(&tripwire, &in_url, "").await, 400);
    assert_eq!(
        moved.only("hallpass_rejections_"),
        one("hallpass_rejections_total{reason=token_in_url}")
    );
    store.faults().on(Operation::Get).fail();
    assert_eq!(ask(&plain, "/", good).await, 503);
    let expected = one("hallpass_rejected_requests_total{kind=unavailable}");
    assert_eq!(moved.only("hallpass_rejected_"), expected);

    let unguarded = hallpass::require("write").layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    let answer = unguarded.oneshot(Request::new(())).await.unwrap();
    assert_eq!(answer.status(), 500);
    let expected = one("hallpass_rejected_requests_total{kind=misconfigured}");
    assert_eq!(moved.only("hallpass_rejected_"), expected);
}

#[tokio::test]
async fn uses_are_counted_when_they_are_written_and_when_they_are_lost() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let moved = Moved::of(&recorder);
    let store = Store::new(MemoryStore::new());
    let hallpass = Hallpass::builder(store.clone()).build();
    for _ in 0..3 {
        let token = issue(&hallpass).await;
        assert!(check(&hallpass, &token).await);
    }
    store.faults().on(Operation::RecordUses).once().fail();
    assert!(hallpass.flush_uses().await.is_err());
    assert_eq!(moved.only("hallpass_uses"), [], "the uses must wait for the next flush");
    assert_eq!(hallpass.flush_uses().await.unwrap(), 3);
    let expected = [("hallpass_uses_flushed_total{}".to_owned(), 3.0)];
    assert_eq!(moved.only("hallpass_uses"), expected);

    let token = issue(&hallpass).await;
    assert!(check(&hallpass, &token).await);
    store.faults().on(Operation::RecordUses).fail();
    assert!(hallpass.shutdown().await.is_err());
    assert_eq!(moved.only("hallpass_uses"), one("hallpass_uses_dropped_total{}"));
}

#[tokio::test]
async fn no_label_contains_a_name() {
    let recorder = DebuggingRecorder::new();
    let _local = set_default_local_recorder(&recorder);
    let store = Store::new(MemoryStore::new());
    let hallpass = Hallpass::builder(Cached::new(store.clone())).build();
    let canary = Actor::owner("canary-owner");
    let new = NewToken::named("canary-name").scope("canary-scope");
    let issued = hallpass.issue(&canary, new).await.unwrap();
    let text = issued.token.reveal();
    let table = PolicyTable::new().get("/{canary_parameter}", "canary-need:{canary_parameter}");
    let layer = hallpass.layer().policy(table).realm("canary-realm");
    for (path, token) in [
        ("/canary-path", text),
        ("/canary-path", "canary-token"),
        (&format!("/canary-path?session={text}"), ""),
        (&format!("/canary-path?session={text}"), text),
        ("/canary-path/below", text),
    ] {
        ask(&layer, path, token).await;
    }
    store.faults().on(Operation::Get).fail_with(|| StoreError::unavailable("canary-store"));
    ask(&layer, "/canary-path", &text.replace("hp_", "hq_")).await;
    hallpass.revoke(&canary, issued.record.id).await.unwrap_err();
    let metrics = format!("{:?}", recorder.snapshotter().snapshot()).to_lowercase();
    assert!(metrics.contains("hallpass_checks_total"), "{metrics}");
    let id = issued.record.id.to_string();
    for secret in ["canary", &id, &text[3..25].to_lowercase(), &text[25..].to_lowercase()] {
        assert!(!metrics.contains(secret), "{metrics} contains the secret {secret}");
    }
}
