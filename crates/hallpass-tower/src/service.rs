//! A cache hit is decided synchronously: [`TokenService::call`](tower_service::Service::call)
//! checks the token, calls the inner service and returns its future, without boxing and without a
//! clone.
//!
//! If the check has to wait, the future keeps the inner service. tower requires that `poll_ready`
//! and `call` use the same instance, so the future takes the instance that is ready, and a clone
//! that is not ready stays in its place.
use std::sync::Arc;
use std::task::{Context, Poll};

use hallpass_core::Verification;
use http::{Request, Response, request};
use tower_service::Service;

use crate::admit::{admit, admit_anonymous, admit_principal, find_rule, pass};
use crate::body::ResponseBody;
use crate::future::{ResponseFuture, Waiting};
use crate::preflight::{Preflight, preflight};
use crate::redact::remove_authorization;
use crate::settings::Settings;

/// A service that checks tokens. [`TokenLayer`](crate::TokenLayer) creates it.
#[derive(Clone, Debug)]
pub struct TokenService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> TokenService<S> {
    pub(crate) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }

    /// Returns the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service, without the layer.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Takes the service that is ready for this request, and leaves a clone, which must become
    /// ready first.
    fn take_ready(&mut self) -> S
    where
        S: Clone,
    {
        let clone = self.inner.clone();
        std::mem::replace(&mut self.inner, clone)
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for TokenService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let settings = &self.settings;
        settings.use_flusher.ensure_started(&settings.hallpass);
        // The rule is looked up once, because nothing between here and the result of the check
        // changes the route.
        let rule = find_rule(settings, &mut request);
        let verdict = match preflight(settings, &mut request, rule) {
            // The layer that has authenticated the request records the use, too.
            Preflight::Authenticated(principal, via) => {
                remove_authorization(request.headers_mut(), settings);
                Ok(admit_principal(&mut request, settings, principal, via, None))
            }
            Preflight::Public(context) => Ok(pass(&mut request, context, settings)),
            Preflight::Verify(Verification::Pending(check), via) => {
                let settings = Arc::clone(settings);
                let service = self.take_ready();
                let waiting = Waiting { request, service, settings, rule };
                return ResponseFuture::checking(check, via, waiting);
            }
            Preflight::Verify(Verification::Decided(verdict), via) => {
                admit(settings, &mut request, rule, verdict, via)
            }
            Preflight::Fallback(credential) => match &settings.fallback {
                Some(fallback) => {
                    let sign_in = fallback.sign_in(head_of(&request));
                    let settings = Arc::clone(settings);
                    let service = self.take_ready();
                    let waiting = Waiting { request, service, settings, rule };
                    return ResponseFuture::signing_in(sign_in, credential, waiting);
                }
                None => admit_anonymous(settings, &mut request, credential),
            },
            Preflight::Reject(rejection) => Err(rejection),
        };
        match verdict {
            Ok(admitted) => ResponseFuture::calling(self.inner.call(request), admitted),
            Err(rejection) => ResponseFuture::rejected(rejection, &request, &self.settings),
        }
    }
}

/// Copies the head of a request for the host's sign-in.
fn head_of<B>(request: &Request<B>) -> request::Parts {
    let (mut head, ()) = Request::new(()).into_parts();
    head.method = request.method().clone();
    head.uri = request.uri().clone();
    head.version = request.version();
    head.headers = request.headers().clone();
    head.extensions = request.extensions().clone();
    head
}
