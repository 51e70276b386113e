//! The cases. The program panics if the response of a case has another status than expected.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::{RouterIntoService, get};
use hallpass_axum::{HallpassExt, HandlerExt};
use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::{Actor, Hallpass, Limits, NewToken, Verification};
use hallpass_memory::MemoryStore;
use hallpass_tower::{Require, TokenLayer, TokenService, require};
use http::header::{ACCEPT, AUTHORIZATION, HOST, USER_AGENT};
use http::{Request, Response, StatusCode};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceBuilder};

use crate::{REQUESTS, Step};

const PATH: &str = "/api/projects";
const SCOPE: &str = "projects:read";

/// moka divides its entries between 64 tables by their hashes, which are seeded at random. With so
/// many tokens, each table has some.
const FILLING_TOKENS: usize = 1000;

/// Prepares a case, and returns a function that prepares each of its requests.
type Prepare = fn(&mut Setup) -> Result<Box<dyn FnMut() -> Step>>;

/// The cases by name.
pub(crate) const CASES: [(&str, Prepare); 14] = [
    ("no_layer", |setup| Ok(send(Open, get_with(PATH, &setup.token()?), OK))),
    ("layer", |setup| {
        let service = TokenLayer::new(&setup.hallpass).layer(Open);
        Ok(send(service, get_with(PATH, &setup.token()?), OK))
    }),
    ("require", |setup| Ok(send(setup.required(), get_with(PATH, &setup.token()?), OK))),
    ("require_of_20", |setup| {
        let held: Vec<_> = (1..20).map(|number| format!("builds:{number}")).collect();
        let held: Vec<_> = held.iter().map(String::as_str).chain([SCOPE]).collect();
        let token = setup.cached(setup.issue(&held)?)?;
        Ok(send(setup.required(), get_with(PATH, &token), OK))
    }),
    ("session", |setup| {
        let uri = format!("{PATH}?session={}", setup.token()?);
        Ok(send(setup.required(), move || get_without(&uri), OK))
    }),
    ("malformed", |setup| {
        let mut token = setup.token()?;
        let last = token.pop();
        token.push(if last == Some('0') { '1' } else { '0' });
        Ok(send(setup.required(), get_with(PATH, &token), StatusCode::UNAUTHORIZED))
    }),
    ("unknown", |setup| {
        let other = Setup::new()?.issue(&[SCOPE])?;
        // From now on the cache stores that this token does not exist.
        let _ = setup.runtime.block_on(setup.hallpass.authenticate(other.as_bytes()));
        Ok(send(setup.required(), get_with(PATH, &other), StatusCode::UNAUTHORIZED))
    }),
    ("forbidden", |setup| {
        let service = ServiceBuilder::new()
            .layer(TokenLayer::new(&setup.hallpass))
            .layer(require("projects:write"))
            .service(Open);
        Ok(send(service, get_with(PATH, &setup.token()?), StatusCode::FORBIDDEN))
    }),
    ("miss", |setup| {
        // moka's tables are allocated when they get their first entry. These tokens fill them.
        for _ in 0..FILLING_TOKENS {
            setup.token()?;
        }
        // Each of these is used for the first time.
        let tokens = (0..REQUESTS).map(|_| setup.issue(&[SCOPE])).collect::<Result<Vec<_>>>()?;
        let mut tokens = tokens.into_iter();
        let request = move || get_with(PATH, &tokens.next().expect("each request has one"))();
        Ok(send_on(Some(setup.runtime()), setup.required(), request, OK))
    }),
    ("verify", |setup| setup.verify(1)),
    // The memory of so many tokens does not fit into the processor's near cache.
    ("verify_500", |setup| setup.verify(500)),
    ("router_no_layer", |setup| {
        let router = Router::new().route(PATH, get(answer));
        Ok(send(served(router), get_with(PATH, &setup.token()?), OK))
    }),
    ("router_scoped", |setup| {
        let router = Router::new().route(PATH, get(answer.scoped(SCOPE)));
        let router = router.layer(setup.hallpass.layer());
        Ok(send(served(router), get_with(PATH, &setup.token()?), OK))
    }),
    ("router_parameter", |setup| {
        let handler = answer.scoped("projects:read:{id}");
        let router = Router::new().route("/api/projects/{id}", get(handler));
        let router = router.layer(setup.hallpass.layer());
        Ok(send(served(router), get_with("/api/projects/42", &setup.token()?), OK))
    }),
];

const OK: StatusCode = StatusCode::OK;

/// The handler of every router.
async fn answer() -> StatusCode {
    OK
}

/// The router as `axum::serve` runs it. Without `with_state`, axum would put the layers around the
/// handler again for each request.
fn served(router: Router) -> RouterIntoService<Body> {
    router.with_state(()).into_service()
}

