//! Tests with a clock that is advanced and with a store that fails, which a client cannot cause.
//! The other tests are in `tests/clients`.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use hallpass::{Hallpass, MemoryStore};
use hallpass_testkit::{FaultyStore, ManualClock, Operation};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const TOKENS: &str = "/api/v1/personal-access-tokens";

struct Manager {
    app: Router,
    clock: ManualClock,
    store: FaultyStore<MemoryStore>,
}

impl Manager {
    fn new() -> Self {
        let clock = ManualClock::starting_at("2030-01-01T00:00:00Z".parse().unwrap());
        let store = FaultyStore::new(MemoryStore::new());
        let hallpass =
            crate::configure(Hallpass::builder(store.clone())).clock(clock.clone()).build();
        Self { app: crate::manager(&hallpass), clock, store }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        bearer: &str,
        body: Value,
    ) -> (StatusCode, HeaderMap, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {bearer}"));
        let request = request.body(Body::from(body.to_string())).unwrap();
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn sign_in(&self) -> String {
        let person = json!({ "name": "alice", "password": "wonderland" });
        let (_, _, answer) = self.send("POST", "/api/v1/users/signin", "", person).await;
        answer["token"].as_str().unwrap().to_owned()
    }

    async fn create(&self, login: &str) -> Value {
        let new = json!({ "name": "ci", "scopes": ["job"], "expired_at": "2030-01-01T01:00:00Z" });
        self.send("POST", TOKENS, login, new).await.2
    }

    async fn jobs(&self, token: &Value) -> (StatusCode, HeaderMap, Value) {
        self.send("GET", "/oapi/v1/jobs", token["token"].as_str().unwrap(), Value::Null).await
    }
}

#[tokio::test]
async fn expired_token_stays_expired() {
    let manager = Manager::new();
    let login = manager.sign_in().await;
    let token = manager.create(&login).await;
    assert_eq!(manager.jobs(&token).await.0, 200);
    manager.clock.advance(Duration::from_secs(60 * 60));
    assert_eq!(manager.jobs(&token).await.0, 401);

    let one = format!("{TOKENS}/{}", token["id"]);
    for change in [json!({ "expired_at": "2031-01-01T00:00:00Z" }), json!({ "state": "active" })] {
        let (status, _, answer) = manager.send("PATCH", &one, &login, change).await;
        assert_eq!((status, answer["message"].is_string()), (StatusCode::CONFLICT, true));
    }
    let expired = format!("{TOKENS}?state=expired");
    let (_, _, listed) = manager.send("GET", &expired, &login, Value::Null).await;
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&token["id"], &json!("expired")));
    assert_eq!(manager.jobs(&token).await.0, 401);
}

#[tokio::test]
async fn failure_of_the_store_is_neither_a_rejection_nor_a_success() {
    let manager = Manager::new();
    let login = manager.sign_in().await;
    let token = manager.create(&login).await;
    let one = format!("{TOKENS}/{}", token["id"]);
    let new = json!({ "name": "ci", "expired_at": "2031-01-01T00:00:00Z" });

    manager.store.faults().on(Operation::ALL).fail();
    for (method, path, body) in [
        ("POST", TOKENS, new),
        ("GET", TOKENS, Value::Null),
        ("GET", &one, Value::Null),
        ("PATCH", &one, json!({ "state": "inactive" })),
        ("DELETE", &one, Value::Null),
    ] {
        trouble(method, manager.send(method, path, &login, body).await);
    }
    trouble("jobs", manager.jobs(&token).await);

    manager.store.faults().heal();
    assert_eq!(manager.jobs(&token).await.0, 200);
}

#[track_caller]
fn trouble(what: &str, (status, headers, answer): (StatusCode, HeaderMap, Value)) {
    assert_eq!(status, 503, "{what}");
    assert!(headers.contains_key("retry-after"), "{what}");
    assert!(!headers.contains_key("www-authenticate"), "{what}");
    assert!(answer["message"].is_string(), "{what}: {answer}");
}
