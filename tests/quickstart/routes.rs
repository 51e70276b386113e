//! Tests that each route requires exactly the documented scopes.

use hallpass_tests::mistyped;
use http::Method;
use serde_json::json;

use crate::harness::{Answer, Call, Client, Protocol, Server, TestDir, User};

/// A route with its required scopes. `{id}` stands for a project.
struct Route {
    method: Method,
    path: &'static str,
    required: &'static [&'static str],
    status: u16,
}

fn table() -> [Route; 7] {
    let route = |method, path, required, status| Route { method, path, required, status };
    [
        route(Method::GET, "/api/me", &[], 200),
        route(Method::GET, "/api/projects", &["projects:list"], 200),
        route(Method::HEAD, "/api/projects", &["projects:list"], 200),
        route(Method::POST, "/api/projects", &["projects:create"], 201),
        route(Method::GET, "/api/projects/{id}", &["projects:read:{id}"], 200),
        route(Method::DELETE, "/api/projects/{id}", &["projects:delete:{id}"], 204),
        route(
            Method::POST,
            "/api/projects/{id}/publish",
            &["projects:publish:{id}", "projects:read:{id}"],
            200,
        ),
    ]
}

/// The part of the request that has the token.
#[derive(Clone, Copy, Debug)]
enum Carrier {
    Header,
    Query,
}

/// A route for one project, called by one client.
struct Case<'c> {
    client: &'c Client,
    route: &'c Route,
    carrier: Carrier,
    project: String,
}

impl Case<'_> {
    fn required(&self) -> Vec<String> {
        self.route.required.iter().map(|scope| scope.replace("{id}", &self.project)).collect()
    }

    /// Returns the request with a query, which is empty or starts with `?`.
    fn request(&self, query: &str) -> Call {
        let path = self.route.path.replace("{id}", &self.project);
        let call = self.client.call(self.route.method.clone(), &format!("{path}{query}"));
        if self.route.status == 201 {
            return call.json(&json!({ "id": self.project, "title": "A project" }));
        }
        call
    }

    async fn with(&self, token: &str) -> Answer {
        let call = match self.carrier {
            Carrier::Header => self.request("").bearer(token),
            Carrier::Query => self.request(&format!("?a=1&session={token}&b=%20")),
        };
        call.answer().await
    }
}

/// A server, a user who issues tokens, and a token that may create projects.
struct Fixture {
    server: Server,
    alice: User,
    creator: String,
}

impl Fixture {
    async fn new(dir: &TestDir, protocol: Protocol) -> Self {
        let server = dir.start(&["--limit", "1000"]).await;
        let alice = server.client(protocol).sign_in("alice").await;
        let creator = alice.issue(&["projects:create"]).await.token;
        Self { server, alice, creator }
    }

    async fn create_project(&self, id: &str) {
        let new = json!({ "id": id, "title": "A project" });
        let call = self.alice.client.post("/api/projects").bearer(&self.creator).json(&new);
        let made = call.answer().await.expect(201).json();
        assert_eq!(made, json!({ "id": id, "title": "A project", "published": false }));
    }

    async fn token(&self, scopes: &[impl AsRef<str>]) -> String {
        let scopes: Vec<_> = scopes.iter().map(AsRef::as_ref).collect();
        self.alice.issue(&scopes).await.token
    }

