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

            // Enough for everything but what this needs; and each part of it alone.
            let mut lacking = vec![vec![]];
            if !needs.is_empty() {
                let others = ["list", "create", "read:other", "delete:other", "publish:other"];
                let others = others.map(|scope| format!("projects:{scope}"));
                lacking = vec![
                    vec![],
                    others.into_iter().filter(|scope| !needs.contains(scope)).collect(),
                ];
            }
            if needs.len() > 1 {
                lacking.extend(needs.iter().map(|scope| vec![scope.clone()]));
            }
            for scopes in lacking.iter().filter(|_| !needs.is_empty()) {
                let refused = case.with(&stage.token(scopes).await).await;
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

#[tokio::test]
async fn me_says_whose_token_it_is() {
    let place = Place::new();
    let stage = Stage::set(&place, Protocol::Http1).await;
    let issued = stage.alice.issue(&["projects:read:atlas", "projects:list"]).await;
    let me = stage.alice.client.get("/api/me").bearer(&issued.token).answer().await.expect(200);
    let scopes = ["projects:list", "projects:read:atlas"];
    assert_eq!(me.json(), json!({ "owner": "alice", "token_id": issued.id, "scopes": scopes }));
    let nothing = stage.alice.issue(&[]).await;
    let me = stage.alice.client.get("/api/me").bearer(&nothing.token).answer().await.expect(200);
    assert_eq!(me.json()["scopes"], json!([]));
    stage.server.stop().await;
}

#[tokio::test]
async fn a_wider_scope_covers_and_a_narrower_one_does_not() {
    let place = Place::new();
    let stage = Stage::set(&place, Protocol::Http1).await;
    let client = &stage.alice.client;
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
        let token = stage.token(&scopes).await;
        let answer = client.get(path).bearer(&token).answer().await;
        assert_eq!(answer.status, status, "{scopes:?} for {path}");
    }
    stage.server.stop().await;
}

#[tokio::test]
async fn presets_give_what_they_say() {
    let place = Place::new();
    let stage = Stage::set(&place, Protocol::Http1).await;
    for (preset, scopes, creates) in [
        ("read-only", json!(["projects:list", "projects:read"]), 403),
        ("full", json!(["projects"]), 201),
    ] {
        let issued = stage.alice.post("/tokens", json!({ "name": preset, "preset": preset })).await;
        let issued = issued.expect(201).json();
        assert_eq!(issued["scopes"], scopes);
        let token = issued["token"].as_str().expect("a token");
        assert_eq!(stage.alice.client.status_with(token).await, 200);
        let new = json!({ "id": "gemini", "title": "Gemini" });
        let call = stage.alice.client.post("/api/projects").bearer(token).json(&new);
        assert_eq!(call.answer().await.status, creates);
    }
    stage.server.stop().await;
}

#[tokio::test]
async fn the_catalog_is_what_the_routes_need() {
    let place = Place::new();
    let stage = Stage::set(&place, Protocol::Http1).await;
    let catalog = stage.alice.get("/tokens/scopes").await.expect(200).json();
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
    assert_eq!(catalog["limits"]["tokens_per_owner"], 1000);
    let unknown = json!({ "name": "x", "scopes": ["planets:list"] });
    stage.alice.post("/tokens", unknown).await.problem(422, "/invalid");
    stage.server.stop().await;
}

#[tokio::test]
async fn projects_are_made_published_and_deleted() {
    let place = Place::new();
    let stage = Stage::set(&place, Protocol::Http1).await;
    let (client, token) = (&stage.alice.client, stage.token(&["projects"]).await);
    let projects = async || {
        let all = client.get("/api/projects").bearer(&token).answer().await.expect(200).json();
        let id = |project: &serde_json::Value| project["id"].as_str().expect("an id").to_owned();
        all.as_array().expect("a list").iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(projects().await, ["atlas", "borealis"]);
    stage.make_project("gemini").await;
    assert_eq!(projects().await, ["atlas", "borealis", "gemini"]);
    let again = json!({ "id": "gemini", "title": "Another" });
    let again = client.post("/api/projects").bearer(&token).json(&again).answer().await;
    again.problem(409, "about:blank");

    let published = client.post("/api/projects/gemini/publish").bearer(&token).answer().await;
    let gemini = json!({ "id": "gemini", "title": "A project", "published": true });
    assert_eq!(published.expect(200).json(), gemini);
    let shown = client.get("/api/projects/gemini").bearer(&token).answer().await.expect(200);
    assert_eq!(shown.json(), gemini);

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
    stage.server.stop().await;
}
