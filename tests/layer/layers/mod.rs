//! Tests of the layer's settings, and of layers around other layers.

mod answers;
mod redaction;
mod settings;
mod sources;
mod spans;
mod stacked;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use crate::capture;
use crate::fixture::Fixture;
use crate::host::{Echo, echo, serve_axum};
use crate::server::Server;

/// Responds with everything it sees of the request.
async fn answer(request: Request) -> Response<Full<Bytes>> {
    echo(request).await
}

/// Serves this router.
async fn serving(fixture: Fixture, router: Router) -> Server {
    capture::start();
    let address = serve_axum(router).await;
    Server { fixture, echo: Echo::default(), address }
}

/// Returns a router with only the echo.
fn router() -> Router {
    Router::new().route("/echo", get(answer))
}
