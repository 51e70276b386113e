//! Tests with a real gRPC client, that of tonic's health service.

use hallpass_testkit::Operation;
use hallpass_tower::{PolicyTable, TokenLayer};
use http::{HeaderValue, Request};
use http_body_util::Full;
use tonic::Code;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::{ServiceBuilder, ServiceExt as _};

use crate::fixture::{Fixture, Setup};
use crate::host::{Host, serve_tonic};

const CHECK: &str = "/grpc.health.v1.Health/Check";

struct Client {
    fixture: Fixture,
    health: HealthClient<Channel>,
}

impl Client {
    async fn of(set_up: impl FnOnce(TokenLayer) -> TokenLayer) -> Self {
        let fixture = Fixture::new().await;
        let layer = set_up(fixture.layer(Setup::Default, Host::Tonic.layer()));
        let address = serve_tonic(layer, Routes::default()).await;
        let channel =
            Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self { fixture, health: HealthClient::new(channel) }
    }

    fn request(&self, lines: &[&str]) -> tonic::Request<HealthCheckRequest> {
        let mut request = tonic::Request::new(HealthCheckRequest { service: String::new() });
        for line in lines {
            let value = HeaderValue::from_bytes(&self.fixture.words.fill(line.as_bytes())).unwrap();
            let value = MetadataValue::<Ascii>::try_from(value.as_bytes()).unwrap();
            request.metadata_mut().append("authorization", value);
        }
        request
    }

    /// Calls the method with these `authorization` lines.
    async fn check(&mut self, lines: &[&str]) -> Code {
        let request = self.request(lines);
        match self.health.check(request).await {
            Ok(_) => Code::Ok,
            Err(status) => {
                assert!(self.fixture.leak(format!("{status:?}").as_bytes()).is_none());
                assert!(!status.message().is_empty(), "{status:?}");
                status.code()
            }
        }
    }

    async fn watch(&mut self, lines: &[&str]) -> Code {
        let request = self.request(lines);
        match self.health.watch(request).await {
            Ok(stream) => match stream.into_inner().message().await {
                Ok(_) => Code::Ok,
                Err(status) => status.code(),
            },
            Err(status) => status.code(),
        }
    }
}

#[tokio::test]
async fn grpc_client_gets_rejections_as_statuses() {
    let mut client =
        Client::of(|layer| layer.policy(PolicyTable::new().post(CHECK, "echo:check"))).await;
    for (lines, owed) in [
        (&["Bearer {T}"][..], Code::Ok),
        (&[], Code::Unauthenticated),
        (&["Basic dTpw"], Code::Unauthenticated),
        (&["Bearer"], Code::Unauthenticated),
        (&["Bearer {T}", "Bearer {T}"], Code::Unauthenticated),
        (&["Bearer {SUM}"], Code::Unauthenticated),
        (&["Bearer {UNKNOWN}"], Code::Unauthenticated),
        (&["Bearer {REVOKED}"], Code::Unauthenticated),
        (&["Bearer {LOW}"], Code::PermissionDenied),
    ] {
        assert_eq!(client.check(lines).await, owed, "{lines:?}");
    }
    // Streaming calls are rejected in the same way. This method is not in the table.
    assert_eq!(client.watch(&["Bearer {T}"]).await, Code::PermissionDenied);
    assert_eq!(client.watch(&[]).await, Code::Unauthenticated);
}

/// tonic looks at the path of a request, and not at its method.
#[tokio::test]
async fn preflight_does_not_reach_a_grpc_method() {
    let fixture = Fixture::new().await;
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("", ServingStatus::Serving).await;
    let routes = Routes::default().add_service(health);
    let preflight = || {
        let request = Request::options(CHECK)
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .header("content-type", "application/grpc");
        // A message without fields: no compression, and no bytes.
        request.body(tonic::body::Body::new(Full::from(vec![0; 5]))).unwrap()
    };
    let unprotected = routes.clone().oneshot(preflight()).await.unwrap();
    assert!(!unprotected.headers().contains_key("grpc-status"), "the method is called");
    let layer = || fixture.layer(Setup::Default, Host::Tonic.layer());
    let plain = || TokenLayer::new(&fixture.hallpass);
    let table = || PolicyTable::new().post(CHECK, "echo:check");
    for layer in [layer(), layer().policy(table()), plain().policy(table()), plain()] {
        let service = ServiceBuilder::new()
            .layer(layer)
            .map_request(|request: Request<tonic::body::Body>| -> Request<tonic::body::Body> {
                panic!("{} was called", request.uri())
            })
            .service(routes.clone());
        let rejected = service.oneshot(preflight()).await.unwrap();
        let is_unauthenticated = rejected.status() == 401
            || rejected.headers().get("grpc-status").is_some_and(|status| status == "16");
        assert!(is_unauthenticated, "{rejected:?}");
    }
}

#[tokio::test]
async fn store_outage_is_unavailable_in_grpc() {
    let mut client = Client::of(|layer| layer).await;
    assert_eq!(client.watch(&["Bearer {T}"]).await, Code::Ok);
    client.fixture.store.faults().on(Operation::Get).fail();
    assert_eq!(client.check(&["Bearer {T}"]).await, Code::Unavailable);
    assert_eq!(client.check(&["Bearer {UNKNOWN}"]).await, Code::Unavailable);
    assert_eq!(client.check(&[]).await, Code::Unauthenticated);
    client.fixture.store.faults().heal();
    assert_eq!(client.check(&["Bearer {T}"]).await, Code::Ok);
}

#[tokio::test]
async fn rejection_rendering_of_the_host_does_not_apply_to_grpc() {
    let mut client =
        Client::of(|layer| layer.on_rejection(|_, _| http::Response::new("<h1>no</h1>".into())))
            .await;
    assert_eq!(client.check(&[]).await, Code::Unauthenticated);
}
