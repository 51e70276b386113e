use hallpass_core::Limits;
use std::time::Duration;

use serde_json::json;

use crate::support::{Api, UNKNOWN};

#[tokio::test]
async fn old_secret_stops_working_on_regeneration() {
    let api = Api::new().await;
    let body =
        json!({ "name": "ci", "description": "d", "scopes": ["projects:list"], "expires": "10d" });
    let old = api.issue(body).await;
    assert!(api.works(old.token()).await);
    api.clock.advance(Duration::from_hours(24));
    let new = api.post(&format!("/{}/regenerate", old.id())).send().await.ok();
    assert_ne!(old.token(), new.token());
    assert!(api.works(new.token()).await);
    assert!(!api.works(old.token()).await);
    for kept in ["id", "owner", "name", "description", "scopes", "created_at", "expires_at"] {
        assert_eq!(old.json[kept], new.json[kept], "{kept}");
    }
    assert_eq!(new.json["regenerated_at"], "2026-11-23T04:44:57Z");
    assert_eq!(new.json["revision"], 2);
    assert!(new.json["last_used_at"].is_string(), "kept");
}

#[tokio::test]
async fn body_sets_the_new_expiry() {
    let api = Api::new().await;
    let id = api.issue_ci().await.id().to_owned();
    let path = format!("/{id}/regenerate");
    for (expires, end) in [("1y", json!("2027-11-22T04:44:57Z")), ("never", json!(null))] {
        let answer = api.post(&path).json(&json!({ "expires": expires })).await.ok();
        assert_eq!(answer.json["expires_at"], end);
    }
    api.post(&path).json(&json!({})).await.ok();
    for (body, field) in [
        (json!({ "expires": "2026-01-01" }), "expires"),
        (json!({ "expires": null }), "expires"),
        (json!({ "grace_period": "soon" }), "grace_period"),
        (json!({ "grace_period": "31d" }), "grace_period"),
        (json!({ "grace_period": "0d" }), "grace_period"),
        (json!({ "grace_period": "never" }), "grace_period"),
        (json!({ "grace_period": null }), "grace_period"),
        (json!({ "name": "x" }), "name"),
    ] {
        api.post(&path).json(&body).await.invalid(field);
    }
    assert_eq!(api.show(&id).await["revision"], 4);
}

#[tokio::test]
async fn grace_period_ends_when_the_new_secret_is_used() {
    let api = Api::new().await;
    let old = api.issue_ci().await;
    let path = format!("/{}/regenerate", old.id());
    let new = api.post(&path).json(&json!({ "grace_period": "12h" })).await.ok();
    assert!(api.works(old.token()).await);
    assert!(api.works(new.token()).await);
    assert!(
        !api.works(old.token()).await,
        "the old secret must stop working after the first use of the new one"
    );
    let newer = api.post(&path).json(&json!({ "grace_period": "12h" })).await.ok();
    api.clock.advance(Duration::from_hours(12));
    assert!(!api.works(new.token()).await, "the secret must be rejected after the grace period");
    assert!(api.works(newer.token()).await);
}

#[tokio::test]
async fn ended_token_works_again_after_regeneration() {
    let api = Api::with(|builder| builder.limits(Limits::default().tokens_per_owner(2))).await;
    let revoked = api.issue_ci().await;
    api.post(&format!("/{}/revoke", revoked.id())).send().await.ok();
    let expired = api.issue(json!({ "name": "ci", "expires": "1d" })).await;
    api.clock.advance(Duration::from_hours(24));

    let answer = api.post(&format!("/{}/regenerate", revoked.id())).send().await.ok();
    assert_eq!(
        (&answer.json["status"], &answer.json["revoked_at"]),
        (&json!("active"), &json!(null))
    );
    assert!(api.works(answer.token()).await);
    assert!(!api.works(revoked.token()).await);

    let path = format!("/{}/regenerate", expired.id());
    api.post(&path).send().await.invalid("expires");
    let answer = api.post(&path).json(&json!({ "expires": "30d" })).await.ok();
    assert_eq!(answer.json["status"], "active");
}

#[tokio::test]
async fn only_the_owner_can_regenerate_a_token() {
    let api = Api::new().await;
    let issued = api.issue_ci().await;
    for asked in [issued.id(), UNKNOWN, "42"] {
        let path = format!("/{asked}/regenerate");
        api.post(&path).by("bob").send().await.rejected(404, "not-found");
    }
    let path = format!("/{}/regenerate", issued.id());
    api.post(&path).by("root").send().await.rejected(403, "owner-only");
    assert!(api.works(issued.token()).await);
}

#[tokio::test]
async fn token_with_ungrantable_scopes_is_not_regenerated() {
    let api = Api::new().await;
    let issued = api.issue(json!({ "name": "ci", "scopes": ["projects:list"] })).await;
    let path = format!("/{}/regenerate", issued.id());
    let answer = api.post(&path).header("x-may-grant", "projects:read").send().await;
    answer.rejected(403, "scope-not-grantable");
    assert!(api.works(issued.token()).await);
}
