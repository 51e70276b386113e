//! `hot`: measures the time that a check adds to a request if the token is cached already, and
//! compares it with other implementations.
//!
//! All cases send the same request: a `GET` with the usual headers and the address of a peer in its
//! extensions. Each case includes building and dropping the request, and so does the case without a
//! layer, which the ratios subtract.
//!
//! # The cases
//!
//! These run on a bare service with 10,000 tokens, used equally often (`_uniform`) or with a weight
//! of 1/rank (`_zipf`), or with a single token (`_hot`):
//!
//! - `no_layer`: the request and the response alone.
//! - `floor`: see [`crate::peers::floor`].
//! - `bearer`: the layer, and one required scope.
//! - `plain`, `hs256`, `eddsa`: see [`crate::peers`]. Each reads the header, verifies the
//!   credential, checks expiry and scope, and inserts the caller into the extensions, as the layer
//!   does.
//!
//! These use one token and differ from `bearer_hot` only as their names say: `authenticated` (no
//! scope is required), `scopes_20` (the required one is the last of twenty), `session` (the token
//! is in the query, and is removed from it), `table` (a policy table instead of the scope),
//! `parameter` (a policy table with a path parameter), `malformed` (a typo in the checksum),
//! `unknown` (well formed and cached as unknown), `one_of_many` (its owner has 10,000 tokens),
//! `one_of_one`, and `bearer_bare` (empty extensions; `no_layer_bare` likewise).
//!
//! These run without a request: `parse`, `parse_malformed`, `verify` (parsing, lookup and all
//! checks).
//!
//! These run on an axum `Router` with 10,000 tokens: `router` (no layer), `router_extension` (a
//! layer that only inserts an extension), `router_authenticated`, `router_scoped`,
//! `router_parameter`, `router_table`, and `router_login` (see [`crate::peers::login`]), which
//! requires a logged-in user.

mod known;
mod routers;
mod variants;

use std::convert::Infallible;
use std::rc::Rc;

use anyhow::Result;
use axum::extract;
use http::{Request, Response, StatusCode};
use tokio::runtime::Runtime;
use tower::util::MapRequestLayer;
use tower::{Service, ServiceExt};

use crate::Scale;
use crate::fixture::{Fixture, Owners, runtime};
use crate::harness::{Bench, CaseId};
use crate::traffic::Traffic;

pub(crate) const PATH: &str = "/api/projects";
pub(crate) const SCOPE: &str = "projects:read";

/// The handler of every router.
pub(crate) async fn answer() -> StatusCode {
    StatusCode::OK
}

/// Returns a layer that only inserts an extension, as every layer does that authenticates requests.
pub(crate) fn extension_layer() -> MapRequestLayer<fn(extract::Request) -> extract::Request> {
    /// The extension.
    #[derive(Clone, Copy)]
    struct Caller;

    MapRequestLayer::new(|mut request| {
        request.extensions_mut().insert(Caller);
        request
    })
}

pub(crate) fn bench(scale: Scale) -> Result<Bench> {
    let callers = scale.of(10_000);
    let runtime = Rc::new(runtime()?);
    let fixture = runtime.block_on(Fixture::new(callers, Owners::Many, &[SCOPE]))?;
    let mut cases = Cases { bench: Bench::default(), runtime, callers, fixture };
    let one_token = cases.known()?;
    cases.variants(&one_token)?;
    cases.without_a_request();
    cases.routers()?;
    Ok(cases.bench)
}

struct Cases {
    bench: Bench,
    runtime: Rc<Runtime>,
    callers: usize,
    fixture: Fixture,
}

/// The cases that the variants are compared with.
struct OneToken {
    no_layer: CaseId,
    bearer: CaseId,
}

/// A service that responds to every request with 200.
#[derive(Clone, Copy)]
pub(crate) struct Open;

impl Service<Request<()>> for Open {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        drop(std::hint::black_box(request));
        std::future::ready(Ok(Response::new(())))
    }
}

impl Cases {
    fn requests<S, B, R>(
        &mut self,
        name: impl Into<String>,
        service: S,
        traffic: Traffic,
        expected: StatusCode,
    ) -> CaseId
    where
        S: Service<Request<B>, Response = Response<R>, Error = Infallible> + 'static,
        B: Default + 'static,
        R: 'static,
    {
        let repeat = requests(&self.runtime, service, traffic, expected);
        self.bench.case(name, repeat)
    }
}

/// Returns a closure that sends requests, one after the other.
fn requests<S, B, R>(
    runtime: &Rc<Runtime>,
    mut service: S,
    mut traffic: Traffic,
    expected: StatusCode,
) -> impl FnMut(u32) + use<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
    B: Default,
{
    repeat(runtime, async move || {
        let Ok(ready) = service.ready().await;
        let Ok(response) = ready.call(traffic.request()).await;
        assert_eq!(response.status(), expected);
    })
}

/// Returns a closure that awaits the same future repeatedly.
fn repeat<F: AsyncFnMut()>(runtime: &Rc<Runtime>, mut once: F) -> impl FnMut(u32) + use<F> {
    let runtime = Rc::clone(runtime);
    move |count| {
        // This thread runs nothing else, so the task need not yield to others.
        runtime.block_on(tokio::task::unconstrained(async {
            for _ in 0..count {
                once().await;
            }
        }));
    }
}
