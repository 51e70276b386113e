//! Tests that users can see and change only the tokens that they may.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Protocol, TestDir, User};

/// Returns a request for every operation on one token, with its name.
fn calls(user: &User, id: &str) -> Vec<(String, Call)> {
    let scopes = json!({ "scopes": ["projects"] });
    let rows = [
        (Method::GET, "", Value::Null),
        (Method::PATCH, "", json!({ "name": "mine now" })),
        (Method::DELETE, "", Value::Null),
        (Method::POST, "/regenerate", Value::Null),
        (Method::POST, "/revoke", Value::Null),
        (Method::POST, "/copy", Value::Null),
        (Method::POST, "/scopes", scopes),
        (Method::POST, "/scopes/remove", json!({ "scopes": ["projects:list"] })),
        (Method::POST, "/scopes/remove", json!({ "all": true })),
        (Method::DELETE, "/previous-secret", Value::Null),
    ];
    rows.map(|(method, below, body)| {
        let path = format!("/tokens/{id}{below}");
        let call = user.call(method.clone(), &path);
        (format!("{method} {below}"), if body.is_null() { call } else { call.json(&body) })
    })
    .into()
}

fn ids(tokens: &[Value]) -> Vec<&str> {
    let mut ids: Vec<_> = tokens.iter().map(|token| token["id"].as_str().expect("an id")).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn token_of_another_user_looks_like_an_unknown_one() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    let (alice, bob) = (client.sign_in("alice").await, client.sign_in("bob").await);
    let bobs = bob.issue(&["projects:list"]).await;
    let before = bob.show(&bobs.id).await;
    let never = "00000000-0000-8000-8000-000000000000";

    let (of_bob, unknown) = (calls(&alice, &bobs.id), calls(&alice, never));
    for ((what, of_bob), (_, unknown)) in of_bob.into_iter().zip(unknown) {
        let (of_bob, unknown) = (of_bob.answer().await, unknown.answer().await);
        of_bob.problem(404, "/not-found");
        assert_eq!((of_bob.status, &of_bob.body), (unknown.status, &unknown.body), "{what}");
    }
    let several =
        alice.post("/tokens/delete", json!({ "ids": [bobs.id, never] })).await.expect(200);
    assert_eq!(several.json(), json!({ "deleted": 0, "not_found": [bobs.id, never] }));

    assert_eq!(ids(&bob.all().await), [&*bobs.id]);
    assert!(!ids(&alice.all().await).contains(&&*bobs.id));
    for path in ["/tokens?owner=bob", "/tokens?owner=alice"] {
        alice.get(path).await.problem(403, "/admin-only");
    }
    alice.post("/tokens/revoke", json!({ "owner": "bob" })).await.problem(403, "/admin-only");
    alice.delete_all().await;

    assert_eq!(bob.show(&bobs.id).await, before, "the token was changed");
    assert_eq!(client.status_with(&bobs.token).await, 200);
    server.stop().await;
}

#[tokio::test]
async fn admin_sees_and_revokes_all_tokens_but_edits_none() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http1);
    let alice = client.sign_in("alice").await;
    let (bob, root) = (client.sign_in("bob").await, client.sign_in("root").await);
    let alices = alice.issue(&["projects:list"]).await;
    let bobs = [bob.issue(&["projects:list"]).await, bob.issue(&["projects:list"]).await];
    let roots = root.issue(&["projects:list"]).await;

    let all = root.all().await;
    assert_eq!(all.len(), 5, "the issued tokens and the first token");
    let expected = [alice.all().await, bob.all().await, vec![root.show(&roots.id).await]].concat();
    assert_eq!(ids(&all), ids(&expected));
    let of_bob = root.get("/tokens?owner=bob").await.expect(200).json();
    assert_eq!(ids(of_bob["items"].as_array().expect("items")), ids(&bob.all().await));
    assert_eq!(root.show(&alices.id).await["owner"], "alice");

    for (what, call) in calls(&root, &alices.id) {
        if !matches!(&*what, "GET " | "DELETE " | "POST /revoke") {
            let answer = call.answer().await;
            answer.problem(403, "/owner-only");
        }
    }
    assert_eq!(client.status_with(&alices.token).await, 200);
    assert_eq!(root.revoke(&alices.id).await["status"], "revoked");
    assert_eq!(client.status_with(&alices.token).await, 401);
    assert_eq!(
        alice.show(&alices.id).await["status"],
        "revoked",
        "the owner does not see the revocation"
    );

    let several = root.post("/tokens/revoke", json!({ "owner": "bob" })).await.expect(200).json();
    assert_eq!(several, json!({ "revoked": 2, "not_found": [] }));
    for token in &bobs {
        assert_eq!(client.status_with(&token.token).await, 401);
    }
    root.delete(&format!("/tokens/{}", bobs[0].id)).await.expect(204);
    assert_eq!(ids(&bob.all().await), [&*bobs[1].id]);

    // `all` deletes only the tokens of the caller.
    assert_eq!(root.delete_all().await, 1);
    assert_eq!(client.status_with(&roots.token).await, 401);
    assert_eq!(root.all().await.len(), 3);
    server.stop().await;
}

#[tokio::test]
async fn limit_counts_for_each_owner_separately() {
    let dir = TestDir::new();
    let server = dir.start(&["--limit", "2"]).await;
    let client = server.client(Protocol::Http1);
    for name in ["alice", "bob", "root"] {
        let user = client.sign_in(name).await;
        let room = if name == "alice" { 1 } else { 2 };
        for _ in 0..room {
            user.issue(&[]).await;
        }
        let full = user.post("/tokens", json!({ "name": "one too many" })).await;
        let problem = full.problem(409, "/token-limit");
        assert_eq!((&problem["limit"], &problem["in_use"]), (&json!(2), &json!(2)));
        let id = user.all().await[0]["id"].as_str().expect("an id").to_owned();
        user.post(&format!("/tokens/{id}/copy"), Value::Null).await.problem(409, "/token-limit");
        user.regenerate(&id, Value::Null).await;
        user.delete(&format!("/tokens/{id}")).await.expect(204);
        user.issue(&[]).await;
    }
    server.stop().await;
}
