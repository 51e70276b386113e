use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request;
use axum::routing::{any, get};
use hallpass_tower::TokenLayer;

use super::{Echo, listen, trace};

/// Serves a router until the test ends.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

pub(super) async fn echo_behind(layer: TokenLayer, echo: Echo) -> SocketAddr {
    let handler = move |request: Request| echo.answer(request);
    let router = Router::new()
        .route("/echo", any(handler.clone()))
        .route("/get", get(handler))
        .layer(trace())
        .layer(layer);
    serve(router).await
}
