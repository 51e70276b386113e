//! Requirements on handlers.
//!
//! The requirement is checked inside of axum's router, after the route was matched, because only
//! then are the path parameters known. The layer outside has already checked the token by then.
//!
//! `.scoped` wraps the handler in another handler, which makes the check. It adds no middleware. So
//! the requirement applies to exactly one method of one route, and a method without a handler still
//! gets axum's own response.

use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use futures_util::future::Either;
use hallpass_core::{IntoRequirement, Requirement};
use hallpass_tower::{RejectionKind, enforce, rejection_for};
use http::Method;

use crate::parameters::enforce_routed;
use crate::rejection::RejectionResponse;

/// An extension trait of handlers that adds a requirement.
///
/// ```
/// use axum::{Router, extract::Path, routing::get};
/// use hallpass_axum::{HallpassExt, HandlerExt};
/// # use hallpass_core::Hallpass;
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
    /// Requires that the principal meets a requirement before the handler runs. `{name}` in it
    /// stands for the route's path parameter of that name.
    ///
    /// The layer must be around the router: without it, the response is a 500, and the log
    /// describes the mistake. With axum's own router, the route of a handler is unknown until a
    /// request arrives. So if the route does not have the parameter, or the catalog does not list
    /// the scope, requests get a 500, and the log names the route.
    /// [`GuardedRouter::routes`](crate::GuardedRouter::routes) panics at start-up in both cases.
    ///
    /// # Panics
    ///
    /// Panics if the requirement is not valid.
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

/// A handler with a requirement. [`HandlerExt::scoped`] creates it.
pub struct ScopedHandler<H, T, S> {
    handler: H,
    requirement: Arc<Requirement>,
    marker: PhantomData<fn() -> (T, S)>,
}

impl<H, T, S> ScopedHandler<H, T, S> {
    pub(crate) fn requirement(&self) -> &Requirement {
        &self.requirement
    }
}

/// Applies the requirement to every method of a [`MethodRouter`], and to its fallback. A method
/// without a handler gets a 405 if the token meets the requirement.
///
/// ```
/// use axum::{Router, routing::get};
/// use hallpass_axum::HandlerExt;
/// # async fn show() {}
/// # async fn update() {}
///
/// let app: Router = Router::new()
///     .route("/projects/{id}", get(show).patch(update).scoped("projects:write:{id}").into());
/// ```
impl<S: Clone + Send + Sync + 'static> From<ScopedHandler<Self, (), S>> for MethodRouter<S> {
    fn from(scoped: ScopedHandler<Self, (), S>) -> Self {
        let needs = Needs::AnyMethod(scoped.requirement);
        // Not `route_layer`: that would leave out a fallback, such as the one of `any(..)`.
        scoped.handler.layer(from_fn_with_state(needs, enforce_needs))
    }
}

/// The requirements of the methods of a [`MethodRouter`].
#[derive(Clone)]
pub(crate) enum Needs {
    AnyMethod(Arc<Requirement>),
    EachMethod(Arc<[(Method, Requirement)]>),
}

impl Needs {
    fn of(&self, method: &Method) -> Option<&Requirement> {
        match self {
            Self::AnyMethod(requirement) => Some(requirement),
            Self::EachMethod(list) => {
                let entry_of = |method| list.iter().find(|(listed, _)| listed == method);
                let get_for_head = || entry_of(&Method::GET).filter(|_| method == Method::HEAD);
                entry_of(method).or_else(get_for_head).map(|(_, requirement)| requirement)
            }
        }
    }
}

/// A middleware that rejects requests that do not meet the requirement of their method.
pub(crate) async fn enforce_needs(
    State(needs): State<Needs>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let verdict = match needs.of(&parts.method) {
        Some(requirement) => enforce_routed(&mut parts, requirement),
        None => Err(rejection_for(&parts.extensions, RejectionKind::NotDeclared)),
    };
    match verdict {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(rejection) => RejectionResponse::from(rejection).into_response(),
    }
}

impl<H, T, S> Handler<T, S> for ScopedHandler<H, T, S>
where
    H: Handler<T, S>,
    T: 'static,
    S: 'static,
{
    type Future = Either<Ready<Response>, H::Future>;

    fn call(self, request: Request, state: S) -> Self::Future {
        // Splitting a request copies its head, which is necessary only for parameters.
        let (request, verdict) = if self.requirement.has_parameters() {
            let (mut parts, body) = request.into_parts();
            let verdict = enforce_routed(&mut parts, &self.requirement);
            (Request::from_parts(parts, body), verdict)
        } else {
            let verdict = enforce(request.extensions(), &self.requirement, &());
            (request, verdict)
        };
        match verdict {
            Ok(()) => Either::Right(self.handler.call(request, state)),
            Err(rejection) => {
                Either::Left(ready(RejectionResponse::from(rejection).into_response()))
            }
        }
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
