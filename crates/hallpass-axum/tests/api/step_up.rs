//! Step-up as a setting of the handle: every mount requires it, and the sign-in does not see the
//! confirmation.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use hallpass_axum::{Confirmation, HallpassBuilderExt as _, TokenApi};
use hallpass_core::{Actor, Hallpass};
use hallpass_memory::MemoryStore;
use tower::ServiceExt as _;

use crate::confirmation::{HEADER, RIGHT, WRONG};
use crate::support::{UNKNOWN, signed_in};

#[tokio::test]
async fn sign_in_does_not_see_the_confirmation() {
    let hallpass = Hallpass::builder(MemoryStore::new()).step_up(async |_, _| true).build();
    let signed_in = async |headers: HeaderMap| {
        assert!(!headers.contains_key(HEADER));
        Actor::owner("alice")
    };
    let app: Router = TokenApi::new(&hallpass, signed_in).into_router_at("/tokens");
    for (method, path) in [(Method::GET, "/tokens"), (Method::POST, "/tokens/x/revoke")] {
        let request = Request::builder().method(method).uri(path).header(HEADER, RIGHT);
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert!(matches!(response.status().as_u16(), 200 | 404), "{path}: {}", response.status());
    }
}

#[tokio::test]
async fn all_mounts_share_the_count_of_confirmations() {
    let hallpass = Hallpass::builder(MemoryStore::new())
        .step_up(async |_: Actor, password: Confirmation| password.reveal() == "wonderland")
        .build();
    let mount = |path| TokenApi::new(&hallpass, signed_in).into_router_at(path);
    let app: Router = mount("/tokens").merge(mount("/settings/api"));
    let revoke = async |mount: &str, with: &str| {
        let request = Request::post(format!("{mount}/{UNKNOWN}/revoke"))
            .header("x-person", "alice")
            .header(HEADER, with);
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        response.status().as_u16()
    };
    for mount in ["/tokens", "/settings/api"] {
        assert_eq!(revoke(mount, "").await, 403);
        assert_eq!(revoke(mount, RIGHT).await, 404);
    }
    for mount in ["/tokens", "/settings/api", "/tokens", "/settings/api", "/tokens"] {
        assert_eq!(revoke(mount, WRONG).await, 403);
    }
    for mount in ["/tokens", "/settings/api"] {
        assert_eq!(
            revoke(mount, RIGHT).await,
            429,
            "wrong confirmations on both mounts must be counted together"
        );
    }
}