    /// Runs a check for every route with every carrier, each with its own project.
    async fn cases(&self, check: impl AsyncFn(&Self, Case<'_>)) {
        let routes = table();
        for (row, route) in routes.iter().enumerate() {
            for carrier in [Carrier::Header, Carrier::Query] {
                let project = format!("p{row}-{carrier:?}");
                if route.path.contains("{id}") {
                    self.create_project(&project).await;
                }
                check(self, Case { client: &self.alice.client, route, carrier, project }).await;
            }
        }
    }
}

/// Checks that a response is a rejection of the layer. The response to `HEAD` has no body.
#[track_caller]
fn check_rejection(case: &Case<'_>, answer: &Answer, status: u16, kind: &str) {
    if case.route.method == Method::HEAD {
        assert_eq!((answer.status, &*answer.body), (status, ""));
        assert_eq!(answer.header("content-type"), "application/problem+json");
    } else {
        answer.problem(status, kind);
    }
}

/// Returns sets of scopes that are not sufficient for a route: no scope, all scopes of other routes
/// and other projects, and each required scope alone if there are several.
fn insufficient_scopes(required: &[String], project: &str) -> Vec<Vec<String>> {
    if required.is_empty() {
        return Vec::new();
    }
    let others = ["list", "create"].map(String::from).into_iter().chain(
        ["read", "delete", "publish"]
            .iter()
            .flat_map(|verb| [project, "other"].map(|id| format!("{verb}:{id}"))),
    );
    let others = others.map(|scope| format!("projects:{scope}"));
    let mut sets = vec![vec![], others.filter(|scope| !required.contains(scope)).collect()];
    if required.len() > 1 {
        sets.extend(required.iter().map(|scope| vec![scope.clone()]));
    }
    sets
}

/// Checks that each route accepts a token with exactly the required scopes and rejects all others.
async fn check_all_routes(protocol: Protocol) {
    let dir = TestDir::new();
    let fixture = Fixture::new(&dir, protocol).await;
    fixture
        .cases(async |fixture, case| {
            let required = case.required();

            let anonymous = case.request("").answer().await;
            check_rejection(&case, &anonymous, 401, "/no-credential");
            assert!(
                anonymous.challenge().is_empty(),
                "the challenge has parameters: {anonymous:?}"
            );

            for scopes in insufficient_scopes(&required, &case.project) {
                let rejected = case.with(&fixture.token(&scopes).await).await;
                check_rejection(&case, &rejected, 403, "/insufficient-scope");
                let challenge = rejected.challenge();
                assert_eq!(challenge["error"], "insufficient_scope");
                assert_eq!(challenge["scope"], required.join(" "), "with {scopes:?}");
            }

            let answer = case.with(&fixture.token(&required).await).await;
            assert_eq!(answer.status, case.route.status, "{answer:?}");
            assert!(!answer.headers.contains_key("www-authenticate"));
            if let Carrier::Query = case.carrier {
                assert_eq!(answer.header("cache-control"), "private, no-store");
                assert_eq!(answer.header("referrer-policy"), "no-referrer");
            }
        })
        .await;
    fixture.server.stop().await;
}

#[tokio::test]
async fn routes_require_their_scopes_over_http_1() {
    check_all_routes(Protocol::Http1).await;
}

#[tokio::test]
async fn routes_require_their_scopes_over_http_2() {
    check_all_routes(Protocol::Http2).await;
}

#[tokio::test]
async fn routes_reject_invalid_and_multiple_tokens() {
    let dir = TestDir::new();
    let fixture = Fixture::new(&dir, Protocol::Http2).await;
    let (all, revoked) =
        (fixture.alice.issue(&["projects"]).await, fixture.alice.issue(&["projects"]).await);
    fixture.alice.revoke(&revoked.id).await;
    let mistyped = mistyped(&all.token);
    fixture
        .cases(async |_, case| {
            for token in [&revoked.token, &mistyped, "nonsense"] {
                let rejected = case.with(token).await;
                check_rejection(&case, &rejected, 401, "/invalid-token");
                assert_eq!(rejected.challenge()["error"], "invalid_token");
            }
            let (token, query) = (&all.token, format!("?session={}", all.token));
            let twice = format!("{query}&session={token}");
            for call in [
                case.request(&query).bearer(token),
                case.request(&twice),
                case.request("").bearer(token).bearer(token),
                case.request("?session="),
                case.request("").header("authorization", "Bearer"),
            ] {
                let rejected = call.answer().await;
                check_rejection(&case, &rejected, 400, "/invalid-request");
                assert_eq!(rejected.challenge()["error"], "invalid_request");
            }
            let signed_in = case.request("").cookie(&fixture.alice.cookie).answer().await;
            check_rejection(&case, &signed_in, 401, "/no-credential");
        })
        .await;
    fixture.server.stop().await;
}

#[tokio::test]
async fn health_is_public_and_ignores_tokens() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    for protocol in Protocol::BOTH {
        let client = server.client(protocol);
        for call in [
            client.get("/api/health"),
            client.get("/api/health").bearer("nonsense"),
            client.get("/api/health?session=nonsense"),
        ] {
            call.answer().await.expect(200);
        }
        let head = client.call(Method::HEAD, "/api/health").answer().await.expect(200);
        assert_eq!(head.body, "");
    }
    server.stop().await;
}

#[tokio::test]
async fn head_responds_like_get_without_a_body() {
    let dir = TestDir::new();
    let fixture = Fixture::new(&dir, Protocol::Http1).await;
    let token = fixture.token(&["projects:list", "projects:read:atlas"]).await;
    for protocol in Protocol::BOTH {
        let client = fixture.server.client(protocol);
        for path in ["/api/health", "/api/me", "/api/projects", "/api/projects/atlas"] {
            let get = client.get(path).bearer(&token).answer().await.expect(200);
            let head = client.call(Method::HEAD, path).bearer(&token).answer().await.expect(200);
            assert_eq!(head.body, "");
            assert_eq!(head.header("content-type"), get.header("content-type"));
            assert_eq!(head.header("content-length"), get.body.len().to_string());
        }
        let rejected =
            client.call(Method::HEAD, "/api/projects/borealis").bearer(&token).answer().await;
        assert_eq!((rejected.status, &*rejected.body), (403, ""));
        assert_eq!(rejected.challenge()["scope"], "projects:read:borealis");
    }
    fixture.server.stop().await;
}
