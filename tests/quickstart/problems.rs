//! Tests that errors are returned as problem+json and change nothing.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Protocol, TestDir};

#[tokio::test]
async fn every_error_of_the_token_api_is_a_problem() {
    let dir = TestDir::new();
    let server = dir.start(&["--limit", "2"]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    for protocol in Protocol::BOTH {
        let client = server.client(protocol);
        let alice = alice.through(client.clone());
        alice.delete_all().await;
        let issued = alice.issue(&["projects:list"]).await;
        let path = format!("/tokens/{}", issued.id);
        let before = alice.show(&issued.id).await;
        let post = || alice.call(Method::POST, "/tokens");
        let json_body =
            |body: &'static str| post().header("content-type", "application/json").body(body);
        let large = format!("{{\"name\": \"{}\"}}", "x".repeat(100_000));
        let mut rows = vec![
            (client.get("/tokens"), 401, "/no-caller"),
            (client.get(&path), 401, "/no-caller"),
            (client.post("/tokens").json(&json!({ "name": "ci" })), 401, "/no-caller"),
            (client.get("/tokens/current"), 401, "/no-credential"),
            (client.get("/tokens/current").bearer("nonsense"), 401, "/invalid-token"),
            (client.get("/tokens").bearer("nonsense"), 401, "/no-caller"),
            (json_body(""), 400, "/malformed-json"),
            (json_body("{"), 400, "/malformed-json"),
            (json_body("{}"), 422, "/invalid"),
            (json_body("[]"), 422, "/invalid"),
            (json_body(r#"{"name": "a", "name": "b"}"#), 422, "/invalid"),
            (post().body(r#"{"name": "a"}"#), 415, "/not-json"),
            (post().form(&[("name", "a")]), 415, "/not-json"),
            (post().header("content-type", "application/json").body(large), 413, "/too-large"),
            (alice.call(Method::GET, "/tokens/not-an-id"), 404, "/not-found"),
            (alice.call(Method::GET, &format!("{path}/nope")), 404, "/not-found"),
            (alice.call(Method::PUT, &path), 405, "/method-not-allowed"),
            (
                alice.call(Method::PATCH, &path).header("if-match", "\"7\"").json(&json!({})),
                412,
                "/stale",
            ),
            (
                alice.call(Method::PATCH, &path).header("if-match", "7").json(&json!({})),
                400,
                "/invalid-request",
            ),
        ];
        for wrong in [
            json!({ "name": "" }),
            json!({ "name": "a\u{202e}b" }),
            json!({ "name": null }),
            json!({ "name": "a", "owner": "bob" }),
            json!({ "name": "a", "scopes": ["projects:list", ""] }),
            json!({ "name": "a", "scopes": "projects:list" }),
            json!({ "name": "a", "expires": "yesterday" }),
            json!({ "name": "a", "expires": "31-04-2099" }),
            json!({ "name": "a", "expires": "2001-01-01" }),
            json!({ "name": "a", "expires": "59s" }),
            json!({ "name": "a", "preset": "nope" }),
            json!({ "name": "a", "description": "x".repeat(1_001) }),
        ] {
            rows.push((post().json(&wrong), 422, "/invalid"));
        }
        for query in
            ["status=dead", "sort=owner", "limit=0", "limit=101", "cursor=x", "nope=1", "session=x"]
        {
            rows.push((alice.call(Method::GET, &format!("/tokens?{query}")), 422, "/invalid"));
        }
        for (call, status, kind) in rows {
            call.answer().await.problem(status, kind);
        }
        assert_eq!(alice.all().await, [before], "nothing has changed");

        alice.issue(&[]).await;
        let full = alice.post("/tokens", json!({ "name": "one too many" })).await;
        let problem = full.problem(409, "/token-limit");
        assert_eq!((&problem["limit"], &problem["in_use"]), (&json!(2), &json!(2)));
        alice.revoke(&issued.id).await;
        alice.patch(&path, json!({ "expires": "30d" })).await.problem(409, "/ended");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_error_of_the_projects_api_is_a_problem() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let token = alice.issue(&["projects"]).await.token;
    for protocol in Protocol::BOTH {
        let client = server.client(protocol);
        let post = || client.post("/api/projects").bearer(&token);
        let json_body =
            |body: &'static str| post().header("content-type", "application/json").body(body);
        for (call, status) in [
            (json_body("{"), 400),
            (json_body("{}"), 422),
            (json_body(r#"{"id": "x", "title": 1}"#), 422),
            (json_body(r#"{"id": "x", "title": "X", "published": true}"#), 422),
            (post().body(r#"{"id": "x", "title": "X"}"#), 415),
            (post().json(&json!({ "id": "atlas", "title": "Atlas again" })), 409),
            (client.get("/api/projects/x").bearer(&token), 404),
            (client.get("/api/projects/%ff").bearer(&token), 400),
            (client.call(Method::PATCH, "/api/projects/atlas").bearer(&token), 405),
            (client.call(Method::PUT, "/api/health"), 405),
        ] {
            call.answer().await.problem(status, "");
        }
        let projects = client.get("/api/projects").bearer(&token).answer().await.expect(200).json();
        assert_eq!(
            projects.as_array().map(Vec::len),
            Some(2),
            "a failed request changed the projects"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn cross_site_change_is_rejected() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let own = format!("http://{}", server.address());
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    for protocol in Protocol::BOTH {
        let alice = alice.through(server.client(protocol));
        let issued = alice.issue(&[]).await;
        let path = format!("/tokens/{}/revoke", issued.id);
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://example.com"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1"),
        ] {
            let answer = alice.call(Method::POST, &path).header(name, value).answer().await;
            answer.problem(403, "/cross-site");
            let look = alice.call(Method::GET, "/tokens").header(name, value).answer().await;
            look.expect(200);
        }
        assert_eq!(alice.show(&issued.id).await["status"], "active");
        let call = alice.call(Method::POST, &path).header("sec-fetch-site", "same-origin");
        call.header("origin", &own).answer().await.expect(200);
        alice.delete(&format!("/tokens/{}", issued.id)).await.expect(204);
    }
    server.stop().await;
}

#[tokio::test]
async fn openapi_document_is_public() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let client = server.client(Protocol::Http2);
    let document = client.get("/tokens/openapi.json").answer().await.expect(200).json();
    assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"));
    let cookie = client.sign_in("alice").await.cookie;
    let (name, _) = cookie.split_once('=').expect("a name");
    let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
    let named = schemes.values().any(|scheme| scheme["in"] == "cookie" && scheme["name"] == name);
    assert!(named, "the document does not name the session cookie: {schemes:?}");
    assert_ne!(document["paths"], Value::Null);
    server.stop().await;
}
