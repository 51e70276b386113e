//! An inner layer that enforces one requirement.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hallpass_core::{IntoRequirement, Requirement};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::auth_context::enforce;
use crate::body::ResponseBody;

/// Creates an inner layer that enforces a requirement on the requests that an outer
/// [`TokenLayer`](crate::TokenLayer) has passed on.
///
/// ```
/// use hallpass_core::any_of;
/// use hallpass_tower::require;
///
/// let readers = require("projects:read");
/// let either = require(any_of(["projects:read", "projects:list"]));
/// # let _ = (readers, either);
/// ```
///
/// # Panics
///
/// Panics if the requirement is not valid, or if it is bound to a path parameter, which a plain
/// service does not have. For such requirements, use the policy table or the framework's
/// integration (`.scoped(..)` for axum).
#[track_caller]
pub fn require(requirement: impl IntoRequirement) -> RequireLayer {
    let requirement = match requirement.into_requirement() {
        Ok(requirement) => requirement,
        Err(error) => panic!("{error}"),
    };
    if let Some(name) = requirement.parameters().first() {
        panic!(
            "`require({requirement})` is bound to the path parameter {{{name}}}, which a plain \
             layer cannot read: set the requirement in the policy table, or with `.scoped(..)` on \
             the axum handler"
        );
    }
    RequireLayer(Arc::new(requirement))
}

/// A layer that enforces a requirement. [`require`] creates it.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RequireLayer(Arc<Requirement>);

impl<S> Layer<S> for RequireLayer {
    type Service = Require<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Require { inner, requirement: Arc::clone(&self.0) }
    }
}

/// A service that enforces a requirement. [`RequireLayer`] creates it.
#[derive(Clone, Debug)]
pub struct Require<S> {
    inner: S,
    requirement: Arc<Requirement>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Require<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = RequireFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match enforce(request.extensions(), &self.requirement, &()) {
            Ok(()) => {
                RequireFuture { state: RequireState::Calling { future: self.inner.call(request) } }
            }
            Err(rejection) => {
                let response = rejection.into_response_to(request.method());
                RequireFuture { state: RequireState::Rejected { response: Some(response) } }
            }
        }
    }
}

pin_project! {
    /// The response future of a [`Require`] service.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct RequireFuture<F> {
        #[pin]
        state: RequireState<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = RequireProjection]
    enum RequireState<F> {
        Calling { #[pin] future: F },
        Rejected { response: Option<Response<bytes::Bytes>> },
    }
}

impl<F, B, E> Future for RequireFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            RequireProjection::Calling { future } => {
                Poll::Ready(Ok(ready!(future.poll(cx))?.map(ResponseBody::inner)))
            }
            RequireProjection::Rejected { response } => {
                let response = response.take().expect("a future is not polled after it is done");
                Poll::Ready(Ok(response.map(ResponseBody::rejection)))
            }
        }
    }
}
