use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hallpass_tower::TokenLayer;
use http::{HeaderValue, Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tower_service::Service;

use super::{Echo, listen, trace};

/// The path of the echo's only method.
pub(crate) const ECHO: &str = "/hallpass.test.Echo/Echo";

/// Serves these services and a health service behind this layer until the test ends.
pub(crate) async fn serve(layer: TokenLayer, routes: Routes) -> SocketAddr {
    let (listener, address) = listen().await;
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("", ServingStatus::Serving).await;
    let server = Server::builder()
        .layer(layer)
        .layer(trace())
        .add_routes(routes.add_service(health))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    address
}

pub(super) async fn echo_behind(layer: TokenLayer, echo: Echo) -> SocketAddr {
    serve(layer, Routes::new(EchoService(echo))).await
}

/// A service without generated code. Clients read its responses as bytes.
#[derive(Clone)]
struct EchoService(Echo);

impl NamedService for EchoService {
    const NAME: &'static str = "hallpass.test.Echo";
}

impl Service<Request<Body>> for EchoService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let echo = self.0.clone();
        Box::pin(async move {
            let mut response = echo.answer(request).await.map(Body::new);
            response.headers_mut().insert("grpc-status", HeaderValue::from_static("0"));
            Ok(response)
        })
    }
}
