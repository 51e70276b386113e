//! A host with two people and an admin, the API at `/tokens`, and a client that checks every
//! response against the shared contract and the OpenAPI document.

mod contract;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use hallpass_axum::{Confirmation, HallpassBuilderExt as _, IntoStepUp, TokenApi};
use hallpass_core::{
    Actor, Catalog, CatalogScope, Expiry, Hallpass, HallpassBuilder, Limits, ScopeSet,
};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, ManualClock};
use serde_json::Value;
use tower::ServiceExt;

/// The path at which the host of these tests mounts the API.
pub(crate) const MOUNT: &str = "/tokens";

/// An id that no token has.
pub(crate) const UNKNOWN: &str = "018f3c1e-7a2b-8c4d-9e5f-0123456789ab";

/// Returns every call that may change something, except `DELETE /current`.
pub(crate) fn changing_calls() -> Vec<(Method, String)> {
    let id = format!("/{UNKNOWN}");
    vec![
        (Method::POST, String::new()),
        (Method::PATCH, id.clone()),
        (Method::DELETE, id.clone()),
        (Method::POST, format!("{id}/regenerate")),
        (Method::POST, format!("{id}/revoke")),
        (Method::POST, format!("{id}/copy")),
        (Method::POST, format!("{id}/scopes")),
        (Method::POST, format!("{id}/scopes/remove")),
        (Method::DELETE, format!("{id}/previous-secret")),
        (Method::POST, "/delete".to_owned()),
        (Method::POST, "/revoke".to_owned()),
    ]
}

/// The host, with its clock and its store for the tests to control.
pub(crate) struct Api {
    pub(crate) app: Router,
    pub(crate) hallpass: Hallpass,
    pub(crate) clock: ManualClock,
    pub(crate) store: FaultyStore<MemoryStore>,
    document: Value,
}

/// Returns the signed-in person from a separate header. `root` is an admin.
pub(crate) async fn signed_in(headers: HeaderMap) -> Option<Actor> {
    let person = headers.get("x-person")?.to_str().ok()?;
    let caller = if person == "root" { Actor::admin(person) } else { Actor::owner(person) };
    Some(match headers.get("x-may-grant") {
        Some(scopes) => {
            caller.with_grantable_scopes(ScopeSet::parse([scopes.to_str().ok()?]).ok()?)
        }
        None => caller,
    })
}

pub(crate) fn catalog() -> Catalog {
    Catalog::new()
        .scope(
            CatalogScope::new("projects:list", "List projects")
                .with_description("Their names.")
                .with_docs_url("https://docs.example.com/list")
                .read_only(),
        )
        .scope(CatalogScope::new("projects:read", "Read a project").per("id").read_only())
        .scope(CatalogScope::new("projects:delete", "Delete a project").per("id"))
        .preset("read-only", "Look, don't touch", ["projects:list", "projects:read"])
        .preset("full", "Everything", ["projects"])
}

impl Api {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// Creates a host with other settings.
    pub(crate) async fn with(change: impl FnOnce(HallpassBuilder) -> HallpassBuilder) -> Self {
        let clock = ManualClock::starting_at("2026-11-22T04:44:57Z".parse().unwrap());
        let store = FaultyStore::new(MemoryStore::new());
        let builder = Hallpass::builder(store.clone())
            .clock(clock.clone())
            .catalog(catalog())
            .limits(Limits::default().default_expiry(Expiry::days(30)));
        let hallpass = change(builder).build();
        let api = TokenApi::new(&hallpass, signed_in).trust_origin("https://app.example.org");
        let app = api.into_router_at(MOUNT);
        let document = Self::document_of(&app).await;
        Self { app, hallpass, clock, store, document }
    }

