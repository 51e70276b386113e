//! Tests the HTML pages of the quickstart.

use http::Method;

use crate::harness::{Answer, Protocol, TestDir};

/// Checks that a response is a page without scripts, which cannot be framed and is not cached.
#[track_caller]
fn is_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let policy: Vec<_> = answer.header("content-security-policy").split("; ").collect();
    for directive in
        ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
    {
        assert!(policy.contains(&directive), "{policy:?}");
    }
    assert!(!policy.iter().any(|directive| directive.contains("unsafe")), "{policy:?}");
    let html = answer.body.to_ascii_lowercase();
    for forbidden in
        ["<script", "javascript:", "<style", " style=", " onclick", " onload", "<iframe"]
    {
        assert!(!html.contains(forbidden), "{forbidden} in {html}");
    }
}

#[tokio::test]
async fn pages_are_served_without_scripts() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    for protocol in Protocol::BOTH {
        let client = server.client(protocol);
        let home = client.get("/").answer().await;
        is_page(&home, 200);
        assert!(home.body.contains("href=/login"));
        let form = client.get("/login").answer().await;
        is_page(&form, 200);
        for part in
            ["method=post", "action=/login", "name=username", "name=password", "type=password"]
        {
            assert!(form.body.contains(part), "{part}");
        }
        let again = client.sign_in_with("alice", "wrong").answer().await;
        is_page(&again, 401);
        assert!(again.body.contains("role=alert") && again.body.contains("name=password"));

        let home = alice.through(client.clone()).get("/").await;
        is_page(&home, 200);
        assert!(home.body.contains("alice") && home.body.contains("action=/logout"));
        assert!(!home.body.contains("hp_"));

        for path in ["/", "/login"] {
            let (get, head) = (client.get(path), client.call(Method::HEAD, path));
            let (get, head) = (get.answer().await, head.answer().await);
            assert_eq!((head.status, &*head.body), (200, ""));
            assert_eq!(
                head.header("content-security-policy"),
                get.header("content-security-policy")
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn unknown_path_gets_404() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    for protocol in Protocol::BOTH {
        let client = server.client(protocol);
        let paths = [
            "/nowhere",
            "/login/",
            "/api",
            "/api/",
            "/api/nowhere",
            "/api/projects/",
            "//",
            "/index.html",
        ];
        for path in paths {
            client.get(path).answer().await.problem(404, "about:blank");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn token_does_not_sign_in() {
    let dir = TestDir::new();
    let mut server = dir.start(&[]).await;
    let token = server.first_token().await;
    let client = server.client(Protocol::Http1);
    for call in [client.get("/").bearer(&token), client.get(&format!("/?session={token}"))] {
        let page = call.answer().await;
        is_page(&page, 200);
        assert!(page.body.contains("href=/login"), "the token signed a user in");
    }
    client.get(&format!("/tokens?session={token}")).answer().await.problem(401, "/no-caller");
    let alice = client.sign_in("alice").await;
    alice.get(&format!("/tokens?session={token}")).await.problem(422, "/invalid");
    server.stop().await;
}
