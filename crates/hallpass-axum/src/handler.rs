use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use hallpass_core::{IntoRequirement, Requirement};
use pin_project_lite::pin_project;

use crate::parameters::enforce_routed;
use crate::rejection::RejectionResponse;

/// Scopes on handlers.
///
/// ```
/// use axum::{Router, extract::Path, routing::get};
/// use hallpass_axum::{HallpassExt, HandlerExt};
/// # use hallpass_axum::core::Hallpass;
/// # use hallpass_memory::MemoryStore;
///
/// async fn list() -> &'static str { "atlas, borealis" }
/// async fn show(Path(id): Path<String>) -> String { id }
///
/// # let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let app: Router = Router::new()
///     .route("/projects", get(list.scoped("projects:list")))
///     .route("/projects/{id}", get(show.scoped("projects:read:{id}")))
///     .layer(hallpass.layer());
/// ```
pub trait HandlerExt<T, S>: Handler<T, S> {
    /// Lets this handler be called only by who meets the requirement. `{name}` in it is the route's
    /// path parameter of that name.
    ///
    /// The layer must be around the router: without it the handler answers 500, and the log names
    /// the mistake. So does a parameter that the route does not have.
    ///
    /// # Panics
    ///
    /// The requirement is not valid: told when the router is built.
    #[track_caller]
    fn scoped(self, requirement: impl IntoRequirement) -> ScopedHandler<Self, T, S> {
        match requirement.into_requirement() {
            Ok(requirement) => ScopedHandler {
                handler: self,
                requirement: Arc::new(requirement),
                marker: PhantomData,
            },
            Err(error) => panic!("{error}"),
        }
    }
}

impl<H: Handler<T, S>, T, S> HandlerExt<T, S> for H {}

/// A handler with a requirement: made by [`HandlerExt::scoped`].
pub struct ScopedHandler<H, T, S> {
    handler: H,
    requirement: Arc<Requirement>,
    marker: PhantomData<fn() -> (T, S)>,
}

impl<H, T, S> Handler<T, S> for ScopedHandler<H, T, S>
where
    H: Handler<T, S>,
    T: 'static,
    S: 'static,
{
    type Future = ScopedFuture<H::Future>;

    fn call(self, request: Request, state: S) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let state = match enforce_routed(&mut parts, &self.requirement) {
            Ok(()) => State::Calling {
                future: self.handler.call(Request::from_parts(parts, body), state),
            },
            Err(refusal) => State::Refused {
                response: Some(RejectionResponse::new(refusal, &parts).into_response()),
            },
        };
        ScopedFuture { state }
    }
}

impl<H: Clone, T, S> Clone for ScopedHandler<H, T, S> {
    fn clone(&self) -> Self {
        Self {
            handler: self.handler.clone(),
            requirement: Arc::clone(&self.requirement),
            marker: PhantomData,
        }
    }
}

impl<H, T, S> fmt::Debug for ScopedHandler<H, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedHandler")
            .field("requirement", &self.requirement)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The answer of a [`ScopedHandler`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ScopedFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProjection]
    enum State<F> {
        Calling { #[pin] future: F },
        Refused { response: Option<Response> },
    }
}

impl<F: Future<Output = Response>> Future for ScopedFuture<F> {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        match self.project().state.project() {
            StateProjection::Calling { future } => Poll::Ready(ready!(future.poll(cx))),
            StateProjection::Refused { response } => {
                Poll::Ready(response.take().expect("a future is not polled after it is done"))
            }
        }
    }
}

/// Stops compiling when a layer around a router no longer fits one.
const _: () = {
    const fn fits<L, S>()
    where
        L: tower_layer::Layer<S, Service: tower_service::Service<Request, Error = Infallible>>,
    {
    }
    fits::<hallpass_tower::TokenLayer, axum::routing::Route>();
};