    /// Creates a host that requires a confirmation and checks it with `check`.
    pub(crate) async fn confirming<F, Fut>(check: F) -> Self
    where
        F: Fn(Actor, Confirmation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoStepUp> + Send + 'static,
    {
        Self::with(|builder| builder.step_up(check)).await
    }

    async fn document_of(app: &Router) -> Value {
        let request = Request::get("/tokens/openapi.json").body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        serde_json::from_slice(&to_bytes(response.into_body(), 1 << 20).await.unwrap()).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Sending<'_> {
        self.send(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Sending<'_> {
        self.send(Method::POST, path)
    }

    pub(crate) fn patch(&self, path: &str) -> Sending<'_> {
        self.send(Method::PATCH, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Sending<'_> {
        self.send(Method::DELETE, path)
    }

    /// Starts a request to a path below the mount. It is by alice unless [`by`](Sending::by) sets
    /// another person.
    pub(crate) fn send(&self, method: Method, path: &str) -> Sending<'_> {
        let mut headers = HeaderMap::new();
        headers.insert("x-person", "alice".parse().unwrap());
        Sending { api: self, method, path: path.to_owned(), headers, body: Vec::new() }
    }

    /// Issues a token of alice's with this body.
    pub(crate) async fn issue(&self, body: Value) -> Answer {
        let answer = self.post("").json(&body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer
    }

    /// Issues a minimal token of alice's.
    pub(crate) async fn issue_ci(&self) -> Answer {
        self.issue(serde_json::json!({ "name": "ci" })).await
    }

    /// Returns whether a token is accepted.
    pub(crate) async fn works(&self, token: &str) -> bool {
        self.hallpass.authenticate(token.as_bytes()).await.is_ok()
    }

    /// Returns the current token as its owner sees it.
    pub(crate) async fn show(&self, id: &str) -> Value {
        let answer = self.get(&format!("/{id}")).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json
    }
}

/// A request under construction.
#[must_use = "nothing is sent yet"]
pub(crate) struct Sending<'a> {
    api: &'a Api,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sending<'_> {
    /// Sends the request as that person.
    pub(crate) fn by(mut self, person: &str) -> Self {
        self.headers.insert("x-person", person.parse().unwrap());
        self
    }

    /// Sends the request without a signed-in person.
    pub(crate) fn anonymous(mut self) -> Self {
        self.headers.remove("x-person");
        self
    }

    /// Sends the request with that token, without a signed-in person.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.anonymous().header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends this text, which may be invalid, with the content type of JSON.
    pub(crate) async fn raw_json(self, text: impl Into<Vec<u8>>) -> Answer {
        self.header("content-type", "application/json").body(text).send().await
    }

    pub(crate) async fn json(self, body: &Value) -> Answer {
        self.raw_json(body.to_string()).await
    }

    pub(crate) async fn send(self) -> Answer {
        let uri = format!("{MOUNT}{}", self.path);
        let mut request =
            Request::builder().method(&self.method).uri(&uri).body(Body::from(self.body)).unwrap();
        *request.headers_mut() = self.headers;
        let response = self.api.app.clone().oneshot(request).await.unwrap();
        let answer = Answer::read(response).await;
        contract::check(&self.api.document, &self.method, &self.path, &answer);
        answer
    }
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// `null` if there is no body.
    pub(crate) json: Value,
}

impl Answer {
    async fn read(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 4 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status: parts.status, headers: parts.headers, text, json }
    }

    pub(crate) fn id(&self) -> &str {
        self.json["id"].as_str().expect("an id")
    }

    pub(crate) fn token(&self) -> &str {
        self.json["token"].as_str().expect("a token")
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Returns the end of the problem's `type`.
    pub(crate) fn problem(&self) -> &str {
        let kind = self.json["type"].as_str().unwrap_or_default();
        kind.strip_prefix("/problems/").unwrap_or_default()
    }

    /// Returns the fields that a 422 names.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().expect("errors");
        errors.iter().map(|error| error["field"].as_str().expect("a field")).collect()
    }

    /// Asserts a rejection with this status and kind, and returns the response.
    #[track_caller]
    pub(crate) fn rejected(self, status: u16, kind: &str) -> Self {
        assert_eq!((self.status.as_u16(), self.problem()), (status, kind), "{}", self.text);
        self
    }

    /// Asserts a 422 that names this one field.
    #[track_caller]
    pub(crate) fn invalid(self, field: &str) -> Self {
        let answer = self.rejected(422, "invalid");
        assert_eq!(answer.fields(), [field], "{}", answer.text);
        answer
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self
    }
}
