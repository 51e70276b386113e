//! Hosts without a router of their own: hyper, where the path decides, and an axum router that is
//! wrapped as a whole.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request as AxumRequest;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use tower::{ServiceBuilder, service_fn};

use super::table;
use crate::host::{Host, echo, serve_hyper};
use crate::server::Server;
use crate::wire::Answer;

/// Serves a service that accepts every request, so that only the policy table protects it.
pub(super) async fn open_hyper() -> Server {
    Server::of_layer(Host::Hyper, |layer| async {
        let open = service_fn(async |request: Request<Incoming>| Ok::<_, Infallible>(echo(request).await));
        serve_hyper(ServiceBuilder::new().layer(layer.policy(table())).service(open)).await
    })
    .await
}
