//! Tests that the layer requires nothing of a service but HTTP requests and responses and `Clone`.

use std::fmt;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::task::{Context, Poll};

use hallpass_core::{Actor, Hallpass, NewToken};
use hallpass_memory::MemoryStore;
use hallpass_tower::{ResponseBody, TokenLayer, TokenService, require};
use http::{Request, Response};
use tower::ServiceExt;
use tower_layer::Layer;
use tower_service::Service;

/// A body that is not `Send`, `Default` or `Debug`.
struct Local(Rc<str>);

/// An error type that only the test's service has.
#[derive(Debug, PartialEq, Eq)]
struct Tired;

impl fmt::Display for Tired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tired")
    }
}

impl std::error::Error for Tired {}

/// A service with such bodies. It returns an error for some requests.
#[derive(Clone)]
struct LocalService;

impl Service<Request<Local>> for LocalService {
    type Response = Response<Local>;
    type Error = Tired;
    type Future = Ready<Result<Self::Response, Tired>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Tired>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Local>) -> Self::Future {
        match &*request.into_body().0 {
            "fail" => ready(Err(Tired)),
            text => ready(Ok(Response::new(Local(text.into())))),
        }
    }
}

/// Fails to compile if the layer changes a body or an error type.
fn keeps_types<S>(service: S) -> S
where
    S: Service<Request<Local>, Response = Response<ResponseBody<Local>>, Error = Tired>,
{
    service
}

#[tokio::test(flavor = "current_thread")]
async fn bodies_need_not_be_send_and_errors_may_be_custom() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let issued =
        hallpass.issue(&Actor::owner("alice"), NewToken::named("ci").scope("a")).await.unwrap();
    let service: TokenService<LocalService> =
        keeps_types(TokenLayer::new(&hallpass).layer(LocalService));
    let request = |body: &str| {
        let bearer = format!("Bearer {}", issued.token.reveal());
        Request::get("/").header("authorization", bearer).body(Local(body.into())).unwrap()
    };
    let answer = service.clone().oneshot(request("hello")).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(service.clone().oneshot(request("fail")).await.err(), Some(Tired));
    let rejected = service.clone().oneshot(Request::new(Local("hello".into()))).await.unwrap();
    assert_eq!(rejected.status(), 401);

    let inner = TokenLayer::new(&hallpass).layer(require("a").layer(LocalService));
    assert_eq!(inner.clone().oneshot(request("hello")).await.unwrap().status(), 200);
    assert_eq!(inner.oneshot(request("fail")).await.err(), Some(Tired));
    let inner = TokenLayer::new(&hallpass).layer(require("b").layer(LocalService));
    assert_eq!(inner.oneshot(request("hello")).await.unwrap().status(), 403);
}
