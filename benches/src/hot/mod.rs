//! `hot`: what a check adds to a request whose token is known already, beside what others do.
//!
//! Every case answers the same request, a `GET` with the usual headers and a peer's address in its
//! extensions. Building it and dropping it is part of each, and of the case without a layer, which
//! the ratios subtract.
//!
//! # The cases
//!
//! On a bare service, by 10,000 callers alike (`_uniform`), by 10,000 of whom few call often
//! (`_zipf`, a weight of 1/rank), and by one alone (`_hot`):
//!
//! - `no_layer`: the request and the answer.
//! - `floor`: see [`crate::peers::floor`].
//! - `bearer`: the layer, and one required scope.
//! - `plain`, `hs256`, `eddsa`: see [`crate::peers`]. Each reads the header, proves the credential,
//!   looks at expiry and scope, and leaves the caller in the extensions, as the layer does.
//!
//! By one token, so that nothing but what the name says differs from `bearer_hot`: `authenticated`
//! (no scope is required), `scopes_20` (the required one is the last of twenty), `session` (the
//! token comes in the query, and is cut out of it), `table` (a policy table instead of the scope),
//! `parameter` (a policy table with a path parameter), `malformed` (a typo in the checksum),
//! `unknown` (well formed, known not to exist), `one_of_many` (its owner has 10,000 tokens),
//! `one_of_one`, and `bearer_bare` (nothing in the extensions before; `no_layer_bare` likewise).
//!
//! Without a request: `parse`, `parse_malformed`, `verify` (parse, look up, prove, judge).
//!
//! On an axum `Router`, by 10,000 callers alike: `router` (no layer), `router_authenticated`,
//! `router_scoped`, `router_parameter`, `router_table`, and `router_login` (see
//! [`crate::peers::login`]), where a user has to be logged in.

mod known;
mod routers;
mod variants;

use std::convert::Infallible;
use std::rc::Rc;

use anyhow::Result;
use http::{Request, Response, StatusCode};
use tokio::runtime::Runtime;
use tower::{Service, ServiceExt};

use crate::Scale;
use crate::harness::{Bench, CaseId};
use crate::ours::{Ours, Owners, runtime};
use crate::traffic::Traffic;

pub(crate) const PATH: &str = "/api/projects";
pub(crate) const SCOPE: &str = "projects:read";

/// The handler of every router.
pub(crate) async fn answer() -> StatusCode {
    StatusCode::OK
}

pub(crate) fn bench(scale: Scale) -> Result<Bench> {
    let callers = scale.of(10_000);
    let runtime = Rc::new(runtime()?);
    let ours = runtime.block_on(Ours::new(callers, Owners::Many, &[SCOPE]))?;
    let mut cases = Cases { bench: Bench::default(), runtime, callers, ours };
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
    ours: Ours,
}

/// What the variants are compared with.
struct OneToken {
    no_layer: CaseId,
    bearer: CaseId,
}

/// Answers everything.
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

/// Sends requests, one after the other.
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

/// Awaits the same thing again and again.
fn repeat<F: AsyncFnMut()>(runtime: &Rc<Runtime>, mut once: F) -> impl FnMut(u32) + use<F> {
    let runtime = Rc::clone(runtime);
    move |count| {
        // Nothing else waits for its turn on this thread.
        runtime.block_on(tokio::task::unconstrained(async {
            for _ in 0..count {
                once().await;
            }
        }));
    }
}
