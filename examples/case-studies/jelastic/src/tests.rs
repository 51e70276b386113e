//! Tests with a clock that is advanced and with a store that fails, which a client cannot cause.
//! The other tests are in `tests/clients`.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use hallpass::{Hallpass, MemoryStore};
use hallpass_testkit::{FaultyStore, ManualClock, Operation};
use serde_json::Value;
use tower::ServiceExt as _;

const HOUR: Duration = Duration::from_secs(60 * 60);

struct Platform {
    app: Router,
    clock: ManualClock,
    store: FaultyStore<MemoryStore>,
}

impl Platform {
    fn new() -> Self {
        let clock = ManualClock::starting_at("2030-01-01T00:00:00Z".parse().unwrap());
        let store = FaultyStore::new(MemoryStore::new());
        let hallpass =
            crate::configure(Hallpass::builder(store.clone())).clock(clock.clone()).build();
        Self { app: crate::platform(&hallpass), clock, store }
    }

    async fn call(&self, method: &str, parameters: &[(&str, &str)]) -> Value {
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let request = Request::get(format!("/1.0/{method}?{query}")).body(Body::empty()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    async fn sign_in(&self) -> String {
        let sent = [("login", "alice"), ("password", "wonderland")];
        let answer = self.call("users/authentication/rest/signin", &sent).await;
        answer["session"].as_str().unwrap().to_owned()
    }

    /// Calls a method that manages tokens, with the password.
    async fn manage(&self, session: &str, method: &str, sent: &[(&str, &str)]) -> Value {
        let sent = [&[("session", session), ("password", "wonderland")], sent].concat();
        self.call(&format!("users/authentication/rest/{method}"), &sent).await
    }

    async fn stop(&self, credential: &str) -> Value {
        let sent = [("envName", "my-project"), ("session", credential)];
        self.call(STOP, &sent).await["result"].clone()
    }
}

const STOP: &str = "environment/control/rest/stopenv";
const STOP_ALONE: (&str, &str) = ("apiList", "environment.control.StopEnv");

fn key(answer: &Value) -> &str {
    answer["token"]["key"].as_str().unwrap()
}

#[tokio::test]
async fn only_regenerating_makes_an_expired_token_active_again() {
    let platform = Platform::new();
    let session = platform.sign_in().await;
    let new = [("description", "ci"), STOP_ALONE, ("expiresAt", "2030-01-01 01:00:00")];
    let made = platform.manage(&session, "createtoken", &new).await;
    assert_eq!(platform.stop(key(&made)).await, 0);
    platform.clock.advance(HOUR);
    assert_eq!(platform.stop(key(&made)).await, 701);
    let session = platform.sign_in().await;

    let id = made["token"]["id"].to_string();
    let later = ("expiresAt", "2030-02-01 00:00:00");
    let edited = platform.manage(&session, "edittoken", &[("id", &id), later]).await;
    assert_eq!(edited["result"], 3, "the old key would be valid again");
    let kept = platform.manage(&session, "regeneratetoken", &[("id", &id)]).await;
    assert_eq!(kept["result"], 3, "the new key would be invalid at once");
    assert!(kept["error"].as_str().unwrap().starts_with("expiresAt: "), "{kept}");

    let again = platform.manage(&session, "regeneratetoken", &[("id", &id), later]).await;
    assert_eq!(platform.stop(key(&again)).await, 0);
    assert_eq!(platform.stop(key(&made)).await, 701);
    assert_eq!(again["token"]["expiresAt"], "2030-02-01 00:00:00");
    assert_eq!(again["token"]["apiListItems"], made["token"]["apiListItems"]);
}

#[tokio::test]
async fn change_needs_the_password_some_minutes_after_signing_in() {
    let platform = Platform::new();
    let session = platform.sign_in().await;
    let create = async |more: &[(&str, &str)]| {
        let sent = [&[("session", &*session), ("description", "ci")], more].concat();
        platform.call("users/authentication/rest/createtoken", &sent).await
    };
    assert_eq!(create(&[]).await["result"], 0);
    platform.clock.advance(HOUR / 12);
    let rejected = create(&[]).await;
    assert_eq!(rejected["result"], 3);
    assert_eq!(rejected["error"], "password: it is missing");
    assert_eq!(create(&[("password", "builder")]).await["result"], 701);
    assert_eq!(create(&[("password", "wonderland")]).await["result"], 0);
}

#[tokio::test]
async fn failure_of_the_store_is_neither_a_rejection_nor_a_success() {
    let platform = Platform::new();
    let session = platform.sign_in().await;
    let new = [("description", "ci"), STOP_ALONE];
    let made = platform.manage(&session, "createtoken", &new).await;
    let id = made["token"]["id"].to_string();

    platform.store.faults().on(Operation::ALL).fail();
    assert_eq!(platform.stop(key(&made)).await, 99);
    for (method, sent) in [
        ("createtoken", &new[..]),
        ("edittoken", &[("id", &*id), ("description", "x")]),
        ("regeneratetoken", &[("id", &*id)]),
        ("deletetokens", &[("ids", &*id)]),
        ("deletetokens", &[("ids", "*")]),
        ("gettokens", &[]),
    ] {
        assert_eq!(platform.manage(&session, method, sent).await["result"], 99, "{method}");
    }

    platform.store.faults().heal();
    assert_eq!(platform.stop(key(&made)).await, 0);
    let listed = platform.manage(&session, "gettokens", &[]).await;
    assert_eq!(listed["apiTokens"].as_array().unwrap().len(), 1);
}
