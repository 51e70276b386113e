//! Tests of a service with a table of SHA-256 hashed keys that moves to tokens gradually: the old
//! keys work until their owners have new ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use hallpass_axum::{HallpassExt as _, HandlerExt as _};
use hallpass_core::{Hallpass, Principal, ScopeSet};
use hallpass_tower::CredentialSource;
use http::request::Parts;
use sha2::{Digest as _, Sha256};

use super::{Site, routes};

/// The old table: a map from the hash of a key to its owner and scopes.
#[derive(Clone, Default)]
struct OldKeys(Arc<Mutex<HashMap<[u8; 32], Holder>>>);

/// An owner and their scopes.
type Holder = (&'static str, &'static str);

impl OldKeys {
    fn insert(&self, key: &str, owner: &'static str, scopes: &'static str) {
        self.0.lock().unwrap().insert(Sha256::digest(key).into(), (owner, scopes));
    }

    fn remove(&self, key: &str) {
        self.0.lock().unwrap().remove(&<[u8; 32]>::from(Sha256::digest(key)));
    }

    /// Looks a key up as the old service did: in `X-Api-Key` or in `?session=`.
    fn principal(&self, parts: &Parts) -> Option<Principal> {
        let header = parts.headers.get("x-api-key").and_then(|value| value.to_str().ok());
        let query = parts.uri.query().and_then(|query| query.split_once("session="));
        let key = header.or(query.map(|(_, key)| key))?;
        let (owner, scopes) =
            *self.0.lock().unwrap().get(&<[u8; 32]>::from(Sha256::digest(key)))?;
        let scopes = ScopeSet::parse(scopes.split(' ')).ok()?;
        Some(Principal::external(owner.parse().ok()?, scopes))
    }
}

fn app(hallpass: &Hallpass, keys: OldKeys) -> Router {
    let uri = async |request: Request| {
        let headers = request.headers().values().map(|value| value.to_str().unwrap());
        format!("{} {}", request.uri(), headers.collect::<Vec<_>>().join(" "))
    };
    let layer = hallpass.layer().with_source(CredentialSource::header("x-api-key")).fallback(
        move |parts: Parts| {
            let principal = keys.principal(&parts);
            async { principal }
        },
    );
    routes().route("/uri", get(uri.scoped("projects:list"))).layer(layer)
}

#[tokio::test]
async fn old_keys_work_until_they_are_replaced() {
    let keys = OldKeys::default();
    // The first of the old keys starts with our prefix.
    keys.insert("hp_0123456789abcdef", "alice", "projects:list");
    keys.insert("another old key".replace(' ', "-").as_str(), "bob", "projects");
    let site = Site::new(|hallpass| app(hallpass, keys.clone())).await;
    let (old, other) = ("x-api-key: hp_0123456789abcdef", "x-api-key: another-old-key");
    let new = site.token(&["projects:list"]).await;
    let new_in_old_place = new.replace("authorization: Bearer", "x-api-key:");
    for (request, line, owed) in [
        ("GET /projects", old, 200),
        ("POST /projects", old, 403),
        ("POST /projects", other, 200),
        ("GET /projects", &*new, 200),
        ("GET /projects", &new_in_old_place, 200),
        ("GET /projects", "x-api-key: unknown", 401),
    ] {
        assert_eq!(site.status(request, &[line]).await, owed, "{request} {line}");
    }
    assert_eq!(site.send("GET /me", &[old]).await.text(), "alice by sign-in");
    assert_eq!(site.send("GET /me", &[&new_in_old_place]).await.text(), "alice by token");
    // alice has a new token, so her old key is removed.
    keys.remove("hp_0123456789abcdef");
    assert_eq!(site.status("GET /projects", &[old]).await, 401);
    assert_eq!(site.status("GET /projects", &[other]).await, 200);
    assert_eq!(site.status("GET /projects", &[&new]).await, 200);
}

#[tokio::test]
async fn key_of_an_older_system_is_removed_from_urls() {
    let keys = OldKeys::default();
    keys.insert("old-key", "alice", "projects:list");
    let site = Site::new(|hallpass| app(hallpass, keys)).await;
    let answer = site.send("GET /uri?session=old-key", &[]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with("/uri "), "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    let told = ["x-forwarded-uri: /uri?a=1&session=old-key", "referer: https://x/?session=old-key"];
    for url in ["/uri?session=old-key", "/uri"] {
        let mut lines = told.to_vec();
        lines.extend((url == "/uri").then_some("x-api-key: old-key"));
        let answer = site.send(&format!("GET {url}"), &lines).await;
        assert_eq!(answer.status, 200, "{url}");
        assert!(answer.text().contains("/uri?a=1"), "{}", answer.text());
        assert!(!answer.text().contains("session="), "{}", answer.text());
    }
    let twice = ["x-api-key: old-key"];
    assert_eq!(site.status("GET /uri?session=old-key", &twice).await, 400);
}
