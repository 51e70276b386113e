use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;

use bytes::Bytes;
use hallpass_tower::TokenLayer;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tower::{ServiceBuilder, service_fn};
use tower_service::Service;

use super::{Echo, listen, trace};

/// Serves a tower service on hyper until the test ends.
pub(crate) async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>,
    S: Clone + Send + Sync + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let mut builder = auto::Builder::new(TokioExecutor::new());
                builder.http2().enable_connect_protocol();
                // A client that violates the protocol ends its own connection, as some tests
                // intend.
                let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

pub(super) async fn echo_behind(layer: TokenLayer, echo: Echo) -> SocketAddr {
    let inner = service_fn(move |request: Request<Incoming>| {
        let echo = echo.clone();
        async move { Ok(route(echo, request).await) }
    });
    serve(ServiceBuilder::new().layer(layer).layer(trace()).service(inner)).await
}

/// Routes like the axum router.
async fn route(echo: Echo, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let is_head = request.method() == Method::HEAD;
    let response = match (request.uri().path(), request.method()) {
        ("/echo", _) | ("/get", &Method::GET | &Method::HEAD) => echo.answer(request).await,
        ("/get", _) => empty(StatusCode::METHOD_NOT_ALLOWED),
        _ => empty(StatusCode::NOT_FOUND),
    };
    // hyper leaves the removal of the body to the service.
    if is_head { response.map(|_| Full::default()) } else { response }
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