/// A handle with a cache, and the runtime for the cache's background tasks.
pub(crate) struct Setup {
    runtime: Rc<Runtime>,
    hallpass: Hallpass,
}

impl Setup {
    pub(crate) fn new() -> Result<Self> {
        // The program is many times slower under callgrind. In that time, records must not become
        // stale, and no other work may run while a request is counted.
        let hour = Duration::from_secs(3600);
        let settings = CacheSettings::default().max_staleness(hour).max_age(hour).poll(hour);
        let cached = Cached::with_settings(MemoryStore::new(), settings);
        Ok(Self {
            runtime: Rc::new(Builder::new_current_thread().enable_time().build()?),
            hallpass: Hallpass::builder(cached)
                .limits(Limits::default().tokens_per_owner(u32::MAX))
                .build(),
        })
    }

    pub(crate) fn runtime(&self) -> Rc<Runtime> {
        Rc::clone(&self.runtime)
    }

    /// Issues a token that is cached.
    fn token(&self) -> Result<String> {
        self.cached(self.issue(&[SCOPE])?)
    }

    /// Uses a token, so that it is cached.
    fn cached(&self, token: String) -> Result<String> {
        self.runtime.block_on(self.hallpass.authenticate(token.as_bytes()))?;
        Ok(token)
    }

    fn issue(&self, scopes: &[&str]) -> Result<String> {
        let new = NewToken::named("bench").scopes(scopes.iter().copied());
        let issued = self.runtime.block_on(self.hallpass.issue(&Actor::owner("owner"), new))?;
        Ok(issued.token.reveal().to_owned())
    }

    /// Checks this many tokens in turn, without a request.
    fn verify(&self, tokens: usize) -> Result<Box<dyn FnMut() -> Step>> {
        // All are issued first: two tokens can share a stripe, and a new token makes the cached
        // record of the other one stale.
        let issued = (0..tokens).map(|_| self.issue(&[SCOPE])).collect::<Result<Vec<_>>>()?;
        let tokens = issued.into_iter().map(|token| self.cached(token));
        let tokens = tokens.collect::<Result<Vec<_>>>()?;
        let (tokens, hallpass) = (Rc::new(tokens), self.hallpass.clone());
        Ok(Box::new(move || {
            let (tokens, hallpass) = (Rc::clone(&tokens), hallpass.clone());
            Box::new(move || {
                for token in tokens.iter() {
                    let verified = hallpass.verify(token.as_bytes());
                    assert!(matches!(verified, Verification::Decided(Ok(_))));
                }
            })
        }))
    }

    /// The layer and a required scope.
    fn required(&self) -> TokenService<Require<Open>> {
        ServiceBuilder::new()
            .layer(TokenLayer::new(&self.hallpass))
            .layer(require(SCOPE))
            .service(Open)
    }
}

/// A `GET` with the token in the header, and other usual headers.
fn get_with<B: Default>(uri: &'static str, token: &str) -> impl FnMut() -> Request<B> + use<B> {
    let value = format!("Bearer {token}");
    move || {
        let mut request = get_without(uri);
        let value = value.parse().expect("a token is visible ASCII");
        request.headers_mut().insert(AUTHORIZATION, value);
        request
    }
}

fn get_without<B: Default>(uri: &str) -> Request<B> {
    Request::get(uri)
        .header(HOST, "api.example.com")
        .header(USER_AGENT, "reports/2.4 (+https://example.com)")
        .header(ACCEPT, "application/json")
        .extension(ConnectInfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000))))
        .body(B::default())
        .expect("the URIs of the cases are valid")
}

/// Sends requests whose responses are ready at once.
fn send<S, B, R>(
    service: S,
    request: impl FnMut() -> Request<B> + 'static,
    expected: StatusCode,
) -> Box<dyn FnMut() -> Step>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible> + Clone + 'static,
    B: 'static,
{
    send_on(None, service, request, expected)
}

/// Sends requests. The runtime, if there is one, waits for their responses.
fn send_on<S, B, R>(
    runtime: Option<Rc<Runtime>>,
    service: S,
    mut request: impl FnMut() -> Request<B> + 'static,
    expected: StatusCode,
) -> Box<dyn FnMut() -> Step>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible> + Clone + 'static,
    B: 'static,
{
    Box::new(move || {
        let (mut service, request, runtime) = (service.clone(), request(), runtime.clone());
        Box::new(move || {
            let answer = pin!(service.call(request));
            let Ok(response) = match runtime {
                Some(runtime) => runtime.block_on(answer),
                None => match answer.poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(answered) => answered,
                    Poll::Pending => panic!("a hit does not wait"),
                },
            };
            assert_eq!(response.status(), expected);
        })
    })
}

/// A service that accepts every request.
#[derive(Clone, Copy)]
struct Open;

impl Service<Request<()>> for Open {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        drop(std::hint::black_box(request));
        ready(Ok(Response::new(())))
    }
}
