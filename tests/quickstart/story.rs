//! Tests the whole life cycle of a token, from the sign-in to its deletion.

use serde_json::{Value, json};

use crate::harness::{Client, Issued, Protocol, TestDir};

/// Returns whether the token is accepted. The header and the query must agree.
async fn works(client: &Client, token: &str) -> bool {
    let header = client.get("/api/projects").bearer(token).answer().await;
    let query = client.get(&format!("/api/projects?session={token}")).answer().await;
    assert_eq!(header.status, query.status, "header and query disagree");
    match header.status {
        200 => true,
        401 => {
            assert_eq!(header.challenge()["error"], "invalid_token");
            assert_eq!(header.body, query.body);
            false
        }
        _ => panic!("{header:?}"),
    }
}

async fn life_cycle(protocol: Protocol) {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(protocol);
    client.get("/tokens").answer().await.problem(401, "/no-caller");
    let alice = client.sign_in("alice").await;

    let new = json!({ "name": "ci", "description": "nightly build", "scopes": ["projects:list", "projects:read"], "expires": "30d" });
    let answer = alice.post("/tokens", new).await.expect(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let first = Issued::of(&answer);
    assert_eq!(answer.header("location"), format!("./tokens/{}", first.id));
    let mut shown = answer.json();
    shown.as_object_mut().expect("an object").remove("token");
    assert_eq!(alice.show(&first.id).await, shown, "the token differs from the issued one");
    assert_eq!(shown["status"], "active");

    assert!(works(&client, &first.token).await);
    let rejected = client.post("/api/projects/atlas/publish").bearer(&first.token).answer().await;
    rejected.problem(403, "/insufficient-scope");
    assert_eq!(rejected.challenge()["scope"], "projects:publish:atlas projects:read:atlas");

    let added = json!({ "scopes": ["projects:publish:atlas"] });
    alice.post(&format!("/tokens/{}/scopes", first.id), added).await.expect(200);
    client.post("/api/projects/atlas/publish").bearer(&first.token).answer().await.expect(200);
    let remove = format!("/tokens/{}/scopes/remove", first.id);
    let publish = json!({ "scopes": ["projects:publish:atlas"] });
    alice.post(&remove, publish).await.expect(200);
    client.post("/api/projects/atlas/publish").bearer(&first.token).answer().await.expect(403);

    let second = alice.regenerate(&first.id, Value::Null).await;
    assert_eq!(second.id, first.id);
    assert_ne!(second.token, first.token);
    assert!(!works(&client, &first.token).await, "the old secret is still valid");
    assert!(works(&client, &second.token).await);
    let regenerated = alice.show(&first.id).await;
    assert!(regenerated["regenerated_at"].is_string());
    for kept in ["name", "description", "scopes", "expires_at", "created_at"] {
        assert_eq!(regenerated[kept], shown[kept], "{kept}");
    }

    let third = alice.regenerate(&first.id, json!({ "grace_period": "1h" })).await;
    assert!(
        works(&client, &second.token).await,
        "the old secret ended before the new one was used"
    );
    assert!(works(&client, &second.token).await);
    assert!(works(&client, &third.token).await);
    assert!(
        !works(&client, &second.token).await,
        "the old secret is valid after the new one was used"
    );
    assert!(!works(&client, &first.token).await);

    let revoked = alice.revoke(&first.id).await;
    assert_eq!(revoked["status"], "revoked");
    assert!(!works(&client, &third.token).await, "the revoked token is still valid");
    assert_eq!(alice.revoke(&first.id).await, revoked, "a second revocation changed the token");

    let fourth = alice.regenerate(&first.id, Value::Null).await;
    assert!(works(&client, &fourth.token).await, "the regenerated token is invalid");
    for dead in [&first.token, &second.token, &third.token] {
        assert!(!works(&client, dead).await);
    }

    alice.delete(&format!("/tokens/{}", first.id)).await.expect(204);
    assert!(!works(&client, &fourth.token).await);
    alice.get(&format!("/tokens/{}", first.id)).await.problem(404, "/not-found");
    server.stop().await;
}

#[tokio::test]
async fn life_cycle_of_a_token_over_http_1() {
    life_cycle(Protocol::Http1).await;
}

#[tokio::test]
async fn life_cycle_of_a_token_over_http_2() {
    life_cycle(Protocol::Http2).await;
}

#[tokio::test]
async fn revocation_ends_the_grace_period() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let old = alice.issue(&["projects:list"]).await;
    let new = alice.regenerate(&old.id, json!({ "grace_period": "1h" })).await;
    assert!(works(&alice.client, &old.token).await);
    alice.revoke(&old.id).await;
    assert!(!works(&alice.client, &old.token).await);
    assert!(!works(&alice.client, &new.token).await);
    let again = alice.regenerate(&old.id, json!({ "grace_period": "1h" })).await;
    assert!(works(&alice.client, &again.token).await);
    for dead in [&old.token, &new.token] {
        assert!(!works(&alice.client, dead).await, "a revoked secret got a grace period");
    }
    server.stop().await;
}

#[tokio::test]
async fn token_can_read_and_revoke_only_itself() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    let alice = client.sign_in("alice").await;
    let issued = alice.issue(&["projects"]).await;
    let current = client.get("/tokens/current").bearer(&issued.token).answer().await.expect(200);
    assert_eq!(current.json()["id"], issued.id);
    for call in [
        client.get("/tokens"),
        client.post("/tokens").json(&json!({ "name": "child" })),
        client.get(&format!("/tokens/{}", issued.id)),
        client.post("/tokens/delete").json(&json!({ "all": true })),
    ] {
        call.bearer(&issued.token).answer().await.problem(403, "/token-not-allowed");
    }
    let both = client.get("/tokens").bearer(&issued.token).cookie(&alice.cookie).answer().await;
    both.problem(400, "/invalid-request");
    client.get(&format!("/tokens/current?session={}", issued.token)).answer().await.expect(401);

    let revoke = client.call(http::Method::DELETE, "/tokens/current").bearer(&issued.token);
    assert_eq!(revoke.answer().await.expect(204).body, "");
    assert!(!works(&client, &issued.token).await);
    assert_eq!(alice.show(&issued.id).await["status"], "revoked");
    server.stop().await;
}
