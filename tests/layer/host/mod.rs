//! The hosts: real servers on real sockets, each with the layer around a service that describes the
//! requests it receives.

mod axum;
mod echo;
mod hyper;
mod tonic;

use std::net::SocketAddr;

use hallpass_core::Hallpass;
use hallpass_tower::TokenLayer;
use tokio::net::TcpListener;
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::trace::{DefaultMakeSpan, DefaultOnRequest, DefaultOnResponse, TraceLayer};
use tracing::Level;

pub(crate) use self::axum::serve as serve_axum;
pub(crate) use self::echo::{Echo, echo};
pub(crate) use self::hyper::serve as serve_hyper;
pub(crate) use self::tonic::{ECHO as TONIC_ECHO, serve as serve_tonic};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A plain tower service on hyper, with HTTP/1.1 and HTTP/2.
    Hyper,
    /// An axum router, with HTTP/1.1 and HTTP/2.
    Axum,
    /// A tonic server, with HTTP/2.
    Tonic,
}

impl Host {
    /// Returns a function that creates the layer for this host.
    pub(crate) fn layer(self) -> fn(&Hallpass) -> TokenLayer {
        match self {
            // The handlers require nothing, because these tests are about the layer.
            Self::Axum => |hallpass| {
                hallpass_axum::HallpassExt::layer(hallpass).reject_unguarded_routes(false)
            },
            Self::Hyper => TokenLayer::new,
            Self::Tonic => |hallpass| TokenLayer::new(hallpass).grpc(),
        }
    }

    /// Serves the echo behind this layer until the test ends.
    pub(crate) async fn serve_echo(self, layer: TokenLayer, echo: Echo) -> SocketAddr {
        match self {
            Self::Hyper => hyper::echo_behind(layer, echo).await,
            Self::Axum => axum::echo_behind(layer, echo).await,
            Self::Tonic => tonic::echo_behind(layer, echo).await,
        }
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Returns the most verbose logging middleware of a host, for use inside the layer.
pub(crate) fn trace() -> TraceLayer<SharedClassifier<ServerErrorsAsFailures>> {
    let level = Level::TRACE;
    TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(level).include_headers(true))
        .on_request(DefaultOnRequest::new().level(level))
        .on_response(DefaultOnResponse::new().level(level).include_headers(true))
}
