//! A cache that stores every response that it may store for ten minutes: no caller gets the
//! response of another one, and a revoked token gets no cached response.

use hallpass_core::Actor;

use crate::site::{Site, bearer};

const CACHING: &str = "listen {listen}; location / { proxy_pass http://{app}; proxy_cache cache; \
     proxy_cache_valid any 10m; add_header X-Cache $upstream_cache_status always; }";

const ALICE: &str = "cookie: person=alice";
const BOB: &str = "cookie: person=bob";

impl Site {
    /// Sends a request to the cache, and returns the status, the body and whether the response was
    /// cached.
    async fn ask(&self, path: &str, line: &str) -> (u16, String, bool) {
        let lines: Vec<_> = (!line.is_empty()).then_some(line).into_iter().collect();
        let answer = self.send(0, &format!("GET {path}"), &lines, "").await;
        let is_hit = answer.header("x-cache") == Some("HIT");
        (answer.status, answer.body, is_hit)
    }
}

#[tokio::test]
async fn cached_response_is_never_sent_to_another_caller() {
    let site = Site::new(&[CACHING]).await;
    let alice = bearer(&site.issue("alice", &[]).await);
    let bob = bearer(&site.issue("bob", &[]).await);
    for path in ["/me", "/shared", "/hello"] {
        // Requests without a valid token are sent before, between and after the others.
        for _ in 0..2 {
            let stranger = site.ask(path, "").await;
            if path == "/hello" {
                assert_eq!((stranger.0, &*stranger.1), (200, "hello stranger"));
            } else {
                assert_eq!(stranger.0, 401, "{path}");
            }
            for (line, owner) in [(&alice, "alice"), (&bob, "bob")] {
                let (status, body, is_hit) = site.ask(path, line).await;
                assert_eq!((status, &*body.replace("hello ", "")), (200, owner), "{path}");
                assert!(!is_hit || path == "/shared", "{path} is private");
            }
        }
    }
    // The cache works: a response that the handler declares public is stored for each token.
    assert_eq!(site.ask("/shared", &alice).await, (200, "alice".to_owned(), true));
}

#[tokio::test]
async fn sign_in_by_cookie_is_not_mixed_up() {
    let site = Site::new(&[CACHING]).await;
    let token = bearer(&site.issue("carol", &[]).await);
    for _ in 0..2 {
        for (line, owner) in [(ALICE, "alice"), (BOB, "bob"), (&*token, "carol")] {
            assert_eq!(site.ask("/person", line).await, (200, owner.to_owned(), false));
        }
        assert_eq!(site.ask("/person", "").await.0, 401);
    }
}

#[tokio::test]
async fn cached_response_ends_with_the_token() {
    let site = Site::new(&[CACHING]).await;
    let issued = site.issue("alice", &[]).await;
    let by_query = format!("/me?session={}", issued.token.reveal());
    let shared = format!("/shared?session={}", issued.token.reveal());
    for _ in 0..2 {
        assert_eq!(site.ask("/me", &bearer(&issued)).await, (200, "alice".to_owned(), false));
        for path in [&by_query, &shared] {
            // The handler of `/shared` declares its response public, but the URL is secret.
            assert_eq!(site.ask(path, "").await, (200, "alice".to_owned(), false), "{path}");
        }
    }
    site.hallpass.revoke(&Actor::owner("alice"), issued.record.id).await.unwrap();
    assert_eq!(site.ask("/me", &bearer(&issued)).await.0, 401);
    for path in [&by_query, &shared] {
        assert_eq!(site.ask(path, "").await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn management_api_and_page_are_not_cached() {
    let site = Site::new(&[CACHING]).await;
    let token = site.issue("alice", &[]).await;
    let _bobs = site.issue("bob", &[]).await;
    let id = token.record.id;
    for base in ["/tokens", "/settings/tokens/api"] {
        for _ in 0..2 {
            for (line, owner) in [(ALICE, "alice"), (BOB, "bob")] {
                let (status, body, is_hit) = site.ask(base, line).await;
                let other = if owner == "alice" { "bob" } else { "alice" };
                assert!(status == 200 && !is_hit && !body.contains(other), "{base} {body}");
            }
            assert_eq!(site.ask(base, "").await.0, 401);
            assert_eq!(site.ask(&format!("{base}/{id}"), ALICE).await.0, 200);
            assert_eq!(site.ask(&format!("{base}/{id}"), BOB).await.0, 404);
            assert_eq!(site.ask(&format!("{base}/audit"), BOB).await.0, 200);
            let current = format!("{base}/current");
            assert_eq!(site.ask(&current, &bearer(&token)).await.0, 200);
            assert_eq!(site.ask(&current, "").await.0, 401);
        }
    }
    for _ in 0..2 {
        for (line, owner) in [(ALICE, "alice"), (BOB, "bob")] {
            let (status, body, is_hit) = site.ask("/settings/tokens", line).await;
            assert!(status == 200 && !is_hit && body.contains(owner), "{body}");
        }
        assert_eq!(site.ask("/settings/tokens", "").await.0, 401);
    }
}
