//! Method routers in which every handler has a requirement, for
//! [`GuardedRouter::routes`](crate::GuardedRouter::routes).
//!
//! They look like those of [`axum::routing`], but a handler without `.scoped(..)` does not compile.

use std::fmt;

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on as axum_on};
use hallpass_core::Requirement;
use http::Method;

use crate::handler::ScopedHandler;

/// The scoped handlers of one path, by method.
///
/// ```
/// use hallpass_axum::routing::{get, ScopedMethodRouter};
/// use hallpass_axum::HandlerExt;
/// # async fn list() {}
/// # async fn create() {}
///
/// let projects: ScopedMethodRouter =
///     get(list.scoped("projects:list")).post(create.scoped("projects:create"));
/// ```
#[must_use = "method routers do nothing until `GuardedRouter::routes` puts them on a path"]
pub struct ScopedMethodRouter<S = ()>(pub(crate) Vec<ScopedMethod<S>>);

/// A method with its requirement and its handler.
pub(crate) struct ScopedMethod<S> {
    pub(crate) method: Method,
    pub(crate) requirement: Requirement,
    pub(crate) router: MethodRouter<S>,
}

/// Routes a method to a scoped handler.
///
/// # Panics
///
/// Panics if axum does not route this method.
///
/// ```
/// use axum::http::Method;
/// use hallpass_axum::{GuardedRouter, HandlerExt, routing::on};
///
/// async fn list() {}
///
/// let api: GuardedRouter =
///     GuardedRouter::new().routes("/projects", on(Method::GET, list.scoped("projects:list")));
/// ```
#[track_caller]
pub fn on<H, T, S>(method: Method, handler: ScopedHandler<H, T, S>) -> ScopedMethodRouter<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    ScopedMethodRouter(Vec::new()).on(method, handler)
}

impl<S: Clone + Send + Sync + 'static> ScopedMethodRouter<S> {
    /// Routes one more method to a scoped handler.
    ///
    /// # Panics
    ///
    /// Panics if axum does not route this method.
    #[track_caller]
    pub fn on<H, T>(mut self, method: Method, handler: ScopedHandler<H, T, S>) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let Ok(filter) = MethodFilter::try_from(method.clone()) else {
            panic!("axum does not route the method {method}, so its handler would never be called");
        };
        let requirement = handler.requirement().clone();
        self.0.push(ScopedMethod { method, requirement, router: axum_on(filter, handler) });
        self
    }
}

macro_rules! methods {
    ($($name:ident $method:ident $text:literal)*) => {
        $(
            #[doc = concat!("Routes `", $text, "` to a scoped handler.")]
            pub fn $name<H, T, S>(handler: ScopedHandler<H, T, S>) -> ScopedMethodRouter<S>
            where
                H: Handler<T, S>,
                T: 'static,
                S: Clone + Send + Sync + 'static,
            {
                on(Method::$method, handler)
            }
        )*

        impl<S: Clone + Send + Sync + 'static> ScopedMethodRouter<S> {
            $(
                #[doc = concat!("Routes `", $text, "` to a scoped handler, too.")]
                pub fn $name<H, T>(self, handler: ScopedHandler<H, T, S>) -> Self
                where
                    H: Handler<T, S>,
                    T: 'static,
                {
                    self.on(Method::$method, handler)
                }
            )*
        }
    };
}

methods! {
    get GET "GET` and `HEAD"
    post POST "POST"
    put PUT "PUT"
    patch PATCH "PATCH"
    delete DELETE "DELETE"
}

impl<S> fmt::Debug for ScopedMethodRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = self.0.iter().map(|route| (&route.method, &route.requirement));
        f.debug_map().entries(methods).finish()
    }
}
