//! Tests which rule applies to a request, and whether the token's scopes satisfy it.

use super::site;

/// A request, the scopes of its token (`None` without a token), and the expected status.
type Case = (&'static str, Option<&'static [&'static str]>, u16);

const ANONYMOUS: Option<&[&str]> = None;
const NOTHING: Option<&[&str]> = Some(&[]);
/// All scopes that a token can hold.
const EVERYTHING: Option<&[&str]> = Some(&["*", "admin", "pat"]);

#[rustfmt::skip]
const CASES: &[Case] = &[
    // Public routes are open to everyone, but only with the declared method.
    ("GET /health", ANONYMOUS, 200),
    ("GET /health", NOTHING, 200),
    ("HEAD /health", ANONYMOUS, 200),
    ("POST /health", ANONYMOUS, 401),
    ("POST /health", EVERYTHING, 403),
    ("OPTIONS /health", EVERYTHING, 403),
    // Any valid token is accepted.
    ("GET /me", ANONYMOUS, 401),
    ("GET /me", NOTHING, 200),
    ("HEAD /me", NOTHING, 200),
    ("HEAD /me", ANONYMOUS, 401),
    // Only HEAD uses the rule of another method.
    ("OPTIONS /me", EVERYTHING, 403),
    ("TRACE /me", EVERYTHING, 403),
    ("get /me", EVERYTHING, 403),
    ("FOO /me", EVERYTHING, 403),
    ("PURGE /me", NOTHING, 403),
    ("PURGE /me", Some(&["me:purge"]), 200),
    ("PURGE /me", Some(&["purge"]), 403),
    // `*` does not cover these families of scopes.
    ("GET /admin", Some(&["*"]), 403),
    ("GET /admin", Some(&["admin:panel"]), 200),
    ("GET /admin", Some(&["admin"]), 200),
    ("GET /admin", Some(&["admin:panels"]), 403),
    // The path parameter is part of the scope.
    ("GET /channels/42", Some(&["channels:read:42"]), 200),
    ("HEAD /channels/42", Some(&["channels:read:42"]), 200),
    ("GET /channels/43", Some(&["channels:read:42"]), 403),
    ("GET /channels/4", Some(&["channels:read:42"]), 403),
    ("GET /channels/42", Some(&["channels:read"]), 200),
    ("GET /channels/42", Some(&["channels"]), 200),
    ("GET /channels/42", Some(&["channels:*:42"]), 200),
    ("GET /channels/42", Some(&["channel"]), 403),
    ("DELETE /channels/42", Some(&["channels:read:42"]), 403),
    ("DELETE /channels/42", Some(&["channels:delete:42"]), 200),
    ("PUT /channels/42", EVERYTHING, 403),
    ("GET /channels", EVERYTHING, 403),
    ("GET /channels/", EVERYTHING, 403),
    ("GET /channels/42/", EVERYTHING, 403),
    // Ids are decoded and then compared byte for byte.
    ("GET /channels/%34%32", Some(&["channels:read:42"]), 200),
    ("GET /channels/%2542", Some(&["channels:read:42"]), 403),
    ("GET /channels/042", Some(&["channels:read:42"]), 403),
    ("GET /channels/+42", Some(&["channels:read:42"]), 403),
    ("GET /channels/42%20", Some(&["channels:read:42"]), 403),
    ("GET /channels/42%00", Some(&["channels:read:42"]), 403),
    ("GET /channels/42%2F..", Some(&["channels:read:42"]), 403),
    ("GET /channels/42:x", Some(&["channels:read:42"]), 403),
    ("GET /channels/*", Some(&["channels:read:42"]), 403),
    ("GET /channels/%2A", Some(&["channels:read:42"]), 403),
    ("GET /channels/ABC", Some(&["channels:read:abc"]), 403),
    ("GET /channels/{abc}", Some(&["channels:read:abc"]), 403),
    // Two ids require two scopes.
    ("GET /a/1/b/2", Some(&["a:read:1"]), 403),
    ("GET /a/1/b/2", Some(&["a:read:1", "b:read:1"]), 403),
    ("GET /a/1/b/2", Some(&["a:read:2", "b:read:1"]), 403),
    ("GET /a/1/b/2", Some(&["a:read:1", "b:read:2"]), 200),
    // A longer path is another route.
    ("GET /api/admin", Some(&["admin:panel"]), 403),
    ("GET /api/admin", Some(&["api:panel"]), 200),
    // Routes that are not in the table are rejected, whatever the host serves.
    ("GET /undeclared", ANONYMOUS, 401),
    ("GET /undeclared", EVERYTHING, 403),
    ("GET /nowhere", ANONYMOUS, 401),
    ("GET /nowhere", EVERYTHING, 403),
    ("GET /", EVERYTHING, 403),
    ("OPTIONS *", EVERYTHING, 403),
    // A parameter that is not valid UTF-8: the token is verified first, then the request.
    ("GET /item/%ff", ANONYMOUS, 401),
    ("GET /item/%ff", EVERYTHING, 400),
    ("GET /item/%C3%A9", Some(&["item:read"]), 200),
];

#[tokio::test]
async fn policy_table_decides_the_same_on_every_host() {
    for site in site::all().await {
        let mut wrong = Vec::new();
        for (request, held, owed) in CASES {
            let token = match held {
                Some(scopes) => site.token(scopes).await,
                None => String::new(),
            };
            let answer = site.ask(request, &token).await;
            if answer.status != *owed {
                wrong.push(format!("{request} with {held:?}: {}, not {owed}", answer.status));
            }
            let challenged = matches!(*owed, 400..=403);
            assert_eq!(answer.header("www-authenticate").is_some(), challenged, "{request}");
        }
        assert!(wrong.is_empty(), "{}:\n{}", site.name, wrong.join("\n"));
    }
}

#[tokio::test]
async fn challenge_contains_only_the_required_scopes() {
    let challenge = |scope: &str| {
        format!(
            r#"Bearer realm="api", error="insufficient_scope", error_description="the token does not allow this"{scope}"#
        )
    };
    for site in site::all().await {
        let token = site.token(&["other"]).await;
        for (request, owed) in [
            ("GET /channels/43", challenge(r#", scope="channels:read:43""#)),
            ("GET /channels/a%22b", challenge(r#", scope="channels:read""#)),
            ("GET /channels/%0d%0aSet-Cookie:x", challenge(r#", scope="channels:read""#)),
            ("GET /a/1/b/2", challenge(r#", scope="a:read:1 b:read:2""#)),
            ("GET /undeclared", challenge("")),
        ] {
            let answer = site.ask(request, &token).await;
            assert_eq!(answer.header("www-authenticate"), Some(&*owed), "{}: {request}", site.name);
        }
    }
}

#[tokio::test]
async fn public_route_ignores_and_removes_credentials() {
    for site in site::all().await {
        let token = site.token(&[]).await;
        let secret = &token[25..];
        let unknown = site.token(&[]).await.to_lowercase();
        for (request, token) in [
            (format!("GET /health?a=1&session={token}&b=2"), ""),
            (format!("GET /health?Session={token}"), ""),
            (format!("GET /health?session={token}&session={token}"), ""),
            (format!("GET /health?session={token}"), &*token),
            ("GET /health".to_owned(), &*unknown),
        ] {
            let answer = site.ask(&request, token).await;
            assert_eq!(answer.status, 200, "{}: {request}", site.name);
            assert!(answer.text().contains("owner: -"), "{}: {request}", site.name);
            let lines = answer.text().lines().filter(|line| !line.starts_with("authorization: "));
            let shown = lines.filter(|line| line.contains(secret)).collect::<Vec<_>>();
            assert!(shown.is_empty(), "{}: {shown:?}", site.name);
        }
        // A parameter of that name without our prefix belongs to the application.
        let answer = site.ask("GET /health?session=mine&x", "").await;
        assert!(answer.text().contains("uri: /health?session=mine&x"), "{}", answer.text());
    }
}
