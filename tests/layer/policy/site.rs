//! Hosts that accept every request, so that only the policy table protects them.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request as AxumRequest;
use axum::routing::any;
use hallpass_core::{Actor, Hallpass, Limits, NewToken};
use hallpass_memory::MemoryStore;
use http::Request;
use hyper::body::Incoming;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::table;
use crate::capture;
use crate::host::{Host, echo, serve_axum, serve_hyper};
use crate::wire::{Answer, Http1};

pub(super) struct Site {
    pub(super) name: &'static str,
    pub(super) hallpass: Hallpass,
    pub(super) address: SocketAddr,
}

impl Site {
    /// Serves the application that `serve` creates from the handle.
    pub(super) async fn new(
        name: &'static str,
        serve: impl AsyncFnOnce(&Hallpass) -> SocketAddr,
    ) -> Self {
        capture::start();
        let hallpass = Hallpass::builder(MemoryStore::new())
            .limits(Limits::default().unlimited_tokens())
            .build();
        let address = serve(&hallpass).await;
        Self { name, hallpass, address }
    }

    /// Issues a token with these scopes.
    pub(super) async fn token(&self, scopes: &[&str]) -> String {
        let new = NewToken::named("test").scopes(scopes.iter().copied());
        let issued = self.hallpass.issue(&Actor::owner("alice"), new).await.unwrap();
        issued.token.reveal().to_owned()
    }

    /// Sends a request such as `GET /me`, with this token unless it is empty.
    pub(super) async fn ask(&self, request: &str, token: &str) -> Answer {
        let credential = if token.is_empty() {
            String::new()
        } else {
            format!("authorization: Bearer {token}\r\n")
        };
        let request = format!("{request} HTTP/1.1\r\nhost: x\r\n{credential}\r\n");
        Http1::exchange(self.address, request.as_bytes()).await
    }
}

/// Returns all hosts to which the same rules apply.
pub(super) async fn all() -> Vec<Site> {
    vec![hyper().await, axum().await, axum_wrapped().await]
}

/// Serves a tower service on hyper, where the path decides.
async fn hyper() -> Site {
    Site::new("hyper", async |hallpass| {
        let open =
            service_fn(async |request: Request<Incoming>| Ok::<_, Infallible>(echo(request).await));
        let layer = (Host::Hyper.layer())(hallpass).policy(table());
        serve_hyper(ServiceBuilder::new().layer(layer).service(open)).await
    })
    .await
}

/// Serves a router with the layer, where the matched route decides.
async fn axum() -> Site {
    Site::new("axum", async |hallpass| {
        serve_axum(open_router().layer((Host::Axum.layer())(hallpass).policy(table()))).await
    })
    .await
}

/// Serves a router that is wrapped in the layer as a whole. It has not matched a route yet, so the
/// path decides.
async fn axum_wrapped() -> Site {
    Site::new("axum, wrapped", async |hallpass| {
        let layer = (Host::Axum.layer())(hallpass).policy(table());
        let wrapped = ServiceBuilder::new()
            .layer(layer)
            .service(open_router())
            .map_request(|request: Request<Incoming>| request.map(axum::body::Body::new));
        serve_hyper(wrapped).await
    })
    .await
}

/// Returns a router with every route of the table, one that is not in it, and a fallback, for all
/// methods.
pub(super) fn open_router() -> Router {
    let answer = async |request: AxumRequest| echo(request).await;
    Router::new()
        .route("/health", any(answer))
        .route("/me", any(answer))
        .route("/admin", any(answer))
        .route("/channels/{id}", any(answer))
        .route("/a/{x}/b/{y}", any(answer))
        .route("/files/{*path}", any(answer))
        .route("/item/{id}", any(answer))
        .route("/api/admin", any(answer))
        .route("/undeclared", any(answer))
        .fallback(answer)
}
