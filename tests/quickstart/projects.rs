//! Tests the API that programs call.

use http::Method;
use serde_json::json;

use crate::harness::{Protocol, TestDir};

#[tokio::test]
async fn me_returns_the_owner_and_the_scopes() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let issued = alice.issue(&["projects:read:atlas", "projects:list"]).await;
    let me = alice.client.get("/api/me").bearer(&issued.token).answer().await.expect(200);
    let scopes = ["projects:list", "projects:read:atlas"];
    assert_eq!(me.json(), json!({ "owner": "alice", "token_id": issued.id, "scopes": scopes }));
    let nothing = alice.issue(&[]).await;
    let me = alice.client.get("/api/me").bearer(&nothing.token).answer().await.expect(200);
    assert_eq!(me.json()["scopes"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn wider_scope_is_sufficient_and_narrower_one_is_not() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let client = &alice.client;
    for (scopes, path, status) in [
        (["projects"], "/api/projects", 200),
        (["projects"], "/api/projects/atlas", 200),
        (["projects:read"], "/api/projects/atlas", 200),
        (["projects:read"], "/api/projects/borealis", 200),
        (["projects:read"], "/api/projects", 403),
        (["projects:read:atlas"], "/api/projects/atlas", 200),
        (["projects:read:atlas"], "/api/projects/%61tlas", 200),
        (["projects:read:atlas"], "/api/projects/borealis", 403),
        (["projects:read:atlas"], "/api/projects/atlas%20", 403),
        (["projects:read:atlas"], "/api/projects/Atlas", 403),
        (["projects:read:atlas"], "/api/projects/*", 403),
        (["projects:read:atlas"], "/api/projects/atlas:x", 403),
        (["projects:list"], "/api/projects/atlas", 403),
    ] {
        let token = alice.issue(&scopes).await.token;
        let answer = client.get(path).bearer(&token).answer().await;
        assert_eq!(answer.status, status, "{scopes:?} for {path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn presets_grant_their_scopes() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    for (preset, scopes, creates) in [
        ("read-only", json!(["projects:list", "projects:read"]), 403),
        ("full", json!(["projects"]), 201),
    ] {
        let issued = alice.post("/tokens", json!({ "name": preset, "preset": preset })).await;
        let issued = issued.expect(201).json();
        assert_eq!(issued["scopes"], scopes);
        let token = issued["token"].as_str().expect("a token");
        assert_eq!(alice.client.status_with(token).await, 200);
        let new = json!({ "id": "gemini", "title": "Gemini" });
        let call = alice.client.post("/api/projects").bearer(token).json(&new);
        assert_eq!(call.answer().await.status, creates);
    }
    server.stop().await;
}

#[tokio::test]
async fn catalog_lists_the_scopes_of_the_routes() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let catalog = alice.get("/tokens/scopes").await.expect(200).json();
    let names = |list: &str, name: &str| -> Vec<String> {
        let list = catalog[list].as_array().expect("a list");
        list.iter().map(|entry| entry[name].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(
        names("scopes", "scope"),
        [
            "projects:list",
            "projects:create",
            "projects:read",
            "projects:delete",
            "projects:publish"
        ]
    );
    assert_eq!(names("presets", "name"), ["read-only", "full"]);
    assert_eq!(catalog["limits"]["tokens_per_owner"], 50);
    let unknown = json!({ "name": "x", "scopes": ["planets:list"] });
    alice.post("/tokens", unknown).await.problem(422, "/invalid");
    server.stop().await;
}

#[tokio::test]
async fn projects_are_created_published_and_deleted() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let (client, token) = (&alice.client, alice.issue(&["projects"]).await.token);
    let projects = async || {
        let all = client.get("/api/projects").bearer(&token).answer().await.expect(200).json();
        let id = |project: &serde_json::Value| project["id"].as_str().expect("an id").to_owned();
        all.as_array().expect("a list").iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(projects().await, ["atlas", "borealis"]);
    let new = json!({ "id": "gemini", "title": "Gemini" });
    let made = client.post("/api/projects").bearer(&token).json(&new).answer().await.expect(201);
    let gemini = |published| json!({ "id": "gemini", "title": "Gemini", "published": published });
    assert_eq!(made.json(), gemini(false));
    assert_eq!(projects().await, ["atlas", "borealis", "gemini"]);
    let again = json!({ "id": "gemini", "title": "Another" });
    let again = client.post("/api/projects").bearer(&token).json(&again).answer().await;
    again.problem(409, "about:blank");

    let published = client.post("/api/projects/gemini/publish").bearer(&token).answer().await;
    assert_eq!(published.expect(200).json(), gemini(true));
    let shown = client.get("/api/projects/gemini").bearer(&token).answer().await.expect(200);
    assert_eq!(shown.json(), gemini(true));

    let deleted = client.call(Method::DELETE, "/api/projects/gemini").bearer(&token).answer().await;
    assert_eq!(deleted.expect(204).body, "");
    assert_eq!(projects().await, ["atlas", "borealis"]);
    for (method, path) in [
        (Method::GET, "/api/projects/gemini"),
        (Method::DELETE, "/api/projects/gemini"),
        (Method::POST, "/api/projects/gemini/publish"),
    ] {
        client.call(method, path).bearer(&token).answer().await.problem(404, "about:blank");
    }
    server.stop().await;
}
