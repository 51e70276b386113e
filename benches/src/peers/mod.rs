//! Other implementations in front of the same service.

pub(crate) mod floor;
pub(crate) mod jwt;
pub(crate) mod login;
pub(crate) mod plain;
pub(crate) mod postgres;

use std::future::{Ready, ready};

use futures::future::Either;
use http::{Request, Response, StatusCode, header::AUTHORIZATION};

/// The inner service's future, or an immediate rejection.
pub(crate) type Answer<F, R> = Either<F, Ready<R>>;

/// A service behind a [`Gate`].
#[derive(Clone)]
pub(crate) struct Gated<G, S> {
    pub(crate) gate: G,
    pub(crate) inner: S,
}

/// Authenticates a request by its bearer credential.
pub(crate) trait Gate: Clone {
    type Actor: Clone + Send + Sync + 'static;

    fn admit(&self, credential: &str) -> Option<Self::Actor>;
}

impl<G, S, B, R> tower::Service<Request<B>> for Gated<G, S>
where
    G: Gate,
    S: tower::Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Answer<S::Future, Result<Response<R>, S::Error>>;

    fn poll_ready(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let value = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let credential = value.and_then(|value| value.strip_prefix("Bearer "));
        match credential.and_then(|credential| self.gate.admit(credential)) {
            Some(caller) => {
                request.extensions_mut().insert(caller);
                Either::Left(self.inner.call(request))
            }
            None => {
                let mut rejection = Response::new(R::default());
                *rejection.status_mut() = StatusCode::UNAUTHORIZED;
                Either::Right(ready(Ok(rejection)))
            }
        }
    }
}
