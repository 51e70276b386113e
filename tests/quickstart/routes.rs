//! The table of routes, each with exactly the scopes that it needs.

use http::Method;
use serde_json::json;

use crate::harness::{Answer, Call, Client, Person, Place, Protocol, Server};

/// A row of the table. `{id}` stands for a project.
struct Route {
    method: Method,
    path: &'static str,
    needs: &'static [&'static str],
    status: u16,
}

fn table() -> [Route; 7] {
    let route = |method, path, needs, status| Route { method, path, needs, status };
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

/// Where the token is.
#[derive(Clone, Copy, Debug)]
enum Carrier {
    Header,
    Query,
}

/// A route for one project, through one client.
struct Case<'c> {
    client: &'c Client,
    route: &'c Route,
    carrier: Carrier,
    project: String,
}

impl Case<'_> {
    fn needs(&self) -> Vec<String> {
        self.route.needs.iter().map(|scope| scope.replace("{id}", &self.project)).collect()
    }

    /// The request, with this in its query.
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

/// Somebody who issues tokens, and a token that makes projects.
struct Stage {
    server: Server,
    alice: Person,
    maker: String,
}

impl Stage {
    async fn set(place: &Place, protocol: Protocol) -> Self {
        let server = place.start(&["--limit", "1000"]).await;
        let alice = server.client(protocol).sign_in("alice").await;
        let maker = alice.issue(&["projects:create"]).await.token;
        Self { server, alice, maker }
    }

    async fn make_project(&self, id: &str) {
        let new = json!({ "id": id, "title": "A project" });
        let call = self.alice.client.post("/api/projects").bearer(&self.maker).json(&new);
        let made = call.answer().await.expect(201).json();
        assert_eq!(made, json!({ "id": id, "title": "A project", "published": false }));
    }

    async fn token(&self, scopes: &[impl AsRef<str>]) -> String {
        let scopes: Vec<_> = scopes.iter().map(AsRef::as_ref).collect();
        self.alice.issue(&scopes).await.token
    }

    /// Every route with every carrier, each for a project of its own.
    async fn cases(&self, check: impl AsyncFn(&Self, Case<'_>)) {
        let routes = table();
        for (row, route) in routes.iter().enumerate() {
            for carrier in [Carrier::Header, Carrier::Query] {
                let project = format!("p{row}-{carrier:?}");
                if route.path.contains("{id}") {
                    self.make_project(&project).await;
                }
                check(self, Case { client: &self.alice.client, route, carrier, project }).await;
            }
        }
    }
}

/// What a refusal of the layer is made of; for `HEAD`, all but the body.
#[track_caller]
fn is_refusal(case: &Case<'_>, answer: &Answer, status: u16, kind: &str) {
    if case.route.method == Method::HEAD {
        assert_eq!((answer.status, &*answer.body), (status, ""));
        assert_eq!(answer.header("content-type"), "application/problem+json");
    } else {
        answer.problem(status, kind);
    }
}

/// What does not do where this is needed: nothing; all that other routes need, and for another
/// project; each part of it alone.
fn lacking(needs: &[String], project: &str) -> Vec<Vec<String>> {
    if needs.is_empty() {
        return Vec::new();
    }
    let others = ["list", "create"].map(String::from).into_iter().chain(
        ["read", "delete", "publish"]
            .iter()
            .flat_map(|verb| [project, "other"].map(|id| format!("{verb}:{id}"))),
    );
    let others = others.map(|scope| format!("projects:{scope}"));
    let mut lacking = vec![vec![], others.filter(|scope| !needs.contains(scope)).collect()];
    if needs.len() > 1 {
        lacking.extend(needs.iter().map(|scope| vec![scope.clone()]));
    }
    lacking
}

/// Each route refuses everything but a token with exactly what it needs, and takes that one.
async fn the_table_holds(protocol: Protocol) {
    let place = Place::new();
    let stage = Stage::set(&place, protocol).await;
    stage
        .cases(async |stage, case| {
            let needs = case.needs();

            let nobody = case.request("").answer().await;
            is_refusal(&case, &nobody, 401, "/no-credential");
            assert!(nobody.challenge().is_empty(), "a bare challenge: {nobody:?}");

            for scopes in lacking(&needs, &case.project) {
                let refused = case.with(&stage.token(&scopes).await).await;
                is_refusal(&case, &refused, 403, "/insufficient-scope");
                let challenge = refused.challenge();
                assert_eq!(challenge["error"], "insufficient_scope");
                assert_eq!(challenge["scope"], needs.join(" "), "with {scopes:?}");
            }

            let answer = case.with(&stage.token(&needs).await).await;
            assert_eq!(answer.status, case.route.status, "{answer:?}");
            assert!(!answer.headers.contains_key("www-authenticate"));
            if let Carrier::Query = case.carrier {
                assert_eq!(answer.header("cache-control"), "private, no-store");
                assert_eq!(answer.header("referrer-policy"), "no-referrer");
            }
        })
        .await;
    stage.server.stop().await;
}

#[tokio::test]
async fn the_table_holds_over_http_1() {
    the_table_holds(Protocol::Http1).await;
}

#[tokio::test]
async fn the_table_holds_over_http_2() {
    the_table_holds(Protocol::Http2).await;
}

#[tokio::test]
async fn no_route_takes_what_is_no_valid_token_or_two_of_them() {
    let place = Place::new();
    let stage = Stage::set(&place, Protocol::Http2).await;
    let (all, revoked) =
        (stage.alice.issue(&["projects"]).await, stage.alice.issue(&["projects"]).await);
    stage.alice.revoke(&revoked.id).await;
    let mut mistyped = all.token.clone();
    let last = if mistyped.pop() == Some('0') { '1' } else { '0' };
    mistyped.push(last);
    stage
        .cases(async |_, case| {
            for token in [&revoked.token, &mistyped, "nonsense"] {
                let refused = case.with(token).await;
                is_refusal(&case, &refused, 401, "/invalid-token");
                assert_eq!(refused.challenge()["error"], "invalid_token");
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
                let refused = call.answer().await;
                is_refusal(&case, &refused, 400, "/invalid-request");
                assert_eq!(refused.challenge()["error"], "invalid_request");
            }
            let signed_in = case.request("").cookie(&stage.alice.cookie).answer().await;
            is_refusal(&case, &signed_in, 401, "/no-credential");
        })
        .await;
    stage.server.stop().await;
}

#[tokio::test]
async fn health_needs_nothing_and_looks_at_no_token() {
    let place = Place::new();
    let server = place.start(&[]).await;
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
async fn head_is_get_without_a_body() {
    let place = Place::new();
    let stage = Stage::set(&place, Protocol::Http1).await;
    let token = stage.token(&["projects:list", "projects:read:atlas"]).await;
    for protocol in Protocol::BOTH {
        let client = stage.server.client(protocol);
        for path in ["/api/health", "/api/me", "/api/projects", "/api/projects/atlas"] {
            let get = client.get(path).bearer(&token).answer().await.expect(200);
            let head = client.call(Method::HEAD, path).bearer(&token).answer().await.expect(200);
            assert_eq!(head.body, "");
            assert_eq!(head.header("content-type"), get.header("content-type"));
            assert_eq!(head.header("content-length"), get.body.len().to_string());
        }
        let refused =
            client.call(Method::HEAD, "/api/projects/borealis").bearer(&token).answer().await;
        assert_eq!((refused.status, &*refused.body), (403, ""));
        assert_eq!(refused.challenge()["scope"], "projects:read:borealis");
    }
    stage.server.stop().await;
}
